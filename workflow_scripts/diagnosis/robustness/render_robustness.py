"""Draw robustness and accuracy against capacity, and pictures before and after attacks."""

import shutil
from pathlib import Path

import numpy as np

from filterscope import job, tables
from filterscope.data.samples.labelled_samples import read_samples
from filterscope.diagnosis.labelled import pictures
from filterscope.diagnosis.robustness.figures import attacked_figure, robustness_figure


def render_robustness(
    path_to_table,
    path_to_networks,
    path_to_samples,
    paths_to_pictures,
    paths_to_attacks,
    paths_to_searches,
    path_to_figures,
    samples,
    families,
):
    """One figure per family of each kind; searches: by family, where there are any."""
    target = Path(path_to_figures)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    table, observed = (
        tables.read(path, name).to_pandas()
        for path, name in ((path_to_table, "robustness"), (path_to_networks, "robustness_networks"))
    )
    data = read_samples(path_to_samples)
    images = pictures(data)
    made = tables.read(paths_to_pictures, "attacked_pictures")
    values = tables.matrix(made["values"]).reshape(-1, *data.shape)
    keys = ["family", "share", "seed", "attack", "sample"]
    shown = made.select(keys).to_pandas().assign(row=np.arange(len(made)))
    facts = shown.merge(tables.read(paths_to_attacks, "attacks").to_pandas(), on=keys)
    for index, family in enumerate(families):
        own, each = (part[(part["samples"] == samples) & (part["family"] == family)] for part in (table, observed))
        steps = tables.read(paths_to_searches[index], "capacity_search").to_pandas() if paths_to_searches else None
        figure = robustness_figure(f"{family} on {samples}", own, each, steps)
        figure.savefig(target / f"robustness_{family}.png")
        rows = facts[facts["family"] == family]
        figure = attacked_figure(f"{family} on {samples}", rows, images, values, data.classes)
        figure.savefig(target / f"attacked_{family}.png")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_robustness(
        path_to_table=snakemake.input.table,
        path_to_networks=snakemake.input.networks,
        path_to_samples=snakemake.input.samples,
        paths_to_pictures=list(snakemake.input.pictures),
        paths_to_attacks=list(snakemake.input.attacks),
        paths_to_searches=list(snakemake.input.searches),
        path_to_figures=snakemake.output.figures,
        samples=snakemake.wildcards.samples,
        families=snakemake.params.families,
    )
