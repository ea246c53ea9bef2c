"""Bad inputs to the scripts that read what users have: what is given, what is said, and that nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 12\n"
PAGE = b"<!DOCTYPE html><html>Log in</html>"


class Cases(dict[str, tuple[Callable, str]]):
    """Of a file of tests: a function of the folder of inputs, and what is said then, by what is given."""

    def case(self, given: str, said: str):
        """Registers a function, which runs a script on what it puts into the folder."""

        def register(function):
            assert given not in self
            self[given] = function, said
            return function

        return register

    def check(self, given: str, tmp_path: Path) -> None:
        """Whether it is said, and whether nothing is left."""
        run, said = self[given]
        folder = tmp_path / "mine"
        folder.mkdir()
        with pytest.raises(Exception, match=f"(?s){said}"):  # of whatever kind; what it says is the point
            run(folder)
        assert not (tmp_path / "results").exists() or _listed(tmp_path / "results") == {}


def _listed(folder: Path) -> dict[str, int]:
    """Everything in a folder that is no file of Python's, with its size."""
    paths = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.lstat().st_size for path in paths}
