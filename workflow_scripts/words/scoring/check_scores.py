"""Test whether the scores notice wrong labels: some missing, some too many."""

import pandas as pd

from filterscope import job, tables
from filterscope.words.explaining.targets import token_indices
from filterscope.words.firing import Thresholds
from filterscope.words.looking import ProbedImages
from filterscope.words.scoring.sanity import spoilt_metrics, verdicts


def check_scores(shown: ProbedImages, path_to_claims, path_to_table, path_to_csv, resolution, split, seed):
    """Every live filter's own claim is scored against the true labels and against spoilt ones."""
    device = job.device()
    tokens, images = shown.tokens().every, shown.readable(split)
    claimed = token_indices(tables.read(path_to_claims, "filter_claims")["claim"], tokens)
    thresholds = Thresholds.of(shown.thresholds())
    with shown.scenes(images, tokens, device) as (seen, _):
        metrics = spoilt_metrics(seen, claimed, thresholds, len(tokens), len(images), resolution, seed, device)
    table = pd.DataFrame(verdicts(metrics, claimed >= 0)).astype(object).where(lambda t: t.notna(), None)
    for path in (path_to_table, path_to_csv):
        tables.write(table, "sanity", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    check_scores(
        ProbedImages.of(snakemake.input, snakemake.params, snakemake.threads),
        path_to_claims=snakemake.input.claims,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        resolution=snakemake.params.resolution,
        split=snakemake.params.split,
        seed=snakemake.params.seed,
    )
