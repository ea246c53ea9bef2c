"""What contradicts itself in COCO's files is left out or stops the job, by name."""

import pytest
from PIL import Image
from tests.unit.data.datasets.coco_files import HEIGHT, WIDTH, annotation, first, image, put, write

from filterscope import tables
from filterscope.data.datasets.coco import CocoError, read_coco
from filterscope.data.rejection import RejectionError

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
def test_unusable_annotations_stop_the_job_or_are_left_out(coco_folder, fault):
    change, reason = ANNOTATION_FAULTS[fault]
    write(coco_folder, change)
    with pytest.raises(RejectionError, match=f"annotation 23: .*{reason}"):
        read_coco(coco_folder, 0.19, 1)
    found = read_coco(coco_folder, 0.2, 1)  # one of five
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
def test_unusable_images_take_their_annotations_with_them(coco_folder, how, reason):
    damage(coco_folder / "train2017" / "000000000004.jpg", how)
    with pytest.raises(RejectionError, match="1 of 3 images") as caught:
        read_coco(coco_folder, 0.3, 1)
    assert "image 4 (train2017/000000000004.jpg): " in str(caught.value)
    assert reason in str(caught.value)
    found = read_coco(coco_folder, 0.4, 1)
    assert found.images["image_id"].to_pylist() == [9, 7]
    assert found.annotations["image_id"].to_pylist() == [9, 9, 9, 7]
    assert found.rejected["item"] == ["image 4 (train2017/000000000004.jpg)", "annotation 25"]
    assert found.rejected["reason"][1] == "its image was left out"
    assert str(coco_folder) not in "".join(found.rejected["reason"])


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
def test_what_the_files_say_of_an_image_is_checked(coco_folder, change, reason):
    write(coco_folder, lambda train, val: train["images"][1].update(change))
    found = read_coco(coco_folder, 0.4, 1)
    assert found.images["image_id"].to_pylist() == [9, 7]
    assert reason in found.rejected["reason"][0]
    tables.checked(found.rejected, "rejected")


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
def test_files_that_are_something_else_are_told(coco_folder, content, said):
    path = coco_folder / "annotations" / "instances_val2017.json"
    path.write_bytes(content)
    with pytest.raises(CocoError, match=rf"instances_val2017\.json: {said}"):
        read_coco(coco_folder, 1, 1)


def test_files_outside_the_folder_are_not_taken(coco_folder):
    write(coco_folder, lambda train, val: train["images"][1].update(file_name="../val2017/000000000007.jpg"))
    assert "leads out of the folder" in read_coco(coco_folder, 0.4, 1).rejected["reason"][0]


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
def test_files_that_contradict_themselves_are_errors_whatever_is_allowed(coco_folder, fault):
    change, message = FILE_FAULTS[fault]
    write(coco_folder, change)
    with pytest.raises(CocoError, match=message):
        read_coco(coco_folder, 1, 1)


@pytest.mark.parametrize("content", ['{"images": [{"id": 9, "file_na', "", "[1, 2]", "<html>", '{"annotations": 5}'])
def test_broken_json_names_its_file(coco_folder, content):
    (coco_folder / "annotations" / "instances_val2017.json").write_text(content)
    with pytest.raises(CocoError, match=r"instances_val2017\.json"):
        read_coco(coco_folder, 1, 1)


def test_a_folder_of_another_layout_is_told_the_right_one(tmp_path):
    with pytest.raises(CocoError, match="holds train2017/, val2017/ and annotations/"):
        read_coco(tmp_path, 0, 1)
