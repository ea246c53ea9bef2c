"""Tabulate the known answers: whether filters whose right names are known got one."""

from filterscope import job, tables

# A colour detector must get its colour itself as first word, the others a right word among their first three.
FIRST = ("colour",)
AMONG = 3


def tabulate_known_answers(path_to_words, path_to_known, path_to_table, path_to_csv):
    """path_to_known: the right names per filter, made by the rule that trained or planted the network."""
    words = tables.read(path_to_words, "filter_words").to_pandas()
    found = words[words["rank"] < AMONG].sort_values("rank").groupby("filter")["word"].agg(list)
    rows = []
    for known in tables.read(path_to_known, "known_words").to_pylist():
        given = found.get(known["filter"], [])
        rank = next((place for place, word in enumerate(given) if word in known["words"]), None)
        passed = given[:1] == known["words"][:1] if known["detects"] in FIRST else rank is not None
        right = {"filter": known["filter"], "detects": known["detects"], "right": known["words"]}
        rows.append({**right, "found": given, "rank": rank, "passed": passed})
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    for path in (path_to_table, path_to_csv):
        tables.write(columns, "known_answers", path)
    job.LOGGER.info("%d of %d filters have their known word among their first", sum(columns["passed"]), len(rows))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_known_answers(
        path_to_words=snakemake.input.words,
        path_to_known=snakemake.input.known,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
    )
