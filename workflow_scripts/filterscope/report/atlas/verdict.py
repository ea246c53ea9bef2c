"""Sentences of the first page, made from the tables: what was found, and what must be known before it is believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from filterscope.report.verdict import Explained, mined_remarks, why_rivals_win
from filterscope.schemas.values import RECALL
from filterscope.words.naming import BELIEVED
from filterscope.words.scoring.leaders import leaders
from filterscope.words.scoring.score_table import CEILING, ROW_NAMES, WORDS

# What is said first of scores: how often one of the first words is right.
_HEADLINE = {"metric": RECALL, "candidates": "vocabulary", "k": 5}
MISSING = 5  # files that are named, of those that are missing


def asked_for(noted: Sequence[Mapping], classes: Sequence[Mapping] = ()) -> str:
    """How much was explained and drawn, in a sentence. classes: pages of classes with facets."""
    explained = [each for each in noted if each["explained"]]
    drawn = [each for each in noted if each["recipes"]]
    if not noted:
        return "No layer was explained or drawn: this study asks other things of networks and data."
    parts = []
    if explained:
        filters, networks = sum(each["filters"] for each in explained), len({each["network"] for each in explained})
        where = f"{_count(len(explained), 'layer')} of {_count(networks, 'network')}"
        parts.append(f"{filters:,} filters in {where} were explained in words")
    if drawn:
        parts.append(f"{_count(len(drawn), 'layer')} {'were' if len(drawn) > 1 else 'was'} drawn")
    if classes:
        several = len({(each["dataset"], each["class"]) for each in classes})
        probes = len({each["probe"] for each in classes})
        parts.append(
            f"photographs of {_count(several, 'class', 'classes')} were grouped into facets by what "
            f"{_count(probes, 'network')} {'compute' if probes > 1 else 'computes'} of them"
        )
        parts[0] = parts[0][0].upper() + parts[0][1:]
    return f"{'; '.join(parts) or 'Photographs were looked at, no filter was explained'}."


def _count(number: int, what: str, many: str | None = None) -> str:
    return f"{number} {what if number == 1 else many or what + 's'}"


def layer_verdict(
    given: Mapping, names: pd.DataFrame, counts: Mapping[str, int], own: Mapping[str, pd.DataFrame | None]
) -> str:
    """Of one layer: how many names can be believed, beside decoys; recall beside its nulls; known answers.

    names: `filter_names`; counts: of its statuses; own: filter_claims, scores and known_answers, None where there are
    none.
    """
    live = sum(count for status, count in counts.items() if status != "dead")
    if own["filter_claims"] is None:
        said = [_untested(names, counts.get("untested", 0), live, given["reference"])]
    else:
        said = [_believed(own["filter_claims"], counts, live)]
    if own["scores"] is not None:
        said += _recall(own["scores"])
    if own["known_answers"] is not None:
        passed, known = int(own["known_answers"]["passed"].sum()), len(own["known_answers"])
        said.append(f"{passed} of {known} filters whose right word is known got it among the first three words.")
    return " ".join(each[0].upper() + each[1:] for each in said)


def _untested(names: pd.DataFrame, untested: int, live: int, reference: str) -> str:
    said = f"no masks, so no name could be tested; {untested} of {live} live filters have an untested one"
    if names["reference_status"].notna().any():
        said += f", {int(names['reference_status'].isin(BELIEVED).sum())} of which are supported on {reference}"
    return f"{said}."


def _believed(claims: pd.DataFrame, counts: Mapping[str, int], live: int) -> str:
    proved = counts.get("proved", 0)
    believed = proved + counts.get("supported", 0)
    said = f"{believed} of {live} live filters have a name that masks support, {proved} of them proved by cause, too"
    if not claims["told"].all():
        return f"{said}; there are too few decoys to tell which names are supported."
    lent = int(claims["lent"].sum())
    if lent:
        decoys = int(claims["lent_supported"].sum())
        said += f"; of {lent} names lent from other filters, {decoys} would pass as supported"
    return f"{said}."


def _recall(scores: pd.DataFrame) -> list[str]:
    """Recall of the words beside the best row that is no ceiling, in a sentence; none where it was not measured."""
    rows = scores.loc[(scores[list(_HEADLINE)] == pd.Series(_HEADLINE)).all(axis=1) & scores["value"].notna()]
    rows = rows.set_index("row")
    if WORDS not in rows.index:
        return []
    others = rows.drop(index=[each for each in (WORDS, CEILING) if each in rows.index])
    said = f"Recall among the first five words is {_interval(rows.loc[WORDS])}"
    if len(others):
        best = others["value"].idxmax()
        said += f"; the best null or rival, {ROW_NAMES.get(best, best)}, has {_interval(others.loc[best])}"
    return [f"{said}."]


def _interval(row: pd.Series) -> str:
    value = f"{row['value']:.3f}"
    return value if pd.isna(row["low"]) else f"{value} [{row['low']:.3f}, {row['high']:.3f}]"


def layer_notes(top: pd.DataFrame | None, explained: Explained) -> list[str]:
    """What else there is to know of a layer: its top images, and which row wins which score, and why."""
    found = [each for each in mined_remarks(top) if not each.startswith("Few") and "very same maximum" not in each]
    if explained.scores is not None:
        found += [leaders(explained.scores), why_rivals_win([explained])]
    return [each for each in found if each]


def missing_files(missing: Sequence[str]) -> str:
    """That files of the study are not there."""
    shown = ", ".join(sorted(each.removeprefix("results/") for each in missing)[:MISSING])
    more = f" and {len(missing) - MISSING} more" if len(missing) > MISSING else ""
    return f"{_count(len(missing), 'file')} of the study cannot be found; what they say is missing here: {shown}{more}."
