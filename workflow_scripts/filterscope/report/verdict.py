"""What a study found, in a few sentences made from its tables, and the filters that are shown first.

They are for somebody who has never heard of the study: shares and counts, no intervals, which stand in the tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from filterscope.activations.remarks import mining_remarks, threshold_remarks
from filterscope.report.measurements import temperature_section
from filterscope.schemas.values import RECALL
from filterscope.words.naming import BELIEVED, COMMON, common_names
from filterscope.words.scoring.score_table import WORDS

FIRST = 5  # words among which one is looked for
DISSECTION, CONSTANT = "dissection", "constant_words"  # rows of the scores
_NAMED = (*BELIEVED, "untested")  # statuses of filters that have a name, those to be believed most first


@dataclass(frozen=True)
class Explained:
    """One explanation's tables by their schemas' names. filter_claims and scores are None without masks, known_answers
    where no right names are known. tokens: how many different ones the categories have; vocabulary: how many words
    there are to choose from; either None where it is not known."""

    filter_names: pd.DataFrame
    filter_claims: pd.DataFrame | None = None
    scores: pd.DataFrame | None = None
    known_answers: pd.DataFrame | None = None
    tokens: int | None = None
    vocabulary: int | None = None


def verdict(explained: Sequence[Explained]) -> list[str]:
    """How many names can be believed and why, how often words are right, and beside what; in a few sentences."""
    tested = [each for each in explained if each.filter_claims is not None]
    found = [_believed(tested), _decoys(tested), _untested(explained), _known(explained), _right(explained)]
    return [each for each in [*found, rival(explained)] if each]


def _believed(tested: Sequence[Explained]) -> str:
    """How many names masks bear out and causes prove; "" where nothing was tested."""
    if not tested:
        return ""
    status = pd.concat([each.filter_names["status"] for each in tested])
    live, proved, believed = (int(each.sum()) for each in (status != "dead", status == "proved", status.isin(BELIEVED)))
    return (
        f"{believed} of {live} filters ({share(believed, live)}) have a name that masks bear out; for {proved} of them "
        "it is also shown that the named objects are what they answer to."
    )


def _decoys(tested: Sequence[Explained]) -> str:
    """How many wrong names would pass; "" where none was lent."""
    told = [each.filter_claims for each in tested if each.filter_claims["told"].all()]
    lent, passed = (int(sum(each[name].sum() for each in told)) for name in ("lent", "lent_supported"))
    said = [f"As a test {lent} filters were lent another one's name: {passed or 'none'} of these would have passed."]
    if len(told) < len(tested):
        few = len(tested) - len(told)
        said.append(f"In {few} of {_count(len(tested), 'layer')} too few names could be lent to tell.")
    return " ".join(said if lent else said[1:])


def _untested(explained: Sequence[Explained]) -> str:
    names = [each.filter_names for each in explained if each.filter_claims is None]
    if not names:
        return ""
    own = pd.concat(names)
    untested = int((own["status"] == "untested").sum())
    if not untested:
        return ""
    said = f"{_count(untested, 'name')} could not be tested, for these photographs have no masks"
    if own["reference_status"].notna().any():
        said += f"; {int(own['reference_status'].isin(BELIEVED).sum())} of them hold on the dataset that has masks"
    return f"{said}."


def _known(explained: Sequence[Explained]) -> str:
    known = [each.known_answers["passed"] for each in explained if each.known_answers is not None]
    count, passed = sum(map(len, known)), int(sum(each.sum() for each in known))
    if not count:
        return ""
    said = f"Of {_count(count, 'filter')} whose right word is known, {'all' if passed == count else passed}"
    return f"{said} got it among the first three words, whether or not it became the name."


def recall(scores: pd.DataFrame | None, row: str) -> float | None:
    """Of the objects that excite a filter, the share whose name is among its first words; None if not measured."""
    if scores is None:
        return None
    asked = {"metric": RECALL, "candidates": "vocabulary", "k": FIRST, "row": row}
    values = scores.loc[(scores[list(asked)] == pd.Series(asked)).all(axis=1), "value"].dropna()
    return float(values.iloc[0]) if len(values) else None


def _right(explained: Sequence[Explained]) -> str:
    """How often one of the first words is right, beside words that are the same for all; "" if not measured."""
    pairs = [[recall(each.scores, row) for row in (WORDS, CONSTANT)] for each in explained]
    ours = [own for own, _ in pairs if own is not None]
    if not ours:
        return ""
    said = f"A filter's first five words name {_range(ours)} of the objects that excite it"
    null = [constant for own, constant in pairs if own is not None and constant is not None]
    return f"{said}{f'; the five most frequent words, said of every filter, {_range(null)}' if null else ''}."


def rival(explained: Sequence[Explained]) -> str:
    """Where Network Dissection names more of the objects, and why that may be; "" where it does not."""
    pairs = [(recall(each.scores, WORDS), recall(each.scores, DISSECTION), each) for each in explained]
    pairs = [(own, other, each) for own, other, each in pairs if own is not None and other is not None]
    ahead = [each for own, other, each in pairs if other > own]
    if not ahead:
        return ""
    where = f"in {len(ahead)} of {_count(len(pairs), 'layer')}" if len(pairs) > 1 else "here"
    theirs = _range(recall(each.scores, DISSECTION) for each in ahead)
    said = f"The rival Network Dissection names more of them {where} ({theirs})."
    why = why_rivals_win(ahead).replace("Network Dissection", "It", 1)
    return f"{said} {why}".strip()


def why_rivals_win(explained: Sequence[Explained]) -> str:
    """Why Network Dissection may have more recall in these layers, in a line; "" where it has not, at any number of
    words: it knows the few tokens that are asked for, and nothing else."""
    ahead = [each for each in explained if each.tokens is not None and _is_ahead(each.scores)]
    if not ahead:
        return ""
    tokens, words = ({getattr(each, name) for each in ahead} - {None} for name in ("tokens", "vocabulary"))
    among = f"among all {_between(words)} of the vocabulary" if words else "in the whole vocabulary"
    return (
        f"Network Dissection can say nothing but the {_between(tokens)} tokens of the categories, and these are all "
        f"that is asked for; our words are looked for {among}. Where tokens are few, that alone may make it win."
    )


def _is_ahead(scores: pd.DataFrame | None) -> bool:
    """Whether Network Dissection has more recall than the words at some number of them."""
    if scores is None:
        return False
    rows = scores[(scores["metric"] == RECALL) & (scores["candidates"] == "vocabulary") & scores["value"].notna()]
    wide = rows.pivot(index="k", columns="row", values="value")
    return {WORDS, DISSECTION} <= set(wide) and bool((wide[DISSECTION] > wide[WORDS]).any())


def rooms_verdict(tables: Mapping[str, pd.DataFrame | None]) -> dict[str, list[str]]:
    """Of diagnosis and temperature, a sentence for each question that was asked; tables: by their schema's name."""
    fit, resampling, trends, duel = (tables.get(each) for each in ("fit", "resampling", "robustness_trends", "duel"))
    found = [] if fit is None else [row.sentence for row in fit.itertuples()]
    if resampling is not None:
        said = resampling["verdict"].dropna().value_counts()
        helps, harms, unclear = (int(said.get(each, 0)) for each in ("helps", "harms", "no clear difference"))
        found.append(
            f"Against no resampling, resampling helps in {helps} of {int(said.sum())} comparisons, harms in {harms}, "
            f"and makes no clear difference in {unclear}."
        )
    if trends is not None:
        said = trends.loc[trends["over"] != "accurate", "verdict"].value_counts()
        parts = "; ".join(f"{verdict} ({count})" for verdict, count in sorted(said.items()))
        found.append(f"Is smaller more robust? Of {int(said.sum())} kinds of attack: {parts}.")
    schedules = [] if duel is None else temperature_section(duel, []).lines[:-1]
    return {room: lines for room, lines in (("diagnosis", found), ("temperature", schedules)) if lines}


def layer_warnings(names: pd.DataFrame, thresholds: pd.DataFrame | None, top: pd.DataFrame | None) -> list[str]:
    """What must be known before a layer's names are believed."""
    common = common_names(names)
    found = []
    if len(common):
        listed = ", ".join(f"“{name}” ({count})" for name, count in common.items())
        live = int((names["status"] != "dead").sum())
        subject, told = ("One name is", "does") if len(common) == 1 else (f"{len(common)} names are each", "do")
        many = f"more than {COMMON:.0%} of the {live} live filters"
        found.append(f"{subject} borne by {many} and {told} not tell them apart: {listed}.")
    found += threshold_remarks(thresholds) if thresholds is not None else []
    return found + [each for each in mined_remarks(top) if each.startswith("Few") or "very same maximum" in each]


def mined_remarks(top: pd.DataFrame | None) -> list[str]:
    """What must be known of top images, in sentences."""
    return mining_remarks(top) if top is not None and len(top) else []


def best_named(names: pd.DataFrame, most: int) -> list[int]:
    """Filters to be shown first, at most so many: proved before supported before untested names, the larger margin of
    the score over its null first, and every name once before one comes again. names: `filter_names`."""
    own = names[names["name"].notna() & names["status"].isin(_NAMED)]
    margin = own["auprc"].astype(float) - own["null"].astype(float)
    order = own.assign(certain=own["status"].map(_NAMED.index), margin=-margin.fillna(-1.0))
    order = order.sort_values(["certain", "margin", "filter"], kind="stable")
    order = order.assign(again=order.groupby("name").cumcount()).sort_values("again", kind="stable")
    return order["filter"][:most].tolist()


def spread(chosen: Sequence[Sequence[int]], most: int) -> list[tuple[int, int]]:
    """Layers and filters, at most so many, from all layers in turn; chosen: of every layer, the best first."""
    turns = max(map(len, chosen), default=0)
    rounds = [(layer, own[turn]) for turn in range(turns) for layer, own in enumerate(chosen) if turn < len(own)]
    return sorted(rounds[:most])


def share(part: int, whole: int) -> str:
    """A share in per cent, as a person writes it."""
    return f"{part / whole:.0%}" if whole else "none"


def _range(values: Iterable[float]) -> str:
    """Shares from the least to the largest: 64 to 77 %."""
    shares = list(values)
    low, high = (f"{100 * each:.0f}" for each in (min(shares), max(shares)))
    return f"{low}%" if low == high else f"{low} to {high}%"


def _between(values: Iterable[int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
