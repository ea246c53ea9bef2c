"""What every filter is called, and which filters must not be called anything."""

from __future__ import annotations

import pandas as pd

# Words of a filter that its line shows.
SHOWN = 5


def filter_names(words: pd.DataFrame, thresholds: pd.DataFrame, claims: pd.DataFrame | None) -> pd.DataFrame:
    """One line per filter: the `filter_names` table.

    A filter is named by its first word where its claim is supported, and where there are no masks to test one
    (status "untested"). One whose claim does not beat its null is "unsupported" and has no name.

    words: `filter_words`. thresholds: of all filters of the layer. claims: `filter_claims`, None without masks.
    """
    by_filter = words.sort_values(["filter", "rank"]).groupby("filter")
    first = by_filter.first()
    table = thresholds[["filter", "dead"]].copy()
    said = table["filter"].isin(first.index)
    table["status"] = "untested"
    if claims is not None:
        table["status"] = table["filter"].isin(claims.loc[claims["supported"], "filter"])
        table["status"] = table["status"].map({True: "supported", False: "unsupported"})
    table.loc[~said, "status"] = "silent"
    table.loc[table["dead"], "status"] = "dead"
    named = table["status"].isin(["supported", "untested"])
    table["name"] = table["filter"].map(first["word"]).where(named)
    table["novel"] = table["filter"].map(first["novel"]).where(named)
    table["words"] = table["filter"].map(by_filter["word"].agg(lambda each: ", ".join(each[:SHOWN]))).where(said, "")
    evidence = ["claim", "auprc", "low", "high", "null"]
    if claims is None:
        table = table.assign(**dict.fromkeys(evidence))
    else:
        table = table.merge(claims[["filter", *evidence]], on="filter", how="left")
    table = table.drop(columns="dead").astype(object)
    return table.where(pd.notna(table), None)
