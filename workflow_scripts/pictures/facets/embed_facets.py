"""Embed the images of classes by their codes and group them into facets."""

import pandas as pd
import torch

from filterscope import job, tables
from filterscope.activations.probing import ProbeSettings, open_pictures, reading
from filterscope.activations.streaming import stream
from filterscope.data.networks import building
from filterscope.data.rejection import stop
from filterscope.pictures.choices import chosen_targets
from filterscope.pictures.facets.classes import class_of_images, images_of_class
from filterscope.pictures.facets.clustering import FacetSettings, check_count
from filterscope.pictures.facets.codes import coding
from filterscope.pictures.facets.tables import class_facets
from filterscope.pictures.photographs import warn_of_small
from filterscope.pictures.recipes.objectives import Goal

SILENT = (
    "class %r: unit %d is above 0 in none of its %d images (mean of the map): its facets are groups of images that do "
    "not excite it"
)


def embed_facets(
    path_to_images,
    path_to_annotations,
    path_to_weights,
    path_to_facets,
    path_to_facets_csv,
    path_to_summary,
    path_to_summary_csv,
    folder,
    probe: ProbeSettings,
    entry,
    classes_by,
    settings: FacetSettings,
    batch_size,
    seed,
):
    """path_to_annotations: None for a plain folder. entry: classes with their units, layer of the codes (None: the
    penultimate vector), facets, nearest."""
    classes, device = entry["classes"], job.device()
    images = tables.read(path_to_images, "images").to_pandas()
    annotations = tables.read(path_to_annotations, "annotations").to_pandas() if path_to_annotations else None
    known = class_of_images(images, annotations, classes_by)
    chosen, made = {name: images_of_class(images, known, name) for name in classes}, []
    warn_of_small(pd.concat(chosen.values()), probe.inputs)
    network = building.load(probe.network, path_to_weights)
    with reading(probe, network, device) as reader, coding(network, reader, probe.inputs, device, entry["codes"]) as at:
        Goal(reader, probe.inputs, chosen_targets(list(classes.values()), None, reader.filters), device)  # units exist
        for name, unit in job.progress(list(classes.items()), len(classes), "classes"):
            check_count(len(chosen[name]), entry["facets"], f"class {name!r}")
            pictures = open_pictures(folder, chosen[name], None, probe.inputs)
            seen = [at(batch.pictures(device)) for batch in stream(pictures, batch_size, 0, stop)]
            codes, means = (torch.cat([each[part].cpu() for each in seen]) for part in (0, 1))
            seeds = [job.derived_seed(seed, "facets", name, part) for part in range(1 + settings.repetitions)]
            if not (means[:, unit] > 0).any():
                job.LOGGER.warning(SILENT, name, unit, len(means))
            given = chosen[name]["image_id"].to_numpy(), codes.numpy(), means[:, unit].double().numpy()
            made.append(class_facets(name, unit, *given, entry["facets"], entry["nearest"], seeds, settings))
    members, summary = (pd.concat(parts, ignore_index=True) for parts in zip(*made, strict=True))
    for row in summary[summary["small"]].itertuples():
        job.LOGGER.warning("unit %d, facet %d: all its few images, %d, are averaged", row.unit, row.facet, row.members)
    for path in (path_to_facets, path_to_facets_csv):
        tables.write(members, "facets", path)
    for path in (path_to_summary, path_to_summary_csv):
        tables.write(summary, "facet_summary", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    embed_facets(
        path_to_images=snakemake.input.images,
        path_to_annotations=snakemake.input.get("annotations") or None,
        path_to_weights=snakemake.input.weights,
        path_to_facets=snakemake.output.facets,
        path_to_facets_csv=snakemake.output.facets_csv,
        path_to_summary=snakemake.output.summary,
        path_to_summary_csv=snakemake.output.summary_csv,
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        entry=snakemake.params.entry,
        classes_by=snakemake.params.classes_by,
        settings=FacetSettings(**snakemake.params.facetting),
        batch_size=snakemake.params.batch_size,
        seed=snakemake.params.seed,
    )
