"""Scores of a gallery's pictures, and the tables made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from filterscope.pictures.quality import gallery, judging, validation
from filterscope.pictures.quality.criteria import CRITERIA, Norm, Picture, scores
from filterscope.pictures.quality.validation import PHOTOGRAPHS, CriteriaSettings

CHANCE = "chance"
TOPS = (1, 5)  # ranks of the right unit in the judge's answer that count
BLIND = (
    "the judge sees the right class first in {:.2f} of the classes' own photographs, {:.4f} being chance: what it says "
    "of the pictures tells nothing. Are its outputs other classes, or in another order?"
)


def scored(
    shown: pd.DataFrame, pixels: Mapping[int, np.ndarray], norms: Mapping[str, Norm], answers: np.ndarray | None
) -> pd.DataFrame:
    """The `picture_scores` table. shown: a gallery; pixels: uint8 by its index, in its order; norms: of photographs;
    answers: the judge's, for the same pictures [n, units], or None without a judge."""
    index = list(pixels)
    table = shown.assign(number=shown.groupby("group", sort=False).cumcount(), judge_rank=None)
    for name, values in scores([Picture.of(each) for each in pixels.values()], norms).items():
        table[name] = pd.Series(values, index=index)
    if answers is not None:
        units = table.loc[index, "unit"].astype(int).to_numpy()
        table["judge_rank"] = pd.Series(judging.ranks(answers, units), index=index)
    return table


def tables_of(
    found: pd.DataFrame,
    recipe: str,
    plain: Sequence[str],
    answers: np.ndarray | None,
    settings: CriteriaSettings,
    seed: int,
) -> dict[str, pd.DataFrame]:
    """The tables `picture_scores`, `criteria` and `criteria_validation`, by name; seed: of the intervals."""
    groups = {
        name: {
            **{criterion: rows[criterion].to_numpy(float) for criterion in CRITERIA},
            "ratio": rows["ratio"].to_numpy(float),
            **{f"judge_top{top}": _within(rows["judge_rank"].to_numpy(float), top) for top in TOPS},
        }
        for name, rows in found.groupby("group", sort=False)
    }
    means = validation.means(groups, settings, seed)
    if answers is not None:
        units = answers.shape[1]
        rows = [(CHANCE, f"judge_top{top}", units, min(1.0, top / units), None, None) for top in TOPS]
        means = pd.concat([means, pd.DataFrame(rows, columns=means.columns)], ignore_index=True)
    wanted = gallery.comparisons(list(groups), recipe, plain)
    return {
        "picture_scores": _without_nan(found),
        "criteria": _without_nan(means),
        "criteria_validation": validation.validate(groups, CRITERIA, wanted, settings, seed),
    }


def blindness(criteria: pd.DataFrame) -> str:
    """What is wrong with a judge to whom the classes' photographs tell no more than chance; nothing where all is well.

    criteria: the table of that name.
    """
    first = criteria[criteria["measure"] == f"judge_top{TOPS[0]}"].set_index("group")
    if not {PHOTOGRAPHS, CHANCE} <= set(first.index) or first.loc[PHOTOGRAPHS, "low"] > first.loc[CHANCE, "value"]:
        return ""
    return BLIND.format(first.loc[PHOTOGRAPHS, "value"], first.loc[CHANCE, "value"])


def _within(ranks: np.ndarray, top: int) -> np.ndarray:
    return np.where(np.isnan(ranks), np.nan, ranks <= top)


def _without_nan(table: pd.DataFrame) -> pd.DataFrame:
    table = table.astype(object)
    return table.where(pd.notna(table), None)
