"""A JSON list that is larger than memory, entry by entry, with the place of what is wrong in it.

The standard library's decoder works on one entry at a time out of a window of the file: as fast as reading the
whole at once, and unlike the event parsers it tells the byte at which a file is cut short.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

WINDOW = 1 << 20  # bytes read at once
LARGEST = 1 << 26  # characters of one entry; more means that its end is not where it should be

_BLANK = re.compile(r"[ \t\n\r]*")
# What a number at the end of a window may go on with.
_NUMBER = re.compile(r"|\.|[eE][+-]?")
# What may be the beginning of a value, an escape or the rest of a number.
_BEGUN = re.compile(r"-?|t(ru?)?|f(a(ls?)?)?|n(ul?)?|N(a)?|-?I[a-z]{0,6}|[.eE][+-]?|\\?u?[0-9a-fA-F]{0,4}")


class JsonError(ValueError):
    """The file is no whole JSON list: names the byte and what is there."""


class NotUtf8Error(JsonError):
    """The file is no text in UTF-8."""


def entries(file: BinaryIO, window: int = WINDOW) -> Iterator[tuple[int, object]]:
    """The entries of the list that a file holds, each with the byte offset at which it begins.

    A byte order mark before the list is passed over. Memory: an entry and a window.
    Raises JsonError with the byte offset where the file is cut short, is not
    UTF-8, not JSON, or goes on after the list.
    """
    text = _Text(file, window)
    decoder = json.JSONDecoder()
    if text.next() == "\ufeff":
        text.take(1)
    begins = text.next()
    if begins != "[":
        raise JsonError(f"{text.here()}: should begin with [, a list" if begins else "the file is empty")
    text.take(1)
    sign = text.next()
    while sign != "]":
        if not text.next():
            raise JsonError(text.cut("the list does not end"))
        begin = text.offset
        yield begin, text.decode(decoder)
        sign = text.next()
        if sign not in (",", "]"):
            raise JsonError(f"{text.here()}: should be , or ]" if text.goes_on() else text.cut("the list does not end"))
        if sign == ",":
            text.take(1)
    text.take(1)
    if text.next():
        raise JsonError(f"{text.here()}: the list has ended before")


class _Text:
    """A window of a UTF-8 file: `rest` is what is read and not yet taken, `offset` the byte at which it begins."""

    def __init__(self, file: BinaryIO, window: int):
        self.rest, self.offset = "", 0
        self._file, self._window = file, window
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._read, self._place = 0, 0  # bytes read of the file; characters of `rest` taken
        self._ended = False

    def next(self) -> str:
        """The first character that is not blank, "" at the end; what is blank before it is taken."""
        while True:
            self.take(_BLANK.match(self.rest, self._place).end() - self._place)
            if self._place < len(self.rest):
                return self.rest[self._place]
            if not self._more():
                return ""

    def take(self, characters: int) -> None:
        taken = self.rest[self._place : self._place + characters]
        self.offset += len(taken) if taken.isascii() else len(taken.encode())
        self._place += characters

    def decode(self, decoder: json.JSONDecoder) -> object:
        """Take the value that begins here."""
        while True:
            try:
                value, end = decoder.raw_decode(self.rest, self._place)
            except json.JSONDecodeError as error:
                if not self._is_cut(error) or not self._more():
                    raise self._broken(error) from None
            except RecursionError:
                raise JsonError(f"byte {self.offset}: the entry is nested too deeply") from None
            else:
                if _NUMBER.fullmatch(self.rest, end) and self._more():
                    continue
                self.take(end - self._place)
                return value

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """Whether the value may be right as far as it is read."""
        if error.msg.startswith("Unterminated string"):
            return len(self.rest) - self._place <= LARGEST
        return _BEGUN.fullmatch(self.rest[error.pos :].rstrip(" \t\n\r")) is not None

    def goes_on(self) -> bool:
        """Whether more follows than what a number that is cut would leave."""
        return not _NUMBER.fullmatch(self.rest, self._place) or self._more()

    def here(self) -> str:
        found = self.rest[self._place : self._place + 20]
        return f"byte {self.offset}: {found!r}" if found else f"byte {self.offset}"

    def cut(self, what: str) -> str:
        return f"cut short after byte {self._read} ({what})"

    def _broken(self, error: json.JSONDecodeError) -> JsonError:
        if self._ended and self._is_cut(error):
            return JsonError(self.cut(f"the entry that begins at byte {self.offset} does not end"))
        place = self.offset + len(self.rest[self._place : error.pos].encode())
        return JsonError(f"byte {place}: {error.msg}, in the entry that begins at byte {self.offset}")

    def _more(self) -> bool:
        """Read on, dropping what is taken; False at the end of the file."""
        data = b"" if self._ended else self._file.read(self._window)
        try:
            more = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            place = self._read - (len(error.object) - len(data)) + error.start
            if not data:
                raise JsonError(self.cut("in the middle of a character")) from None
            raise NotUtf8Error(f"byte {place}: not UTF-8") from None
        self._read += len(data)
        self._ended = not data
        if data:
            self.rest, self._place = self.rest[self._place :] + more, 0
        return bool(data)
