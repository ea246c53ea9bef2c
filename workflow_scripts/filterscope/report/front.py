"""The one page that a person reads first: a verdict, some filters, a line per layer, and where everything else is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import pandas as pd

from filterscope.report.summary import ShownFilter, cell
from filterscope.report.verdict import CONSTANT, DISSECTION, Explained, recall, share
from filterscope.words.naming import BELIEVED
from filterscope.words.scoring.score_table import WORDS

TEMPLATES = Path(__file__).resolve().parent / "templates"
COLUMNS = (
    "layer",
    "filters",
    "with a name that masks bear out",
    "of these, the objects are the cause",
    "wrong names that would pass",
    "objects that its five words name",
    "that Network Dissection names",
    "that frequent words name",
    "right answers",
)


@dataclass(frozen=True)
class Link:
    """A text that leads somewhere, as seen from the page, and what is there."""

    text: str
    link: str
    says: str = ""


@dataclass(frozen=True)
class Cell:
    """A number, and in small print what it stands beside."""

    text: str
    beside: str = ""


@dataclass(frozen=True)
class LayerLine:
    """What the table says of a layer; link: its page in the atlas."""

    name: str
    link: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Asked:
    """What another room was asked: a title and a sentence for each question."""

    title: str
    lines: Sequence[str]


@dataclass
class FrontPage:
    """What stands on the page. atlas: where that is; verdict: the first sentence leads; cautions: what must be known
    besides; tables: that the numbers of the layers come from; places: where to read on."""

    title: str
    atlas: str
    verdict: Sequence[str]
    shown: Sequence[ShownFilter] = ()
    cautions: Sequence[str] = ()
    layers: Sequence[LayerLine] = ()
    tables: Sequence[Link] = ()
    rooms: Sequence[Asked] = ()
    places: Sequence[Link] = field(default_factory=list)


def layer_line(name: str, link: str, explained: Explained) -> LayerLine:
    """Counts and shares of one layer, without intervals: these stand in its tables."""
    status = explained.filter_names["status"]
    live, proved, believed = (int(each.sum()) for each in (status != "dead", status == "proved", status.isin(BELIEVED)))
    dead = len(status) - live
    cells = [Cell(f"{live:,}", f"and {dead} dead" if dead else "")]
    claims = explained.filter_claims
    if claims is None:
        cells += [Cell("no masks"), Cell(""), Cell("")]
    else:
        cells += [Cell(f"{believed:,}", share(believed, live)), Cell(f"{proved:,}"), _decoys(claims)]
    named = [recall(explained.scores, row) for row in (WORDS, DISSECTION, CONSTANT)]
    cells += [Cell("" if each is None else f"{each:.0%}") for each in named]
    cells.append(_right(explained.known_answers))
    return LayerLine(name, link, cells)


def _decoys(claims: pd.DataFrame) -> Cell:
    if not claims["told"].all():
        return Cell("too few to tell")
    return Cell(f"{int(claims['lent_supported'].sum())}", f"of {int(claims['lent'].sum())}")


def _right(known: pd.DataFrame | None) -> Cell:
    return Cell("") if known is None else Cell(f"{int(known['passed'].sum())}", f"of {len(known)}")


def seen_from(folder: Path, path: Path) -> str:
    """A link from a page in the folder to a file."""
    return Path(os.path.relpath(path, folder)).as_posix()


def front_html(page: FrontPage) -> str:
    """The page as HTML that holds its pictures itself."""
    return _rendered("front.html.j2", page, autoescape=True)


def front_text(page: FrontPage) -> str:
    """The page as Markdown that is also readable as it is."""
    return _rendered("front.md.j2", page, autoescape=False)


def _rendered(name: str, page: FrontPage, autoescape: bool) -> str:
    loader = jinja2.FileSystemLoader(TEMPLATES)
    environment = jinja2.Environment(
        loader=loader, autoescape=autoescape, keep_trailing_newline=True, trim_blocks=not autoescape
    )
    environment.filters["line"] = cell
    return environment.get_template(name).render(columns=COLUMNS, **vars(page))
