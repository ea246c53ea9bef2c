"""Draw samples before and after resampling, the scores of classifiers, and the search for the least capacity."""

import shutil
from pathlib import Path

from filterscope import job, tables
from filterscope.data.samples.labelled_samples import read_samples
from filterscope.diagnosis.resampling.figures import history_figure, resampled_figure, scores_figure


def render_resampling(
    path_to_table, paths_to_samples, paths_to_origins, paths_to_histories, path_to_figures, samples, space
):
    """The paths are by method; those of samples and origins begin with none."""
    target = Path(path_to_figures)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    table = tables.read(path_to_table, "resampling").to_pandas()
    table = table[(table["samples"] == samples) & (table["space"] == space)]
    title = f"{samples} ({space}), {table['rare'].iloc[0]} is rare"
    clouds = {}
    for method, path in paths_to_samples.items():
        train = read_samples(path).part("train")
        origin = tables.read(paths_to_origins[method], "resampled_origins")["origin"].to_numpy()
        clouds[method] = (train.flat(), train.labels, origin[: len(train)])
    rare = train.classes.index(table["rare"].iloc[0])
    resampled_figure(title, clouds, train.classes, rare).savefig(target / "resampled.png")
    scores_figure(title, table).savefig(target / "scores.png")
    histories = {name: tables.read(path, "resampling_history").to_pandas() for name, path in paths_to_histories.items()}
    history_figure(title, histories).savefig(target / "search.png")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    methods = snakemake.params.methods
    render_resampling(
        path_to_table=snakemake.input.table,
        paths_to_samples=dict(zip(["none", *methods], snakemake.input.samples, strict=True)),
        paths_to_origins=dict(zip(["none", *methods], snakemake.input.origins, strict=True)),
        paths_to_histories=dict(zip(methods, snakemake.input.histories, strict=True)),
        path_to_figures=snakemake.output.figures,
        samples=snakemake.wildcards.samples,
        space=snakemake.wildcards.space,
    )
