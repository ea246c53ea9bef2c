"""A plain folder of the user's own pictures, without annotations."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from filterscope import folders, job
from filterscope.data.images import ImageError, inspect_all
from filterscope.data.rejection import Rejections

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
SPLIT = "val"  # nothing is trained on these pictures


def list_pictures(folder: str | Path) -> list[str]:
    """Paths of the pictures in a folder and below it, relative to it, sorted; hidden files do not count.

    Linked folders are followed (`folders.walk`). Raises ValueError if there is no such folder, one that cannot be read,
    or no picture in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder")
    found = []
    for place, files in folders.walk(folder):
        names = [name for name in files if name.lower().endswith(SUFFIXES)]
        found += [Path(place, name).relative_to(folder).as_posix() for name in names]
    if not found:
        raise ValueError(f"{folder}: no picture in it or below (looked for {', '.join(SUFFIXES)})")
    return sorted(found)


def read_folder(folder: str | Path, max_bad_fraction: float, threads: int) -> tuple[pa.Table, dict[str, list[str]]]:
    """The images table and the rejected table of a folder of pictures; every picture is decoded once.

    An image's number is its position among the sorted paths, its size the one after turning by EXIF.
    Raises RejectionError if more pictures are unusable than allowed, ValueError if none is left.
    """
    paths = list_pictures(folder)
    rejections = Rejections(max_bad_fraction)
    rows = []
    inspections = inspect_all([Path(folder, path) for path in paths], threads, apply_exif=True, decode=True)
    progress = job.progress(inspections, len(paths), "reading pictures")
    for image_id, (path, found) in enumerate(zip(paths, progress, strict=True)):
        if isinstance(found, ImageError):
            rejections.add("image", f"{image_id} ({path})", found.cause)
        elif not _is_unicode(path):
            rejections.add("image", f"{image_id} ({path})", "the name is not in Unicode; rename the file")
        else:
            rows.append({"image_id": image_id, "split": SPLIT, "path": path, **asdict(found)})
    rejections.check(image=len(paths))
    if not rows:
        raise ValueError(f"{folder}: none of its {len(paths)} pictures can be used")
    job.LOGGER.info("%d of %d pictures can be used", len(rows), len(paths))
    return pa.Table.from_pylist(rows), rejections.table()


def _is_unicode(path: str) -> bool:
    """Whether the name has none of the surrogates by which Python keeps bytes that are not UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in path)
