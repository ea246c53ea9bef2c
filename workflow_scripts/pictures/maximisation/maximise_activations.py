"""Maximise the activations of a probe's filters: one picture for each."""

import pyarrow as pa

from filterscope import job, tables
from filterscope.activations.probing import ProbeSettings, reading
from filterscope.data.networks import building
from filterscope.pictures.choices import best_images, chosen_targets, first_images, strongest_of
from filterscope.pictures.photographs import Beside, Photographs
from filterscope.pictures.picture_tables import picture_rows, save_pictures
from filterscope.pictures.recipes.objectives import Goal
from filterscope.pictures.recipes.registry import maximise, recipe
from filterscope.pictures.recipes.stages import staged

COMPARED = 15  # images that excite a filter most, with which a recipe may compare its picture; as many as of a facet


def maximise_activations(
    path_to_weights,
    paths_to_image_activations,
    path_to_images,
    path_to_table,
    path_to_csv,
    path_to_pictures,
    photographs,
    probe: ProbeSettings,
    name,
    settings,
    filters,
    position,
    batch_size,
    seed,
    path_to_strongest=None,
):
    """path_to_pictures: their folder, beside the table; photographs: folder of the dataset's. name, settings: of the
    recipe; filters: numbers, "all" or "strongest", which are those in path_to_strongest; position: None, "centre" or
    (row, column)."""
    if filters == "strongest":
        filters = strongest_of(tables.read(path_to_strongest, "strongest_filters").to_pandas())
    device, made = job.device(), recipe(settings)
    seen = tables.read(paths_to_image_activations, "image_activations")
    image_ids, strengths = seen["image_id"].to_numpy(), tables.matrix(seen["mean" if position is None else "maximum"])
    best, images = best_images(image_ids, strengths), tables.read(path_to_images, "images").to_pandas()
    with (staged if made.compares else reading)(probe, building.load(probe.network, path_to_weights), device) as reader:
        targets = chosen_targets(filters, position, reader.filters)
        goal = Goal(reader, probe.inputs, targets, device)
        close = [first_images(image_ids, strengths[:, each.filter], COMPARED) for each in targets]
        goal.photographs = Beside(Photographs.of(photographs, images, probe.inputs), close)
        seeds = [job.derived_seed(seed, "picture", name, target.filter) for target in targets]
        with job.steps(made.total_steps * -(-len(targets) // batch_size), f"steps of {name}") as report:
            done = maximise(goal, made, seeds, chunk=batch_size, report=report)
    folder = job.empty_folder(path_to_pictures)
    rows = picture_rows(name, targets, done, best, folder.name)
    for row in rows:
        if row["note"]:
            job.LOGGER.warning("filter %d of %s: %s (%s)", row["filter"], probe.layer, row["status"], row["note"])
    save_pictures(rows, done.optimised.pictures, folder.parent)
    for path in (path_to_table, path_to_csv):
        tables.write(pa.Table.from_pylist(rows), "pictures", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    maximise_activations(
        path_to_weights=snakemake.input.weights,
        paths_to_image_activations=list(snakemake.input.image_activations),
        path_to_images=snakemake.input.images,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        path_to_pictures=snakemake.output.pictures,
        photographs=snakemake.input.photographs,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        name=snakemake.wildcards.recipe,
        settings=snakemake.params.recipe,
        **snakemake.params.entry,
        batch_size=snakemake.params.batch_size,
        seed=snakemake.params.seed,
        path_to_strongest=snakemake.input.get("strongest") or None,
    )
