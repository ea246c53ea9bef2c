"""Optimise a picture of every facet, beginning as its mean image."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from PIL import Image

from filterscope import job, tables
from filterscope.activations.probing import ProbeSettings, reading
from filterscope.data import networks
from filterscope.pictures.facets import file_of
from filterscope.pictures.objectives import Goal, Target
from filterscope.pictures.outcomes import facet_rows, pixels
from filterscope.pictures.recipes import maximise, reached, recipe


def render_facets(paths, outputs, probe, name, settings, batch_size, seed):
    """paths: of facets, mean images and weights; outputs: table, CSV and folder of the pictures; name, settings: of the
    recipe; all facets are one batch, of which batch_size are optimised at a time."""
    (path_to_facets, path_to_means, path_to_weights), (*paths_to_table, path_to_pictures) = paths, outputs
    device, made, means = job.device(), recipe(settings), Path(path_to_means)
    facets = list(tables.read(path_to_facets, "facets").to_pandas().groupby(["unit", "facet"]))
    shown = np.stack([np.array(Image.open(means / file_of(*key))) for key, _ in facets])
    starts = torch.from_numpy(shown).permute(0, 3, 1, 2).float() / 255
    with reading(probe, networks.load(probe.network, path_to_weights), device) as reader:
        goal = Goal(reader, probe.inputs, [Target(unit) for (unit, _), _ in facets], device)
        seeds = [job.derived_seed(seed, "facet", name, *key) for key, _ in facets]
        with job.steps(made.total_steps * -(-len(facets) // batch_size), f"steps of {name}") as report:
            done = maximise(goal, made, seeds, starts, chunk=batch_size, report=report)
        begun = reached(goal, starts, batch_size)
    folder = job.empty_folder(path_to_pictures)
    rows = facet_rows(name, facets, done, begun, folder.name, means.name)
    for row, picture in zip(rows, pixels(done.optimised.pictures), strict=True):
        if row["note"]:
            job.LOGGER.warning("unit %d, facet %d: %s (%s)", row["unit"], row["facet"], row["status"], row["note"])
        if row["path"]:
            Image.fromarray(picture).save(folder.parent / row["path"])
    for path in paths_to_table:
        tables.write(pa.Table.from_pylist(rows), "facet_pictures", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    render_facets(
        paths=(snakemake.input.facets, snakemake.input.means, snakemake.input.weights),
        outputs=(snakemake.output.table, snakemake.output.csv, snakemake.output.pictures),
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        name=snakemake.params.name,
        settings=snakemake.params.recipe,
        batch_size=snakemake.params.batch_size,
        seed=snakemake.params.seed,
    )
