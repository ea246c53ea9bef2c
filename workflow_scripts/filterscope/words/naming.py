"""What every filter is called, and which filters must not be called anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import zip_longest

import pandas as pd

from filterscope.words.explaining.novelty import novel
from filterscope.words.proofs.verdicts import CAUSED

# Words of a filter, and of its pictures by one recipe, that its line shows.
SHOWN = 5
# Share of the live filters that may bear one name before it is said that it does not tell them apart.
COMMON = 0.1
UNTOLD = "cannot be told"
# Statuses of names that masks support; the first ones' objects are also seen to be the cause.
BELIEVED = ("proved", "supported")
# Columns of `filter_causes` that stand in a filter's line, and what they are called there.
CAUSES = {"status": "cause", "effect": "cause_effect", "low": "cause_low", "high": "cause_high", "null": "cause_null"}
# Columns that `picture_proofs` puts there.
PICTURES = ("picture", "picture_count", "picture_found", "picture_null")


def filter_names(
    words: pd.DataFrame,
    thresholds: pd.DataFrame,
    claims: pd.DataFrame | None,
    claimed: Mapping[int, str],
    apart: pd.DataFrame,
    reference: pd.DataFrame | None = None,
    causes: pd.DataFrame | None = None,
    pictures: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One line per filter: the `filter_names` table.

    A filter is named by its claim, the category token that its map follows best on training images, where masks support
    that; it is "proved" where the claim's objects are also seen to cause what the filter answers. One whose claim does
    not beat its null is "unsupported" and has no name. What a filter is "cannot be told" where there are too few decoys
    to hold the rate of false names, or where it never fires on the images that its threshold comes from, but on others.
    Without masks nothing can be tested: the name is the claim and the status "untested", and what the reference
    dataset's masks, objects and pictures say of the same claim stands beside it. New words, which no mask can test,
    stand among the words. What the optimised picture is called decides on no name: it stands beside it.

    words: `filter_words`. thresholds: of all filters of the layer. claims: `filter_claims`, None without masks.
    claimed: the claim by filter. apart: `words_apart` over the vocabulary, with a column `novel`. reference: the
    `filter_names` of the reference dataset, for photographs without masks. causes: `filter_causes`, None where they
    were not measured. pictures: `picture_proofs`, None where no picture was named.
    """
    words = words.sort_values(["filter", "rank"])
    first = words.groupby("filter").first()
    table = thresholds[["filter", "dead", "fires_elsewhere"]].copy()
    said = table["filter"].isin(first.index)
    table["status"] = "untested"
    if claims is not None:
        table["status"] = table["filter"].isin(claims.loc[claims["supported"], "filter"])
        untold = "unsupported" if claims["told"].all() else UNTOLD
        table["status"] = table["status"].map({True: "supported", False: untold})
    if causes is not None:
        caused = table["filter"].isin(causes.loc[causes["status"] == CAUSED, "filter"])
        table["status"] = table["status"].mask(caused & (table["status"] == "supported"), "proved")
    table.loc[~said, "status"] = "silent"
    table.loc[table["dead"], "status"] = "dead"
    table.loc[table["fires_elsewhere"], "status"] = UNTOLD
    named = table["status"].isin([*BELIEVED, "untested"])
    table["name"] = table["filter"].map(claimed).where(named)
    for column, some in (("words", words), ("apart", apart)):
        table[column] = table["filter"].map(_lists(some)).where(said, "").fillna("")
    evidence = ["claim", "auprc", "low", "high", "null"]
    if claims is None:
        table = table.assign(**dict.fromkeys(evidence))
    else:
        table = table.merge(claims[["filter", *evidence]], on="filter", how="left")
    if claims is None:
        table["claim"] = table["filter"].map(claimed).where(said)
    if causes is None:
        table = table.assign(**dict.fromkeys(CAUSES.values()))
    else:
        table = table.merge(causes[["filter", *CAUSES]].rename(columns=CAUSES), on="filter", how="left")
    if pictures is None:
        table = table.assign(**dict.fromkeys(PICTURES))
    else:
        table = table.merge(pictures, on="filter", how="left")
    table["reference_status"] = None
    if reference is not None:
        same = reference[reference["claim"].notna()].set_index("filter")
        agrees = table["filter"].map(same["claim"]) == table["claim"]
        proofs = [*evidence[1:], *CAUSES.values()]
        for column, own in (("reference_status", "status"), *zip(proofs, proofs, strict=True)):
            table[column] = table["filter"].map(same[own]).where(agrees)
        compared = agrees & table["filter"].map(same["picture_found"]).notna()
        for column in PICTURES:
            table[column] = table["filter"].map(same[column]).where(compared, table[column])
    table = table.drop(columns=["dead", "fires_elsewhere"]).astype(object)
    return table.where(pd.notna(table), None)


def _lists(words: pd.DataFrame) -> pd.Series:
    """The first words of every filter, * behind those that no category has; words have filter, rank, word and novel."""
    words = words.sort_values(["filter", "rank"])
    marked = words["word"].where(~words["novel"].astype(bool), words["word"] + "*")
    return marked.groupby(words["filter"]).agg(lambda each: ", ".join(each[:SHOWN]))


def picture_proofs(pictures: pd.DataFrame, tokens: Iterable[str]) -> pd.DataFrame:
    """By filter: what the explainer calls its optimised pictures, and in how many of them it finds the claim.

    The columns are filter and PICTURES. Pictures without words, and claims where there are none, are not compared.

    pictures: `picture_words` of all recipes. tokens: of the categories, other words are marked.
    """
    distinct = pictures["words"].explode().dropna().unique()
    marked = {word: f"{word}*" if new else word for word, new in zip(distinct, novel(distinct, tokens), strict=True)}
    several = pictures["recipe"].nunique() > 1
    lines = []
    for number, own in pictures.groupby("filter"):
        said = {recipe: _first_words(rows["words"], marked) for recipe, rows in own.groupby("recipe", sort=False)}
        parts = [f"{recipe}: {words}" if several else words for recipe, words in said.items() if words]
        compared = own[own["found"].notna()]
        found = compared["found"].astype(float)
        # Over the same pictures as what was found, or not at all: a picture alone in its recipe has no null.
        null = compared["null"].astype(float).mean(skipna=False)
        lines.append((number, "; ".join(parts) or None, len(found) or None, found.mean(), null))
    return pd.DataFrame(lines, columns=["filter", *PICTURES])


def _first_words(lists: Iterable[Iterable[str]], marked: Mapping[str, str]) -> str:
    """Of words by picture, nearest first: all pictures' first words, then their second ones, each once."""
    words = dict.fromkeys(word for each in zip_longest(*lists) for word in each if word is not None)
    return ", ".join(marked[word] for word in list(words)[:SHOWN])


def called(names: pd.DataFrame) -> pd.Series:
    """What each filter of the `filter_names` table is called, supported or not; empty where it is called nothing."""
    return names["claim"].where(names["claim"].notna(), names["name"])


def common_names(names: pd.DataFrame) -> pd.Series:
    """By name, commonest first, how many filters bear it: those that more than COMMON of the live filters do.

    names: `filter_names`. A name that one filter alone bears is never common, however few filters there are.
    """
    live = int((names["status"] != "dead").sum())
    counts = called(names).dropna().value_counts()
    return counts[(counts > COMMON * live) & (counts > 1)]


def name_remarks(names: pd.DataFrame) -> list[str]:
    """On the `filter_names` table: the names that too many filters bear, a sentence each."""
    live = int((names["status"] != "dead").sum())
    remarks = []
    for name, count in common_names(names).items():
        supported = int(((called(names) == name) & names["status"].isin(BELIEVED)).sum())
        remarks.append(
            f"“{name}” is what {count} of {live} live filters are called ({count / live:.0%}; supported for "
            f"{supported} of them): it does not tell these filters apart."
        )
    return remarks
