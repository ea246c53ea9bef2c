"""Visual Genome: the official folder layout as tables of images, annotations and categories.

    VG_100K/*.jpg  VG_100K_2/*.jpg  objects.json

Objects have boxes; their categories come from WordNet synsets (LaViSE, 4.2). objects.json (some
hundred MB) is streamed; what is kept of it are numbers, some 60 bytes an object, so that all of it fits into
2 GiB of memory. Masks are written box by box while the annotations go to their file.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
from pycocotools import mask as mask_utils

from filterscope import job
from filterscope.data.datasets import boxes
from filterscope.data.datasets.objects import Listed, VisualGenomeError, read_objects
from filterscope.data.datasets.orientation import sighted, turns
from filterscope.data.datasets.passes import Objects, run_passes
from filterscope.data.images import ImageError, inspect_all
from filterscope.data.rejection import Rejections
from filterscope.data.vocabularies.vocabulary import spelt

OBJECTS, FOLDERS = "objects.json", ("VG_100K", "VG_100K_2")
AT_ONCE = 1 << 16  # annotations of a part of their table


@dataclass(frozen=True)
class VisualGenomeSettings:
    """How objects become annotations; see the config's schema."""

    whole_names: bool = False
    exif: str = "auto"
    several_synsets: str = "first"
    without_synset: str = "drop"
    passes: str | tuple[str, ...] = "paper"
    min_count: int = 100
    train: float = 0.9
    supervised: float = 0.7

    @classmethod
    def from_mapping(cls, settings: dict) -> VisualGenomeSettings:
        """From an entry of the config's datasets; keys that are about other things are passed over."""
        return cls(**{field.name: settings[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class VisualGenomeTables:
    """The tables `images`, `categories`, `passes`, `findings` and `rejected`; `annotations` part by part."""

    images: pa.Table
    categories: pa.Table
    passes: list[dict]
    findings: dict[str, list]
    rejected: dict[str, list[str]]
    objects: Objects
    names: list[str]

    def annotations(self) -> Iterator[pa.Table]:
        """Parts of the `annotations` table: in the order of the images, an image's together."""
        return _annotations(self.objects, self.images, self.names)


def read_visual_genome(
    folder: str | Path,
    vocabulary: Container[str],
    settings: VisualGenomeSettings,
    max_bad_fraction: float,
    seed: int,
    threads: int,
) -> VisualGenomeTables:
    """The tables of a Visual Genome folder.

    vocabulary: the words that have a vector. Images are split at random by the seed, each with all of its objects;
    the supervised categories are drawn without replacement. Boxes are clipped to their image. Left out, as far
    as `max_bad_fraction` allows for images and for annotations: files that are listed and missing, broken or
    in both folders; objects of such images, without a usable box, or with none of it inside the image. Every file
    is read once, for its digest; it is not decoded.

    Raises VisualGenomeError for a folder of another layout and a broken objects.json, PassError where a pass
    leaves nothing, RejectionError.
    """
    folder = Path(folder)
    files = _files(folder)
    rejections = Rejections(max_bad_fraction)
    listed = read_objects(
        folder / OBJECTS, rejections, settings.whole_names, settings.several_synsets, settings.without_synset
    )
    rows = [{"pass": "listed", **listed.count(), "annotations": listed.objects}]
    images, tags = _images(folder, files, listed, rejections, threads, settings.exif)
    objects, counted, remarks = _in_their_images(listed, images, rejections)
    rows += counted
    rejections.check(image=len(listed.image_ids), annotation=listed.objects)
    if not len(objects.images):
        raise VisualGenomeError(f"{folder}: no object has a category, a picture and a box in it")
    objects, others = run_passes(
        objects, settings.passes, listed.names, lambda name: bool(spelt(name, vocabulary)), settings.min_count
    )
    findings = {
        **listed.findings,
        **remarks,
        **tags,
        "pictures that are not listed": len(files.keys() - set(listed.image_ids.tolist())),
    }
    for finding, count in findings.items():
        job.LOGGER.info("%s: %d", finding, count)
    table, places = _image_table(images, listed.image_ids, objects.kept, settings.train, seed)
    objects, names = _numbered(objects, places, listed.names)
    return VisualGenomeTables(
        table,
        _categories(objects, names, table["split"].to_numpy(zero_copy_only=False), settings.supervised, seed),
        [{"position": position, **row} for position, row in enumerate([*rows, *others])],
        {"finding": list(findings), "count": list(findings.values())},
        rejections.table(),
        objects,
        names,
    )


def _files(folder: Path) -> dict[int, list[str]]:
    """Paths of the pictures by number, relative to the folder. Raises VisualGenomeError."""
    there = [name for name in FOLDERS if (folder / name).is_dir()]
    if not there or not (folder / OBJECTS).is_file():
        missing = f"{OBJECTS} is" if there else f"{' and '.join(FOLDERS)} are"
        raise VisualGenomeError(
            f"{folder}: {missing} missing; a Visual Genome folder holds {', '.join(FOLDERS)} and {OBJECTS}"
        )
    found: dict[int, list[str]] = {}
    for name in there:
        for entry in os.scandir(folder / name):
            stem, _, suffix = entry.name.partition(".")
            if suffix.lower() in ("jpg", "jpeg") and stem.isascii() and stem.isdigit():
                found.setdefault(int(stem), []).append(f"{name}/{entry.name}")
    return found


def _images(
    folder, files, listed: Listed, rejections: Rejections, threads: int, exif: str
) -> tuple[list[dict | None], dict[str, int]]:
    """For every listed image its row of the images table, but for the split, None for one that is left out; findings.

    objects.json does not say for which size its boxes are, so pictures with an EXIF tag may be read either way.
    """
    ids = listed.image_ids.tolist()
    paths = [files.get(image_id, []) for image_id in ids]
    readable = [folder / found[0] for found in paths if len(found) == 1]
    inspections = iter(job.progress(inspect_all(readable, threads), len(readable), "reading pictures"))
    kept: list[tuple | None] = []
    for image_id, found in zip(ids, paths, strict=True):
        if len(found) == 1:
            inspection = next(inspections)
            if not isinstance(inspection, ImageError):
                kept.append((image_id, found[0], inspection))
                continue
            rejections.add("image", f"{image_id} ({found[0]})", inspection.cause)
        elif found:
            rejections.add("image", image_id, f"it is there twice: {' and '.join(sorted(found))}")
        else:
            rejections.add("image", image_id, f"its file is missing in {' and '.join(FOLDERS)}")
        kept.append(None)
    turned, findings = turns([sighted(each[1], each[2], None) for each in kept if each], exif)
    ways = iter(turned)
    rows = [{"image_id": each[0], "path": each[1], **each[2].row(next(ways))} if each else None for each in kept]
    return rows, findings


def _in_their_images(
    listed: Listed, images: list[dict | None], rejections: Rejections
) -> tuple[Objects, list[dict], dict[str, int]]:
    """Objects of images that are there, boxes clipped to them, and with a category: the passes that always come first.

    Returns them, the rows of those passes, and how many boxes were clipped and moved to whole pixels.
    """
    kept = np.array([row is not None for row in images], bool)
    sizes = np.array([(row["width"], row["height"]) if row else (0, 0) for row in images], np.int64).reshape(-1, 2)
    there = kept[listed.images]
    for place in np.flatnonzero(~there & listed.is_object):
        rejections.add("annotation", listed.label(place), "its image was left out")
    part = listed.only(there)
    rows = [{"pass": "readable", **part.count(int(kept.sum()))}]
    own = sizes[part.images]
    edges = boxes.whole_pixels(*part.boxes.T, *own.T)
    inside = (edges[:, 2] > edges[:, 0]) & (edges[:, 3] > edges[:, 1])
    for place in np.flatnonzero(~inside & part.is_object):
        x, y, w, h = part.boxes[place]
        reason = (
            f"its box is {w:g} x {h:g} px"
            if min(w, h) <= 0
            else f"its box of {w:g} x {h:g} px at x {x:g}, y {y:g} covers no pixel of its image"
        )
        rejections.add("annotation", part.label(place), reason)
    told = np.concatenate([part.boxes[:, :2], part.boxes[:, :2] + part.boxes[:, 2:]], 1)
    usable = inside & part.is_object
    clipped = usable & (np.floor(told + 0.5) != edges).any(1)
    moved = usable & (np.floor(told + 0.5) != told).any(1)
    part, edges = part.only(inside), edges[inside]
    rows.append({"pass": "boxes", **part.count(int(kept.sum()))})
    named = part.categories >= 0
    objects = Objects(part.images[named], part.categories[named], edges[named], kept)
    rows.append({"pass": "synsets", **objects.count()})
    remarks = {
        "boxes clipped to their image": int(clipped.sum()),
        "boxes moved to whole pixels": int(moved.sum()),
    }
    return objects, rows, remarks


def _image_table(
    images: list[dict | None], image_ids: np.ndarray, kept: np.ndarray, train: float, seed: int
) -> tuple[pa.Table, np.ndarray]:
    """The images table, train before val and by number, and each listed image's row in it, -1 for none.

    Raises VisualGenomeError for fewer than two images.
    """
    chosen = np.flatnonzero(kept)
    chosen = chosen[np.argsort(image_ids[chosen], kind="stable")]
    if len(chosen) < 2:
        raise VisualGenomeError(f"{len(chosen)} image is left; training and validation need one each")
    amount = min(max(round(train * len(chosen)), 1), len(chosen) - 1)
    chance = np.random.default_rng(job.derived_seed(seed, "visual_genome", "split"))
    training = np.zeros(len(chosen), bool)
    training[chance.permutation(len(chosen))[:amount]] = True
    order = np.concatenate([chosen[training], chosen[~training]])
    splits = np.repeat(["train", "val"], [amount, len(chosen) - amount])
    rows = [{**images[place], "split": split} for place, split in zip(order.tolist(), splits.tolist(), strict=True)]
    places = np.full(len(kept), -1, np.int64)
    places[order] = np.arange(len(order))
    return pa.Table.from_pylist(rows), places


def _numbered(objects: Objects, places: np.ndarray, names: list[str]) -> tuple[Objects, list[str]]:
    """Objects by the row of their image and the category's place in the alphabet, ordered by both; names of those."""
    present = sorted(np.unique(objects.categories).tolist(), key=names.__getitem__)
    renamed = np.full(len(names), -1, np.int64)
    renamed[present] = np.arange(len(present))
    rows, categories = places[objects.images], renamed[objects.categories]
    order = np.lexsort([categories, rows])
    kept = np.ones(int(objects.kept.sum()), bool)
    ordered = Objects(rows[order], categories[order], objects.edges[order], kept, objects.merged)
    return ordered, [names[each] for each in present]


def _categories(objects: Objects, names: list[str], splits: np.ndarray, supervised: float, seed: int) -> pa.Table:
    """The categories table; objects are by row of the images table."""
    images, categories = objects.annotated()
    pairs = np.stack(objects.united().annotated())
    columns: dict[str, object] = {"category": names, "tokens": [[name] for name in names]}
    for what, (owners, own) in (("images", pairs), ("annotations", (images, categories))):
        for split in ("train", "val"):
            columns[f"{what}_{split}"] = np.bincount(own[splits[owners] == split], minlength=len(names))
    chance = np.random.default_rng(job.derived_seed(seed, "visual_genome", "supervised"))
    drawn = chance.choice(len(names), max(1, round(supervised * len(names))), replace=False)
    columns["supervised"] = np.isin(np.arange(len(names)), drawn)
    job.LOGGER.info("%d of %d categories are supervised", len(drawn), len(names))
    return pa.table(columns)


def _annotations(objects: Objects, images: pa.Table, names: list[str]) -> Iterator[pa.Table]:
    """Parts of the annotations table; objects ordered by row of the images table, then by category."""
    same = np.zeros(len(objects.images), bool)
    if objects.merged:
        same[1:] = (np.diff(objects.images) == 0) & (np.diff(objects.categories) == 0)
    first = np.append(np.flatnonzero(~same), len(same))
    total = len(first) - 1
    sizes = np.stack([images["height"].to_numpy(), images["width"].to_numpy()], 1)
    ids = images["image_id"].to_numpy()
    words = pa.array(names, pa.string())
    starts = job.progress(range(0, total, AT_ONCE), -(-total // AT_ONCE), "writing masks")
    for start in starts:
        bounds = first[start : start + AT_ONCE + 1]
        own = objects.images[bounds[:-1]]
        masks, areas = _masks(objects.edges, bounds, sizes[own])
        left, upper = (np.minimum.reduceat(objects.edges[: bounds[-1], axis], bounds[:-1]) for axis in (0, 1))
        right, lower = (np.maximum.reduceat(objects.edges[: bounds[-1], axis], bounds[:-1]) for axis in (2, 3))
        category = words.take(pa.array(objects.categories[bounds[:-1]]))
        yield pa.table(
            {
                "annotation_id": np.arange(start, start + len(own)) + 1,
                "image_id": ids[own],
                "category": category,
                "tokens": pa.ListArray.from_arrays(np.arange(len(own) + 1, dtype=np.int32), category),
                "x": left.astype(np.float64),
                "y": upper.astype(np.float64),
                "w": (right - left).astype(np.float64),
                "h": (lower - upper).astype(np.float64),
                "mask": pa.array(masks, pa.binary()),
                "area": areas,
            }
        )


def _masks(edges: np.ndarray, bounds: np.ndarray, sizes: np.ndarray) -> tuple[list[bytes], np.ndarray]:
    """Run lengths and areas of the unions of edges[bounds[i]:bounds[i + 1]] in images of sizes[i]."""
    masks = []
    areas = np.zeros(len(sizes))
    for index, (height, width) in enumerate(sizes.tolist()):
        own = edges[bounds[index] : bounds[index + 1]].tolist()
        masks.append(boxes.union([boxes.rectangle(*each, height, width) for each in own], height, width))
        if len(own) == 1:
            areas[index] = (own[0][2] - own[0][0]) * (own[0][3] - own[0][1])
        else:
            areas[index] = mask_utils.area({"size": [height, width], "counts": masks[-1]})
    return masks, areas
