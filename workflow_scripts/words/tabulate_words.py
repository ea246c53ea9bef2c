"""Tabulate the words of every filter, with what supports them, and what it may be called."""

import pandas as pd

from filterscope import job, tables
from filterscope.words.naming import filter_names
from filterscope.words.novelty import novel
from filterscope.words.targets import token_list


def tabulate_words(
    path_to_votes,
    path_to_thresholds,
    path_to_categories,
    path_to_claims,
    paths_to_words,
    paths_to_names,
    path_to_causes=None,
):
    """path_to_claims and path_to_causes are None where there are no masks; support and proof are then empty."""
    votes = tables.read(path_to_votes, "filter_votes").to_pandas()
    words = votes[votes["candidates"] == "vocabulary"].drop(columns="candidates")
    tokens = token_list(tables.read(path_to_categories, "categories").to_pandas(), supervised_only=False)
    distinct = words["word"].unique()
    words = words.assign(novel=words["word"].map(dict(zip(distinct, novel(distinct, tokens), strict=True))))
    support = ["supported", "claim", "auprc", "low", "high"]
    claims = tables.read(path_to_claims, "filter_claims").to_pandas() if path_to_claims else None
    if claims is not None:
        words = words.merge(claims[["filter", *support]], on="filter", how="left")
    else:
        words = words.assign(**dict.fromkeys(support))
        job.LOGGER.info("no masks: whether a name is supported cannot be told")
    words = words.astype(object).where(pd.notna(words), None)
    causes = tables.read(path_to_causes, "filter_causes").to_pandas() if path_to_causes else None
    names = filter_names(words, tables.read(path_to_thresholds, "thresholds").to_pandas(), claims, causes)
    for path in paths_to_words:
        tables.write(words, "filter_words", path)
    for path in paths_to_names:
        tables.write(names, "filter_names", path)
    statuses = ", ".join(f"{count} {status}" for status, count in names["status"].value_counts().items())
    job.LOGGER.info("filters: %s", statuses)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_words(
        path_to_votes=snakemake.input.votes,
        path_to_thresholds=snakemake.input.thresholds,
        path_to_categories=snakemake.input.categories,
        path_to_claims=snakemake.input.get("claims") or None,
        paths_to_words=(snakemake.output.table, snakemake.output.csv),
        path_to_causes=snakemake.input.get("causes") or None,
        paths_to_names=(snakemake.output.names, snakemake.output.names_csv),
    )
