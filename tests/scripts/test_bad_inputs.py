"""What is given, what is said, and that nothing is left behind: bad inputs to the scripts that read what users have."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from data.datasets.prepare_dataset import prepare_dataset
from data.networks.prepare_network import prepare_network
from data.samples.prepare_samples import prepare_samples
from data.vocabularies.cache_vocabulary import cache_vocabulary

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 12\n"
PAGE = b"<!DOCTYPE html><html>Log in</html>"
CASES: dict[str, tuple[Callable, str]] = {}


def case(given: str, said: str):
    """Registers a function of the folder of inputs, which runs a script on what it puts there."""

    def register(function):
        assert given not in CASES
        CASES[given] = function, said
        return function

    return register


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


# --- word vectors ---


def vectors(given: str, said: str, content: bytes | None, name: str = "glove.txt", **settings) -> None:
    @case(f"vectors: {given}", said)
    def _(folder):
        if content is not None:
            (folder / name).write_bytes(content)
        cache_vocabulary(folder / name, folder.parent / "results/v.parquet", {"source": "glove", **settings})


LINES = b"red 1 2 3\nblue 4 5 6\n"
vectors("a file that is not there", r"glove\.txt: there is no such file of word vectors", None)
vectors("an empty file", r"glove\.txt: holds no word vectors", b"")
vectors("a web page", r"glove\.txt: a web page, not the file", PAGE)
vectors("a line with too few values", "line 2, word 'blue': 2 values, should be 3", b"red 1 2 3\nblue 4 5\n")
vectors("a value that is no number", "line 2, word 'blue': 'five' is not a number", b"red 1 2 3\nblue 4 five 6\n")
vectors("a value that is NaN", "line 2, word 'blue': value 2 is nan, should be finite", b"red 1 2 3\nblue 4 nan 6\n")
vectors("a word twice", "line 3, word 'red': line 1 has the same word", LINES + LINES)
vectors("a vector of zeros", r"glove\.txt: vectors of zero or infinite length: 'blue'", b"red 1 2 3\nblue 0 0 0\n")
vectors("UTF-16", "text in UTF-16: `iconv -f utf-16", LINES.decode().encode("utf-16"))
vectors(
    "a gzip file that is cut off",
    r"glove\.txt\.gz: damaged, cut off, or no \.gz archive",
    gzip.compress(LINES * 99)[:-20],
    "glove.txt.gz",
)
vectors("a zip file without its suffix", r"a zip archive: give it a name that ends in \.zip", b"PK\x03\x04" + bytes(50))
vectors(
    "word2vec whose header counts too few",
    "line 1 promises 1 words, the file holds 2: its count is too low",
    b"1 3\n" + LINES,
    source="word2vec",
)


@case(
    "vectors: a zip archive without the member",
    r"there is no member 'glove\.6B\.300d\.txt'; the archive holds other\.txt",
)
def _(folder):
    with zipfile.ZipFile(folder / "glove.zip", "w") as archive:
        archive.writestr("other.txt", LINES)
    settings = {"source": "glove", "member": "glove.6B.300d.txt"}
    cache_vocabulary(folder / "glove.zip", folder.parent / "results/v.parquet", settings)


# --- networks ---


def network(given: str, said: str, content: bytes | Callable | None, **settings) -> None:
    @case(f"network: {given}", said)
    def _(folder):
        path = folder / "mine.pth"
        if callable(content):
            torch.save(content(), path)
        elif content is not None:
            path.write_bytes(content)
        settings_ = {"source": "checkpoint", "architecture": "squeezenet1_1", "file": str(path), **settings}
        prepare_network(folder.parent / "results/weights.pt", settings_, seed=0)


network("weights that are not there", r"mine\.pth: there is no such file of weights", None)
network("empty weights", "no readable weights: 0 bytes .*fetch it again", b"")
network("a web page as weights", "a web page, not the file: .*wanted are the weights of a PyTorch network", PAGE)
network("a pointer of Git LFS as weights", "a pointer of Git LFS, not the file itself", LFS)
network(
    "weights with code in them",
    "refused, because it holds code that would run on reading",
    pickle.dumps({"weight": Path}),
)
network(
    "a whole network instead of its weights",
    r"refused, because it holds code \(torch\.nn\.modules\.linear\.Linear\)",
    lambda: torch.nn.Linear(2, 2),
)
network(
    "weights of another architecture",
    r"does not fit the network: 52 missing keys .*1 unexpected keys \(fc\.weight\)",
    lambda: {"fc.weight": torch.ones(3, 3)},
)
network("weights that are a list", "holds a list, should be a state_dict", lambda: [torch.ones(3)])
network(
    "an architecture that nobody knows",
    "'squeezenet9' is no architecture of torchvision; did you mean squeezenet1_1",
    lambda: {"a": torch.ones(1)},
    architecture="squeezenet9",
)


def factory(given: str, said: str, text: str, name: str = "build", layers=()) -> None:
    @case(f"factory: {given}", said)
    def _(folder):
        (folder / "mine.py").write_text(text)
        settings = {"source": "factory", "factory": f"{folder / 'mine.py'}:{name}"}
        prepare_network(folder.parent / "results/weights.pt", settings, seed=0, layers=layers)


BUILD = "from torch import nn\n\n\ndef build():\n    return "
factory("no such function", r"mine\.py has no function 'make'", BUILD + "nn.Conv2d(3, 4, 3)\n", name="make")
factory("something else than a network", r"returned a int, should be a torch\.nn\.Module", BUILD + "3\n")
factory("a mistake in its file", r"invalid syntax \(mine\.py, line 1\)", "def build(:\n")
factory("a module that is not installed", "No module named 'surely_not_installed'", "import surely_not_installed\n")
factory(
    "a layer that it does not have",
    "the network has no layer '1'; the nearest names are 0",
    BUILD + "nn.Sequential(nn.Conv2d(3, 4, 3))\n",
    layers=[("1", -1)],
)
factory(
    "a network for grey pictures",
    "its first convolution, '0', takes 1 channels, and pictures have 3",
    BUILD + "nn.Sequential(nn.Conv2d(1, 4, 3))\n",
    layers=[("0", -1)],
)


def listed(folder: Path) -> dict[str, int]:
    """Everything in a folder that is no file of Python's, with its size."""
    paths = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.lstat().st_size for path in paths}


@pytest.mark.parametrize("given", CASES)
def test_bad_input_is_told_and_leaves_nothing_behind(given, tmp_path):
    run, said = CASES[given]
    folder = tmp_path / "mine"
    folder.mkdir()
    with pytest.raises(Exception, match=f"(?s){said}"):  # of whatever kind; what it says is the point
        run(folder)
    assert not (tmp_path / "results").exists() or listed(tmp_path / "results") == {}


def test_there_are_as_many_kinds_as_the_page_promises():
    page = (Path(__file__).resolve().parents[2] / "docs" / "inputs.md").read_text(encoding="utf-8")
    assert f"{len(CASES)} kinds of bad input" in page
