"""Embed the images of classes by their codes and group them into facets."""

import numpy as np
import pandas as pd
import torch

from filterscope import job, tables
from filterscope.activations.probing import ProbeSettings, open_pictures, reading
from filterscope.activations.streaming import stream
from filterscope.data import networks
from filterscope.data.rejection import stop
from filterscope.pictures import facets
from filterscope.pictures.choices import chosen_targets
from filterscope.pictures.classes import class_of_images, images_of_class
from filterscope.pictures.codes import coding
from filterscope.pictures.facets import FacetError, FacetSettings
from filterscope.pictures.objectives import Goal


def embed_facets(
    path_to_images,
    path_to_annotations,
    path_to_weights,
    paths_to_facets,
    paths_to_summary,
    folder,
    probe: ProbeSettings,
    classes,
    classes_by,
    codes,
    number,
    nearest,
    settings: FacetSettings,
    batch_size,
    seed,
):
    """classes: unit of each; codes: a layer, or None for the penultimate vector; number: of facets per class;
    nearest: images that are averaged; the paths of a table are those of its Parquet and CSV files."""
    device = job.device()
    images = tables.read(path_to_images, "images").to_pandas()
    annotations = tables.read(path_to_annotations, "annotations").to_pandas() if path_to_annotations else None
    known = class_of_images(images, annotations, classes_by)
    chosen = {name: images_of_class(images, known, name) for name in classes}
    members, summaries = [], []
    network = networks.load(probe.network, path_to_weights)
    with reading(probe, network, device) as reader, coding(network, reader, probe.inputs, device, codes) as coder:
        Goal(reader, probe.inputs, chosen_targets(list(classes.values()), None, reader.filters), device)  # units exist
        for name, unit in job.progress(list(classes.items()), len(classes), "classes"):
            own, place = chosen[name], f"class {name!r}"
            facets.check_count(len(own), number, place)
            pictures = open_pictures(folder, own, None, probe.inputs, apply_exif=annotations is None)
            seen = [coder(batch.pictures(device)) for batch in stream(pictures, batch_size, 0, stop)]
            vectors = torch.cat([each.cpu() for each, _ in seen]).numpy()
            strength = torch.cat([each[:, unit].cpu() for _, each in seen]).double().numpy()
            _require_finite(vectors, strength, own["image_id"].to_numpy(), place)
            seeds = [job.derived_seed(seed, "facets", name, part) for part in range(1 + settings.repetitions)]
            found = facets.find_facets(vectors, number, seeds[0], settings, place)
            stability = facets.stability(vectors, found, seeds[1:], settings)
            members.append(_members(name, unit, own, found, strength))
            summaries.append(_summary(name, unit, found, stability, nearest, seeds[0], settings))
    for table, schema, paths in (
        (pd.concat(members), "facets", paths_to_facets),
        (pd.concat(summaries), "facet_summary", paths_to_summary),
    ):
        for path in paths:
            tables.write(table.reset_index(drop=True), schema, path)


def _require_finite(vectors, strength, image_ids, place) -> None:
    finite = np.isfinite(vectors).all(1) & np.isfinite(strength)
    if not finite.all():
        raise FacetError(f"{place}: NaN or infinite codes or activations at image {image_ids[np.argmin(finite)]}")


def _members(name, unit, own, found, strength) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "unit": unit,
            "class": name,
            "image_id": own["image_id"].to_numpy(),
            "facet": found.facets,
            "rank": found.ranks,
            "x": found.places[:, 0],
            "y": found.places[:, 1],
            "distance": found.distances,
            "activation": strength,
        }
    )


def _summary(name, unit, found, stability, nearest, seed, settings) -> pd.DataFrame:
    sizes = found.sizes
    for facet in np.flatnonzero(sizes < nearest):
        job.LOGGER.warning(
            "class %r: facet %d has %d images, fewer than the %d nearest that are averaged: all of them are",
            *(name, facet, sizes[facet], nearest),
        )
    return pd.DataFrame(
        {
            "unit": unit,
            "class": name,
            "facet": np.arange(len(sizes)),
            "members": sizes,
            "averaged": np.minimum(sizes, nearest),
            "small": sizes < nearest,
            "recovered": stability.recovered,
            "seed_stability": stability.seeds,
            "bootstrap_stability": stability.bootstraps,
            "silhouette": facets.silhouette(found.places, found.facets),
            "suggested_facets": facets.suggested_facets(found.places, seed, settings),
        }
    )


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    embed_facets(
        path_to_images=snakemake.input.images,
        path_to_annotations=snakemake.input.get("annotations") or None,
        path_to_weights=snakemake.input.weights,
        paths_to_facets=(snakemake.output.facets, snakemake.output.facets_csv),
        paths_to_summary=(snakemake.output.summary, snakemake.output.summary_csv),
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        classes=snakemake.params.entry["classes"],
        classes_by=snakemake.params.classes_by,
        codes=snakemake.params.entry["codes"],
        number=snakemake.params.entry["facets"],
        nearest=snakemake.params.entry["nearest"],
        settings=FacetSettings(**snakemake.params.facetting),
        batch_size=snakemake.params.batch_size,
        seed=snakemake.params.seed,
    )
