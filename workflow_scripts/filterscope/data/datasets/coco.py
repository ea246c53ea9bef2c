"""COCO 2017: the official folder layout as tables of images, annotations and categories.

    train2017/*.jpg  val2017/*.jpg  annotations/instances_{train,val}2017.json

Crowd annotations are left out: they outline no single object. A category's words are its name, split at
spaces; COCO's 80 names have 92 distinct words (LaViSE, table 1).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from math import isfinite
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa

from filterscope import job
from filterscope.data.datasets.counting import SUFFIXES
from filterscope.data.datasets.dataset_tables import DatasetTables, count_categories
from filterscope.data.datasets.instances import CocoError, is_number, is_text, read_instances
from filterscope.data.datasets.orientation import sighted, turned_size, turns
from filterscope.data.datasets.segmentation import MaskError, encode
from filterscope.data.images import ImageError, Inspection, inspect_all
from filterscope.data.rejection import Rejections

SPLITS = {"train": "train2017", "val": "val2017"}
CROWDS, ODD_MARKS = "crowds left out", "crowd marks written as text"
# Spellings of iscrowd; a missing one means a single object, as for pycocotools.
_CROWD_MARKS = {"0": False, "1": True, "false": False, "true": True}


def read_coco(
    folder: str | Path, max_bad_fraction: float, threads: int, whole_names: bool = False, exif: str = "auto"
) -> DatasetTables:
    """The tables of a COCO folder: train before val, images by number, an image's annotations together.

    Numbers must be unique over both splits. Left out, as far as `max_bad_fraction` allows for images and for
    annotations: files that are missing, cut short or of another size than the annotations say; annotations of
    such or absent images, of unknown categories, without a mask inside the image, without a box or an area.
    Every file is read once, for its digest; it is not decoded. whole_names: whether a category's name is one token,
    "dining table", instead of one a word. exif: which way pictures that a camera turned are read where their annotated
    size fits either way (see `orientation.turns`).

    Raises CocoError for a folder of another layout, broken JSON, repeated numbers, values of the wrong type,
    RejectionError.
    """
    folder = Path(folder)
    datasets = {split: read_instances(_annotation_file(folder, split)) for split in SPLITS}
    for section, what in (("images", "image"), ("annotations", "annotation")):
        numbers = np.concatenate([_numbers(datasets[split][section], "id") for split in SPLITS])
        _require_unique(numbers, f"{folder}: {what} numbers must be unique over train and val")
    categories = _categories({_annotation_file(folder, split): datasets[split]["categories"] for split in SPLITS})
    rejections = Rejections(max_bad_fraction)
    images, findings = _images(folder, datasets, rejections, threads, exif)
    tokens = {name: [" ".join(tokens_of(name))] if whole_names else tokens_of(name) for name in categories.values()}
    annotations, counted, marks = _annotations(datasets, images, categories, tokens, rejections)
    findings = {**marks, **_not_listed(folder, datasets), **findings}
    for finding, count in findings.items():
        job.LOGGER.info("%s: %d", finding, count)
    rejections.check(image=sum(len(dataset["images"]) for dataset in datasets.values()), annotation=counted)
    if not annotations.num_rows:
        raise CocoError(f"{folder}: no annotation can be used")
    job.LOGGER.info("%d images and %d annotations can be used", len(images), annotations.num_rows)
    table = pa.Table.from_pylist(images)
    return DatasetTables(
        images=table,
        rejected=rejections.table(),
        findings={"finding": list(findings), "count": list(findings.values())},
        annotations=annotations,
        categories=count_categories(tokens, table, annotations),
    )


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


def _numbers(entries: list[dict], key: str) -> np.ndarray:
    return np.array([entry[key] for entry in entries], np.int64)


def _require_unique(numbers: np.ndarray, rule: str) -> None:
    values, times = np.unique(numbers, return_counts=True)
    repeated = values[times > 1]
    if len(repeated):
        first = ", ".join(map(str, repeated[:5]))
        raise CocoError(f"{rule}; {len(repeated)} are not: {first}")


def _categories(lists: Mapping[Path, list[dict]]) -> dict[int, str]:
    """Names by number, in the order of the numbers; both files must agree."""
    names: dict[int, str] = {}
    for path, entries in lists.items():
        _require_unique(_numbers(entries, "id"), f"{path}: category numbers must be unique within one file")
        for entry in entries:
            if names.setdefault(entry["id"], entry["name"]) != entry["name"]:
                found = f"category {entry['id']} is {names[entry['id']]!r} and {entry['name']!r}"
                raise CocoError(f"{path}: {found}; should have the same name in both files")
    repeated = [name for name in names.values() if list(names.values()).count(name) > 1]
    if repeated:
        raise CocoError(f"the category name {repeated[0]!r} has more than one number")
    return dict(sorted(names.items()))


def _images(
    folder: Path, datasets: dict[str, dict], rejections: Rejections, threads: int, exif: str
) -> tuple[list[dict], dict[str, int]]:
    """Rows of the images table: files that are there, whole, and of the size that the annotations say; findings."""
    entries = [
        (split, entry) for split in SPLITS for entry in sorted(datasets[split]["images"], key=lambda each: each["id"])
    ]
    paths = [f"{SPLITS[split]}/{entry['file_name']}" for split, entry in entries]
    faults = [_fault_of_image(entry) for _, entry in entries]
    usable = [folder / path for path, fault in zip(paths, faults, strict=True) if not fault]
    inspections = iter(job.progress(inspect_all(usable, threads), len(usable), "reading pictures"))
    kept, sightings = [], []
    for (split, entry), path, fault in zip(entries, paths, faults, strict=True):
        found = None if fault else next(inspections)
        if isinstance(found, ImageError):
            fault = found.cause
        elif found:
            sighting = sighted(path, found, (entry["width"], entry["height"]))
            fault = "" if sighting.stored or sighting.turned else _misfit(found, entry)
        if fault:
            rejections.add("image", f"{entry['id']} ({path})", fault)
        else:
            kept.append((entry["id"], split, path, found))
            sightings.append(sighting)
    turned, findings = turns(sightings, exif)
    rows = [
        {"image_id": number, "split": split, "path": path, **found.row(own)}
        for (number, split, path, found), own in zip(kept, turned, strict=True)
    ]
    return rows, findings


def _fault_of_image(entry: dict) -> str:
    """What is wrong with an entry of `images`, "" where nothing is."""
    name = entry["file_name"]
    if not is_text(name) or not name.strip() or "\0" in name:
        return f"its file_name is {name!r}, should be the name of a file"
    if ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute():
        return "its file name leads out of the folder"
    for key in ("width", "height"):
        if type(entry[key]) not in (int, float) or not entry[key] > 0:
            return f"its {key} is {entry[key]!r}, should be a whole number of px"
    return ""


def _misfit(found: Inspection, entry: dict) -> str:
    wide, high = turned_size(found)
    turned = f" ({wide} x {high} as its EXIF tag turns it)" if (wide, high) != (found.width, found.height) else ""
    return (
        f"the file is {found.width} x {found.height} px{turned}, "
        f"its annotations are for {entry['width']} x {entry['height']}"
    )


def _not_listed(folder: Path, datasets: dict[str, dict]) -> dict[str, int]:
    """How many pictures lie in the folders of the splits without an entry."""
    count = 0
    for split, name in SPLITS.items():
        listed = {str(PurePosixPath(str(entry["file_name"]))) for entry in datasets[split]["images"]}
        for place, _, files in os.walk(folder / name):
            beside = Path(place).relative_to(folder / name)
            own = [each for each in files if each.lower().endswith(SUFFIXES) and not each.startswith(".")]
            count += sum((beside / each).as_posix() not in listed for each in own)
    return {"pictures that are not listed": count}


def _is_crowd(entry: dict, marks: Counter) -> bool:
    """Whether the annotation outlines a crowd. marks: counts what is unusual. Raises MaskError."""
    mark = entry.get("iscrowd")
    if mark in (None, 0, 1):
        return bool(mark)
    known = _CROWD_MARKS.get(mark.strip().lower()) if isinstance(mark, str) else None
    if known is None:
        raise MaskError(f"its iscrowd is {mark!r}, should be 0 or 1")
    marks[ODD_MARKS] += 1
    return known


def _single_objects(
    datasets: dict[str, dict], marks: Counter, rejections: Rejections
) -> tuple[list[tuple[str, dict]], int]:
    """Annotations of single objects with their split, by image, and how many there are with the unusable ones."""
    found, unusable = [], 0
    for split in SPLITS:
        own = []
        for entry in datasets[split]["annotations"]:
            try:
                for key in ("image_id", "category_id"):
                    if not is_number(entry[key]):
                        raise MaskError(f"its {key} is {entry[key]!r}, should be a whole number")
                if _is_crowd(entry, marks):
                    marks[CROWDS] += 1
                else:
                    own.append((split, entry))
            except MaskError as error:
                rejections.add("annotation", entry["id"], error)
                unusable += 1
        found += sorted(own, key=lambda each: (each[1]["image_id"], each[1]["id"]))
    return found, len(found) + unusable


def _annotations(
    datasets: dict[str, dict],
    images: list[dict],
    categories: dict[int, str],
    tokens: dict[str, list[str]],
    rejections: Rejections,
) -> tuple[pa.Table, int, dict[str, int]]:
    """The annotations table, how many annotations there were besides crowds, and what was unusual about their marks."""
    listed = {split: {entry["id"] for entry in datasets[split]["images"]} for split in SPLITS}
    sizes = {row["image_id"]: (row["height"], row["width"]) for row in images}
    places = {number: place for place, number in enumerate(categories)}
    marks = Counter({CROWDS: 0, ODD_MARKS: 0})
    objects, counted = _single_objects(datasets, marks, rejections)
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
    own_tokens = pa.array([tokens[name] for name in categories.values()], pa.list_(pa.string()))
    table = {
        "annotation_id": ids,
        "image_id": image_ids,
        "category": names.take(pa.array(chosen)),
        "tokens": own_tokens.take(pa.array(chosen)),
        "x": x,
        "y": y,
        "w": w,
        "h": h,
        "mask": pa.array(masks, pa.binary()),
        "area": area,
    }
    return pa.table(table), counted, dict(marks)


def _box(entry: dict) -> tuple[float, ...]:
    """x, y, w, h and area as the file says, in px and px^2. Raises MaskError."""
    try:
        x, y, w, h = (float(value) for value in entry["bbox"])
        area = float(entry["area"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise MaskError("its bbox should be four numbers and its area one") from None
    if not all(map(isfinite, (x, y, w, h, area))) or min(w, h, area) < 0:
        raise MaskError("its bbox or its area is negative or not finite")
    return x, y, w, h, area
