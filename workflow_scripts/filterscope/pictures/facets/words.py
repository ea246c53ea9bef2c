"""A name per facet: the words of the explainer for the facet's own images (LaViSE, 3.2; MFV, 3.2.2)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from filterscope.words.explaining.explanation import TopPairs, Words
from filterscope.words.explaining.voting import vote


class FacetPairs:
    """The facets' nearest images as top images of their units: side by side, `nearest` ranks for each facet.

    An image that the unit is silent in (activation <= 0) has no words.
    """

    def __init__(self, facets: pd.DataFrame, nearest: int, filters: int):
        """facets: the table; filters: of the probe's layer."""
        near = facets[facets["rank"] < nearest]
        self.nearest, self.facets = nearest, near[["unit", "class", "facet"]].drop_duplicates()
        image_ids = np.zeros((filters, nearest * (int(near["facet"].max()) + 1)), np.int64)
        self.strengths = np.zeros(image_ids.shape)
        where = (near["unit"].to_numpy(), (near["facet"] * nearest + near["rank"]).to_numpy())
        image_ids[where], self.strengths[where] = near["image_id"], near["activation"]
        self.top = TopPairs(image_ids, self.strengths)

    def vote(self, words: Words, names: np.ndarray, voting: int, printed: int) -> pd.DataFrame:
        """The `facet_words` table. words: of all pairs; names: of the vocabulary's rows; voting: words of an image that
        vote; printed: words of a facet that are kept. Every image counts the same."""
        parts = []
        for row in self.facets.sort_values(["unit", "facet"]).to_dict("records"):
            own = slice(row["facet"] * self.nearest, (row["facet"] + 1) * self.nearest)
            pick = (slice(row["unit"], row["unit"] + 1), own)
            chosen = words.rows[pick][..., :voting], words.cosines[pick][..., :voting]
            found = vote(*chosen, self.strengths[pick], "none", printed)
            found = found.assign(**row, word=np.asarray(names, object)[found["row"]]).drop(columns=["row", "filter"])
            parts.append(found)
        return pd.concat(parts, ignore_index=True)
