"""The tests that take longest are begun first."""

from __future__ import annotations

import re


def test_the_longest_files_are_there_and_xdist_takes_them_in_their_order(repository):
    names = (repository / "tests" / "longest.txt").read_text(encoding="utf-8").split("\n")[:-1]
    assert len(set(names)) == len(names) > 10
    assert [name for name in names if not (repository / "tests" / name).is_file()] == []
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r"--dist \w+.*", makefile) == ["--dist loadfile --no-loadscope-reorder"]


def test_they_come_first(request):
    """Of what was chosen for this run."""
    tests = request.config.rootpath / "tests"
    names = (tests / "longest.txt").read_text(encoding="utf-8").splitlines()
    chosen = list(dict.fromkeys(item.path.relative_to(tests).as_posix() for item in request.session.items))
    listed = [name for name in names if name in chosen]
    assert chosen[: len(listed)] == listed
