"""What the table `senses` says of a layer."""

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
