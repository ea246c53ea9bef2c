"""Tabulate the words of every filter, with what supports them."""

import pandas as pd

from filterscope import job, tables
from filterscope.words.novelty import novel
from filterscope.words.targets import token_list


def tabulate_words(path_to_votes, path_to_categories, path_to_claims, path_to_table, path_to_csv):
    """path_to_claims is None where there are no masks; support is then empty."""
    votes = tables.read(path_to_votes, "filter_votes").to_pandas()
    words = votes[votes["candidates"] == "vocabulary"].drop(columns="candidates")
    tokens = token_list(tables.read(path_to_categories, "categories").to_pandas(), supervised_only=False)
    distinct = words["word"].unique()
    words = words.assign(novel=words["word"].map(dict(zip(distinct, novel(distinct, tokens), strict=True))))
    support = ["supported", "claim", "auprc", "low", "high"]
    if path_to_claims:
        claims = tables.read(path_to_claims, "filter_claims").to_pandas()
        words = words.merge(claims[["filter", *support]], on="filter", how="left")
    else:
        words = words.assign(**dict.fromkeys(support))
        job.LOGGER.info("no masks: whether a name is supported cannot be told")
    words = words.astype(object).where(pd.notna(words), None)
    for path in (path_to_table, path_to_csv):
        tables.write(words, "filter_words", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_words(
        path_to_votes=snakemake.input.votes,
        path_to_categories=snakemake.input.categories,
        path_to_claims=snakemake.input.get("claims") or None,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
    )
