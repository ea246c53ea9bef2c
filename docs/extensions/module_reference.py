"""Pages of the library, one per module, found in its folders: docs/api/ mirrors them, so it follows when they move.

Autodoc fills the pages, which is why they are reStructuredText: within Markdown, MyST would keep a second document on
each. Packages, the rooms among them, list what they hold with the first sentence of each docstring.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[2] / "workflow_scripts" / "filterscope"
INTRODUCTION = """Library
=======

The functions behind the workflow: arrays in, arrays out. Every room is a package; below them is what the rooms
share."""


def pages(library: Path) -> dict[str, str]:
    """Text of every page, by its path in docs/api/."""
    found = {}
    for path in sorted(library.rglob("*.py")):
        if path.name == "__init__.py":
            found[(path.parent.relative_to(library) / "index.rst").as_posix()] = _package(path.parent, library)
        elif not path.stem.startswith("__"):
            found[path.relative_to(library).with_suffix(".rst").as_posix()] = f"{_documented(path, library)}\n"
    return found


def first_sentence(docstring: str) -> str:
    """It may go over several lines."""
    paragraph = " ".join(docstring.split("\n\n")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z`])", paragraph)[0].removesuffix(":")


def write(pages: dict[str, str], folder: Path) -> None:
    """Only what changed, so that Sphinx reads only that; pages of modules that are gone are removed."""
    for path in list(folder.rglob("*.rst")):
        if path.relative_to(folder).as_posix() not in pages:
            path.unlink()
    for place, text in pages.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _package(folder: Path, library: Path) -> str:
    packages = [path for path in sorted(folder.iterdir()) if (path / "__init__.py").is_file()]
    modules = [path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("__")]
    parts = [INTRODUCTION if folder == library else _documented(folder, library)]
    for title, paths in {"package": packages, "module": modules}.items():
        if paths:
            rows = [f"| {title} | what it holds |", "|---|---|", *map(_row, paths)]
            parts.append("\n   ".join([".. markdown::\n", *rows]))
    links = [f"{path.name} <{path.name}/index>" for path in packages]
    links += [f"{path.stem} <{path.stem}>" for path in modules]
    parts.append("\n   ".join([".. toctree::", ":hidden:\n", *links]))
    return "\n\n".join(parts) + "\n"


def _documented(path: Path, library: Path) -> str:
    """A heading and what autodoc finds."""
    name = ".".join(path.relative_to(library.parent).with_suffix("").parts)
    title = name.partition(".")[2]
    return f"{title}\n{'=' * len(title)}\n\n.. automodule:: {name}"


def _row(path: Path) -> str:
    source, link = (path / "__init__.py", f"{path.name}/index.rst") if path.is_dir() else (path, f"{path.stem}.rst")
    docstring = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return f"| [{path.stem}]({link}) | {first_sentence(docstring).replace('|', chr(92) + '|')} |"


def _before_build(app) -> None:
    write(pages(LIBRARY), Path(app.srcdir) / "api")


def setup(app) -> dict[str, bool]:
    app.connect("builder-inited", _before_build)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
