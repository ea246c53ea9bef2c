"""Zip archives, unpacked whole or not at all, and never outside their folder."""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from filterscope import job

_AT_ONCE = 1 << 20  # bytes


class ArchiveError(ValueError):
    """An archive is damaged, or would write where it must not: names the archive and the member."""


def extract_zips(archives: Iterable[str | Path], folder: str | Path) -> None:
    """Unpack archives side by side into a new folder, which appears when all of them are whole.

    Every member is read to its end, so that its CRC is checked. Members get ordinary permissions.

    Raises ArchiveError for files that are no zip archives or are damaged, for encrypted members, links, names
    that lead out of the folder or come twice, and where the folder has something in it already; OSError where
    there is no room or no right to write. Whatever is raised, nothing new stays behind.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArchiveError(f"{folder} exists already; move it away to unpack anew")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)  # of a run that was killed
    try:
        temporary.mkdir()
        _require_room(archives := list(archives), temporary)
        taken: set[str] = set()
        for archive in archives:
            _extract(Path(archive), temporary, taken)
        temporary.replace(folder)
        job.LOGGER.info("unpacked %d files and folders, all of them whole", len(taken))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _opened(archive: str | Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        with Path(archive).open("rb") as file:
            is_web_page = file.read(200).lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml"))
        cause = "it holds a web page" if is_web_page else error
        raise ArchiveError(f"{archive}: not a whole zip archive ({cause}); download it again") from error


def _require_room(archives: list[str | Path], place: Path) -> None:
    needed = 0
    for archive in archives:
        with _opened(archive) as opened:
            needed += sum(member.file_size for member in opened.infolist())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise OSError(f"{place.parent}: unpacking needs {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free")


def _extract(archive: Path, folder: Path, taken: set[str]) -> None:
    with _opened(archive) as opened:
        members = opened.infolist()
        for member in members:
            _require_safe(archive, member, taken)
        for member in job.progress(members, len(members), f"unpacking {archive.name}"):
            target = folder / member.filename
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with opened.open(member) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy, _AT_ONCE)
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                raise ArchiveError(f"{archive}: {member.filename} is damaged ({error})") from error


def _require_safe(archive: Path, member: zipfile.ZipInfo, taken: set[str]) -> None:
    """The member is a file or folder of its own inside the folder. Raises ArchiveError."""
    # Names before zipfile cleaned them: it cuts at a NUL and turns the system's separator into a slash.
    name = member.orig_filename
    parts = name.removesuffix("/").split("/")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if "\\" in name or "\0" in name or re.match("[A-Za-z]:", name) or set(parts) & {"", ".", ".."}:
        raise ArchiveError(f"{archive}: {name!r} leads out of the folder; do not trust this archive")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArchiveError(f"{archive}: {name!r} is a link or a device; do not trust this archive")
    if member.flag_bits & 0x1:
        raise ArchiveError(f"{archive}: {name!r} is encrypted")
    if name in taken and not member.is_dir():
        raise ArchiveError(f"{archive}: {name!r} comes twice")
    taken.add(name)
