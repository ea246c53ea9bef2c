"""Tabulate whether resampling, and its guidance by capacity, helps on all resampled sets."""

import pandas as pd

from filterscope import job, tables
from filterscope.diagnosis.resampling.comparison import compared, sentences


def tabulate_resampling(paths_to_scores, path_to_table, path_to_csv, path_to_text, sets, confidence):
    """sets: samples and space of each table of scores."""
    parts, lines = [], ["# Does resampling help?", ""]
    for (samples, space), path in zip(sets, paths_to_scores, strict=True):
        scores = tables.read(path, "resampling_scores").to_pandas()
        table = compared(scores, confidence)
        rare = scores["rare"].iloc[0]
        parts.append(table.assign(samples=samples, space=space, rare=rare))
        lines += [f"- {samples} ({space}; {rare} is rare): {each}" for each in sentences(table)]
    whole = pd.concat(parts, ignore_index=True)
    for path in (path_to_table, path_to_csv):
        tables.write(whole, "resampling", path)
    with tables.replacing(path_to_text) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_resampling(
        paths_to_scores=list(snakemake.input.scores),
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        path_to_text=snakemake.output.text,
        sets=snakemake.params.sets,
        confidence=snakemake.params.confidence,
    )
