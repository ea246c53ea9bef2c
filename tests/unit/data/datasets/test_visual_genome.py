"""A Visual Genome folder becomes tables; what contradicts itself is left out or stops the job, by name."""

import json
import logging

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as mask_utils

from filterscope import tables
from filterscope.data.datasets.objects import VisualGenomeError
from filterscope.data.datasets.passes import Objects
from filterscope.data.datasets.visual_genome import VisualGenomeSettings, read_visual_genome
from filterscope.data.datasets.visual_genome import _annotations as annotations_of
from filterscope.data.rejection import RejectionError

WIDTH, HEIGHT = 40, 30
WORDS = {"tree", "traffic", "light", "car", "dog"}
ALL = VisualGenomeSettings(min_count=1)


def thing(number, synset, box, **changes):
    x, y, w, h = box
    synsets = [synset] if synset else []
    return {"object_id": number, "synsets": synsets, "names": [], "x": x, "y": y, "w": w, "h": h, **changes}


IMAGES = {
    1: [
        thing(11, "tree.n.01", (0, 0, 10, 10)),
        thing(12, "car.n.01", (5, 5, 8, 4)),
        thing(13, "tree.n.02", (20, 3, 6, 9)),
    ],
    2: [thing(21, "traffic_light.n.01", (30, 20, 20, 20)), thing(22, "tree.n.01", (-5, -5, 10, 10))],
    5: [thing(51, "car.n.01", (3.4, 2, 2, 2)), thing(52, "gizmo.n.01", (0, 0, 4, 4)), thing(53, None, (0, 0, 4, 4))],
    8: [thing(81, "dog.n.01", (0, 0, WIDTH, HEIGHT))],
}


@pytest.fixture
def folder(tmp_path):
    """Makes a folder of these images; `sizes` of files that differ, `files` that are there besides or instead."""

    def make(images=IMAGES, files=None, listed=None):
        for name in ("VG_100K", "VG_100K_2"):
            (tmp_path / name).mkdir(exist_ok=True)
        for number in files if files is not None else images:
            place = "VG_100K" if number % 2 else "VG_100K_2"
            pixels = np.random.default_rng(number).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / place / f"{number}.jpg")
        content = listed or [{"image_id": number, "objects": own} for number, own in images.items()]
        (tmp_path / "objects.json").write_text(json.dumps(content))
        return tmp_path

    return make


def read(folder, settings=ALL, max_bad_fraction=0.0, vocabulary=WORDS, seed=0, threads=2):
    """The tables by name, checked against their schemas."""
    found = read_visual_genome(folder, vocabulary, settings, max_bad_fraction, seed, threads)
    checked = {
        name: tables.checked(getattr(found, name), name) for name in ("images", "categories", "rejected", "findings")
    }
    parts = [tables.checked(part, "annotations") for part in found.annotations()]
    passes = {column: [row[column] for row in found.passes] for column in tables.SCHEMAS["passes"].names}
    return {**checked, "annotations": pa.concat_tables(parts), "passes": tables.checked(passes, "passes")}


def by_pass(found):
    return {row["pass"]: (row["images"], row["annotations"], row["categories"]) for row in found["passes"].to_pylist()}


def findings(found):
    return dict(zip(*found["findings"].to_pydict().values(), strict=True))


def masks(found):
    """Every annotation's mask by image and category."""
    sizes = {row["image_id"]: [row["height"], row["width"]] for row in found["images"].to_pylist()}
    return {
        (row["image_id"], row["category"]): mask_utils.decode({"size": sizes[row["image_id"]], "counts": row["mask"]})
        for row in found["annotations"].to_pylist()
    }


def test_tables(folder):
    found = read(folder())
    images = found["images"].to_pylist()
    assert sorted((row["image_id"], row["path"]) for row in images) == [
        (1, "VG_100K/1.jpg"),
        (2, "VG_100K_2/2.jpg"),
        (5, "VG_100K/5.jpg"),
        (8, "VG_100K_2/8.jpg"),
    ]
    assert {(row["width"], row["height"]) for row in images} == {(WIDTH, HEIGHT)}
    assert [row["split"] for row in images] == ["train"] * 3 + ["val"]
    assert found["annotations"]["annotation_id"].to_pylist() == list(range(1, 7))
    order = [row["image_id"] for row in images]
    assert found["annotations"]["image_id"].to_pylist() == sorted(
        found["annotations"]["image_id"].to_pylist(), key=order.index
    )
    rows = {(row["image_id"], row["category"]): row for row in found["annotations"].to_pylist()}
    assert set(rows) == {(1, "car"), (1, "tree"), (2, "traffic"), (2, "tree"), (5, "car"), (8, "dog")}
    assert all(row["tokens"] == [row["category"]] for row in rows.values())
    tree = rows[1, "tree"]  # the union of two boxes
    assert [tree[key] for key in "xywh"] == [0, 0, 26, 12]
    assert tree["area"] == 10 * 10 + 6 * 9
    assert found["categories"]["category"].to_pylist() == ["car", "dog", "traffic", "tree"]
    totals = np.sum([found["categories"][f"annotations_{split}"].to_numpy() for split in ("train", "val")], axis=0)
    assert totals.tolist() == [2, 1, 1, 2]
    assert found["rejected"].num_rows == 0


def test_masks_are_height_by_width_clipped_and_united(folder):
    """An image that is not square, so that [y, x] and [x, y] differ (the switch `transposed_boxes`)."""
    found = masks(read(folder()))
    assert found[1, "tree"].shape == (HEIGHT, WIDTH)
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[0:10, 0:10] = expected[3:12, 20:26] = 1
    assert np.array_equal(found[1, "tree"], expected)
    assert found[2, "traffic"][20:30, 30:40].all()
    assert found[2, "traffic"].sum() == 100
    assert found[2, "tree"][:5, :5].all()
    assert found[2, "tree"].sum() == 25
    assert found[5, "car"][2:4, 3:5].all()
    assert found[8, "dog"].all()


def test_what_is_odd_is_counted(folder, caplog):
    caplog.set_level(logging.INFO, "filterscope")
    found = read(folder(files=[*IMAGES, 77, 78]))
    assert findings(found) == {
        "objects without a synset": 1,
        "objects with several synsets": 0,
        "images without objects": 0,
        "boxes clipped to their image": 2,
        "boxes moved to whole pixels": 1,
        "pictures that are not listed": 2,
    }
    assert "pictures that are not listed: 2" in caplog.text


def test_a_listed_picture_that_cannot_be_used_is_listed_all_the_same(folder):
    place = folder(files=[*IMAGES, 77])
    (place / "VG_100K" / "1.jpg").write_bytes(b"no picture")
    (place / "VG_100K" / "8.jpg").write_bytes((place / "VG_100K_2" / "8.jpg").read_bytes())  # in both folders
    assert findings(read(place, max_bad_fraction=0.6))["pictures that are not listed"] == 1


@pytest.mark.parametrize(("exif", "turned"), [("auto", False), ("stored", False), ("turned", True)])
def test_boxes_do_not_tell_which_way_up_a_picture_is(folder, exif, turned):
    place = folder()
    tag = Image.Exif()
    tag[0x0112] = 3
    with Image.open(place / "VG_100K" / "1.jpg") as picture:
        picture.save(place / "VG_100K" / "1.jpg", exif=tag)
    found = read(place, VisualGenomeSettings(min_count=1, exif=exif))
    assert {row["image_id"]: row["turned"] for row in found["images"].to_pylist()} == {
        1: turned, 2: False, 5: False, 8: False
    }  # fmt: skip
    assert [count for finding, count in findings(found).items() if "EXIF tag 3" in finding] == [1]


def test_every_pass_says_what_it_left(folder):
    assert by_pass(read(folder())) == {
        "listed": (4, 9, 5),
        "readable": (4, 9, 5),
        "boxes": (4, 9, 5),
        "synsets": (4, 8, 5),
        "empty_images": (4, 8, 5),
        "vocabulary": (4, 7, 4),
        "merge": (4, 6, 4),
        "rare": (4, 6, 4),
    }


def test_order_decides_which_categories_and_images_are_left(folder):
    """Tree: three objects in two images; car: two objects in two images; traffic and dog: one."""
    place = folder()
    paper = read(place, VisualGenomeSettings(min_count=2))
    assert paper["categories"]["category"].to_pylist() == ["car", "tree"]
    assert paper["images"].num_rows == 4  # the dog's image is kept, without an annotation
    assert 8 not in paper["annotations"]["image_id"].to_pylist()
    reproduction = read(place, VisualGenomeSettings(min_count=3, passes="reproduction"))
    assert reproduction["categories"]["category"].to_pylist() == ["tree"]
    assert sorted(reproduction["images"]["image_id"].to_pylist()) == [1, 2]
    assert [row["pass"] for row in reproduction["passes"].to_pylist()][4:] == [
        "vocabulary",
        "rare",
        "merge",
        "empty_images",
    ]


def test_without_merge_every_object_is_an_annotation(folder):
    found = read(folder(), VisualGenomeSettings(passes=("vocabulary", "empty_images")))
    assert found["annotations"].num_rows == 7
    assert found["annotations"]["category"].to_pylist().count("tree") == 3
    counts = {row["category"]: row for row in found["categories"].to_pylist()}
    assert counts["tree"]["annotations_train"] + counts["tree"]["annotations_val"] == 3
    assert counts["tree"]["images_train"] + counts["tree"]["images_val"] == 2


def test_whole_names_keep_compounds_whose_words_all_have_vectors(folder):
    found = read(folder(), VisualGenomeSettings(min_count=1, whole_names=True))
    assert "traffic_light" in found["categories"]["category"].to_pylist()
    tokens = dict(
        zip(found["categories"]["category"].to_pylist(), found["categories"]["tokens"].to_pylist(), strict=True)
    )
    assert tokens["traffic_light"] == ["traffic_light"]
    without = read(folder(), VisualGenomeSettings(min_count=1, whole_names=True), vocabulary=WORDS - {"light"})
    assert "traffic_light" not in without["categories"]["category"].to_pylist()


MANY = {number: [thing(number, f"word{number % 10}.n.01", (0, 0, 5, 5))] for number in range(1, 41)}
MANY_WORDS = {f"word{number}" for number in range(10)}


def test_images_are_split_whole_and_by_the_seed(folder):
    place = folder(MANY)
    splits = []
    for seed in (0, 0, 1):
        found = read(place, vocabulary=MANY_WORDS, seed=seed)
        splits.append({row["image_id"]: row["split"] for row in found["images"].to_pylist()})
        assert list(splits[-1].values()).count("train") == 36
    assert splits[0] == splits[1]
    assert splits[0] != splits[2]
    train = {number for number, split in splits[2].items() if split == "train"}
    owners = {row["image_id"] for row in found["annotations"].to_pylist() if row["image_id"] in train}
    assert owners == train


def test_supervised_categories_are_drawn_without_replacement_by_the_seed(folder):
    place = folder(MANY)
    drawn = []
    for seed in (0, 0, 1, 2):
        found = read(place, vocabulary=MANY_WORDS, seed=seed)
        drawn.append(found["categories"]["supervised"].to_pylist())
        assert sum(drawn[-1]) == 7  # with replacement it would be about half
    assert drawn[0] == drawn[1]
    assert len({tuple(each) for each in drawn}) > 1


def test_at_least_one_category_is_supervised_and_one_image_in_each_split(folder):
    found = read(
        folder({1: IMAGES[1][:1], 2: []}), VisualGenomeSettings(passes=("merge",), supervised=0.01, train=0.999)
    )
    assert found["categories"]["supervised"].to_pylist() == [True]
    assert sorted(found["images"]["split"].to_pylist()) == ["train", "val"]


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ((5, 5, 0, 8), "its box is 0 x 8 px"),
        ((5, 5, 8, -3), "its box is 8 x -3 px"),
        ((WIDTH, 5, 4, 4), f"its box of 4 x 4 px at x {WIDTH}, y 5 covers no pixel of its image"),
        ((5, -9, 4, 9), "its box of 4 x 9 px at x 5, y -9 covers no pixel of its image"),
        ((5.1, 5, 0.2, 4), "its box of 0.2 x 4 px at x 5.1, y 5 covers no pixel of its image"),
        ((1e300, 5, 4, 4), "covers no pixel of its image"),
    ],
)
def test_boxes_without_a_pixel_are_left_out_as_far_as_allowed(folder, box, reason):
    images = {**IMAGES, 9: [thing(91, "dog.n.01", box)]}
    place = folder(images)
    with pytest.raises(RejectionError, match=r"(?s)1 of 10 annotations .*annotation 91 \(image 9\): its box"):
        read(place)
    found = read(place, max_bad_fraction=0.1)
    assert found["rejected"].to_pylist() == [
        {"item": "annotation 91 (image 9)", "reason": found["rejected"]["reason"][0].as_py()}
    ]
    assert reason in found["rejected"]["reason"][0].as_py()
    assert by_pass(found)["boxes"] == (5, 9, 5)


def test_images_that_are_listed_and_missing_are_left_out_with_their_objects(folder):
    place = folder(files=[1, 2, 8])
    with pytest.raises(RejectionError, match=r"image 5: its file is missing in VG_100K and VG_100K_2"):
        read(place)
    found = read(place, max_bad_fraction=0.5)
    assert sorted(found["images"]["image_id"].to_pylist()) == [1, 2, 8]
    assert found["rejected"]["item"].to_pylist() == ["image 5", *(f"annotation {n} (image 5)" for n in (51, 52, 53))]
    assert by_pass(found)["readable"] == (3, 6, 4)


def test_an_image_in_both_folders_is_left_out(folder):
    place = folder()
    (place / "VG_100K" / "2.jpg").write_bytes((place / "VG_100K_2" / "2.jpg").read_bytes())
    with pytest.raises(RejectionError, match=r"image 2: it is there twice: VG_100K/2.jpg and VG_100K_2/2.jpg"):
        read(place)


def test_a_broken_picture_is_left_out(folder):
    place = folder()
    picture = place / "VG_100K" / "1.jpg"
    picture.write_bytes(picture.read_bytes()[:-50])
    with pytest.raises(RejectionError, match=r"image 1 \(VG_100K/1.jpg\): the JPEG is cut short"):
        read(place)


def test_a_rejected_object_of_two_categories_is_counted_once(folder):
    images = {**IMAGES, 9: [thing(91, None, (0, 0, 0, 0), synsets=["dog.n.01", "car.n.01"])]}
    settings = VisualGenomeSettings(min_count=1, several_synsets="each")
    found = read(folder(images), settings, max_bad_fraction=0.1)
    assert found["rejected"]["item"].to_pylist() == ["annotation 91 (image 9)"]


def test_another_layout_is_refused(folder, tmp_path):
    with pytest.raises(VisualGenomeError, match="VG_100K and VG_100K_2 are missing; a Visual Genome folder holds"):
        read(tmp_path / "nowhere")
    place = folder()
    (place / "objects.json").unlink()
    with pytest.raises(VisualGenomeError, match=r"objects\.json is missing"):
        read(place)


def test_too_little_to_learn_from_is_refused(folder):
    with pytest.raises(VisualGenomeError, match="1 image is left"):
        read(folder({1: IMAGES[1]}))
    with pytest.raises(VisualGenomeError, match="no object has a category, a picture and a box in it"):
        read(folder({1: [thing(1, None, (0, 0, 4, 4))], 2: []}))


@settings(max_examples=40)
@given(
    boxes=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 12), st.integers(0, 9)), min_size=1, max_size=12
    ),
    merged=st.booleans(),
)
def test_every_annotation_is_the_union_of_its_boxes(boxes, merged):
    """Any objects of four images and three categories: pixels, box and area of what is written."""
    boxes = sorted(boxes)
    images, categories, left, upper = np.array(boxes).T
    edges = np.stack([left, upper, left + 4, upper + 3], 1)
    objects = Objects(images, categories, edges, np.ones(4, bool), merged)
    table = pa.table({"image_id": [70, 71, 72, 73], "height": [12, 14, 16, 18], "width": [20, 16, 18, 22]})
    rows = pa.concat_tables(annotations_of(objects, table, ["a", "b", "c"])).to_pylist()
    groups = {}
    for index, (image, category, *_) in enumerate(boxes):
        groups.setdefault((image, category) if merged else index, []).append(index)
    assert len(rows) == len(groups)
    for row, own in zip(rows, groups.values(), strict=True):
        image = boxes[own[0]][0]
        size = [table["height"][image].as_py(), table["width"][image].as_py()]
        expected = np.zeros(size, np.uint8)
        for each in own:
            x, y, right, lower = edges[each]
            expected[y:lower, x:right] = 1
        assert row["image_id"] == 70 + image
        assert row["category"] == "abc"[boxes[own[0]][1]]
        assert np.array_equal(mask_utils.decode({"size": size, "counts": row["mask"]}), expected)
        assert row["area"] == expected.sum()
        across, down = np.flatnonzero(expected.any(0)), np.flatnonzero(expected.any(1))
        assert [row[key] for key in "xywh"] == [across[0], down[0], np.ptp(across) + 1, np.ptp(down) + 1]
