"""What the tables of senses say of a layer, and what its senses are called."""

from __future__ import annotations

import pandas as pd

SEVERAL, ONE, UNTOLD = "several", "one", "untold"


def told(senses: pd.DataFrame) -> str:
    """A sentence on how many filters have more than one sense, and how many would by chance."""
    known, null = senses[senses["status"] != UNTOLD], pd.to_numeric(senses["null_senses"]).dropna()
    untold = len(senses) - len(known)
    said = f"{int((known['status'] == SEVERAL).sum())} of {len(known)} filters have more than one sense"
    if len(null):
        said += f"; of codes shuffled among the same images {int((null > 1).sum())} of {len(null)} would"
    return f"{said}; of {untold} it cannot be told" if untold else said


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
