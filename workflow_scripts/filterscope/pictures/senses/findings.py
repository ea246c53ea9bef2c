"""What the tables of senses say of a layer, and what its senses are called."""

from __future__ import annotations

import pandas as pd

from filterscope.pictures.files import CHANCE

SEVERAL, ONE, UNTOLD = "several", "one", "untold"
FEWEST = 5  # filters that have several senses by one of both ways alone, below which a sign test cannot tell
# Columns of `senses` that tell of those of its images in which another filter fires, too.
OTHER = ("other_filter", "shared_images", "shared_senses", "other_senses", "other_strength", "other_likeness")


def told(senses: pd.DataFrame) -> str:
    """A sentence on how many filters have more than one sense, and how many would by chance."""
    known, null = senses[senses["status"] != UNTOLD], pd.to_numeric(senses["null_senses"]).dropna()
    untold = len(senses) - len(known)
    said = f"{int((known['status'] == SEVERAL).sum())} of {len(known)} filters have more than one sense"
    if len(null):
        said += f"; of codes shuffled among the same images {int((null > 1).sum())} of {len(null)} would"
    if "other_senses" in known and len(known):
        said += _beside_others(known[known[["shared_senses", "other_senses"]].notna().all(axis=1)])
    return f"{said}; of {untold} it cannot be told" if untold else said


def _beside_others(senses: pd.DataFrame) -> str:
    """The same filters by the attention of others in their images; whether theirs finds more is a sign test's word."""
    from scipy.stats import binomtest

    if not len(senses):
        return "; none of the other filters that were asked has one sense and fires in enough of their images"
    own, other = (pd.to_numeric(senses[each]) > 1 for each in ("shared_senses", "other_senses"))
    said = f"; of the {len(senses)} that can be compared, in images in which another filter fires, too, "
    said += f"{own.sum()} have and by that one's attention {other.sum()} would"
    only, missed = int((own & ~other).sum()), int((other & ~own).sum())
    if only + missed < FEWEST:
        return f"{said} (too few differ to tell chance)" if own.any() else said
    p = binomtest(only, only + missed, alternative="greater").pvalue
    return f"{said} (p {p:.2g}{': no more than by chance' if p > CHANCE else ''})"


def sense_names(words: pd.DataFrame, first: int, chance: float) -> dict[tuple[int, int], str]:
    """What every sense is called, by filter and sense: its first words, those first that tell it from the others.

    words: `sense_words`; chance: p above which a word does not tell it apart.
    """
    p = pd.to_numeric(words["p"])
    apart = words[p.isna() | (p <= chance)].sort_values("rank")
    named = {key: ", ".join(rows["word"].head(first)) for key, rows in apart.groupby(["filter", "sense"])}
    for key, rows in words.sort_values("rank").groupby(["filter", "sense"]):
        if key not in named:
            named[key] = f"no word tells it apart ({rows['word'].iloc[0]}: p {rows['p'].iloc[0]:.2f})"
    return {key: named[key] for key in sorted(named)}
