"""What is found out of texts, kept in the user's cache: by what they hold, so that nothing in it can be out of date."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

MOST = 5_000  # findings in a file; beyond, it begins anew with those that the last process asked for


def folder() -> Path | None:
    """Where programs of a user keep what can be found out again; None where they have no home.

    A relative XDG_CACHE_HOME is invalid by its specification, and would be another folder wherever one stands.
    """
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return (named if named.is_absolute() else Path.home() / ".cache") / "filterscope"
    except RuntimeError:
        return None


def _seal(key: str, found: object) -> str:
    return hashlib.sha256(json.dumps([key, found]).encode()).hexdigest()[:16]


def _holds(key: str, kept: object) -> bool:
    """Whether what a file has of a key is a finding and its seal, as they were written."""
    return isinstance(kept, list) and len(kept) == 2 and kept[1] == _seal(key, kept[0])


class Remembered:
    """Findings by key, such as a digest of the text: what JSON can hold.

    The file is read when it is first needed, and written at the end of a process that has found out more. That it is
    missing, broken, edited or cannot be written costs time and nothing else: a finding lies beside its seal, and one
    that the seal does not fit is found out again.
    """

    def __init__(self, path: Path | None):
        self.path = path
        self._asked: dict[str, object] = {}
        self._more = False

    def of(self, key: str, find: Callable[[], object]):
        """What is known of a key, or what is found now."""
        if key not in self._asked:
            if _holds(key, self._kept.get(key)):
                self._asked[key] = self._kept[key][0]
            else:
                self._asked[key] = find()
                if not self._more:
                    self._more = True
                    atexit.register(self.write)
        return self._asked[key]

    def write(self) -> None:
        """Put what was found out beside what other processes have written meanwhile."""
        if self.path is None or not self._more:
            return
        asked = {key: [found, _seal(key, found)] for key, found in self._asked.items()}
        everything = {**self._read(), **asked}
        text = json.dumps(asked if len(everything) > MOST else everything)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Nodes that share a home may have processes of the same number.
            handle, temporary = tempfile.mkstemp(prefix=f".{self.path.name}.", suffix=".part", dir=self.path.parent)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                os.replace(temporary, self.path)
            finally:
                Path(temporary).unlink(missing_ok=True)
        except OSError:
            return
        self._more = False

    @cached_property
    def _kept(self) -> dict[str, object]:
        return self._read()

    def _read(self) -> dict[str, object]:
        try:
            found = json.loads(self.path.read_text(encoding="utf-8")) if self.path else {}
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
