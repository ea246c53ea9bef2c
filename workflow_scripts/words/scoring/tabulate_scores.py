"""Tabulate the scores: values, intervals and margins of the words and of every null beside them."""

import numpy as np
import pandas as pd

from filterscope import job, tables
from filterscope.words.scoring.score_table import scores


def tabulate_scores(paths_to_measurements, path_to_table, path_to_csv, confidence, names):
    """names: probe, dataset and vocabulary that the scores belong to."""
    parts = []
    for path in paths_to_measurements:
        measured = tables.read(path, "measurements")
        parts.append(
            measured.drop_columns("resamples").to_pandas().assign(resamples=list(tables.matrix(measured["resamples"])))
        )
    table = scores(pd.concat(parts, ignore_index=True), confidence).assign(**names)
    table = table.astype({"value": float, "margin": float}).replace({np.nan: None})
    for path in (path_to_table, path_to_csv):
        tables.write(table, "scores", path)
    own = table[table["row"] == "words"]
    for line in own.itertuples():
        if line.n:
            job.LOGGER.info("%s@%d over %s: %.4f", line.metric, line.k, line.candidates, line.value)
        else:
            job.LOGGER.warning("%s@%d over %s: nothing to measure", line.metric, line.k, line.candidates)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_scores(
        paths_to_measurements=list(snakemake.input.measurements),
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        confidence=snakemake.params.confidence,
        names={name: snakemake.wildcards[name] for name in ("probe", "dataset", "vocabulary")},
    )
