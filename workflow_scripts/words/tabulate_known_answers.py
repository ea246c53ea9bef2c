"""Tabulate the known answers: whether filters whose right names are known got one."""

from filterscope import job, tables

# A colour detector must get a name of its colour first, and the colour itself as its claim among the categories;
# the others a right word among their first three.
EARLY_ENOUGH = {"colour": 1}
AMONG = 3


def tabulate_known_answers(path_to_words, path_to_known, path_to_table, path_to_csv):
    """path_to_known: the right names per filter, made by the rule that trained or planted the network."""
    words = tables.read(path_to_words, "filter_words").to_pandas()
    claims = words.drop_duplicates("filter").set_index("filter")["claim"]
    found = words[words["rank"] < AMONG].sort_values("rank").groupby("filter")["word"].agg(list)
    rows = []
    for known in tables.read(path_to_known, "known_words").to_pylist():
        given = found.get(known["filter"], [])
        rank = next((place for place, word in enumerate(given) if word in known["words"]), None)
        passed = rank is not None and rank < EARLY_ENOUGH.get(known["detects"], AMONG)
        if known["detects"] in EARLY_ENOUGH:
            passed = passed and claims[known["filter"]] == known["words"][0]
        right = {"filter": known["filter"], "detects": known["detects"], "right": known["words"]}
        rows.append({**right, "found": given, "rank": rank, "passed": passed})
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    for path in (path_to_table, path_to_csv):
        tables.write(columns, "known_answers", path)
    job.LOGGER.info("%d of %d filters with a known name got it", sum(columns["passed"]), len(rows))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_known_answers(
        path_to_words=snakemake.input.words,
        path_to_known=snakemake.input.known,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
    )
