"""What covering parts did, as it is printed: strongest filters by letter, common ones marked (Amirli, table 1), and a
sentence for every part."""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_uppercase

import pandas as pd

CHANCE = 0.05  # share of random rectangles, up to which a part takes away more than its size does
SHOWN = 3  # squares of a grid that are told, those that take most


def occlusion_text(title: str, table: pd.DataFrame, names: Mapping[int, str]) -> str:
    """Markdown for the `occlusions` table; names: paths of the photographs by image_id."""
    parts = [f"# {title}", ""]
    for image_id, rows in table.groupby("image_id", sort=False):
        rows = rows.sort_values("number")
        own, covered = rows.iloc[0], rows.iloc[1:]
        told = covered[covered["kind"] != "square"]
        parts += [f"## {names[image_id]}", "", *_lines(own, told), ""]
        parts += [f"- {sentence}" for sentence in sentences(rows)]
        parts += [""]
    return "\n".join(parts)


def sentences(rows: pd.DataFrame) -> list[str]:
    """What every covered part of one photograph takes away, a sentence each; of a grid the squares that take most.

    rows: of the `occlusions` table.
    """
    covered = rows[rows["number"] > 0].sort_values("number")
    told = covered[covered["kind"] != "square"]
    squares = covered[covered["kind"] == "square"].sort_values(["overlap", "number"]).head(SHOWN)
    said = [_sentence(letter, row) for letter, row in zip(_letters(), told.itertuples(), strict=False)]
    return said + [_square(row) for row in squares.itertuples()]


def _letters():
    """B to Z, then BA, BB, …; A is the photograph itself."""
    yield from ascii_uppercase[1:]
    yield from (first + second for first in ascii_uppercase[1:] for second in ascii_uppercase)


def _lines(own, told: pd.DataFrame) -> list[str]:
    first = set(own["filters"].split())
    lines = [
        "| | covered | strongest filters, **those of A** | of A's | at random | all filters | A's filters |",
        "|---|---|---|---|---|---|---|",
        f"| A | nothing | {_marked(own['filters'], first)} | | | | |",
    ]
    for letter, row in zip(_letters(), told.itertuples(), strict=False):
        null = "" if pd.isna(row.null_overlap) else f"{row.null_overlap:.1f} [{row.null_low:.0f}, {row.null_high:.0f}]"
        changes = " | ".join("" if pd.isna(each) else f"{each:+.0%}" for each in (row.change, row.change_strongest))
        filters = _marked(row.filters, first)
        lines.append(f"| {letter} | {_name(row)} | {filters} | {row.overlap} | {null} | {changes} |")
    return lines


def _marked(filters: str, common: set[str]) -> str:
    return " ".join(f"**{each}**" if each in common else each for each in filters.split())


def _name(row) -> str:
    said = row.name or f"{row.kind} [{row.x0}, {row.y0}, {row.x1}, {row.y1}]"
    return said.replace("|", "\\|").replace("\n", " ")


def _sentence(letter: str, row) -> str:
    total = len(row.filters.split())
    if row.overlap == total:
        return f"{letter}, {_name(row)} ({row.area:.0%} of the view): all {total} strongest filters stay."
    said = f"{letter}, {_name(row)} ({row.area:.0%} of the view): {row.overlap} of the {total} strongest filters stay"
    if pd.isna(row.p):
        return f"{said}; there are no random rectangles to compare with."
    if row.p <= CHANCE:
        return f"{said}, fewer than beneath random rectangles of its size ({row.null_overlap:.1f}; p {row.p:.2f})."
    told = f"as beneath random rectangles of its size ({row.null_overlap:.1f}; p {row.p:.2f})"
    return f"{said}, {told}: its size alone may do that."


def _square(row) -> str:
    total = len(row.filters.split())
    place = f"[{row.x0}, {row.y0}, {row.x1}, {row.y1}] of the view"
    return f"Among the squares that take most, {place}: {row.overlap} of the {total} strongest filters stay."
