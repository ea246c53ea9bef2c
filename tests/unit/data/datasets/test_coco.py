"""COCO's files become tables, whatever their order, their encoding and the way their pictures lie."""

import numpy as np
import pyarrow.compute as pc
import pytest
from PIL import Image
from pycocotools import mask as mask_utils
from tests.unit.data.datasets.coco_files import HEIGHT, WIDTH, findings, put, write

from filterscope import tables
from filterscope.data.datasets.coco import CocoError, read_coco, tokens_of
from filterscope.data.images import read_image

NAMES = """
person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant,
stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe,
backpack, umbrella, handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat,
baseball glove, skateboard, surfboard, tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl,
banana, apple, sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant,
bed, dining table, toilet, tv, laptop, mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink,
refrigerator, book, clock, vase, scissors, teddy bear, hair drier, toothbrush
"""


def test_eighty_names_have_ninety_two_words():
    """Known answer (LaViSE, table 1)."""
    names = " ".join(NAMES.split()).split(", ")
    assert len(names) == len(set(names)) == 80
    assert len({token for name in names for token in tokens_of(name)}) == 92
    assert tokens_of("hot dog") == ["hot", "dog"]
    with pytest.raises(CocoError, match="no words"):
        tokens_of(" ")


def test_tables_fit_their_schemas_and_are_in_order(coco_folder):
    found = read_coco(coco_folder, max_bad_fraction=0, threads=2)
    images = tables.checked(found.images, "images")
    annotations = tables.checked(found.annotations, "annotations")
    categories = tables.checked(found.categories, "categories")
    assert tables.checked(found.rejected, "rejected").num_rows == 0
    assert images["image_id"].to_pylist() == [4, 9, 7]
    assert images["split"].to_pylist() == ["train", "train", "val"]
    assert images["path"].to_pylist()[2] == "val2017/000000000007.jpg"
    assert set(images["width"].to_pylist()) == {WIDTH}
    assert set(images["height"].to_pylist()) == {HEIGHT}
    assert annotations["annotation_id"].to_pylist() == [25, 21, 23, 24, 30]  # the crowd, 26, is left out
    assert annotations["category"].to_pylist() == ["kite", "dog", "hot dog", "dog", "dog"]
    assert annotations["tokens"].to_pylist()[2] == ["hot", "dog"]
    row = annotations.to_pylist()[2]
    assert [row[key] for key in "xywh"] == [3, 5, 10, 10]
    assert row["area"] == 100
    mask = mask_utils.decode({"size": [HEIGHT, WIDTH], "counts": row["mask"]})
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[5:15, 3:13] = 1
    assert (mask == expected).all()
    assert categories["category"].to_pylist() == ["dog", "hot dog", "kite"]
    counts = {name: categories[name].to_pylist() for name in categories.column_names[2:]}
    assert counts == {
        "images_train": [1, 1, 1],
        "images_val": [1, 0, 0],
        "annotations_train": [2, 1, 1],
        "annotations_val": [1, 0, 0],
        "supervised": [True, True, True],
    }


def test_order_in_the_files_does_not_matter(coco_folder):
    before = read_coco(coco_folder, 0, threads=1)

    def reverse(train, val):
        for content in (train, val):
            for entries in content.values():
                entries.reverse()

    write(coco_folder, reverse)
    assert read_coco(coco_folder, 0, threads=3) == before


@pytest.mark.parametrize("mark", ["0", 0, 0.0, False, None, "false", " 0 "])
def test_a_single_object_may_be_marked_in_many_ways(coco_folder, mark):
    write(coco_folder, lambda train, val: put(train, "iscrowd", mark))
    found = read_coco(coco_folder, 0, 1)
    assert 23 in found.annotations["annotation_id"].to_pylist()
    assert found.rejected["item"] == []
    assert findings(found)["crowds left out"] == 1
    assert findings(found)["crowd marks written as text"] == isinstance(mark, str)


@pytest.mark.parametrize("mark", ["1", 1, True, "True"])
def test_what_is_left_aside_is_counted(coco_folder, mark):
    write(coco_folder, lambda train, val: put(train, "iscrowd", mark))
    Image.new("RGB", (4, 4)).save(coco_folder / "val2017" / "more.jpg")
    found = read_coco(coco_folder, 0, 1)
    assert 23 not in found.annotations["annotation_id"].to_pylist()
    assert findings(found)["crowds left out"] == 2
    assert findings(found)["pictures that are not listed"] == 1
    tables.checked(found.findings, "findings")


def test_a_half_turn_is_read_as_it_is_stored_and_counted(coco_folder, caplog):
    """The mask of a picture that was annotated as a viewer shows it lies where the turned picture has the object."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[15:25, 27:37] = 255  # upside down: 5:15, 3:13, where annotation 23 is
    exif = Image.Exif()
    exif[0x0112] = 3
    path = coco_folder / "train2017" / "000000000009.jpg"
    Image.fromarray(pixels).save(path, exif=exif, quality=95)
    for choice, bright in (("auto", False), ("stored", False), ("turned", True)):
        found = read_coco(coco_folder, 0, 1, exif=choice)
        row = {row["image_id"]: row for row in found.images.to_pylist()}[9]
        mask = found.annotations.filter(pc.equal(found.annotations["annotation_id"], 23))["mask"][0].as_py()
        under = read_image(path, row["turned"]).numpy()[
            :, mask_utils.decode({"size": [HEIGHT, WIDTH], "counts": mask}) > 0
        ]
        assert (under.mean() > 200) == bright
        way, other = ("turned", "as stored") if bright else ("as stored", "turned")
        assert findings(found)[f"pictures with EXIF tag 3 read {way} ({other} would fit as well)"] == 1
    assert "train2017/000000000009.jpg" in caplog.text


def test_a_picture_that_was_annotated_turned_is_turned(coco_folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (HEIGHT, WIDTH)).save(coco_folder / "train2017" / "000000000009.jpg", exif=exif)
    found = read_coco(coco_folder, 0, 1)
    row = {row["image_id"]: row for row in found.images.to_pylist()}[9]
    assert (row["width"], row["height"], row["turned"]) == (WIDTH, HEIGHT, True)


def test_names_may_stay_whole(coco_folder):
    found = read_coco(coco_folder, 0, 1, whole_names=True)
    assert found.annotations["tokens"].to_pylist() == [["kite"], ["dog"], ["hot dog"], ["dog"], ["dog"]]
    assert found.categories["tokens"].to_pylist() == [["dog"], ["hot dog"], ["kite"]]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_of_unicode_are_understood(coco_folder, encoding):
    path = coco_folder / "annotations" / "instances_val2017.json"
    before = read_coco(coco_folder, 0, 1)
    path.write_bytes(path.read_text().encode(encoding))
    assert read_coco(coco_folder, 0, 1) == before
