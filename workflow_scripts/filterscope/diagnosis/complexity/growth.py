"""Complexity of a data set over the number of samples, beside what random labels give (Debugger, table 1).

Both measures grow with the number of samples, which the published table does not tell. So every value stands beside
those of smaller draws, their spread, and the same measure with the labels in random order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd

from filterscope import tables
from filterscope.data.samples.labelled_samples import stratified
from filterscope.diagnosis.complexity.class_map import class_map
from filterscope.diagnosis.complexity.expected_capacity import of_sums, row_sums
from filterscope.diagnosis.complexity.separability import (
    Separability,
    SeparabilitySettings,
    neighbourhoods,
    of_neighbourhoods,
    separability,
    shuffled_null,
)
from filterscope.diagnosis.labelled import DiagnosisError, checked

# Rows of the tables: the data as they are, their drawn samples resampled, their labels in random order.
OWN, RESAMPLED, SHUFFLED = "own", "resampled", "shuffled"
QUANTILES = (0.025, 0.5, 0.975)


@dataclass(frozen=True)
class CurveSettings:
    """sizes: samples of the draws, larger ones than the set are left out. draws: of every size; also shuffles."""

    sizes: tuple[int, ...]
    draws: int

    def __post_init__(self):
        object.__setattr__(self, "sizes", tuple(sorted(map(int, self.sizes))))
        if self.draws < 1 or (self.sizes and self.sizes[0] < 2):
            raise DiagnosisError(
                f"sizes {list(self.sizes)} and {self.draws} draws: sizes are 2 or more, draws 1 or more"
            )

    def below(self, count: int, least: int) -> list[int]:
        """The sizes that so many samples can give, of at least `least`."""
        return [size for size in self.sizes if least <= size < count]


def capacity_curve(
    values: np.ndarray, labels: np.ndarray, curve: CurveSettings, seed: int, norm: str = "sum", ties: str = "label"
) -> pd.DataFrame:
    """Expected capacity of all samples and of stratified draws, each with its own labels and with shuffled ones.

    values: [N, ...]. labels: 0 to K - 1. Rows as in the table `expected_capacities`. Raises DiagnosisError as
    `checked`.
    """
    _, labels, classes = checked(values, labels)
    sums, dimensions = row_sums(values, norm), int(np.prod(values.shape[1:]))
    rows = []

    def measured(chosen, draw, own, shuffle):
        for row, order in ((OWN, own), (SHUFFLED, shuffle)):
            if order is not None:
                found = of_sums(sums[chosen], order, dimensions, ties)
                rows.append({"count": len(chosen), "draw": draw, "row": row, **_capacity_row(found)})

    for size in curve.below(len(labels), classes):
        for draw in range(curve.draws):
            generator = np.random.default_rng([seed, size, draw])
            chosen = stratified(labels, size, generator)
            measured(chosen, draw, labels[chosen], generator.permutation(labels[chosen]))
    generator = np.random.default_rng([seed, 0])
    for draw in range(curve.draws):
        measured(np.arange(len(labels)), draw, None if draw else labels, generator.permutation(labels))
    return pd.DataFrame(rows)


def _capacity_row(found) -> dict:
    return {
        **{key: value for key, value in asdict(found).items() if key != "samples"},
        "bits": found.bits,
        "unrounded": found.unrounded,
        "upper_bound": found.upper_bound,
        "memorising": found.memorising,
        "unbalanced": found.unbalanced,
    }


def separability_curve(
    points: np.ndarray,
    labels: np.ndarray,
    curve: CurveSettings,
    settings: SeparabilitySettings,
    seed: int,
    device: str = "cpu",
) -> tuple[pd.DataFrame, Separability]:
    """CSG of all samples and of stratified draws, with own and with shuffled labels; and what all samples gave.

    points: [N, d]. The spread of the value of all samples is that of drawing those whose neighbours are looked at;
    where these are all samples, they are resampled. Draws that leave a class with too few samples are left out. Rows as
    in the table `separabilities`.
    """
    points, labels, classes = checked(points, labels)
    rows = []

    def add(size, draw, row, found):
        rows.append({"count": size, "draw": draw, "row": row, "csg": found.csg, "effective": found.effective_samples})

    for size in curve.below(len(labels), classes * (settings.neighbours + 1)):
        for draw in range(curve.draws):
            generator = np.random.default_rng([seed, size, draw])
            chosen = stratified(labels, size, generator)
            if np.bincount(labels[chosen]).min() <= settings.neighbours:
                break  # every draw has the same number of samples of each class
            add(size, draw, OWN, separability(points[chosen], labels[chosen], settings, generator, device))
            (null,) = shuffled_null(points[chosen], labels[chosen], settings, generator, 1, device)
            add(size, draw, SHUFFLED, null)
    generator = np.random.default_rng([seed, 0])
    seen = neighbourhoods(points, labels, settings, generator, device)
    whole = of_neighbourhoods(seen, settings)
    add(len(labels), 0, OWN, whole)
    if len(seen.drawn) < len(labels):
        for draw in range(1, curve.draws):
            add(len(labels), draw, OWN, separability(points, labels, settings, generator, device))
    else:
        for draw in range(curve.draws):
            add(len(labels), draw, RESAMPLED, of_neighbourhoods(seen.resampled(generator), settings))
    for draw, null in enumerate(shuffled_null(points, labels, settings, generator, curve.draws, device)):
        add(len(labels), draw, SHUFFLED, null)
    return pd.DataFrame(rows), whole


def similarity_rows(found: Separability, classes: Sequence[str]) -> pd.DataFrame:
    """Every two classes' similarity, and what share of one's neighbours is the other: `class_similarities`."""
    first, second = np.indices(found.similarity.shape).reshape(2, -1)
    names = np.array(classes, dtype=object)
    return pd.DataFrame(
        {
            "class": names[first],
            "other": names[second],
            "similarity": found.similarity.ravel(),
            "overlap": found.overlaps.ravel(),
        }
    )


def place_rows(found: Separability, classes: Sequence[str]) -> pd.DataFrame:
    """Where the classes lie when similar ones are near each other: `class_places`."""
    places = class_map(found.similarity)
    return pd.DataFrame({"class": list(classes), "x": places[:, 0], "y": places[:, 1]})


def summarised(rows: pd.DataFrame, value: str, keys: Sequence[str]) -> pd.DataFrame:
    """Median and central 95 % of the draws, of own and of shuffled labels, one line for each of the keys.

    rows: of capacity_curve or separability_curve. Where all samples gave one value, its interval is that of the
    resampled rows, if there are some.
    """
    found = []
    for names, group in rows.groupby([*keys, "count"], sort=False):
        own, resampled, null = (group.loc[group["row"] == row, value] for row in (OWN, RESAMPLED, SHUFFLED))
        low, _, high = np.quantile(resampled if len(resampled) else own, QUANTILES)
        null_low, null_middle, null_high = np.quantile(null, QUANTILES)
        found.append(
            {
                **dict(zip([*keys, "count"], names, strict=True)),
                "draws": len(own),
                "value": float(np.median(own)),
                "low": float(low),
                "high": float(high),
                "null": float(null_middle),
                "null_low": float(null_low),
                "null_high": float(null_high),
            }
        )
    return pd.DataFrame(found)


def read_published(file: str | Path | TextIO) -> pd.DataFrame:
    """Table 1 of Debugger: the `published_complexity` table from its CSV."""
    return tables.checked(pd.read_csv(file), "published_complexity", "the published complexity").to_pandas()


def complexity_table(
    measured: Mapping[str, Mapping[str, pd.DataFrame]],
    published: pd.DataFrame,
    published_as: Mapping[str, str | None],
) -> pd.DataFrame:
    """The table `complexity`: both measures of every data set, at every number of samples, beside what was published.

    measured: by data set, its tables by name. published: `published_complexity`. published_as: row of it by data set.
    Raises DiagnosisError for a row that is not there.
    """
    known = published.set_index("set")
    parts = []
    for name, found in measured.items():
        row = published_as.get(name)
        if row is not None and row not in known.index:
            raise DiagnosisError(f"nothing is published as {row!r}; there are {', '.join(known.index)}")
        capacities, sizes = found["expected_capacities"], found["embeddings"].set_index("embedding")
        bits = summarised(capacities, "bits", []).assign(
            measure="expected capacity",
            embedding="raw",
            dimensions=capacities["dimensions"].iloc[0],
            effective=None,
            published=None if row is None else float(known.loc[row, "expected_capacity"]),
        )
        csg = summarised(found["separabilities"], "csg", ["embedding"])
        effective = summarised(found["separabilities"], "effective", ["embedding"])["value"]
        csg = csg.assign(
            measure="csg",
            dimensions=csg["embedding"].map(sizes["dimensions"]),
            effective=effective,
            published=None if row is None else float(known.loc[row, "csg"]),
        )
        for part, complete in ((bits, bits["count"].max()), (csg, csg["embedding"].map(sizes["count"]))):
            parts.append(
                part.assign(
                    samples=name,
                    complete=part["count"] == complete,
                    classes=capacities["classes"].max(),
                    published_as=row,
                    is_published=_holds(part, "low", "high"),
                    null_is_published=_holds(part, "null_low", "null_high"),
                )
            )
    return pd.concat([part.astype(object) for part in parts], ignore_index=True)


def _holds(rows: pd.DataFrame, low: str, high: str) -> pd.Series | None:
    """Whether the interval holds the published value; None where none is."""
    if rows["published"].isna().all():
        return None
    return (rows[low] <= rows["published"]) & (rows["published"] <= rows[high])
