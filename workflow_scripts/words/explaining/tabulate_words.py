"""Tabulate the words of every filter, with what supports them, and what it may be called."""

import pandas as pd

from filterscope import job, tables
from filterscope.words.explaining.novelty import novel
from filterscope.words.explaining.targets import token_list
from filterscope.words.naming import filter_names, name_remarks, picture_proofs


def tabulate_words(
    path_to_votes,
    path_to_apart,
    path_to_thresholds,
    path_to_categories,
    path_to_claims,
    path_to_reference,
    paths_to_words,
    paths_to_names,
    path_to_apart_csv,
    path_to_causes=None,
    paths_to_pictures=(),
):
    """path_to_claims and path_to_causes are None where there are no masks; support and proof are then empty.

    path_to_reference: names by the reference dataset of photographs without masks, where the study has them.
    paths_to_pictures: words of the filters' optimised pictures, by recipe, where the study names them.
    """
    votes = tables.read(path_to_votes, "filter_votes").to_pandas()
    apart = tables.read(path_to_apart, "words_apart").to_pandas()
    tables.write(apart, "words_apart", path_to_apart_csv)
    words, apart = (each[each["candidates"] == "vocabulary"].drop(columns="candidates") for each in (votes, apart))
    claimed = votes[votes["claim"] & (votes["candidates"] == "categories")].set_index("filter")["word"].to_dict()
    tokens = token_list(tables.read(path_to_categories, "categories").to_pandas(), supervised_only=False)
    distinct = pd.concat([words["word"], apart["word"]]).unique()
    new = dict(zip(distinct, novel(distinct, tokens), strict=True))
    words, apart = (each.assign(novel=each["word"].map(new)) for each in (words.drop(columns="claim"), apart))
    support = ["supported", "claim", "auprc", "low", "high"]
    claims = tables.read(path_to_claims, "filter_claims").to_pandas() if path_to_claims else None
    if claims is not None:
        words = words.merge(claims[["filter", *support]], on="filter", how="left")
    else:
        words = words.assign(**dict.fromkeys(support)).assign(claim=words["filter"].map(claimed))
        job.LOGGER.info("no masks: whether a name is supported cannot be told")
    words = words.astype(object).where(pd.notna(words), None)
    thresholds = tables.read(path_to_thresholds, "thresholds").to_pandas()
    reference = tables.read(path_to_reference, "filter_names").to_pandas() if path_to_reference else None
    causes = tables.read(path_to_causes, "filter_causes").to_pandas() if path_to_causes else None
    pictures = [tables.read(path, "picture_words").to_pandas() for path in paths_to_pictures]
    pictures = picture_proofs(pd.concat(pictures), tokens) if pictures else None
    names = filter_names(words, thresholds, claims, claimed, apart, reference, causes, pictures)
    for path in paths_to_words:
        tables.write(words, "filter_words", path)
    for path in paths_to_names:
        tables.write(names, "filter_names", path)
    statuses = ", ".join(f"{count} {status}" for status, count in names["status"].value_counts().items())
    job.LOGGER.info("filters: %s", statuses)
    for remark in name_remarks(names):
        job.LOGGER.warning("%s", remark)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_words(
        path_to_votes=snakemake.input.votes,
        path_to_apart=snakemake.input.apart,
        path_to_thresholds=snakemake.input.thresholds,
        path_to_categories=snakemake.input.categories,
        path_to_claims=snakemake.input.get("claims") or None,
        path_to_reference=snakemake.input.get("reference") or None,
        paths_to_words=(snakemake.output.table, snakemake.output.csv),
        path_to_causes=snakemake.input.get("causes") or None,
        paths_to_pictures=snakemake.input.get("pictures", ()),
        paths_to_names=(snakemake.output.names, snakemake.output.names_csv),
        path_to_apart_csv=snakemake.output.apart_csv,
    )
