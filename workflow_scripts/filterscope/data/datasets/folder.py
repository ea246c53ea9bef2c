"""A plain folder of the user's own pictures, without annotations."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pyarrow as pa

from filterscope import folders, job
from filterscope.data.datasets.counting import SUFFIXES
from filterscope.data.datasets.dataset_tables import DatasetTables
from filterscope.data.images import TURNS, ImageError, inspect_all
from filterscope.data.rejection import Rejections

# Pictures that cannot be read here: cameras' raw files, of which Pillow would show the thumbnail, and others.
RAW = (".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef")
UNREAD = (*RAW, ".heic", ".heif", ".jxl")
_NAMED = 3  # files that a message names
SPLIT = "val"  # nothing is trained on these pictures


def list_pictures(folder: str | Path) -> list[str]:
    """Paths of the pictures in a folder and below it, relative to it, sorted; hidden files do not count.

    Linked folders are followed (`folders.walk`). Pictures of kinds that cannot be read here are among them, so that
    whoever reads them says so, but for those with a readable picture of the same name beside them. Files that are left
    aside are named in the log.

    Raises ValueError if there is no such folder, one that cannot be read, or no picture in it.
    """
    return _list(folder)[0]


def _list(folder: str | Path) -> tuple[list[str], dict[str, int]]:
    """The pictures, and how many files of which suffix are left aside."""
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder")
    found, aside = [], []
    for place, files in folders.walk(folder):
        hidden = [each.name for each in os.scandir(place) if each.name.startswith(".") and each.is_file()]
        readable = {Path(name).stem for name in files if name.lower().endswith(SUFFIXES)}
        for name in [*files, *hidden]:
            path = Path(place, name).relative_to(folder).as_posix()
            alone = name.lower().endswith(UNREAD) and Path(name).stem not in readable  # no JPEG of it beside it
            is_picture = (alone or name.lower().endswith(SUFFIXES)) and not name.startswith(".")
            (found if is_picture else aside).append(path)
    counts = Counter(_kind(path) for path in aside)
    if aside:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        first = ", ".join(sorted(aside)[:_NAMED])
        job.LOGGER.info("%s: %d files are left aside (%s): %s", folder, len(aside), kinds, first)
    if not found:
        others = f"; other files are there: {', '.join(sorted(counts))}" if counts else ""
        raise ValueError(f"{folder}: no picture in it or below (looked for {', '.join(SUFFIXES)}){others}")
    return sorted(found), dict(sorted(counts.items()))


def _kind(path: str) -> str:
    """What a file that is no picture is called in messages: its suffix, in lower case."""
    name = path.rpartition("/")[2]
    if name.startswith("."):
        return "hidden"
    return Path(name).suffix.lower() or "without suffix"


def read_folder(folder: str | Path, max_bad_fraction: float, threads: int) -> DatasetTables:
    """The tables of a folder of pictures, which has no annotations; every picture is decoded once.

    An image's number is its position among the sorted paths, its size the one after turning by EXIF.
    Raises RejectionError if more pictures are unusable than allowed, ValueError if none is left.
    """
    paths, aside = _list(folder)
    findings = Counter({f"files left aside, {kind}": count for kind, count in aside.items()})
    rejections = Rejections(max_bad_fraction)
    rows = []
    inspections = inspect_all([Path(folder, path) for path in paths], threads, decode=True)
    progress = job.progress(inspections, len(paths), "reading pictures")
    for image_id, (path, found) in enumerate(zip(paths, progress, strict=True)):
        fault = fault_of_path(path) or (found.cause if isinstance(found, ImageError) else "")
        if fault:
            rejections.add("image", f"{image_id} ({path})", fault)
        else:
            rows.append({"image_id": image_id, "split": SPLIT, "path": path, **found.row(turned=True)})
            findings[f"pictures turned by EXIF tag {found.orientation}"] += found.orientation in TURNS
    rejections.check(image=len(paths))
    if not rows:
        raise ValueError(f"{folder}: none of its {len(paths)} pictures can be used")
    job.LOGGER.info("%d of %d pictures can be used", len(rows), len(paths))
    findings = {finding: count for finding, count in sorted(findings.items()) if count}
    table = {"finding": list(findings), "count": list(findings.values())}
    return DatasetTables(pa.Table.from_pylist(rows), rejections.table(), table)


def fault_of_path(path: str) -> str:
    """Why a picture with this path cannot be used, whatever its file holds; "" where nothing is wrong with it."""
    if path.lower().endswith(RAW):
        return "a camera's raw file; save it as JPEG or PNG"
    # Python keeps bytes that are not UTF-8 as surrogates, which no table can hold.
    if any("\ud800" <= character <= "\udfff" for character in path):
        return "the name is not in Unicode; rename the file"
    return ""
