"""COCO's files become tables; what contradicts itself is left out or stops the job, by name."""

import copy
import json

import numpy as np
import pyarrow.compute as pc
import pytest
from PIL import Image
from pycocotools import mask as mask_utils

from filterscope import tables
from filterscope.data.datasets.coco import CocoError, read_coco, tokens_of
from filterscope.data.images import read_image
from filterscope.data.rejection import RejectionError

NAMES = """
person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant,
stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe,
backpack, umbrella, handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat,
baseball glove, skateboard, surfboard, tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl,
banana, apple, sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant,
bed, dining table, toilet, tv, laptop, mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink,
refrigerator, book, clock, vase, scissors, teddy bear, hair drier, toothbrush
"""
CATEGORIES = [{"id": 1, "name": "dog"}, {"id": 58, "name": "hot dog"}, {"id": 90, "name": "kite"}]
WIDTH, HEIGHT = 40, 30


def annotation(number, image, category, **changes):
    left = number % 20
    square = [left, 5, left + 10, 5, left + 10, 15, left, 15]
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "segmentation": [square],
        "bbox": [left, 5, 10, 10],
        "area": 100,
        "iscrowd": 0,
        **changes,
    }


def image(number):
    return {"id": number, "file_name": f"{number:012}.jpg", "width": WIDTH, "height": HEIGHT}


RUNS = {"size": [HEIGHT, WIDTH], "counts": [0, 60, HEIGHT * WIDTH - 60]}
TRAIN = {
    "images": [image(9), image(4)],
    "annotations": [
        annotation(23, 9, 58),
        annotation(21, 9, 1),
        annotation(24, 9, 1),
        annotation(25, 4, 90, segmentation=RUNS),
        annotation(26, 4, 1, segmentation=RUNS, iscrowd=1),
    ],
    "categories": CATEGORIES,
}
VAL = {"images": [image(7)], "annotations": [annotation(30, 7, 1)], "categories": CATEGORIES}


@pytest.fixture
def folder(tmp_path):
    """A COCO folder of two training images and one for validation; `write` changes its annotations."""
    (tmp_path / "annotations").mkdir()
    for split, content in (("train", TRAIN), ("val", VAL)):
        (tmp_path / f"{split}2017").mkdir()
        for entry in content["images"]:
            Image.new("RGB", (WIDTH, HEIGHT), (entry["id"], 99, 0)).save(tmp_path / f"{split}2017" / entry["file_name"])
    write(tmp_path)
    return tmp_path


def write(folder, change=lambda train, val: None):
    train, val = copy.deepcopy(TRAIN), copy.deepcopy(VAL)
    change(train, val)
    for split, content in (("train", train), ("val", val)):
        (folder / "annotations" / f"instances_{split}2017.json").write_text(json.dumps(content))


def test_eighty_names_have_ninety_two_words():
    """Known answer (LaViSE, table 1)."""
    names = " ".join(NAMES.split()).split(", ")
    assert len(names) == len(set(names)) == 80
    assert len({token for name in names for token in tokens_of(name)}) == 92
    assert tokens_of("hot dog") == ["hot", "dog"]
    with pytest.raises(CocoError, match="no words"):
        tokens_of(" ")


def test_tables_fit_their_schemas_and_are_in_order(folder):
    found = read_coco(folder, max_bad_fraction=0, threads=2)
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


def test_order_in_the_files_does_not_matter(folder):
    before = read_coco(folder, 0, threads=1)

    def reverse(train, val):
        for content in (train, val):
            for entries in content.values():
                entries.reverse()

    write(folder, reverse)
    assert read_coco(folder, 0, threads=3) == before


def first(train, **changes):
    """Changes annotation 23, or removes what is changed to None."""
    train["annotations"][0].update(changes)
    for key in [key for key, value in changes.items() if value is None]:
        del train["annotations"][0][key]


def put(train, key, value):
    train["annotations"][0][key] = value


ANNOTATION_FAULTS = {  # fault: (change, why annotation 23 is left out)
    "absent image": (lambda train, val: first(train, image_id=5), "image 5 is not listed in train"),
    "image of the other split": (
        lambda train, val: first(train, image_id=7),
        "image 7 is not listed in train",
    ),
    "unknown category": (lambda train, val: first(train, category_id=2), "category 2 is not listed"),
    "polygon of two points": (
        lambda train, val: first(train, segmentation=[[1, 1, 9, 9]]),
        "fewer than 3 points",
    ),
    "outside the image": (
        lambda train, val: first(train, segmentation=[[50, 50, 60, 50, 60, 60]]),
        "covers no pixel",
    ),
    "no segmentation": (lambda train, val: first(train, segmentation=None), "no segmentation"),
    "runs of another size": (
        lambda train, val: first(train, segmentation={"size": [4, 4], "counts": [4, 12]}),
        r"the image has \[30, 40\]",
    ),
    "no box": (lambda train, val: first(train, bbox=None), "bbox should be four numbers"),
    "box of three numbers": (lambda train, val: first(train, bbox=[1, 2, 3]), "bbox should be four numbers"),
    "negative width": (lambda train, val: first(train, bbox=[1, 2, -3, 4]), "negative"),
    "area of hundreds of digits": (lambda train, val: first(train, area=10**400), "bbox should be four numbers"),
    "coordinate of hundreds of digits": (
        lambda train, val: first(train, segmentation=[[1, 1, 9, 9, 10**400, 1]]),
        "numbers only",
    ),
    "image_id is null": (lambda train, val: put(train, "image_id", None), "image_id is None, should be a whole"),
    "image_id is text": (lambda train, val: first(train, image_id="9"), "image_id is '9', should be a whole"),
    "image_id of 2^63": (lambda train, val: first(train, image_id=2**63), "image_id is 9223372036854775808"),
    "image_id is a list": (lambda train, val: first(train, image_id=[9]), r"image_id is \[9\]"),
    "category_id is real": (lambda train, val: first(train, category_id=1.0), "category_id is 1.0"),
    "crowd mark is a word": (lambda train, val: first(train, iscrowd="maybe"), "iscrowd is 'maybe', should be 0 or 1"),
    "crowd mark is 2": (lambda train, val: first(train, iscrowd=2), "iscrowd is 2, should be 0 or 1"),
    "area is not a number": (lambda train, val: first(train, area=float("nan")), "not finite"),
}


@pytest.mark.parametrize("fault", ANNOTATION_FAULTS)
def test_unusable_annotations_stop_the_job_or_are_left_out(folder, fault):
    change, reason = ANNOTATION_FAULTS[fault]
    write(folder, change)
    with pytest.raises(RejectionError, match=f"annotation 23: .*{reason}"):
        read_coco(folder, 0.19, 1)
    found = read_coco(folder, 0.2, 1)  # one of five
    assert found.annotations["annotation_id"].to_pylist() == [25, 21, 24, 30]
    assert found.rejected["item"] == ["annotation 23"]
    assert found.images.num_rows == 3
    assert found.categories["annotations_train"].to_pylist() == [2, 0, 1]


def damage(path, how):
    whole = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif how == "zeros":
        path.write_bytes(whole[: len(whole) // 2].ljust(len(whole), b"\0"))
    elif how == "web page":
        path.write_text("<html>")
    elif how == "other size":
        Image.new("RGB", (HEIGHT, WIDTH)).save(path)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("missing", "the file is missing"),
        ("cut", "cut short"),
        ("zeros", "cut short"),
        ("web page", "not a picture"),
        ("other size", "the file is 30 x 40 px, its annotations are for 40 x 30"),
    ],
)
def test_unusable_images_take_their_annotations_with_them(folder, how, reason):
    damage(folder / "train2017" / "000000000004.jpg", how)
    with pytest.raises(RejectionError, match="1 of 3 images") as caught:
        read_coco(folder, 0.3, 1)
    assert "image 4 (train2017/000000000004.jpg): " in str(caught.value)
    assert reason in str(caught.value)
    found = read_coco(folder, 0.4, 1)
    assert found.images["image_id"].to_pylist() == [9, 7]
    assert found.annotations["image_id"].to_pylist() == [9, 9, 9, 7]
    assert found.rejected["item"] == ["image 4 (train2017/000000000004.jpg)", "annotation 25"]
    assert found.rejected["reason"][1] == "its image was left out"
    assert str(folder) not in "".join(found.rejected["reason"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"file_name": None}, "its file_name is None, should be the name of a file"),
        ({"file_name": ""}, "its file_name is '', should be"),
        ({"file_name": "a\0.jpg"}, "its file_name is 'a\\x00.jpg'"),
        ({"file_name": "\ud800.jpg"}, "its file_name is '\\ud800.jpg'"),
        ({"width": "40"}, "its width is '40', should be a whole number of px"),
        ({"height": None}, "its height is None"),
        ({"height": float("nan")}, "its height is nan"),
    ],
)
def test_what_the_files_say_of_an_image_is_checked(folder, change, reason):
    write(folder, lambda train, val: train["images"][1].update(change))
    found = read_coco(folder, 0.4, 1)
    assert found.images["image_id"].to_pylist() == [9, 7]
    assert reason in found.rejected["reason"][0]
    tables.checked(found.rejected, "rejected")


def findings(found):
    return dict(zip(found.findings["finding"], found.findings["count"], strict=True))


@pytest.mark.parametrize("mark", ["0", 0, 0.0, False, None, "false", " 0 "])
def test_a_single_object_may_be_marked_in_many_ways(folder, mark):
    write(folder, lambda train, val: put(train, "iscrowd", mark))
    found = read_coco(folder, 0, 1)
    assert 23 in found.annotations["annotation_id"].to_pylist()
    assert found.rejected["item"] == []
    assert findings(found)["crowds left out"] == 1
    assert findings(found)["crowd marks written as text"] == isinstance(mark, str)


@pytest.mark.parametrize("mark", ["1", 1, True, "True"])
def test_what_is_left_aside_is_counted(folder, mark):
    write(folder, lambda train, val: put(train, "iscrowd", mark))
    Image.new("RGB", (4, 4)).save(folder / "val2017" / "more.jpg")
    found = read_coco(folder, 0, 1)
    assert 23 not in found.annotations["annotation_id"].to_pylist()
    assert findings(found)["crowds left out"] == 2
    assert findings(found)["pictures that are not listed"] == 1
    tables.checked(found.findings, "findings")


def test_a_half_turn_is_read_as_it_is_stored_and_counted(folder, caplog):
    """The mask of a picture that was annotated as a viewer shows it lies where the turned picture has the object."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[15:25, 27:37] = 255  # upside down: 5:15, 3:13, where annotation 23 is
    exif = Image.Exif()
    exif[0x0112] = 3
    path = folder / "train2017" / "000000000009.jpg"
    Image.fromarray(pixels).save(path, exif=exif, quality=95)
    for choice, bright in (("auto", False), ("stored", False), ("turned", True)):
        found = read_coco(folder, 0, 1, exif=choice)
        row = {row["image_id"]: row for row in found.images.to_pylist()}[9]
        mask = found.annotations.filter(pc.equal(found.annotations["annotation_id"], 23))["mask"][0].as_py()
        under = read_image(path, row["turned"]).numpy()[
            :, mask_utils.decode({"size": [HEIGHT, WIDTH], "counts": mask}) > 0
        ]
        assert (under.mean() > 200) == bright
        way, other = ("turned", "as stored") if bright else ("as stored", "turned")
        assert findings(found)[f"pictures with EXIF tag 3 read {way} ({other} would fit as well)"] == 1
    assert "train2017/000000000009.jpg" in caplog.text


def test_a_picture_that_was_annotated_turned_is_turned(folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (HEIGHT, WIDTH)).save(folder / "train2017" / "000000000009.jpg", exif=exif)
    found = read_coco(folder, 0, 1)
    row = {row["image_id"]: row for row in found.images.to_pylist()}[9]
    assert (row["width"], row["height"], row["turned"]) == (WIDTH, HEIGHT, True)


def test_names_may_stay_whole(folder):
    found = read_coco(folder, 0, 1, whole_names=True)
    assert found.annotations["tokens"].to_pylist() == [["kite"], ["dog"], ["hot dog"], ["dog"], ["dog"]]
    assert found.categories["tokens"].to_pylist() == [["dog"], ["hot dog"], ["kite"]]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_of_unicode_are_understood(folder, encoding):
    path = folder / "annotations" / "instances_val2017.json"
    before = read_coco(folder, 0, 1)
    path.write_bytes(path.read_text().encode(encoding))
    assert read_coco(folder, 0, 1) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            '{"images": [], "annotations": [], "categories": [{"name": "café"}]}'.encode("latin1"),
            r"byte 62 is b'\\xe9', .*iconv",
        ),
        (
            b"\xef\xbb\xbf" + '{"images": [], "annotations": [], "categories": [{"name": "café"}]}'.encode("latin1"),
            r"byte 65 is b'\\xe9', .*iconv",
        ),
        ('{"images": "é"}'.encode("utf-16")[:-1], r"byte 30 is b'}', which is not utf-16"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "a pointer of Git LFS.*git lfs pull"),
        (b"\x1f\x8b\x08" + bytes(40), "compressed by gzip: unpack it"),
        (b"\n<!DOCTYPE html><html>", "a web page, not the file"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"images": [{"id": 9, "file_na', "not whole JSON.*fetch the file again"),
    ],
)
def test_files_that_are_something_else_are_told(folder, content, said):
    path = folder / "annotations" / "instances_val2017.json"
    path.write_bytes(content)
    with pytest.raises(CocoError, match=rf"instances_val2017\.json: {said}"):
        read_coco(folder, 1, 1)


def test_files_outside_the_folder_are_not_taken(folder):
    write(folder, lambda train, val: train["images"][1].update(file_name="../val2017/000000000007.jpg"))
    assert "leads out of the folder" in read_coco(folder, 0.4, 1).rejected["reason"][0]


FILE_FAULTS = {  # fault: (change, message)
    "image number twice": (
        lambda train, val: train["images"].append(image(9)),
        "image numbers must be unique.*: 9",
    ),
    "image number in both splits": (lambda train, val: val["images"].append(image(4)), "image numbers.*: 4"),
    "annotation number twice": (
        lambda train, val: train["annotations"].append(annotation(21, 4, 1)),
        "annotation numbers must be unique.*: 21",
    ),
    "annotation number in both splits": (
        lambda train, val: val["annotations"].append(annotation(21, 7, 1)),
        "annotation numbers.*: 21",
    ),
    "category number twice": (
        lambda train, val: train["categories"].append({"id": 1, "name": "cat"}),
        r"instances_train2017\.json: category numbers must be unique within one file; 1 are not: 1",
    ),
    "category name twice": (
        lambda train, val: train["categories"].append({"id": 2, "name": "dog"}),
        "'dog' has more than one number",
    ),
    "splits disagree": (
        lambda train, val: val["categories"][0].update(name="cat"),
        "category 1 is 'dog' and 'cat'",
    ),
    "number is text": (
        lambda train, val: train["images"][0].update(id="nine"),
        "the id 'nine' of entry 0 of 'images' should be a whole number",
    ),
    "number is missing": (
        lambda train, val: train["annotations"][0].pop("image_id"),
        "train2017.json.*image_id",
    ),
    "size is missing": (lambda train, val: train["images"][0].pop("width"), "train2017.json: width missing"),
    "list is missing": (
        lambda train, val: val.pop("categories"),
        "val2017.json: the list 'categories' is missing",
    ),
    "number of 2^63": (
        lambda train, val: train["annotations"][0].update(id=2**63),
        r"id 9223372036854775808 of entry 0 of 'annotations' should be a whole number from",
    ),
    "numbers of several types": (
        lambda train, val: train["images"][1].update(id="4"),
        r"train2017\.json: the id '4' of entry 1 of 'images'",
    ),
    "number is true": (lambda train, val: train["images"][0].update(id=True), "the id True of entry 0"),
    "number is null": (lambda train, val: val["categories"][0].update(id=None), "the id None of entry 0"),
    "name is a number": (
        lambda train, val: train["categories"][0].update(name=7),
        r"train2017\.json: category 1 has the name '7' \(int\), should be text",
    ),
    "name is null": (lambda train, val: val["categories"][0].update(name=None), r"category 1 has the name 'None'"),
    "name is half a character": (lambda train, val: val["categories"][2].update(name="\ud83d"), "category 90.*Unicode"),
    "name is blank": (
        lambda train, val: [each["categories"][0].update(name=" ") for each in (train, val)],
        "no words",
    ),
    "entry is null": (lambda train, val: train["images"].append(None), "entry 2 of 'images' is 'None'"),
    "all are crowds": (
        lambda train, val: [entry.update(iscrowd=1) for entry in train["annotations"] + val["annotations"]],
        "no annotation can be used",
    ),
}


@pytest.mark.parametrize("fault", FILE_FAULTS)
def test_files_that_contradict_themselves_are_errors_whatever_is_allowed(folder, fault):
    change, message = FILE_FAULTS[fault]
    write(folder, change)
    with pytest.raises(CocoError, match=message):
        read_coco(folder, 1, 1)


@pytest.mark.parametrize("content", ['{"images": [{"id": 9, "file_na', "", "[1, 2]", "<html>", '{"annotations": 5}'])
def test_broken_json_names_its_file(folder, content):
    (folder / "annotations" / "instances_val2017.json").write_text(content)
    with pytest.raises(CocoError, match=r"instances_val2017\.json"):
        read_coco(folder, 1, 1)


def test_a_folder_of_another_layout_is_told_the_right_one(tmp_path):
    with pytest.raises(CocoError, match="holds train2017/, val2017/ and annotations/"):
        read_coco(tmp_path, 0, 1)
