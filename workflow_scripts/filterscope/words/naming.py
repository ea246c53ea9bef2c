"""What every filter is called, and which filters must not be called anything."""

from __future__ import annotations

import pandas as pd

from filterscope.words.causes import CAUSED

# Words of a filter that its line shows.
SHOWN = 5
# Columns of `filter_causes` that stand in a filter's line, and what they are called there.
CAUSES = {"status": "cause", "effect": "cause_effect", "low": "cause_low", "high": "cause_high", "null": "cause_null"}


def filter_names(
    words: pd.DataFrame,
    thresholds: pd.DataFrame,
    claims: pd.DataFrame | None,
    causes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One line per filter: the `filter_names` table.

    A filter is named by its claim, the best of its words that masks can test, where that is supported; it is "proved"
    where the claim's objects are also seen to cause what the filter answers. One whose claim does not beat its null is
    "unsupported" and has no name. Without masks nothing can be tested: the name
    is the first word and the status "untested". New words, which no mask can test, stand among the words.

    words: `filter_words`. thresholds: of all filters of the layer. claims: `filter_claims`, None without masks.
    causes: `filter_causes`, None where they were not measured.
    """
    words = words.sort_values(["filter", "rank"])
    first = words.groupby("filter").first()
    table = thresholds[["filter", "dead"]].copy()
    said = table["filter"].isin(first.index)
    table["status"] = "untested"
    if claims is not None:
        table["status"] = table["filter"].isin(claims.loc[claims["supported"], "filter"])
        table["status"] = table["status"].map({True: "supported", False: "unsupported"})
    if causes is not None:
        caused = table["filter"].isin(causes.loc[causes["status"] == CAUSED, "filter"])
        table["status"] = table["status"].mask(caused & (table["status"] == "supported"), "proved")
    table.loc[~said, "status"] = "silent"
    table.loc[table["dead"], "status"] = "dead"
    named = table["status"].isin(["proved", "supported", "untested"])
    name = first["word"] if claims is None else claims.set_index("filter")["claim"]
    table["name"] = table["filter"].map(name).where(named)
    marked = words["word"].where(~words["novel"].astype(bool), words["word"] + "*")
    lists = marked.groupby(words["filter"]).agg(lambda each: ", ".join(each[:SHOWN]))
    table["words"] = table["filter"].map(lists).where(said, "")
    evidence = ["claim", "auprc", "low", "high", "null"]
    if claims is None:
        table = table.assign(**dict.fromkeys(evidence))
    else:
        table = table.merge(claims[["filter", *evidence]], on="filter", how="left")
    if causes is None:
        table = table.assign(**dict.fromkeys(CAUSES.values()))
    else:
        table = table.merge(causes[["filter", *CAUSES]].rename(columns=CAUSES), on="filter", how="left")
    table = table.drop(columns="dead").astype(object)
    return table.where(pd.notna(table), None)
