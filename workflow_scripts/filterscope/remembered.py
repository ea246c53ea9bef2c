"""What is found out of texts, kept in the user's cache: by what they hold, so that nothing in it can be out of date."""

from __future__ import annotations

import atexit
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


class Remembered:
    """Findings by key, such as a digest of the text: what JSON can hold.

    The file is read when it is first needed, and written at the end of a process that has found out more. That it is
    missing, broken or cannot be written costs time and nothing else.
    """

    def __init__(self, path: Path | None):
        self.path = path
        self._asked: dict[str, object] = {}
        self._more = False

    def of(self, key: str, find: Callable[[], object]):
        """What is known of a key, or what is found now."""
        if key not in self._asked:
            if key in self._kept:
                self._asked[key] = self._kept[key]
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
        everything = {**self._read(), **self._asked}
        text = json.dumps(self._asked if len(everything) > MOST else everything)
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
