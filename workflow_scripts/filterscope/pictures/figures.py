"""Figures of the pictures room: sheets of optimised pictures, strongest filters, occlusions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from filterscope.figures import Figure

TEXT, QUIET, BLUE, ORANGE = "#1f2328", "#6e7781", "#0969da", "#bc4c00"
DPI = 100
LONGEST = 20  # characters of a covered part's name that its line has room for


@dataclass
class Shown:
    """A picture uint8 [H, W, 3] on a sheet, None where there is none; what stands below it."""

    pixels: np.ndarray | None
    caption: str


@dataclass
class Card:
    """All that a sheet shows of one filter."""

    title: str
    pictures: list[Shown]


def sheet(title: str, cards: Sequence[Card], inch: float = 1.7) -> Figure:
    """Cards side by side, as many as make a page about as wide as high; inch: side of a picture."""
    each = max(len(card.pictures) for card in cards)
    card_width, card_height = each * (inch + 0.06) + 0.3, inch + 0.62
    columns = max(1, min(len(cards), round((1.3 * len(cards) * card_height / card_width) ** 0.5), int(15 / card_width)))
    lines = -(-len(cards) // columns)
    head = 0.5 + 0.19 * title.count("\n")
    width, height = columns * card_width + 0.2, lines * card_height + head + 0.05
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    figure.text(0.2 / width, 1 - 0.14 / height, title, fontsize=11, color=QUIET, va="top")
    for index, card in enumerate(cards):
        left, top = 0.2 + (index % columns) * card_width, height - head - (index // columns) * card_height
        figure.text(left / width, (top - 0.02) / height, card.title, fontsize=10.5, color=TEXT, va="top")
        for place, shown in enumerate(card.pictures):
            x = left + place * (inch + 0.06)
            axes = figure.add_axes((x / width, (top - 0.24 - inch) / height, inch / width, inch / height))
            _picture(axes, shown.pixels)
            caption_height = (top - 0.27 - inch) / height
            figure.text(x / width, caption_height, shown.caption, fontsize=7.5, color=QUIET, va="top")
    return figure


def _picture(axes, pixels: np.ndarray | None) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    if pixels is None:
        axes.set_facecolor("#f6f8fa")
        axes.spines[:].set_color("#d0d7de")
        axes.text(0.5, 0.5, "no gradient", fontsize=9, color=QUIET, ha="center", va="center")
        return
    axes.imshow(pixels, interpolation="antialiased" if len(pixels) > 150 else "bicubic")
    axes.spines[:].set_visible(False)


def strongest_bars(view: np.ndarray, rows: pd.DataFrame, title: str, names: dict[int, str]) -> Figure:
    """A photograph as the network sees it, uint8 [S, S, 3], and the filters it excites most.

    rows: its rows of `strongest_filters`, strongest first; names: of the filters that have one.
    """
    count = len(rows)
    figure = Figure(figsize=(8.6, max(2.9, 0.27 * count + 1.0)), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    _picture(left, view)
    left.set_title(title, fontsize=10, loc="left", color=TEXT)
    places = np.arange(count)
    right.barh(places, rows["activation"], color=BLUE, height=0.72)
    labels = [f"{number}  {names.get(number, '')}".rstrip() for number in rows["filter"]]
    right.set_yticks(places, labels, fontsize=8.5)
    right.invert_yaxis()
    median = float(rows["median"].iloc[0])
    right.axvline(median, color=ORANGE, linewidth=1.2)
    right.set_xlabel(f"mean activation of the filter (line: median of all filters, {median:.3g})", fontsize=8.5)
    right.set_title(f"scenario: {rows['scenario'].iloc[0]} (beside its scrambled views)", fontsize=10, loc="left")
    right.spines[["top", "right"]].set_visible(False)
    right.tick_params(axis="x", labelsize=8)
    return figure


def occlusion_page(
    title: str, view: np.ndarray, covered: Sequence[np.ndarray], rows: pd.DataFrame, importance: np.ndarray
) -> Figure:
    """A photograph, which places of it matter, and what happens when parts are covered.

    view: uint8 [S, S, 3]; covered: the view with each part covered; rows: of `occlusions` for the parts;
    importance: relative loss of the strongest filters' activation [S, S].
    """
    each, columns = 2.0, min(5, len(covered) + 2)
    lines = -(-(len(covered) + 2) // columns)
    width, height = columns * (each + 0.1) + 0.3, lines * (each + 0.55) + 0.4
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    figure.text(0.2 / width, 1 - 0.14 / height, title, fontsize=11, color=QUIET, va="top")
    own = rows.iloc[0]
    strongest = f"filters {_shortened(own['filters'])}"
    texts = ["the photograph", "red: covering it weakens them"] + [_outcome(row) for row in rows.iloc[1:].itertuples()]
    seconds = [strongest, f"at most by {max(0.0, float(importance.max())):.0%}"]
    seconds += [_null(row) for row in rows.iloc[1:].itertuples()]
    pictures = [view, _overlaid(view, importance), *covered]
    for index, (pixels, text, second) in enumerate(zip(pictures, texts, seconds, strict=True)):
        left = 0.2 + (index % columns) * (each + 0.1)
        top = height - 0.42 - (index // columns) * (each + 0.55)
        axes = figure.add_axes((left / width, (top - each) / height, each / width, each / height))
        _picture(axes, pixels)
        figure.text(left / width, (top - each - 0.05) / height, text, fontsize=8, color=TEXT, va="top")
        figure.text(left / width, (top - each - 0.21) / height, second, fontsize=7, color=QUIET, va="top")
    return figure


def _shortened(filters: str, most: int = 6) -> str:
    numbers = filters.split()
    return " ".join(numbers[:most]) + (" …" if len(numbers) > most else "")


def _outcome(row) -> str:
    """One line about a covered part."""
    name = row.name or row.kind
    if len(name) > LONGEST:
        name = f"{name[: LONGEST - 1].rstrip()}…"
    return f"{name}: {row.overlap} of {len(row.filters.split())} stay"


def _null(row) -> str:
    """What random rectangles of the same area leave, and the filters that are strongest now."""
    if pd.isna(row.null_overlap):
        return f"now {_shortened(row.filters)}"
    return f"at random {row.null_overlap:.1f}; now {_shortened(row.filters, 4)}"


def _overlaid(view: np.ndarray, importance: np.ndarray) -> np.ndarray:
    """The photograph in grey; red where covering it weakens the strongest filters most, [S, S, 3]."""
    grey = np.repeat(view.mean(2, keepdims=True), 3, 2)
    top = importance.max()
    share = np.clip(importance / top, 0, 1)[..., None] ** 1.5 if top > 0 else np.zeros((*importance.shape, 1))
    red = np.array([215.0, 25, 28])
    return ((1 - 0.75 * share) * (0.35 * 255 + 0.65 * grey) + 0.75 * share * red).round().astype(np.uint8)
