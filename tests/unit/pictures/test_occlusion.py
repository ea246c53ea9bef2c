"""Covering parts of photographs."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from filterscope.data.geometry import Geometry
from filterscope.pictures import occlusion
from filterscope.pictures.occlusion import CoveredPart, OcclusionSettings, Rectangle, measure

# Strongest filters of photograph A and of A with a part covered, B to I (Amirli, table 1).
SEED = {
    "A": "484 257 219 128 2 139 298 346 335 142",
    "B": "128 257 484 219 114 420 2 139 142 361",
    "C": "484 139 257 219 128 2 335 114 142 265",
    "D": "484 257 128 219 249 335 298 86 114 464",
    "E": "484 257 219 128 139 114 265 464 142 2",
    "F": "128 257 2 484 139 335 114 219 379 142",
    "G": "484 257 114 2 128 139 219 335 142 265",
    "H": "484 219 128 257 114 335 298 474 29 412",
    "I": "153 420 352 92 361 88 270 20 148 114",
}


def test_overlaps_as_printed():
    sets = {name: np.array(text.split(), int) for name, text in SEED.items()}
    assert [occlusion.overlap(sets["A"], sets[name]) for name in "BCDEFGHI"] == [7, 8, 6, 7, 8, 8, 6, 0]


def view(side=16):
    """Red at the left, blue at the right."""
    picture = torch.zeros(3, side, side, dtype=torch.uint8)
    picture[0, :, : side // 2], picture[2, :, side // 2 :] = 200, 100
    return picture


def look(views):
    """Filters: red, blue, green, a constant."""
    means = views.double().mean((2, 3)).numpy()
    return np.stack([means[:, 0], means[:, 2], means[:, 1], np.full(len(means), 60.0)], 1)


def part(y0, y1, x0, x1, fill="black", side=16):
    mask = np.zeros((side, side), bool)
    mask[y0:y1, x0:x1] = True
    return CoveredPart("rectangle", "", mask, (x0, y0, x1, y1), fill)


def measured(*parts, n=2, null=0):
    return list(measure(view(), parts, look, n, null, np.random.default_rng(0)))


def test_covering_what_a_filter_sees_removes_it_from_the_set():
    nothing, all_red, half_red = measured(part(0, 0, 0, 0), part(0, 16, 0, 8), part(0, 8, 0, 8))
    assert nothing.filters.tolist() == [0, 3]  # 100, 60, 50, 0
    assert (nothing.overlap, nothing.change, nothing.area) == (2, 0, 0)
    assert all_red.filters.tolist() == [3, 1]
    assert (all_red.overlap, all_red.area) == (1, 0.5)
    assert all_red.change == pytest.approx(-100 / 210)
    assert all_red.change_strongest == pytest.approx(-100 / 160)
    assert half_red.filters.tolist() == [3, 0]  # 60, 50, 50: ties by number
    assert half_red.overlap == 2


def test_no_activation_to_begin_with_has_no_relative_change():
    dark = torch.zeros(3, 16, 16, dtype=torch.uint8)
    silent = lambda views: np.zeros((len(views), 4))  # noqa: E731
    (done,) = measure(dark, [part(0, 4, 0, 4)], silent, 2, 3, np.random.default_rng(0))
    assert (done.change, done.change_strongest) == (None, None)
    assert done.overlap == 2


def test_null_shows_whether_the_place_matters_or_its_size():
    red, blue = measured(part(0, 16, 0, 8), part(0, 16, 8, 16), null=99)
    assert len(red.null) == 99
    assert np.array_equal(red.null, blue.null)  # of the same area
    # Covering the blue half keeps red and the constant; the blue filter was not in the set.
    assert blue.overlap == 2
    assert occlusion.smaller_overlap(blue.overlap, blue.null) == 1
    assert occlusion.smaller_overlap(0, red.null) == 0.01
    assert occlusion.smaller_overlap(0, np.zeros(0)) is None


def test_fillings():
    filled = occlusion.fillings(view(), ["black", "mean", "blur"])
    assert filled["black"].sum() == 0
    assert filled["mean"][:, 3, 3].tolist() == [100, 0, 50]
    assert filled["blur"].float().mean((1, 2)).tolist() == pytest.approx([100, 0, 50], abs=2)
    assert 0 < filled["blur"][0, 8, 8] < 200
    with pytest.raises(ValueError, match="fill is 'white', should be one of black, mean, blur"):
        occlusion.fillings(view(), ["white"])


def test_only_the_part_is_covered():
    made = occlusion.covered(view(), part(2, 5, 1, 4).mask[None], torch.full_like(view(), 7))
    assert made.shape == (1, 3, 16, 16)
    assert (made[0, :, 2:5, 1:4] == 7).all()
    made[0, :, 2:5, 1:4] = view()[:, 2:5, 1:4]
    assert torch.equal(made[0], view())


@pytest.mark.parametrize("box", [(-1, 0, 4, 4), (0, 0, 41, 4), (0, 0, 4, 31), (5, 0, 5, 4), (5, 4, 8, 3)])
def test_rectangles_outside_are_refused(box):
    corners = ", ".join(map(str, box))
    said = rf"rectangle \[{corners}\] does not lie in a.jpg, which is 40 x 30 px: x0 < x1.*0 to 40.*0 to 30"
    with pytest.raises(ValueError, match=said):
        occlusion.rectangle_parts([Rectangle(*box)], 30, 40, Geometry(16, 16), "black", "a.jpg")


def test_a_rectangle_outside_the_view_is_named(caplog):
    """Photograph of 40 x 20 px seen as its middle 20 x 20."""
    outside, inside = Rectangle(0, 0, 10, 20), Rectangle(5, 0, 15, 20)
    with caplog.at_level("WARNING", "filterscope"):
        parts = occlusion.rectangle_parts([outside, inside], 20, 40, Geometry(10, 10), "black", "a.jpg")
    assert [part.mask.any() for part in parts] == [False, True]
    assert caplog.messages == [
        "rectangle [0, 0, 10, 20] lies in a.jpg, but outside the network's view of it: it covers nothing"
    ]


def test_rectangles_and_objects_follow_the_geometry():
    """Photograph of 40 x 20 px seen as its middle 20 x 20, at half its size."""
    geometry = Geometry(10, 10)
    (left,) = occlusion.rectangle_parts([Rectangle(10, 0, 20, 20, "mean")], 20, 40, geometry, "black", "a.jpg")
    assert left.mask[:, :5].all()
    assert not left.mask[:, 5:].any()
    assert left.fill == "mean"
    masks = np.zeros((2, 20, 40), bool)
    masks[0, :, :4], masks[1, 4:8, 24:30] = True, True
    (seen,) = occlusion.object_parts(masks, ["dog", "cat"], geometry, "blur")
    assert (seen.name, seen.box, seen.fill) == ("cat", (24, 4, 30, 8), "blur")  # the dog is outside the crop
    assert seen.mask.sum() == 2 * 3


@settings(max_examples=60)
@given(st.integers(1, 400), st.integers(4, 20), st.integers(0, 99))
def test_random_rectangles_have_the_area_and_lie_in_the_view(area, side, seed):
    masks = occlusion.random_rectangles(area, side, 5, np.random.default_rng(seed))
    wanted = min(area, side * side)
    for mask in masks:
        rows, columns = mask.any(1).sum(), mask.any(0).sum()
        assert mask.sum() == rows * columns  # a rectangle
        assert abs(mask.sum() - wanted) <= max(rows, columns)


def test_squares_cover_the_view():
    assert occlusion.squares(10, 4, 3) == [(y, x) for y in (0, 3, 6) for x in (0, 3, 6)]
    assert occlusion.squares(10, 10, 3) == [(0, 0)]
    with pytest.raises(ValueError, match="sliding square is 11 px, should be from 1 to the view's 10 px"):
        occlusion.squares(10, 11, 3)


def test_importance_is_where_the_filters_look():
    lost, weaker = occlusion.importance(view(), look, OcclusionSettings(1, size=0.25, stride=0.125))
    assert lost.shape == weaker.shape == (16, 16)
    assert weaker[:, :4].mean() == pytest.approx(16 / 128)  # a square takes an eighth of the red
    assert weaker[:, 12:].max() == 0
    assert lost.max() == 0  # red stays strongest throughout


@pytest.mark.parametrize(("offset", "loss"), [(-228, 50 / 128), (-100, 0)])
def test_importance_of_logits_that_are_negative_or_zero(offset, loss):
    """Mean red is 100, of which a square takes half: less 228 it falls from -128 by 50. Of zero there is no share."""
    half = OcclusionSettings(1, size=0.5, stride=0.5)

    def logits(views):
        return look(views)[:, :1] + offset

    _, weaker = occlusion.importance(view(), logits, half)
    assert weaker[:, :8] == pytest.approx(np.full((16, 8), loss))
    assert (weaker[:, 8:] == 0).all()


def test_rows_begin_with_the_photograph_itself():
    whole = occlusion.whole_part(view(), (40, 50), "black")
    first, second = occlusion.rows(7, measured(whole, part(0, 16, 0, 8), null=19))
    assert (first["kind"], first["overlap"], first["area"], first["p"]) == ("photograph", 2, 0, None)
    assert (first["x1"], first["y1"], first["fill"], first["filters"]) == (50, 40, "", "0 3")
    assert (second["number"], second["kind"], second["overlap"], second["fill"]) == (1, "rectangle", 1, "black")
    assert second["null_low"] <= second["null_overlap"] <= second["null_high"]
    assert 0.05 <= second["p"] <= 1


def test_settings_are_checked():
    with pytest.raises(ValueError, match=r"occlusion.fill is 'white'"):
        OcclusionSettings(fill="white")
    with pytest.raises(ValueError, match=r"occlusion.stride is 0.3, should be at most the size .* square, 0.15"):
        OcclusionSettings(size=0.15, stride=0.3)
    OcclusionSettings(size=0.3, stride=0.3)
    assert OcclusionSettings().pixels(224) == (34, 17)
