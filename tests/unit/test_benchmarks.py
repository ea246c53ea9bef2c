"""No test runs the benchmarks; that what they import of the project is still there, and where they say, is tested."""

from __future__ import annotations

import ast
import importlib

from tests.pages import REPOSITORY

BENCHMARKS = REPOSITORY / "benchmarks"


def imported(text):
    """Modules and names that a file imports, in its functions, too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module, alias.name) for alias in node.names)


def is_own(module):
    """Whether a module is the project's: the library's, a script's, a test's or a benchmark's."""
    top = module.partition(".")[0]
    roots = (REPOSITORY / "workflow_scripts", REPOSITORY, BENCHMARKS)
    return any((root / top).is_dir() or (root / f"{top}.py").is_file() for root in roots)


def is_there(module, name):
    found = importlib.import_module(module)
    if hasattr(found, name):
        return True
    try:  # a module of a package that nobody has imported yet
        return bool(importlib.import_module(f"{module}.{name}"))
    except ModuleNotFoundError:
        return False


def test_what_benchmarks_import_of_the_project_is_there(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    files = sorted(BENCHMARKS.glob("*.py"))
    own = {(file.name, *each) for file in files for each in imported(file.read_text("utf-8")) if is_own(each[0])}
    assert len(own) > 200
    assert sorted(each for each in own if not is_there(*each[1:])) == []
