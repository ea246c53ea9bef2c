"""COCO 2017: the official folder layout as tables of images, annotations and categories.

    train2017/*.jpg  val2017/*.jpg  annotations/instances_{train,val}2017.json

Crowd annotations are left out: they outline no single object. A category's words are its name, split at
spaces; COCO's 80 names have 92 distinct words (spec A1).
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
from pycocotools.coco import COCO

from filterscope import job
from filterscope.data.images import ImageError, inspect_all
from filterscope.data.rejection import Rejections
from filterscope.data.segmentation import MaskError, encode

SPLITS = {"train": "train2017", "val": "val2017"}


class CocoError(ValueError):
    """The folder is not COCO, or its annotation files contradict themselves."""


@dataclass(frozen=True)
class CocoTables:
    """The tables `images`, `annotations`, `categories` and `rejected`."""

    images: pa.Table
    annotations: pa.Table
    categories: pa.Table
    rejected: dict[str, list[str]]


def read_coco(folder: str | Path, max_bad_fraction: float, threads: int) -> CocoTables:
    """The tables of a COCO folder: train before val, images by number, an image's annotations together.

    Numbers must be unique over both splits. Left out, as far as `max_bad_fraction` allows for images and for
    annotations: files that are missing, cut short or of another size than the annotations say; annotations of
    such or absent images, of unknown categories, without a mask inside the image, without a box or an area.
    Every file is read once, for its digest; it is not decoded.

    Raises CocoError for a folder of another layout, broken JSON and repeated numbers, RejectionError.
    """
    folder = Path(folder)
    datasets = {split: _load(_annotation_file(folder, split)) for split in SPLITS}
    for section, what in (("images", "image"), ("annotations", "annotation")):
        _require_unique(np.concatenate([_numbers(datasets[split][section], "id") for split in SPLITS]), what)
    categories = _categories([dataset["categories"] for dataset in datasets.values()])
    rejections = Rejections(max_bad_fraction)
    images = _images(folder, datasets, rejections, threads)
    annotations, counted = _annotations(datasets, images, categories, rejections)
    rejections.check(image=sum(len(dataset["images"]) for dataset in datasets.values()), annotation=counted)
    if not annotations.num_rows:
        raise CocoError(f"{folder}: no annotation can be used")
    job.LOGGER.info("%d images and %d annotations can be used", len(images), annotations.num_rows)
    table = pa.Table.from_pylist(images)
    return CocoTables(table, annotations, _counted(categories, images, annotations), rejections.table())


def tokens_of(category: str) -> list[str]:
    """The words of a category's name. Raises CocoError if there are none."""
    words = category.split()
    if not words:
        raise CocoError(f"the category name {category!r} has no words")
    return words


def _annotation_file(folder: Path, split: str) -> Path:
    path = folder / "annotations" / f"instances_{SPLITS[split]}.json"
    if not path.is_file():
        layout = "train2017/, val2017/ and annotations/instances_{train,val}2017.json"
        raise CocoError(f"{path} is missing; a COCO folder holds {layout}")
    return path


def _load(path: Path) -> dict:
    """What the file holds, read by pycocotools, whose prints go to the log. Raises CocoError."""
    prints = io.StringIO()
    try:
        with contextlib.redirect_stdout(prints):
            dataset = COCO(str(path)).dataset
    except (AssertionError, KeyError, TypeError, AttributeError) as error:
        raise CocoError(f"{path}: not COCO's instances format ({type(error).__name__}: {error})") from error
    except ValueError as error:  # broken JSON, or bytes that are no text
        raise CocoError(f"{path}: not whole JSON ({error}); fetch the file again") from error
    for line in prints.getvalue().splitlines():
        job.LOGGER.info("pycocotools: %s", line)
    keys = {
        "images": ("id", "file_name", "width", "height"),
        "annotations": ("id", "image_id", "category_id"),
        "categories": ("id", "name"),
    }
    for section, wanted in keys.items():
        if not isinstance(dataset.get(section), list):
            raise CocoError(f"{path}: the list {section!r} is missing")
        for entry in dataset[section]:
            missing = [key for key in wanted if key not in entry]
            if missing:
                raise CocoError(f"{path}: {', '.join(missing)} missing in {str(entry)[:80]} of {section!r}")
    return dataset


def _numbers(entries: list[dict], key: str) -> np.ndarray:
    values = np.array([entry[key] for entry in entries])
    if len(values) and values.dtype.kind != "i":
        wrong = next(entry[key] for entry in entries if type(entry[key]) is not int)
        raise CocoError(f"the {key} {wrong!r} should be a whole number")
    return values.astype(np.int64)


def _require_unique(numbers: np.ndarray, what: str) -> None:
    values, times = np.unique(numbers, return_counts=True)
    repeated = values[times > 1]
    if len(repeated):
        first = ", ".join(map(str, repeated[:5]))
        raise CocoError(f"{what} numbers must be unique over train and val; {len(repeated)} are not: {first}")


def _categories(lists: Iterable[list[dict]]) -> dict[int, str]:
    """Names by number, in the order of the numbers; both splits must agree."""
    names: dict[int, str] = {}
    for entries in lists:
        _require_unique(_numbers(entries, "id"), "category")
        for entry in entries:
            if names.setdefault(entry["id"], entry["name"]) != entry["name"]:
                raise CocoError(f"category {entry['id']} is {names[entry['id']]!r} and {entry['name']!r}")
    repeated = [name for name in names.values() if list(names.values()).count(name) > 1]
    if repeated:
        raise CocoError(f"the category name {repeated[0]!r} has more than one number")
    return dict(sorted(names.items()))


def _images(folder: Path, datasets: dict[str, dict], rejections: Rejections, threads: int) -> list[dict]:
    """Rows of the images table: files that are there, whole, and of the size that the annotations say."""
    entries = [
        (split, entry) for split in SPLITS for entry in sorted(datasets[split]["images"], key=lambda each: each["id"])
    ]
    paths = [f"{SPLITS[split]}/{entry['file_name']}" for split, entry in entries]
    rows = []
    inspections = inspect_all([folder / path for path in paths], threads)
    progress = job.progress(inspections, len(paths), "reading pictures")
    for (split, entry), path, found in zip(entries, paths, progress, strict=True):
        if ".." in PurePosixPath(path).parts or PurePosixPath(str(entry["file_name"])).is_absolute():
            reason = "its file name leads out of the folder"
        elif isinstance(found, ImageError):
            reason = found.cause
        elif (found.width, found.height) != (entry["width"], entry["height"]):
            reason = (
                f"the file is {found.width} x {found.height} px, "
                f"its annotations are for {entry['width']} x {entry['height']}"
            )
        else:
            rows.append({"image_id": entry["id"], "split": split, "path": path, **asdict(found)})
            continue
        rejections.add("image", f"{entry['id']} ({path})", reason)
    return rows


def _annotations(
    datasets: dict[str, dict], images: list[dict], categories: dict[int, str], rejections: Rejections
) -> tuple[pa.Table, int]:
    """The annotations table, and how many annotations there were besides crowds."""
    listed = {split: {entry["id"] for entry in datasets[split]["images"]} for split in SPLITS}
    sizes = {row["image_id"]: (row["height"], row["width"]) for row in images}
    places = {number: place for place, number in enumerate(categories)}
    objects = [
        (split, entry)
        for split in SPLITS
        for entry in sorted(datasets[split]["annotations"], key=lambda each: (each["image_id"], each["id"]))
        if not entry.get("iscrowd", 0)
    ]
    crowds = sum(len(datasets[split]["annotations"]) for split in SPLITS) - len(objects)
    job.LOGGER.info("%d annotations of single objects; %d crowds left out", len(objects), crowds)
    keys, masks, boxes = [], [], []
    for split, entry in job.progress(objects, len(objects), "drawing masks"):
        image, category = entry["image_id"], entry["category_id"]
        try:
            if image not in listed[split]:
                raise MaskError(f"its image {image} is not listed in {split}")
            if image not in sizes:
                raise MaskError("its image was left out")
            if category not in places:
                raise MaskError(f"its category {category} is not listed")
            box = _box(entry)
            masks.append(encode(entry.get("segmentation"), *sizes[image]))
        except MaskError as error:
            rejections.add("annotation", entry["id"], error)
            continue
        keys.append((entry["id"], image, places[category]))
        boxes.append(box)
    ids, image_ids, chosen = np.array(keys, np.int64).reshape(-1, 3).T
    x, y, w, h, area = np.array(boxes, np.float64).reshape(-1, 5).T
    names = pa.array(categories.values(), pa.string())
    tokens = pa.array([tokens_of(name) for name in categories.values()], pa.list_(pa.string()))
    table = {
        "annotation_id": ids,
        "image_id": image_ids,
        "category": names.take(pa.array(chosen)),
        "tokens": tokens.take(pa.array(chosen)),
        "x": x,
        "y": y,
        "w": w,
        "h": h,
        "mask": pa.array(masks, pa.binary()),
        "area": area,
    }
    return pa.table(table), len(objects)


def _box(entry: dict) -> tuple[float, ...]:
    """x, y, w, h and area as the file says, in px and px^2. Raises MaskError."""
    try:
        x, y, w, h = (float(value) for value in entry["bbox"])
        area = float(entry["area"])
    except (KeyError, TypeError, ValueError):
        raise MaskError("its bbox should be four numbers and its area one") from None
    if not all(map(isfinite, (x, y, w, h, area))) or min(w, h, area) < 0:
        raise MaskError("its bbox or its area is negative or not finite")
    return x, y, w, h, area


def _counted(categories: dict[int, str], images: list[dict], annotations: pa.Table) -> pa.Table:
    """The categories table: COCO's order, with the images and annotations of each in either split."""
    splits = {row["image_id"]: row["split"] for row in images}
    pairs = [tuple(row.values()) for row in annotations.select(["category", "image_id"]).to_pylist()]
    columns: dict[str, list] = {"category": list(categories.values())}
    columns["tokens"] = [tokens_of(name) for name in columns["category"]]
    for what, found in (("images", dict.fromkeys(pairs)), ("annotations", pairs)):
        for split in SPLITS:
            total = dict.fromkeys(columns["category"], 0)
            for category, image in found:
                total[category] += splits[image] == split
            columns[f"{what}_{split}"] = list(total.values())
    columns["supervised"] = [True] * len(categories)
    return pa.table(columns)
