"""What the explainer calls a filter's optimised picture, and whether that is the filter's claim."""

from __future__ import annotations

import numpy as np
import pandas as pd

from filterscope.words.explaining.explanation import TopPairs, Words

NO_PICTURE = "there is no picture"
SILENT = "the filter is silent in its picture"


class PicturePairs:
    """Optimised pictures as top images of their own filters. Pictures that the filter is silent in have no words."""

    def __init__(self, pictures: pd.DataFrame, filters: int):
        """pictures: the table; filters: of the probe's layer."""
        self.pictures = pictures.sort_values(["filter", "number"], ignore_index=True)
        where = (self.pictures["filter"].to_numpy(), self.pictures["number"].to_numpy())
        image_ids = np.zeros((filters, int(self.pictures["number"].max()) + 1), np.int64)
        strengths = np.zeros(image_ids.shape)
        image_ids[where] = np.arange(len(self.pictures))
        strengths[where] = self.pictures["activation"].astype(float).fillna(0).clip(lower=0)
        self.top = TopPairs(image_ids, strengths)

    def images(self) -> pd.DataFrame:
        """The pictures that have words, as images; numbers are places among the pictures."""
        some = self.pictures.loc[self.top.image_ids]
        sizes = {"width": some["size"].astype(int), "height": some["size"].astype(int)}
        return some[["path"]].assign(image_id=some.index, split="val", turned=False, **sizes)

    def table(self, words: Words, tokens: Words, names: np.ndarray, claims: dict[int, str], first: int) -> pd.DataFrame:
        """The `picture_words` table.

        words: over the vocabulary; tokens: over the categories; names: of the vocabulary's rows. claims: by filter;
        first: of the categories' words, among which the claim is looked for.
        """
        lines = []
        for row in self.pictures.itertuples():
            place, known = (row.filter, row.number), bool(len(self.top.of(row.Index)[0]))
            lines.append(
                {
                    "filter": row.filter,
                    "number": row.number,
                    "recipe": row.recipe,
                    "words": _said(words.rows[place], names) if known else [],
                    "categories": _said(tokens.rows[place][:first], names) if known else [],
                    "claim": claims.get(row.filter),
                    "note": "" if known else NO_PICTURE if pd.isna(row.path) else SILENT,
                }
            )
        table = pd.DataFrame(lines)
        compared = table["claim"].notna() & (table["note"] == "")
        table["found"], table["null"] = None, None
        for line in table.index[compared]:
            others = table.index[compared & (table.index != line)]
            said = table.loc[line, "categories"]
            table.loc[line, "found"] = table.loc[line, "claim"] in said
            if len(others):
                table.loc[line, "null"] = float(table.loc[others, "claim"].isin(said).mean())
        return table


def _said(rows: np.ndarray, names: np.ndarray) -> list[str]:
    return [str(names[row]) for row in rows if row >= 0]
