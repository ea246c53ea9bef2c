"""Checksums that were seen first: a small file that the user commits, enforced from then on.

For files whose publisher gives no checksum. The file is YAML, one entry a name:

    images.zip: {sha256: 0123..., size: 9731705982, url: https://...}
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from filterscope import tables

HEADING = (
    "# Checksums of files as they were first downloaded; from then on only the same files are taken. Commit this\n"
    "# file with your study. Delete an entry to take a new version of its file.\n"
)


class LockError(ValueError):
    """The lock file is not what this program writes: names the file, the entry and what would be right."""


@dataclass(frozen=True)
class Locked:
    """What is known of a file: sha256 (hexadecimal), size in bytes, and where it came from."""

    sha256: str
    size: int
    url: str


def read(path: str | Path) -> dict[str, Locked]:
    """The entries by name; none where there is no such file yet. Raises LockError."""
    path = Path(path)
    if not path.exists():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LockError(f"{path}: not YAML ({error}); mend it or delete it") from error
    if not isinstance(content, dict):
        raise LockError(f"{path}: should hold an entry for every file, as in images.zip: {{sha256: ...}}")
    return {str(name): _locked(path, name, entry) for name, entry in content.items()}


def _locked(path: Path, name: object, entry: object) -> Locked:
    keys = {"sha256", "size", "url"}
    if not isinstance(entry, dict) or set(entry) != keys:
        raise LockError(f"{path}: {name} should have {', '.join(sorted(keys))}, and nothing else; found {entry!r}")
    if not isinstance(entry["sha256"], str) or not re.fullmatch("[0-9a-f]{64}", entry["sha256"]):
        raise LockError(f"{path}: {name}.sha256 is {entry['sha256']!r}, should be 64 hexadecimal digits in quotes")
    if type(entry["size"]) is not int or entry["size"] < 0:
        raise LockError(f"{path}: {name}.size is {entry['size']!r}, should be a number of bytes")
    return Locked(entry["sha256"], entry["size"], str(entry["url"]))


def record(path: str | Path, name: str, locked: Locked) -> None:
    """Add an entry; the others stay. Several jobs may do so at once.

    Raises LockError where the name has another checksum by now.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path):
        entries = read(path)
        if entries.setdefault(name, locked).sha256 != locked.sha256:
            raise LockError(f"{path}: {name} was recorded with sha256 {entries[name].sha256} in the meantime")
        content = {key: asdict(entries[key]) for key in sorted(entries)}
        with tables.replacing(path) as temporary:
            temporary.write_text(HEADING + yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else is in such a block for a file in this folder."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
