"""Whether the criteria can be believed: what they rank above what, with bootstrap intervals (MFV, 3.3).

A proxy that puts mean images above photographs, or the noise of an unregularised ascent above mean images, does not
measure what it is named after. It is reported as failing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

PHOTOGRAPHS, MEANS = "photographs", "mean images"
FEWEST = 4  # pictures of a group: resamples of fewer are so alike that chance would hold far too often


@dataclass(frozen=True)
class CriteriaSettings:
    """photographs: of the classes, half of which say what is natural and half of which are scored; resamples: behind
    every interval; confidence: of the intervals."""

    photographs: int = 200
    resamples: int = 500
    confidence: float = 0.95


@dataclass(frozen=True)
class Comparison:
    """Two groups of pictures, the first of which should score higher. paired: picture by picture, in the same order."""

    first: str
    second: str
    paired: bool = False


def area_under_curve(first: np.ndarray, second: np.ndarray) -> float:
    """How often one of the first is larger than one of the second, ties half."""
    from scipy.stats import rankdata  # takes long to load, and figures and summaries rank nothing

    ranks = rankdata(np.concatenate([first, second]))[: len(first)]
    return float((ranks.sum() - len(first) * (len(first) + 1) / 2) / (len(first) * len(second)))


def means(groups: Mapping[str, Mapping[str, np.ndarray]], settings: CriteriaSettings, seed: int) -> pd.DataFrame:
    """The `criteria` table: mean of every measure in every group, with its interval over the pictures.

    groups: values [n] by group and measure; NaN where a picture has none.
    """
    rows = []
    for group, measures in groups.items():
        for measure, values in measures.items():
            known = values[~np.isnan(values)]
            if len(known):
                chance = np.random.default_rng(seed)
                drawn = known[chance.integers(len(known), size=(settings.resamples, len(known)))].mean(1)
                rows.append((group, measure, len(known), known.mean(), *_interval(drawn, settings)))
    return pd.DataFrame(rows, columns=["group", "measure", "n", "value", "low", "high"])


def validate(
    groups: Mapping[str, Mapping[str, np.ndarray]],
    criteria: Sequence[str],
    comparisons: Sequence[Comparison],
    settings: CriteriaSettings,
    seed: int,
) -> pd.DataFrame:
    """The `criteria_validation` table: by criterion and comparison how often the first is better, and by how much.

    groups: values [n] by group and criterion, NaN where there is no picture. A comparison holds where the whole
    interval lies above one half; of fewer than FEWEST pictures nothing is said (None).
    """
    rows = []
    for criterion in criteria:
        for comparison in comparisons:
            first, second = (groups[name][criterion] for name in (comparison.first, comparison.second))
            chance = np.random.default_rng(seed)
            there = ~np.isnan(first), ~np.isnan(second)
            if comparison.paired:
                there = (there[0] & there[1],) * 2
            first, second = first[there[0]], second[there[1]]
            if not len(first) or not len(second):
                continue
            drawn = [
                _compared(*_resampled(first, second, comparison.paired, chance), comparison.paired)
                for _ in range(settings.resamples)
            ]
            (low, difference_low), (high, difference_high) = np.transpose(
                [_interval(np.array(drawn)[:, column], settings) for column in (0, 1)]
            )
            share, difference = _compared(first, second, comparison.paired)
            rows.append(
                {
                    "criterion": criterion,
                    "first": comparison.first,
                    "second": comparison.second,
                    "paired": comparison.paired,
                    "first_n": len(first),
                    "second_n": len(second),
                    "better": share,
                    "low": low,
                    "high": high,
                    "difference": difference,
                    "difference_low": difference_low,
                    "difference_high": difference_high,
                    "holds": bool(low > 0.5) if min(len(first), len(second)) >= FEWEST else None,
                }
            )
    return pd.DataFrame(rows)


def _compared(first: np.ndarray, second: np.ndarray, paired: bool) -> tuple[float, float]:
    difference = float(first.mean() - second.mean())
    if paired:
        return float(((first > second) + 0.5 * (first == second)).mean()), difference
    return area_under_curve(first, second), difference


def _resampled(first: np.ndarray, second: np.ndarray, paired: bool, chance: np.random.Generator):
    picked = chance.integers(len(first), size=len(first))
    return first[picked], second[picked if paired else chance.integers(len(second), size=len(second))]


def _interval(values: np.ndarray, settings: CriteriaSettings) -> tuple[float, float]:
    tail = (1 - settings.confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def ranking(plain: Sequence[str]) -> list[Comparison]:
    """What every criterion must rank: photographs above mean images above unregularised ascent. plain: its groups."""
    return [
        Comparison(PHOTOGRAPHS, MEANS),
        *(Comparison(MEANS, name) for name in plain),
        *(Comparison(PHOTOGRAPHS, name) for name in plain),
    ]


def verdicts(validation: pd.DataFrame) -> pd.Series:
    """Whether each criterion ranks everything as it must, by criterion; NA where too few pictures leave it open.

    Comparisons of pairs tell about pictures, not about criteria.
    """
    ranked = validation[~validation["paired"]].astype({"holds": "boolean"})
    return ranked.groupby("criterion", sort=False)["holds"].all(skipna=False)
