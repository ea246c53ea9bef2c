"""From the words of a filter's top images to the words of the filter (docs/methods.md, Votes)."""

from __future__ import annotations

import numpy as np
import pandas as pd

# How many votes an image's words count, by the filter's maximum in it: "none" is the reproduction's code, "int" the
# original's.
WEIGHTINGS = {
    "none": lambda maxima: np.ones_like(maxima),
    "int": np.floor,
    "ceil": np.ceil,
}


def vote(
    rows: np.ndarray, cosines: np.ndarray, maxima: np.ndarray, weighting: str, printed: int | None
) -> pd.DataFrame:
    """Count the words of all filters' top images.

    rows: vocabulary rows of the words, int [filters, p, s], -1 for none. cosines: same shape. maxima: [filters, p];
    images with m <= 0 do not vote, nor does an image whose weight is 0. Returns filter, rank, row, votes and
    mean cosine of the `printed` words with most votes (None: of all); ties go to the higher mean cosine, then to the
    smaller row.
    """
    if weighting not in WEIGHTINGS:
        raise ValueError(f"words.weighting is {weighting!r}, should be one of {', '.join(WEIGHTINGS)}")
    weights = np.where(maxima > 0, WEIGHTINGS[weighting](maxima), 0).astype(np.int64)
    filters, images, words = rows.shape
    ballots = pd.DataFrame(
        {
            "filter": np.repeat(np.arange(filters), images * words),
            "row": rows.reshape(-1),
            "votes": np.repeat(weights.reshape(-1), words),
            "cosine": cosines.reshape(-1).astype(np.float64),
        }
    )
    ballots = ballots[(ballots["votes"] > 0) & (ballots["row"] >= 0)]
    counted = ballots.groupby(["filter", "row"], as_index=False).agg(votes=("votes", "sum"), cosine=("cosine", "mean"))
    counted = counted.sort_values(
        ["filter", "votes", "cosine", "row"], ascending=[True, False, False, True], ignore_index=True
    )
    counted["rank"] = counted.groupby("filter").cumcount()
    return counted if printed is None else counted[counted["rank"] < printed].reset_index(drop=True)
