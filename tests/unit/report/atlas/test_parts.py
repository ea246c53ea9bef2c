"""Parts of the atlas against the slow and obvious way of doing the same."""

import numpy as np
import pytest
from PIL import Image

from filterscope import tables
from filterscope.data.geometry import Geometry
from filterscope.report.atlas.beside import Asked
from filterscope.report.atlas.crossing import matches, near_words, pairs, strongest
from filterscope.report.atlas.details import histogram
from filterscope.report.atlas.maps import Firing, firing_together, nearest, plane
from filterscope.report.atlas.photographs import opened
from filterscope.report.atlas.views import View


@pytest.mark.parametrize(("width", "height"), [(60, 40), (40, 60), (33, 33), (500, 31)])
@pytest.mark.parametrize(("resize", "crop"), [(32, 32), (40, 32)])
def test_a_view_is_what_the_network_sees(width, height, resize, crop):
    left, upper, right, lower = View(resize, crop).box(width, height)
    columns = np.tile(np.arange(width, dtype=np.float32), (height, 1))[..., None]
    rows = np.tile(np.arange(height, dtype=np.float32)[:, None], (1, width))[..., None]
    seen = [Geometry(resize, crop).mask(each, (crop, crop))[..., 0] for each in (columns, rows)]
    for (low, high), pixels, size in zip(((left, right), (upper, lower)), seen, (width, height), strict=True):
        step = max(1.0, size * (high - low) / crop)  # centres of cells lie half a step inside
        assert abs(low * size - pixels.min()) <= step + 1
        assert abs(high * size - 1 - pixels.max()) <= step + 1


def test_firing_is_drawn_evenly_over_shards_of_the_split(tmp_path):
    values = np.arange(24, dtype=np.float32).reshape(12, 2)
    splits = ["val", "train"] * 6
    paths = []
    for part in range(2):
        own = slice(6 * part, 6 * part + 6)
        table = {
            "image_id": np.arange(12)[own],
            "split": splits[own],
            "maximum": tables.vectors(values[own]),
            "mean": tables.vectors(values[own]),
        }
        paths.append(tmp_path / f"{part}.parquet")
        tables.write(table, "image_activations", paths[-1])
    found = Firing.read(paths, "val", {3: 0, 99: 1})
    assert found.image_ids.tolist() == [0, 2, 4, 6, 8, 10]
    assert np.array_equal(found.sampled, values[::2])
    assert np.array_equal(found.shown, [[6, 7], [np.nan, np.nan]], equal_nan=True)
    assert found.largest.tolist() == [20, 21]  # of the split that is mined
    assert len(Firing.read(paths, None, {}).sampled) == 12
    assert Firing.read([], None, {}).sampled.size == 0


def test_nearest_filters_correlate_most(monkeypatch):
    maxima = np.random.default_rng(0).normal(size=(40, 9)).astype(np.float32)
    maxima[:, 4] = 1.0  # a dead filter is nobody's neighbour
    with np.errstate(invalid="ignore", divide="ignore"):
        wanted = np.corrcoef(maxima.T)
    found = nearest(firing_together(maxima))
    assert found[4] == []
    for number in (0, 8):
        order = [each for each in np.argsort(-np.nan_to_num(wanted[number], nan=-9)) if each not in (number, 4)][:5]
        assert [place for place, _ in found[number]] == order
        assert [value for _, value in found[number]] == pytest.approx(wanted[number][order], abs=1e-6)


def test_a_map_keeps_groups_together_and_leaves_out_what_says_nothing():
    random = np.random.default_rng(1)
    values = random.normal(0, 0.1, (40, 6))
    values[:20, 0] += 5
    values[7] = 0
    places = plane(values, seed=3)
    assert np.isnan(places[7]).all()
    known = np.delete(places, 7, axis=0)
    assert known.min() >= 0
    assert known.max() == pytest.approx(1)
    first, second = known[:19].mean(0), known[19:].mean(0)
    assert np.linalg.norm(first - second) > 2 * max(known[:19].std(0).max(), known[19:].std(0).max())
    assert np.array_equal(places, plane(values, seed=3), equal_nan=True)
    assert plane(values[:4], 0).shape == (4, 2)  # too few for t-SNE
    assert np.isnan(plane(np.zeros((3, 2)), 0)).all()
    assert np.array_equal(plane(np.ones((12, 3)), 0), np.zeros((12, 2)))  # all alike


def test_strongest_filters_are_told_by_their_share_of_the_largest():
    maxima = np.array([[1.0, 9.0, 0.0], [np.nan] * 3])
    found = strongest(maxima, np.array([1.0, 10.0, 5.0]), np.array([0, 1, 2]))
    assert found == {"filters": [[0, 1], []], "shares": [[1.0, 0.9], []]}
    assert strongest(maxima, np.array([1.0, 10.0, 5.0]), np.array([1]))["filters"] == [[1], []]


def test_near_words_are_words_that_filters_have(tmp_path):
    words = ["dog", "puppy", "car", "tyre"]
    vectors = np.array([[1, 0], [0.9, 0.1], [0, 1], [-1, 0]])
    table = {"row": np.arange(4, dtype=np.int32), "word": words, "vector": tables.vectors(vectors)}
    tables.write(table, "vocabulary", tmp_path / "v.parquet")
    found = near_words(tmp_path / "v.parquet", ["dog", "car"])
    assert found["words"] == words
    assert found["near"] == [[], [0], [], []]  # not the word itself, nor one that is far
    assert found["cosine"][1] == [pytest.approx(0.994, abs=1e-3)]
    assert near_words(tmp_path / "v.parquet", [])["near"] == [[], [], [], []]


def test_filters_are_matched_by_what_they_fire_on():
    first = np.random.default_rng(0).normal(size=(50, 4))
    second = np.column_stack([first[:, 2], np.ones(50), first[:, 0] * 3 + 1])
    found = matches(first, second, np.arange(4), np.arange(3))
    assert found["filter"][0] == 2
    assert found["filter"][2] == 0
    assert found["correlation"][0] == 1
    assert matches(first, second, np.arange(4), np.zeros(0, int))["filter"] == [None] * 4


def test_layers_are_paired_where_they_saw_the_same_photographs():
    layers = [
        {"dataset": "a", "firing": ["x"], "layer": "conv"},
        {"dataset": "b", "firing": ["y"], "layer": "conv"},
        {"dataset": "a", "firing": ["z"], "layer": "fc"},
        {"dataset": "a", "firing": ["x"], "layer": "conv"},  # the same layer in other words
        {"dataset": "a", "firing": [], "layer": "conv"},
    ]
    asked = [Asked(number, 0, None, given) for number, given in enumerate(layers)]
    assert pairs(asked, {}, []) == [(0, 2), (2, 3)]
    # Another study: of its layers on the same photographs those that belong to one of this study's.
    asked += [Asked(5, 1, None, {**layers[0], "dataset": "c"}), Asked(6, 1, None, layers[2])]
    assert pairs(asked, {(1, "c"): (0, "a")}, [(0, 5)]) == [(0, 2), (0, 5), (2, 3)]
    assert pairs(asked, {}, [(0, 5), (2, 6)]) == [(0, 2), (2, 3)]


def test_a_histogram_counts_every_image():
    found = histogram(np.array([0.0, 0.0, 1.0, 2.0], np.float32))
    assert len(found["edges"]) == len(found["counts"]) + 1
    assert sum(found["counts"]) == 4
    assert (found["edges"][0], found["edges"][-1], found["counts"][0]) == (0, 2, 2)


def test_photographs_are_read_as_they_are_seen(tmp_path):
    clear = Image.new("RGBA", (4, 2), (255, 0, 0, 0))
    clear.save(tmp_path / "clear.png")
    assert opened(tmp_path / "clear.png", False, 96).getpixel((0, 0)) == (255, 255, 255)
    deep = Image.fromarray(np.full((2, 4), 65535, np.uint16))
    deep.save(tmp_path / "deep.png")
    assert opened(tmp_path / "deep.png", False, 96).getpixel((0, 0)) == (255, 255, 255)
    tags = Image.Exif()
    tags[0x0112] = 6
    Image.new("RGB", (8, 4)).save(tmp_path / "turned.jpg", exif=tags)
    assert opened(tmp_path / "turned.jpg", True, 96).size == (4, 8)
    assert opened(tmp_path / "turned.jpg", False, 96).size == (8, 4)
