"""The page itself: index.html, and the scripts, styles and licences that it needs, copied beside the data."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import jinja2

HERE = Path(__file__).resolve().parent
TEMPLATE = "index.html.j2"
# Lists what is copied, in the order in which a browser must load it; one path a line, as seen from this folder.
FILES = HERE / "page" / "files.txt"


def page_files() -> list[str]:
    """Paths of the page's files as seen from here, in the order in which a browser must load them."""
    lines = (line.strip() for line in FILES.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def write_page(folder: Path, title: str, version: str, layers: Sequence[int]) -> None:
    """Write index.html and what it loads into the atlas's folder; layers: numbers of those whose index is loaded."""
    files = page_files()
    for file in files:
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(HERE / file, target)
    loader = jinja2.FileSystemLoader(HERE / "page")
    page = jinja2.Environment(loader=loader, autoescape=True, keep_trailing_newline=True).get_template(TEMPLATE)
    text = page.render(
        title=title,
        version=version,
        layers=list(layers),
        scripts=[file for file in files if file.endswith(".js")],
        styles=[file for file in files if file.endswith(".css")],
    )
    (folder / "index.html").write_bytes(text.encode("utf-8", "replace"))
