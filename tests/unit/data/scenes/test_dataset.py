"""Scenes: exact masks, valid tables, one main object, two facets a class, the same picture for the same seed."""

import colorsys
import hashlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as run_lengths

from filterscope import tables
from filterscope.data.scenes import dataset, drawing
from filterscope.data.scenes.words import COLOURS, FACETS, SHAPES, TEXTURES, TOKENS, facet_of


@pytest.fixture(scope="module")
def drawn() -> list[dataset.DrawnScene]:
    return [dataset.draw(3, index) for index in range(120)]


def chroma(image: np.ndarray) -> np.ndarray:
    """Largest minus smallest channel, in [0, 1]."""
    return (image.max(-1).astype(int) - image.min(-1)) / 255


def grown(mask: np.ndarray) -> np.ndarray:
    """The mask and its neighbours."""
    result = mask.copy()
    for axis in (0, 1):
        result |= np.roll(result, 1, axis) | np.roll(result, -1, axis)
    return result


def shrunk(mask: np.ndarray) -> np.ndarray:
    return ~grown(~mask)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    index=st.integers(0, 10**6),
    size=st.integers(48, 160),
    objects=st.tuples(st.integers(1, 6), st.integers(1, 6)).map(sorted).map(tuple),
)
def test_masks_are_disjoint_and_every_object_is_seen(seed, index, size, objects):
    scene = dataset.draw(seed, index, size, objects)
    assert scene.image.shape == (size, size, 3)
    assert scene.image.dtype == np.uint8
    assert objects[0] <= len(scene.objects) <= objects[1]
    assert sum(each.mask.astype(int) for each in scene.objects).max() == 1
    assert all(each.mask.any() for each in scene.objects)
    areas = sorted((each.mask.sum() for each in scene.objects), reverse=True)
    assert sum(each.main for each in scene.objects) == 1
    assert scene.main.mask.sum() == areas[0]
    assert len(areas) == 1 or areas[0] > 1.3 * areas[1]
    y, x = np.nonzero(scene.main.mask)
    assert max(abs(y.mean() - size / 2), abs(x.mean() - size / 2)) < 0.12 * size


def test_a_mask_holds_the_object_and_nothing_else(drawn):
    for scene in drawn:
        covered = np.any([grown(each.mask) for each in scene.objects], axis=0)
        assert chroma(scene.image)[~covered].max() < 0.15
        for each in scene.objects:
            inside = scene.image[shrunk(each.mask)] / 255
            if len(inside) < 20:
                continue
            wanted = colorsys.rgb_to_hsv(*COLOURS[each.colour])[0]
            hues = np.array([colorsys.rgb_to_hsv(*pixel)[0] for pixel in inside])
            away = np.abs((hues - wanted + 0.5) % 1 - 0.5) * 360
            assert np.quantile(away, 0.95) < 9
            nearest = min(
                np.abs((colorsys.rgb_to_hsv(*rgb)[0] - wanted + 0.5) % 1 - 0.5) * 360
                for colour, rgb in COLOURS.items()
                if colour != each.colour
            )
            assert np.median(away) < nearest / 2


def test_a_mask_is_what_the_object_adds_to_the_picture(monkeypatch):
    """Painted black, an object changes the picture inside its mask and at its rim, and nowhere else."""
    scene = dataset.draw(1, 6)
    colours = [each.colour for each in scene.objects]
    assert len(set(colours)) == len(colours) == 4
    for each in scene.objects:
        with monkeypatch.context() as patch:
            black = {name: (0.0, 0.0, 0.0) if name == each.colour else rgb for name, rgb in COLOURS.items()}
            patch.setattr(dataset, "COLOURS", black)
            changed = (dataset.draw(1, 6).image != scene.image).any(-1)
        assert changed[each.mask].all()
        assert not changed[~grown(grown(each.mask))].any()


@pytest.mark.parametrize("texture", TEXTURES)
def test_textures_mark_what_their_name_says(texture):
    marks = drawing.marks(texture, 96, 6.5, np.random.default_rng(0))
    assert marks.min() >= 0
    assert marks.max() <= 1
    rows, columns = marks.mean(1).std(), marks.mean(0).std()
    if texture == "plain":
        assert marks.max() == 0
    elif texture == "horizontal":
        assert rows > 5 * columns
    elif texture == "vertical":
        assert columns > 5 * rows
    else:
        assert marks.std() > 0.3
        assert 0.2 < marks.mean() < 0.6


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_one_radius_have_one_area(shape):
    patch = drawing.distance(shape, 20, 0.2, (0.3, -0.2), margin=3)
    assert patch.shape[0] == patch.shape[1]
    assert len(patch) % 2 == 1
    assert drawing.coverage(patch).sum() == pytest.approx(np.pi * 20**2, rel=0.03)
    assert min(patch[0].min(), patch[-1].min(), patch[:, 0].min(), patch[:, -1].min()) > 2.5
    y, x = np.nonzero(patch <= 0)
    assert (x.mean() - len(patch) // 2, y.mean() - len(patch) // 2) == pytest.approx((0.3, -0.2), abs=0.3)


def test_drawing_and_words_agree():
    assert tuple(drawing.DISTANCES) == SHAPES
    assert tuple(drawing.TEXTURES) == TEXTURES
    assert set(FACETS) == set(SHAPES)
    assert len(set(TOKENS)) == len(TOKENS) == len(COLOURS) + len(TEXTURES) + len(SHAPES)
    faces = [face for pair in FACETS.values() for face in pair]
    assert all(len({face[axis] for face in pair}) == 2 for pair in FACETS.values() for axis in (0, 1))
    assert all(colour in COLOURS and texture in TEXTURES for colour, texture in faces)
    assert all([colour for colour, _ in faces].count(name) == 2 for name in COLOURS)


def test_every_class_shows_both_of_its_facets():
    generator = np.random.default_rng(0)
    counts = {(shape, facet): 0 for shape in SHAPES for facet in (0, 1, None)}
    for _ in range(4000):
        colour, texture, shape = dataset.random_words(generator, main=True)
        counts[shape, facet_of(colour, texture, shape)] += 1
    for shape in SHAPES:
        total = sum(counts[shape, facet] for facet in (0, 1, None))
        assert all(0.22 < counts[shape, facet] / total < 0.40 for facet in (0, 1))
        assert counts[shape, None] / total > 0.3


def test_a_picture_depends_on_seed_and_number_only(drawn):
    alone = dataset.draw(3, 77)
    assert dataset.encode(alone.image) == dataset.encode(drawn[77].image)
    assert [each.category for each in alone.objects] == [each.category for each in drawn[77].objects]
    assert not np.array_equal(alone.image, dataset.draw(4, 77).image)
    assert not np.array_equal(alone.image, drawn[78].image)


def test_rows_fit_the_tables_and_give_the_masks_back(drawn):
    images, annotations = [], []
    for index, scene in enumerate(drawn):
        file = dataset.encode(scene.image)
        images.append(dataset.image_row(index, scene.image, file, train=100))
        annotations += dataset.annotation_rows(index, scene, first=len(annotations))
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(file))), scene.image)
        assert images[-1]["sha256"] == hashlib.sha256(file).hexdigest()
    tables.checked(dataset.table(images), "images")
    table = tables.checked(dataset.table(annotations), "annotations").to_pylist()
    categories = tables.checked(dataset.categories_table(images, annotations), "categories").to_pylist()

    assert [row["split"] for row in images] == ["train"] * 100 + ["val"] * 20
    masks = [each.mask for scene in drawn for each in scene.objects]
    for row, mask in zip(table, masks, strict=True):
        assert np.array_equal(run_lengths.decode({"size": [96, 96], "counts": row["mask"]}), mask)
        assert row["area"] == mask.sum()
        box = run_lengths.toBbox({"size": [96, 96], "counts": row["mask"]})
        assert [row["x"], row["y"], row["w"], row["h"]] == list(box)
        assert row["category"].split() == row["tokens"]
    by_name = {row["category"]: row for row in categories}
    assert sum(row["annotations_train"] + row["annotations_val"] for row in categories) == len(table)
    assert set(by_name) == {row["category"] for row in table}
    for name, row in by_name.items():
        shown = [each["image_id"] for each in table if each["category"] == name]
        assert row["annotations_val"] == sum(image >= 100 for image in shown)
        assert row["images_train"] == len({image for image in shown if image < 100})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objects": (3, 2)}, r"objects is \[3, 2\]"),
        ({"objects": (0, 2)}, r"objects is \[0, 2\]"),
        ({"objects": (2,)}, r"objects is \[2\]"),
        ({"size": 20}, "size is 20 px"),
        ({"val": 0}, "val is 0"),
    ],
)
def test_impossible_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataset.ScenesSettings(**{"train": 2, "val": 2, **changes})
