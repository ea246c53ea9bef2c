"""Folders of the user's, read the same way by planning and by jobs: links are followed, but not round in circles."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

# What other programs leave among pictures: thumbnails of a Synology, resource forks of macOS, bins and lost files.
LITTER = frozenset({"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"})


class FolderError(ValueError):
    """A folder cannot be read: names it."""


def is_visible(name: str) -> bool:
    """Whether a file or folder is the user's: neither hidden nor left there by another program."""
    return not name.startswith(".") and name not in LITTER


def walk(
    folder: str | Path,
    hidden: bool = False,
    unreadable: Callable[[str, OSError], None] | None = None,
) -> Iterator[tuple[str, list[str]]]:
    """Every folder from this one down, and the names of what is in it besides folders, both in order.

    Links to folders are followed unless they lead back to a folder that they lie in, which would never end. hidden:
    whether hidden things and litter count. unreadable: what is done about a folder that cannot be read, instead of
    raising FolderError.
    """
    yield from _walk(os.fspath(folder), _above(folder), hidden, unreadable)


def _walk(place, above, hidden, unreadable):
    try:
        with os.scandir(place) as entries:
            found = {each.name: _is_folder(each) for each in entries if hidden or is_visible(each.name)}
    except OSError as error:
        if unreadable is None:
            raise FolderError(f"{place}: the folder cannot be read ({error.strerror})") from error
        unreadable(place, error)
        return
    yield place, sorted(name for name, is_folder in found.items() if not is_folder)
    for path in (os.path.join(place, name) for name in sorted(found) if found[name]):
        own = _identity(path)
        if own is not None and own not in above:
            yield from _walk(path, above | {own}, hidden, unreadable)


def _is_folder(entry: os.DirEntry) -> bool:
    """Whether it is a folder or a link to one; the folder that it is listed in has told that of most files."""
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def subfolders(folder: str | Path) -> list[Path]:
    """Visible folders in a folder, in order; links count unless they lead back to it or to a folder that it lies in.

    Raises FolderError.
    """
    folder = Path(folder)
    try:
        found = sorted(each for each in folder.iterdir() if is_visible(each.name) and os.path.isdir(each))
    except OSError as error:
        raise FolderError(f"{folder}: the folder cannot be read ({error.strerror})") from error
    above = _above(folder)
    return [each for each in found if _identity(each) not in above]


def _above(folder: str | Path) -> frozenset[tuple[int, int]]:
    """The folder and those that it lies in."""
    real = Path(os.path.realpath(folder))  # Path.resolve raises RuntimeError for a link to itself before Python 3.13
    return frozenset(filter(None, map(_identity, (real, *real.parents))))


def _identity(path: str | Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:  # gone since it was listed: whoever opens it will say so
        return None
    return status.st_dev, status.st_ino
