"""Files from the web: whole, right and in their place, or not there at all.

What has arrived stays in a hidden part file beside the target, so that a cut connection, a killed job or the
next attempt goes on where the last one stopped. A note beside it says what it is a part of.
"""

from __future__ import annotations

import email.utils
import hashlib
import http.client
import json
import re
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path

from filterscope import job

_AT_ONCE = 1 << 18  # bytes
_MEBI = 1 << 20
_LONGEST_WAIT = 60.0  # s
_LONGEST_PAUSE = 600.0  # s that a server may ask for
_PASSING = {408, 425, 429}  # refusals that a second attempt may turn; so may all from 500
_HEADERS = {"User-Agent": "filterscope", "Accept-Encoding": "identity"}


class DownloadError(ValueError):
    """A file cannot be had, or is not the right one: names the address and says what to do."""


class _InterruptedError(Exception):
    """A failure that may pass: the connection broke, nothing came in time, the server is busy.

    pause: seconds after which the server asks to be called again.
    """

    def __init__(self, cause: str, pause: float = 0.0):
        super().__init__(cause)
        self.pause = pause


@dataclass(frozen=True)
class _Note:
    """What a part file is a part of. `validator` is the server's name for this version of the file."""

    url: str
    size: int | None
    sha256: str | None
    validator: str | None = None


class _Part:
    """The part file of a target, and its note."""

    def __init__(self, target: Path):
        self.path = target.with_name(f".{target.name}.part")
        self._note = target.with_name(f".{target.name}.part.json")

    def length(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def note(self) -> _Note | None:
        try:
            return _Note(**json.loads(self._note.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def begin(self, note: _Note) -> None:
        """Start anew with an empty part file."""
        self.path.write_bytes(b"")
        self._note.write_text(json.dumps(asdict(note)))

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        self.path.replace(target)
        self._note.unlink(missing_ok=True)


def fetch(
    url: str,
    path: str | Path,
    sha256: str | None = None,
    size: int | None = None,
    magic: bytes | None = None,
    retries: int = 5,
    timeout: float = 60.0,
    backoff: float = 1.0,
) -> None:
    """Download a file to `path`, which appears when it is whole and passed every check that is given.

    Checks: `sha256` (hexadecimal), `size` in bytes, `magic` (the file's first bytes). A failure that may pass
    is retried `retries` times in a row, after `backoff` s, twice that, and so on up to a minute, or after as long
    as the server asks for, up to ten minutes; new bytes start the count anew. `timeout` in s is how long the
    server may be silent. An earlier part is used only if it was begun for the same address, size and digest, and
    the server or the digest can tell that it fits.

    Raises DownloadError where another attempt is useless or all failed, OSError where nothing can be written.
    After an interruption the part stays, for the next run; after a failed check nothing stays.
    """
    path = Path(path)
    if not url.startswith(("http://", "https://")):
        raise DownloadError(f"{url}: the address should begin with http:// or https://")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _Part(path)
    wanted = _Note(url, size, sha256)
    failures, farthest = 0, part.length()
    while True:
        try:
            _receive(part, wanted, magic, timeout, path.name)
            break
        except _InterruptedError as error:
            arrived = part.length()
            failures = 1 if arrived > farthest else failures + 1
            farthest = max(farthest, arrived)
            if failures > retries:
                kept = "what has arrived is kept, to go on from there" if arrived else "try another mirror"
                raise DownloadError(
                    f"{url}: {error}; gave up after {failures} failures in a row. Try again later: {kept}"
                ) from error
            wait = max(min(backoff * 2 ** (failures - 1), _LONGEST_WAIT), min(error.pause, _LONGEST_PAUSE))
            job.LOGGER.warning("%s: %s; trying again in %.0f s", url, error, wait)
            time.sleep(wait)
    try:
        _check(part.path, wanted, magic)
    except DownloadError:
        part.discard()
        raise
    checked = "sha256 is right" if sha256 else "whole"
    job.LOGGER.info("%s: %s bytes from %s, %s", path.name, f"{part.length():,}", url, checked)
    part.finish(path)


def fetch_from_first(urls: Sequence[str], path: str | Path, **settings) -> str:
    """Download a file from the first of these addresses that has the right one, and return that address.

    settings: as for `fetch`. Where an earlier attempt left a part, its address comes first.
    Raises DownloadError naming what was wrong with each.
    """
    if not urls:
        raise DownloadError(f"{Path(path).name}: no mirror is given")
    note = _Part(Path(path)).note()
    failures = []
    for url in sorted(urls, key=lambda url: note is None or url != note.url):
        try:
            fetch(url, path, **settings)
            return url
        except DownloadError as error:
            failures.append(str(error))
            job.LOGGER.warning("%s%s", error, "; trying the next mirror" if len(failures) < len(urls) else "")
    if len(failures) == 1:
        raise DownloadError(failures[0])
    listed = "\n".join(f"  {failure}" for failure in failures)
    raise DownloadError(f"{Path(path).name}: none of {len(failures)} mirrors has the right file:\n{listed}")


def digest(path: str | Path) -> str:
    """The sha256 of a file, hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _receive(part: _Part, wanted: _Note, magic: bytes | None, timeout: float, name: str) -> None:
    """One attempt: go on from the part file, or begin it, up to the end of the server's file."""
    start, validator = _usable(part, wanted)
    if start and start == wanted.size:
        return
    headers = dict(_HEADERS)
    if start:
        headers["Range"] = f"bytes={start}-"
        if validator:
            headers["If-Range"] = validator
    response = _opened(urllib.request.Request(wanted.url, headers=headers), timeout, part)
    with response:
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding.lower() != "identity":  # which was asked for: these bytes are not the file's
            raise DownloadError(f"{wanted.url}: the server packed the file ({encoding}); use another mirror")
        begin, total = _extent(response)
        if begin not in (0, start):
            part.discard()
            raise _InterruptedError(f"asked for byte {start} on, the server sent another part")
        if wanted.size is not None and total not in (None, wanted.size):
            part.discard()
            raise DownloadError(
                f"{wanted.url}: the server's file has {total:,} bytes, the right one {wanted.size:,}; "
                f"{_hint(response, magic)}"
            )
        _require_room(part.path, begin, total)
        if begin == 0:
            part.begin(_Note(wanted.url, wanted.size, wanted.sha256, _validator(response)))
        blocks = _blocks(response, part, magic if begin == 0 else None, wanted)
        expected = ceil((total - begin) / _MEBI) if total is not None else None
        for _ in job.progress(blocks, expected, f"{name}, MiB"):
            pass
    if total is not None and part.length() < total:
        raise _InterruptedError(f"the connection was cut after {part.length():,} of {total:,} bytes")


def _usable(part: _Part, wanted: _Note) -> tuple[int, str | None]:
    """Length of the part file and the version that it is of; what cannot be continued is discarded."""
    note, length = part.note(), part.length()
    same = note is not None and (note.url, note.size, note.sha256) == (wanted.url, wanted.size, wanted.sha256)
    known = same and (note.validator is not None or wanted.sha256 is not None)
    if known and length and not (wanted.size is not None and length > wanted.size):
        return length, note.validator
    part.discard()
    return 0, None


def _opened(request: urllib.request.Request, timeout: float, part: _Part) -> http.client.HTTPResponse:
    url = request.full_url
    try:
        return urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        answer = f"the server answered {error.code} {error.reason}"
        if error.code == 416:  # there is nothing after the part: it is no part of this file
            part.discard()
            raise _InterruptedError(answer) from error
        if error.code >= 500 or error.code in _PASSING:
            raise _InterruptedError(answer, _pause(error.headers.get("Retry-After", ""))) from error
        if 300 <= error.code < 400:
            answer = f"the server redirects in a circle, to nowhere or to what is no web address ({error.code})"
            raise DownloadError(f"{url}: {answer}; use another mirror") from error
        missing = "there is no such file; " if error.code == 404 else ""
        raise DownloadError(f"{url}: {answer}; {missing}check the address of the mirror") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise DownloadError(f"{url}: the server cannot be trusted ({error.reason})") from error
        raise _InterruptedError(_said(error.reason)) from error
    except (OSError, http.client.HTTPException) as error:
        raise _InterruptedError(_said(error)) from error


def _pause(told: str) -> float:
    """Seconds to wait by a Retry-After header, which has a number of them or a date; 0 where it tells neither."""
    if told.strip().isdecimal():
        return float(told)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(told).timestamp() - time.time())
    except ValueError:
        return 0.0


def _said(error: object) -> str:
    return "nothing came in time" if isinstance(error, TimeoutError) else f"no connection ({error})"


def _extent(response: http.client.HTTPResponse) -> tuple[int, int | None]:
    """Where the answer begins in the file, -1 if that is unclear, and the whole file's length if told."""
    if response.status != 206:
        return 0, response.length
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
    if not found:
        return -1, None
    return int(found[1]), None if found[2] == "*" else int(found[2])


def _validator(response: http.client.HTTPResponse) -> str | None:
    tag = response.headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")


def _require_room(path: Path, begin: int, total: int | None) -> None:
    free = shutil.disk_usage(path.parent).free
    if total is not None and total - begin > free:
        missing = f"needs {(total - begin) / 1e9:.1f} GB, {free / 1e9:.1f} GB are free"
        raise OSError(f"{path.parent}: the download {missing}")


def _blocks(response: http.client.HTTPResponse, part: _Part, magic: bytes | None, wanted: _Note) -> Iterator[None]:
    """Append to the part file what arrives, and yield once for every MiB."""
    told, length = 0, part.length()
    begin = length
    with part.path.open("ab") as file:
        if magic:
            head = _read(response, len(magic), whole=True)
            if not magic.startswith(head):
                part.discard()
                raise DownloadError(f"{wanted.url}: {_hint(response, magic, head)}")
            length += file.write(head)
        while data := _read(response, _AT_ONCE):
            length += file.write(data)
            if wanted.size is not None and length > wanted.size:
                part.discard()
                raise DownloadError(f"{wanted.url}: the file is longer than the right {wanted.size:,} bytes")
            while told < (length - begin) // _MEBI:
                told += 1
                yield


def _read(response: http.client.HTTPResponse, amount: int, whole: bool = False) -> bytes:
    """Up to `amount` bytes as they arrive; with `whole` fewer only at the end."""
    try:
        return response.read(amount) if whole else response.read1(amount)
    except TimeoutError as error:
        raise _InterruptedError("nothing came in time") from error
    except (OSError, http.client.HTTPException) as error:
        raise _InterruptedError(f"the connection was cut ({error or type(error).__name__})") from error


def _hint(response: http.client.HTTPResponse, magic: bytes | None, head: bytes = b"") -> str:
    """What may be wrong with a server that sends another file, and what to do."""
    if "html" in response.headers.get("Content-Type", "") or head.lstrip().startswith(b"<"):
        return (
            "the server sent a web page instead of the file. Open the address in a browser: a login, a proxy "
            "or a move may be behind it. Then use another mirror, or download the file yourself"
        )
    if magic and head:
        return f"the file begins with {head!r} instead of {magic!r}; use another mirror"
    return "use another mirror, or do not ask for the official file (verify: false)"


def _check(path: Path, wanted: _Note, magic: bytes | None) -> None:
    """The part file is all that was asked for. Raises DownloadError."""
    size = path.stat().st_size
    if size == 0 and wanted.size != 0:
        raise DownloadError(f"{wanted.url}: the server sent an empty file; try again later, or use another mirror")
    with path.open("rb") as file:
        begins = file.read(len(magic or b""))
    if begins != (magic or b""):
        raise DownloadError(f"{wanted.url}: the file begins with {begins!r} instead of {magic!r}")
    if wanted.size is not None and size != wanted.size:
        raise DownloadError(f"{wanted.url}: {size:,} bytes arrived, the right file has {wanted.size:,}")
    if wanted.sha256 is None:
        return
    found = digest(path)
    if found != wanted.sha256:
        raise DownloadError(
            f"{wanted.url}: its sha256 is {found}, the right file's {wanted.sha256}. It was deleted; "
            "if it happens again, the server's file has changed"
        )
