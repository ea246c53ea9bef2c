"""Optimise a picture of every facet, beginning as its mean image."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from PIL import Image

from filterscope import job, tables
from filterscope.activations.probing import ProbeSettings, reading
from filterscope.data.networks import building
from filterscope.pictures.files import MEAN, NOISE, file_of
from filterscope.pictures.photographs import Beside, Photographs
from filterscope.pictures.picture_tables import facet_rows, save_pictures
from filterscope.pictures.recipes.objectives import Goal, Target
from filterscope.pictures.recipes.registry import maximise, reached, recipe
from filterscope.pictures.recipes.stages import staged

SAID = ("unit", "facet", "status", "note")


def render_facets(
    path_to_facets,
    path_to_means,
    path_to_images,
    path_to_weights,
    path_to_table,
    path_to_csv,
    path_to_pictures,
    photographs,
    probe: ProbeSettings,
    name,
    from_noise,
    recipes,
    nearest,
    batch_size,
    seed,
):
    """path_to_means, path_to_pictures: folders, the latter beside the table; photographs: folder of the dataset's.
    name: of the recipe; from_noise: of those that begin as noise, to compare with; recipes: settings by name; nearest:
    images of a facet that a recipe compares its picture with; batch_size: pictures at a time."""
    means, folder, rows = Path(path_to_means), job.empty_folder(path_to_pictures), []
    facets = list(tables.read(path_to_facets, "facets").to_pandas().groupby(["unit", "facet"]))
    starts = [np.array(Image.open(means / file_of(*key))) for key, _ in facets]
    starts = torch.from_numpy(np.stack(starts)).permute(0, 3, 1, 2).float() / 255
    images = tables.read(path_to_images, "images").to_pandas()
    close = [rows.sort_values("rank")["image_id"].head(nearest).tolist() for _, rows in facets]
    beside = Beside(Photographs.of(photographs, images, probe.inputs), close)
    read = staged if any(recipe(recipes[each]).compares for each in (name, *from_noise)) else reading
    with read(probe, building.load(probe.network, path_to_weights), job.device()) as reader:
        goal = Goal(reader, probe.inputs, [Target(unit) for (unit, _), _ in facets], job.device(), beside)
        begun = reached(goal, starts, batch_size)
        for start, each in [(MEAN, name), *((NOISE, other) for other in from_noise)]:
            made, chance = recipe(recipes[each]), "facet" if start == MEAN else start
            seeds = [job.derived_seed(seed, chance, each, *key) for key, _ in facets]
            with job.steps(made.total_steps * -(-len(facets) // batch_size), f"steps of {each}") as report:
                done = maximise(goal, made, seeds, starts if start == MEAN else None, batch_size, report)
            rows += (found := facet_rows(each, start, facets, done, begun, folder.name, means.name))
            for row in found:
                if row["note"]:
                    job.LOGGER.warning("%s from %s, unit %d, facet %d: %s (%s)", each, start, *map(row.get, SAID))
            save_pictures(found, done.optimised.pictures, folder.parent)
    for path in (path_to_table, path_to_csv):
        tables.write(pa.Table.from_pylist(rows), "facet_pictures", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    render_facets(
        path_to_facets=snakemake.input.facets,
        path_to_means=snakemake.input.means,
        path_to_images=snakemake.input.images,
        path_to_weights=snakemake.input.weights,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        path_to_pictures=snakemake.output.pictures,
        photographs=snakemake.input.photographs,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        name=snakemake.params.name,
        from_noise=snakemake.params.from_noise,
        recipes=snakemake.params.recipes,
        nearest=snakemake.params.nearest,
        batch_size=snakemake.params.batch_size,
        seed=snakemake.params.seed,
    )
