"""Which row wins which score, in words, from the table of scores."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from filterscope.schemas.values import RECALL
from filterscope.words.scoring.score_table import CEILING, ROW_NAMES, SCORE_NAMES, WORDS

WHERE = {
    "vocabulary": "over the vocabulary",
    "categories": "over the categories",
    "vocabulary_unsupervised": "for categories never supervised, over the vocabulary",
    "unsupervised": "for categories never supervised, among them",
}


def leaders(scores: pd.DataFrame) -> str:
    """One line: which row has the largest value of each score, and where the words' margin over it, or over the next
    best row where the words win, may be chance.

    scores: the `scores` table of one explanation. Rows of equal value share a win. The best possible claims are no
    rival. Scores that could not be measured are named as such.
    """
    scores = scores[scores["row"] != CEILING]
    wins: dict[tuple[str, ...], list[tuple[str, str, int]]] = {}
    unclear, unmeasured = [], []
    for (metric, where, k), group in scores.groupby(["metric", "candidates", "k"], sort=False):
        score, measured = (metric, where, k), group[group["value"].notna()]
        if measured.empty:
            unmeasured.append(score)
            continue
        best = measured[measured["value"] == measured["value"].max()]
        wins.setdefault(tuple(best["row"]), []).append(score)
        if _may_be_chance(measured, best):
            unclear.append(score)
    parts = [
        f"{' and '.join(_named(row) for row in rows)} {'win' if len(rows) > 1 else 'wins'} {_listed(won)}"
        for rows, won in sorted(wins.items(), key=lambda item: [_place(row) for row in item[0]])
    ]
    line = "; ".join(parts) or "no row wins"
    if unclear:
        line += f"; by a margin that may be chance: {_listed(unclear)}"
    if unmeasured:
        line += f"; not measurable: {_listed(unmeasured)}"
    return f"Which row wins which score: {line}."


def _may_be_chance(measured: pd.DataFrame, best: pd.DataFrame) -> bool:
    """Whether the interval of the margin between the words and the row that matters holds 0."""
    if len(best) > 1:
        return False  # a shared win claims no margin
    if best["row"].iloc[0] == WORDS:
        others = measured[measured["row"] != WORDS]
        if others.empty:
            return False
        return bool((others["margin_low"] <= 0).any())
    if WORDS not in set(measured["row"]):
        return False
    return bool(best["margin_high"].iloc[0] >= 0)


def _named(row: str) -> str:
    return ROW_NAMES.get(row, row)


def _place(row: str) -> int:
    order = list(ROW_NAMES)
    return order.index(row) if row in order else len(order)


def _listed(scores: Sequence[tuple[str, str, int]]) -> str:
    """Scores as a person says them, those of a kind together: recall@5, @10 over the vocabulary; IoU, F1."""
    kinds: dict[tuple[bool, str], list[str]] = {}
    for metric, where, k in scores:
        name = f"@{k}" if metric == RECALL else SCORE_NAMES.get(metric, metric)
        kinds.setdefault((metric == RECALL, where), []).append(name)
    parts = []
    for (recall, where), names in kinds.items():
        said = f"{RECALL if recall else ''}{', '.join(names)}"
        # Claims are among all categories unless it is said otherwise.
        parts.append(said if not recall and where == "categories" else f"{said} {WHERE.get(where, where)}")
    return ", ".join(parts)
