"""The map of a class: its images where t-SNE put them, coloured by facet (MFV, figure 4)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from PIL import Image

from filterscope.figures import Figure
from filterscope.pictures.figures import DPI, QUIET, TEXT, Card, Shown
from filterscope.pictures.files import CHANCE, MEAN

WIDTH, EDGE, DOT = 900, 3, 4  # px: of the map, a thumbnail's frame, the dot of an image without thumbnail
SMALLEST, LARGEST = 40, 60  # px, side of a thumbnail of many and of few images
WORDS = 3  # of a facet, in its title


def facet_colours(count: int) -> np.ndarray:
    """Distinct colours uint8 [count, 3]; beyond twenty they repeat."""
    name = "tab10" if count <= 10 else "tab20"
    table = np.array(matplotlib.colormaps[name].colors)
    return (table[np.arange(count) % len(table)] * 255).round().astype(np.uint8)


def thumbnail_places(x: np.ndarray, y: np.ndarray, order: np.ndarray, side: float) -> list[int]:
    """Which images get a thumbnail of that side: in this order, each that overlaps none already placed."""
    kept: list[int] = []
    for index in order:
        far = np.maximum(np.abs(x[kept] - x[index]), np.abs(y[kept] - y[index])) >= side
        if far.all():
            kept.append(int(index))
    return kept


def facet_map(title: str, rows: pd.DataFrame, summary: pd.DataFrame, view: Callable[[int], np.ndarray]) -> Figure:
    """rows: of `facets` for one unit; summary: of `facet_summary`, by facet; view: picture uint8 of an image_id."""
    colours = facet_colours(len(summary))
    facets, ranks = rows["facet"].to_numpy(), rows["rank"].to_numpy()
    thumb = int(np.clip(0.6 * WIDTH / len(rows) ** 0.5, SMALLEST, LARGEST)) // 2 * 2
    x, y, high = _pixels(rows[["x", "y"]].to_numpy(), thumb // 2 + EDGE + 2)
    canvas = np.full((high, WIDTH, 3), 255, np.uint8)
    for index in range(len(rows)):
        _fill(canvas, x[index], y[index], DOT, colours[facets[index]])
    framed = thumb + 2 * EDGE
    for index in thumbnail_places(x, y, np.lexsort((facets, ranks)), framed + 1):
        _fill(canvas, x[index], y[index], framed, colours[facets[index]])
        small = Image.fromarray(view(int(rows["image_id"].iloc[index]))).resize((thumb, thumb), Image.Resampling.BOX)
        top, left = y[index] - thumb // 2, x[index] - thumb // 2
        canvas[top : top + thumb, left : left + thumb] = np.asarray(small)
    width, height = WIDTH / DPI + 3.2, max(high / DPI, 1.8 + 0.22 * len(summary)) + 0.5
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.1 / width, 0.1 / height, WIDTH / DPI / width, high / DPI / height))
    axes.imshow(canvas, interpolation="nearest")
    axes.set_axis_off()
    figure.text(0.2 / width, 1 - 0.12 / height, title, fontsize=12, color=TEXT, va="top")
    left, top = (WIDTH / DPI + 0.25) / width, height - 0.6
    for row in summary.itertuples():
        kept = "" if pd.isna(row.recovered) else f", recovered {row.recovered:.2f}"
        text = f"■  facet {row.facet}: {row.members} images{kept}"
        figure.text(left, top / height, text, fontsize=9, color=colours[row.facet] / 255 * 0.85, va="top")
        top -= 0.22
    first = summary.iloc[0]
    for label, value, form in (
        ("stability, seeds", first["seed_stability"], ".2f"),
        ("stability, samples", first["bootstrap_stability"], ".2f"),
        ("silhouette", first["silhouette"], ".2f"),
        ("facets suggested", first["suggested_facets"], ".0f"),
    ):
        shown = "not measured" if pd.isna(value) else format(value, form)
        top -= 0.2
        figure.text(left, top / height, f"{label}: {shown}", fontsize=8.5, color=QUIET, va="top")
    return figure


def _pixels(places: np.ndarray, margin: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Columns [n] and rows [n] of places [n, 2] in a map whose height, the last, goes with their extent."""
    width, height = np.ptp(places, axis=0)
    scale = (WIDTH - 2 * margin) / max(width, height / 1.2, 1e-12)  # at most 1.2 times as high as wide
    high = round(height * scale) + 2 * margin
    shift = (WIDTH - 2 * margin - width * scale) / 2
    x, y = ((places - places.min(0)) * scale).round().astype(int).T
    return x + margin + round(shift), high - 1 - margin - y, high


def _fill(canvas: np.ndarray, x: int, y: int, side: int, colour: np.ndarray) -> None:
    canvas[y - side // 2 : y - side // 2 + side, x - side // 2 : x - side // 2 + side] = colour


def facet_names(words: pd.DataFrame) -> dict[tuple[int, int], str]:
    """What every facet that has words is called, by unit and facet; words: `facet_words`.

    The first words that tell it from the others, or that none does: facets shuffled among the images have words as far
    apart. The nearest words where there are no others.
    """
    first = words[words["rank"] < WORDS].sort_values("rank")
    return {key: _said(rows) for key, rows in first.groupby(["unit", "facet"])}


def _said(rows: pd.DataFrame) -> str:
    apart = rows[rows["p"].isna() | (rows["p"] <= CHANCE)]
    if len(apart):
        return ", ".join(apart["word"])
    return f"no word tells it apart ({rows['word'].iloc[0]}: p {rows['p'].iloc[0]:.2f})"


def facet_card(row, name: str | None, pictures: pd.DataFrame, view: Callable[[int], np.ndarray], beside: Path) -> Card:
    """A facet on the sheet. row: of `facet_summary`; pictures: its rows of `facet_pictures`, whose files lie below
    `beside`; view: picture uint8 of an image_id."""
    first = pictures.iloc[0]
    mean = np.asarray(Image.open(beside / first["mean_path"]))
    shown = [
        Shown(view(first["nearest_image_id"]), f"nearest  {_number(first['nearest_image'])}"),
        Shown(mean, f"mean of {row.averaged}  {_number(first['mean_activation'])}"),
    ]
    for picture in pictures.to_dict("records"):
        pixels = None if pd.isna(picture["path"]) else np.asarray(Image.open(beside / picture["path"]))
        said = picture["recipe"] if picture["start"] == MEAN else f"{picture['recipe']}, from noise"
        stopped = "  (stopped)" if picture["status"] == "stopped" else ""
        shown.append(Shown(pixels, f"{said}  {_number(picture['activation'])}{stopped}"))
    title = f"facet {row.facet}   {row.members} images{', too few' if row.small else ''}"
    return Card(f"{title}: {name}" if name else title, shown)


def _number(value) -> str:
    return "" if pd.isna(value) else f"{value:.3g}"
