"""Bad pictures, annotations and samples: each is told, and nothing is left behind."""

from __future__ import annotations

import json
import os
import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.scripts.bad_inputs import LFS, PAGE, Cases

from data.datasets.prepare_dataset import prepare_dataset
from data.samples.prepare_samples import prepare_samples

CASES = Cases()
case = CASES.case


# --- COCO ---


def instances(number: int) -> dict:
    square = [4, 4, 12, 4, 12, 12, 4, 12]
    entry = {"id": number, "image_id": number, "category_id": 1, "iscrowd": 0, "area": 64, "bbox": [4, 4, 8, 8]}
    return {
        "images": [{"id": number, "file_name": "a.jpg", "width": 32, "height": 24}],
        "annotations": [{**entry, "segmentation": [square]}],
        "categories": [{"id": 1, "name": "stop sign"}],
    }


def coco(folder: Path, change: Callable[[Path], object]) -> None:
    """A COCO of two pictures, of which something is changed, prepared."""
    (folder / "annotations").mkdir()
    for number, split in enumerate(("train2017", "val2017"), start=1):
        (folder / split).mkdir()
        Image.new("RGB", (32, 24)).save(folder / split / "a.jpg")
        (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(instances(number)))
    change(folder)
    dataset("coco", folder, annotations=True)


def dataset(source: str, folder: Path, annotations: bool = False) -> None:
    results = folder.parent / "results"
    names = ["images", "rejected", "findings", *(["annotations", "categories"] if annotations else [])]
    paths = {f"path_to_{name}": results / f"{name}.parquet" for name in names}
    prepare_dataset(source, folder, path_to_findings_csv=results / "findings.csv", max_bad_fraction=0, **paths)


TRAIN = Path("annotations/instances_train2017.json")


def json_file(content: bytes | None) -> Callable:
    def change(folder):
        (folder / TRAIN).unlink()
        if content is not None:
            (folder / TRAIN).write_bytes(content)

    return change


def edited(edit: Callable[[dict], object]) -> Callable:
    """The training file with an entry that is not as it should be."""

    def change(folder):
        content = json.loads((folder / TRAIN).read_text())
        edit(content)
        (folder / TRAIN).write_text(json.dumps(content))

    return change


def picture(content: bytes | None) -> Callable:
    def change(folder):
        (folder / "val2017/a.jpg").unlink()
        if content is not None:
            (folder / "val2017/a.jpg").write_bytes(content)

    return change


def both(part: str, key: str, value) -> Callable:
    return edited(lambda content: content[part][0].update({key: value}))


WHOLE = json.dumps(instances(1)).encode()
OF_COCO = {
    "COCO: no file of annotations": (
        json_file(None),
        r"instances_train2017\.json is missing; a COCO folder holds train2017/",
    ),
    "COCO: a file of annotations that is cut off": (
        json_file(WHOLE[:-40]),
        r"instances_train2017\.json: not whole JSON .*fetch the file again",
    ),
    "COCO: an empty file of annotations": (
        json_file(b""),
        r"instances_train2017\.json: not whole JSON .*fetch the file again",
    ),
    "COCO: a web page as annotations": (json_file(PAGE), r"instances_train2017\.json: a web page, not the file"),
    "COCO: a pointer of Git LFS as annotations": (
        json_file(LFS),
        "a pointer of Git LFS, not the file itself: `git lfs pull` fetches it; should be JSON",
    ),
    "COCO: annotations in Latin-1": (
        json_file(WHOLE.replace(b"stop", b"\xe9top")),
        "byte 264 is .*, which is not utf-8: it may be in Latin-1",
    ),
    "COCO: a list instead of a mapping": (json_file(b"[]"), "it holds a list, should be a mapping"),
    "COCO: no images in the file": (edited(lambda content: content.pop("images")), "the list 'images' is missing"),
    "COCO: an entry that is null": (
        edited(lambda content: content["images"].append(None)),
        "entry 1 of 'images' is 'None', should be a mapping",
    ),
    "COCO: an image twice": (
        edited(lambda content: content["images"].append(content["images"][0])),
        "image numbers must be unique over train and val; 1 are not: 1",
    ),
    "COCO: a category twice": (
        edited(lambda content: content["categories"].append(content["categories"][0])),
        "category numbers must be unique within one file; 1 are not: 1",
    ),
    "COCO: a category without a name": (
        both("categories", "name", ""),
        r"instances_val2017\.json: category 1 is '' and 'stop sign'; should have the same name",
    ),
    "COCO: an image number that is text": (
        both("images", "id", "1"),
        "the id '1' of entry 0 of 'images' should be a whole number",
    ),
    "COCO: a width that is text": (
        both("images", "width", "32"),
        r"image 1 \(train2017/a\.jpg\): its width is '32', should be a whole number of px",
    ),
    "COCO: a picture outside the folder": (
        both("images", "file_name", "../../a.jpg"),
        "its file name leads out of the folder",
    ),
    "COCO: an annotation of no image": (
        both("annotations", "image_id", 77),
        "annotation 1: its image 77 is not listed in train",
    ),
    "COCO: an annotation of no category": (
        both("annotations", "category_id", 77),
        "annotation 1: its category 77 is not listed",
    ),
    "COCO: a box that is NaN": (
        both("annotations", "bbox", [float("nan"), 4, 8, 8]),
        "annotation 1: its bbox or its area is negative or not finite",
    ),
    "COCO: a polygon of two points": (
        both("annotations", "segmentation", [[4, 4, 12, 4]]),
        "annotation 1: its polygons have fewer than 3 points",
    ),
    "COCO: a polygon outside the picture": (
        both("annotations", "segmentation", [[90, 90, 99, 90, 99, 99]]),
        "annotation 1: its mask covers no pixel of the image",
    ),
    "COCO: a crowd mark that is none": (
        both("annotations", "iscrowd", "maybe"),
        "annotation 1: its iscrowd is 'maybe', should be 0 or 1",
    ),
    "COCO: a picture that is not there": (picture(None), r"image 2 \(val2017/a\.jpg\): the file is missing"),
    "COCO: an empty picture": (picture(b""), r"image 2 \(val2017/a\.jpg\): the file is empty"),
    "COCO: a web page as a picture": (picture(PAGE), "not a picture: a web page, not the file"),
    "COCO: a pointer of Git LFS as a picture": (picture(LFS), "not a picture: a pointer of Git LFS"),
    "COCO: a picture of another size": (
        both("images", "width", 40),
        "the file is 32 x 24 px, its annotations are for 40 x 24",
    ),
}
for given, (change, said) in OF_COCO.items():
    case(given, said)(lambda folder, change=change: coco(folder, change))


# --- an album ---


def saved(folder: Path, name: str = "a.png") -> Path:
    Image.new("RGB", (8, 6)).save(folder / name)
    return folder / name


@case("album: a folder that is not there", "nowhere: there is no such folder")
def _(folder):
    dataset("folder", folder / "nowhere")


@case("album: an empty folder", r"no picture in it or below \(looked for \.jpg")
def _(folder):
    dataset("folder", folder)


@case("album: notes only", r"no picture in it or below .*; other files are there: \.txt")
def _(folder):
    (folder / "notes.txt").write_text("sunny")
    dataset("folder", folder)


@case("album: a picture that is cut off", r"image 0 \(a\.jpg\): the JPEG is cut short")
def _(folder):
    Image.effect_noise((64, 48), 60).save(folder / "a.jpg")
    (folder / "a.jpg").write_bytes((folder / "a.jpg").read_bytes()[:-200])
    dataset("folder", folder)


@case(
    "album: text with the name of a picture",
    r"image 0 \(a\.jpg\): not a picture or cut short \(begins with b'no picture'\)",
)
def _(folder):
    (folder / "a.jpg").write_text("no picture")
    dataset("folder", folder)


@case("album: a HEIC picture", "a HEIC picture, as phones take them; save it as JPEG or PNG")
def _(folder):
    (folder / "a.heic").write_bytes(b"\0\0\0\x18ftypheic")
    dataset("folder", folder)


@case("album: a pipe", r"image 0 \(pipe\.jpg\): not a file")
def _(folder):
    os.mkfifo(folder / "pipe.jpg")
    dataset("folder", folder)


@case("album: a link that leads nowhere", r"image 0 \(a\.jpg\): a link that leads nowhere")
def _(folder):
    (folder / "a.jpg").symlink_to("nowhere.jpg")
    dataset("folder", folder)


# --- samples ---

X, Y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2


def samples(folder: Path, settings: dict, source: Path) -> None:
    settings = {"limit": {"train": None, "test": None}, "test": 0.25, **settings}
    results = folder.parent / "results"
    repeats = [results / "repeats.parquet", results / "repeats.csv"]
    prepare_samples(results / "samples.parquet", settings, 0, "mine", source, results / "rejected.parquet", repeats)


def arrays(given: str, said: str, **content) -> None:
    @case(f"arrays: {given}", said)
    def _(folder):
        np.savez(folder / "mine.npz", **content)
        samples(folder, {"source": "arrays"}, folder / "mine.npz")


arrays("no x", r"mine\.npz: x missing; it holds y, should be x, y", y=Y)
arrays("no y", r"mine\.npz: y missing; it holds x, should be x, y", x=X)
arrays("more labels than rows", "x has 20 samples, y has 21 labels", x=X, y=np.arange(21) % 2)
arrays(
    "NaN",
    r"x\[2\] has NaN or infinite values, the first at \[1\]",
    x=np.where(np.arange(60).reshape(20, 3) == 7, np.nan, X),
    y=Y,
)
arrays(
    "Python objects",
    "arrays of Python objects are refused: give text or numbers",
    x=X,
    y=np.array(["no", 1] * 10, dtype=object),
)
arrays("one class", "there is only one class, '0'; two are needed", x=X, y=np.zeros(20, int))
arrays(
    "a class of one",
    "class '0' has a single sample, which cannot be on both sides of a split: add samples",
    x=X,
    y=np.array([0, *[1] * 19]),
)
arrays("labels that are ids", "labels go from 0 to 1000000000, .* give ids and other numbers as text", x=X, y=Y * 10**9)
arrays(
    "labels of two kinds",
    "y holds text .*, y_test holds numbers .*; should be the same kind",
    x=X,
    y=Y.astype(str),
    x_test=X,
    y_test=Y,
)
arrays("rows that are numbers", r"x is \[20\], should be \[N, d\], \[N, H, W\] or with channels", x=X[:, 0], y=Y)
arrays("no rows", r"labels have the shape \[0\], should be \[N\]", x=X[:0], y=Y[:0])
arrays(
    "test rows of another length",
    r"samples have different shapes: train \[3\], test \[2\]",
    x=X,
    y=Y,
    x_test=X[:, :2],
    y_test=Y,
)
arrays("complex numbers", "x is complex128, should be numbers", x=X + 1j, y=Y)
arrays(
    "whole numbers beyond single precision",
    r"x\[0, 0\] is 16777217, .*subtract an offset or divide",
    x=(X * 0 + 2**24 + 1).astype(int),
    y=Y,
)


@case("arrays: a file that is not there", r"No such file or directory: .*mine\.npz")
def _(folder):
    samples(folder, {"source": "arrays"}, folder / "mine.npz")


@case("arrays: a web page", r"mine\.npz: a web page, not the file: .*should be an npz file")
def _(folder):
    (folder / "mine.npz").write_bytes(PAGE)
    samples(folder, {"source": "arrays"}, folder / "mine.npz")


def classes(given: str, said: str, *paths: str) -> None:
    @case(f"class folders: {given}", said)
    def _(folder):
        for path in paths:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            saved(folder, path)
        samples(folder, {"source": "folder", "size": None}, folder)


classes(
    "one class", "there is only one class, 'cat'; every class needs a folder of its pictures", "cat/a.png", "cat/b.png"
)
classes(
    "pictures beside each other", "no class folders in it; every class needs a folder of its pictures", "a.png", "b.png"
)
classes(
    "splits in a spelling that is not known",
    "seg_test, seg_train look like splits; those should be called train",
    "seg_train/cat/a.png",
    "seg_test/cat/a.png",
)
classes(
    "splits inside the classes",
    "cat: a class with splits in it; should be the other way round: train/cat",
    "cat/train/a.png",
    "cat/test/b.png",
    "dog/train/a.png",
    "dog/test/b.png",
)
classes(
    "a class in the test split only",
    "the test pictures have the class 'c', the train pictures not",
    "train/a/a.png",
    "train/b/a.png",
    "test/a/b.png",
    "test/c/a.png",
)


@pytest.mark.parametrize("given", CASES)
def test_bad_input_is_told_and_leaves_nothing_behind(given, tmp_path):
    CASES.check(given, tmp_path)


def test_there_are_as_many_kinds_as_the_page_promises(repository):
    files = (repository / "tests" / "scripts").glob("test_bad_*.py")
    kinds = sum(len(runpy.run_path(str(path))["CASES"]) for path in files)
    assert f"{kinds} kinds of bad input" in (repository / "docs" / "inputs.md").read_text(encoding="utf-8")
