"""Code as an input: a digest of a script and of the library modules it imports.

Snakemake notices when a script's own file changes, not when a module that it imports does. Rules put this
digest among their parameters, so that editing the library reruns exactly the rules that depend on it.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from filterscope import folders, remembered

LIBRARY = Path(__file__).resolve().parent
# To parse the library is two thirds of what a run of Snakemake does before its first job.
PARSED = remembered.Remembered((cached := remembered.folder()) and cached / "programs.json")


def _module_file(dotted: str) -> Path | None:
    base = LIBRARY.joinpath(*dotted.split(".")[1:])
    file = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    return file if file.is_file() else None


@dataclass(frozen=True)
class Module:
    """A file of the project. program: digest of its code; imports: the library's modules that it imports itself
    (packages' `__init__` included)."""

    program: bytes
    imports: frozenset[Path]


@cache  # most modules serve dozens of scripts
def module(path: Path) -> Module:
    """What a file holds, read once in a run.

    Its program is without comments, docstrings and layout: editing those reruns nothing.
    """
    text, package = path.read_bytes(), _package(path)
    program, names = PARSED.of(_key(text, package), lambda: _parsed(text, path, package))
    return Module(bytes.fromhex(program), _files(names) - {path})


@cache
def _reader() -> bytes:
    """What reads a text and keeps what it finds, which is Python and two files: others find or keep something else."""
    files = (Path(each).read_bytes() for each in (__file__, remembered.__file__))
    return hashlib.sha256(b"\0".join((sys.version.encode(), *files))).digest()


def _key(text: bytes, package: str) -> str:
    return hashlib.sha256(b"\0".join((_reader(), package.encode(), text))).hexdigest()


def _package(path: Path) -> str:
    """Dotted name of the folder that a file is in, from which its relative imports count up."""
    return ".".join(path.parent.relative_to(LIBRARY.parent).parts) if path.is_relative_to(LIBRARY.parent) else ""


def _parsed(text: bytes, path: Path, package: str) -> tuple[str, list[str]]:
    """Digest of a file's program, in hexadecimal, and the dotted names that it imports."""
    tree = ast.parse(text, filename=str(path))
    names: set[str] = set()
    for node in ast.walk(tree):  # once: there are half a million nodes, and every run waits for this
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if ast.get_docstring(node, clean=False):
                node.body = node.body[1:] or [ast.Pass()]
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, package)
            names.update((base, *(f"{base}.{alias.name}" for alias in node.names)))
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), sorted(names)


def _base(node: ast.ImportFrom, package: str) -> str:
    """Dotted name that a `from` imports from."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    anchor = parts[: len(parts) - node.level + 1]  # relative: count up from the file's own package
    return ".".join([*anchor, *([node.module] if node.module else [])])


def _files(names: Iterable[str]) -> frozenset[Path]:
    """Files of those of the modules that are the library's, and of the packages that they are in."""
    parts = [name.split(".") for name in names]
    dotted = {".".join(each[: i + 1]) for each in parts if each[0] == LIBRARY.name for i in range(len(each))}
    return frozenset(filter(None, map(_module_file, dotted)))


def code_files(script: str | Path, *modules: str) -> list[Path]:
    """The script and every library module that it imports, directly or not, in a fixed order.

    modules: dotted names of those that it imports by their name as text. Raises ValueError for one that is not the
    library's: an edit of it would rerun nothing.
    """
    script = Path(script).resolve()
    named = {each: _module_file(each) for each in modules if each.partition(".")[0] == LIBRARY.name}
    for each in modules:
        if named.get(each) is None:
            raise ValueError(f"{each} is no module of {LIBRARY.name}: nothing could tell that it was edited")
    seen = {script, *named.values()}
    waiting = [*seen]
    while waiting:
        new = module(waiting.pop()).imports - seen
        seen |= new
        waiting.extend(new)
    return sorted(seen, key=str)


def factory_file(factory: str) -> str | None:
    """The file of `file.py:function`, as it is named there; None for `module:function`."""
    place = factory.rpartition(":")[0]
    return place if place.endswith(".py") else None


def factory_module(factory: str) -> str | None:
    """Sixteen hexadecimal digits of what the module of `module:function` holds; None for a file or no such module.

    Where a module lies is nothing that a study depends on: as an input it would tie the results to this folder.
    """
    if factory_file(factory):
        return None
    try:
        found = importlib.util.find_spec(factory.rpartition(":")[0])
    except (ImportError, ValueError):
        return None
    return contents(found.origin) if found and found.has_location else None


def listing(folder: str | Path) -> str:
    """Sixteen hexadecimal digits that change when a file below the folder is added, removed or written anew.

    Names, sizes and times are looked at, not contents: a hundred thousand pictures take about a second. A link that
    leads nowhere counts as what it is, and so does a folder that cannot be read: whether they matter, the job decides.
    """
    total = hashlib.sha256()

    def note(path: str, *facts: object) -> None:
        line = f"{os.path.relpath(path, folder)} {' '.join(map(str, facts))}\n"
        total.update(line.encode("utf-8", "surrogateescape"))  # names that are not in Unicode

    for place, files in folders.walk(folder, hidden=True, unreadable=lambda place, error: note(place, error.errno)):
        for path in (os.path.join(place, name) for name in files):
            try:
                status = os.stat(path)
            except OSError as error:
                note(path, error.errno)
            else:
                note(path, status.st_size, status.st_mtime_ns)
    return total.hexdigest()[:16]


def contents(path: str | Path) -> str | None:
    """Sixteen hexadecimal digits of what is in a file; None where there is none, which its reader will say."""
    path = Path(path)
    if not path.is_file():
        return None
    known = path.stat()
    return _contents(path, known.st_size, known.st_mtime_ns)


@cache
def _contents(path: Path, size: int, modified: int) -> str:
    """The same of a file that is there; size and modified: read again only where they differ, as files may be large."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def digest(script: str | Path, *modules: str) -> str:
    """Sixteen hexadecimal digits that change when the program of the script or of its modules changes.

    modules: as in `code_files`.
    """
    total = hashlib.sha256()
    for path in code_files(script, *modules):
        total.update(path.name.encode())
        total.update(module(path).program)
    return total.hexdigest()[:16]
