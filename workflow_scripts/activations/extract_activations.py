"""Extract one shard: the network looks at each image once, under all masks of the image."""

import pandas as pd

from filterscope import job, tables
from filterscope.activations.extraction import ExtractionSettings, extract
from filterscope.activations.probing import ProbeSettings, look, open_pictures, reading
from filterscope.activations.streaming import shard
from filterscope.activations.tails import Tail, deciding
from filterscope.data.networks import building
from filterscope.data.rejection import Rejections
from filterscope.faithful import Faithful


def extract_activations(
    path_to_images,
    path_to_annotations,
    path_to_weights,
    path_to_pooled,
    path_to_image_activations,
    path_to_tails,
    path_to_rejected,
    folder,
    probe: ProbeSettings,
    settings: ExtractionSettings,
    scatteritem,
    max_bad_fraction,
    random_crops=None,
):
    """path_to_annotations is None for pictures without annotations; random_crops is a seed or None."""
    device = job.device()
    all_images = tables.read(path_to_images, "images").to_pandas()
    images = shard(all_images, scatteritem)
    annotations = tables.read(path_to_annotations, "annotations") if path_to_annotations else None
    unreadable = Rejections(max_bad_fraction)
    vanished = Rejections(1.0)  # masks that cover nothing at map resolution are counted, never too many
    with (
        reading(probe, building.load(probe.network, path_to_weights), device) as reader,
        tables.Writer("pooled_activations", path_to_pooled) as pooled,
        tables.Writer("image_activations", path_to_image_activations) as whole,
    ):
        grids = settings.grids((reader.height, reader.width))
        pictures = open_pictures(folder, images, annotations, probe.inputs, grids, random_crops)
        ordered = pictures.annotations.table
        splits = all_images.set_index("image_id")["split"]
        chosen = pd.Series(deciding(splits), splits.index)
        read = 0
        tail = Tail(reader.filters, settings.quantile, int(chosen.sum()) * reader.height * reader.width, device)
        batches = look(pictures, settings, unreadable.image_by_image(len(images)))
        for seen in extract(batches, reader, probe.inputs, settings, device):
            tail.add(seen.maps, chosen.loc[seen.image_ids].to_numpy())
            read += len(seen.image_ids)
            whole.add(seen.image_rows(splits))
            if ordered is not None:
                pooled.add(seen.object_rows(ordered, splits))
                for number in seen.vanished(ordered, settings):
                    vanished.add("mask", number, f"covers nothing at {reader.height} x {reader.width} cells")
        if ordered is None:
            pooled.add(tables.empty("pooled_activations", vector=1))
    kept = tail.table()
    tables.write(kept | {"values": tables.vectors(kept["values"])}, "tails", path_to_tails)
    unreadable.check(image=len(images))
    tables.write(unreadable.with_others(vanished), "rejected", path_to_rejected)
    job.LOGGER.info("%d images read, %d not; %d masks left out", read, len(unreadable), len(vanished))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    faithful = Faithful(**snakemake.params.faithful)
    extract_activations(
        path_to_images=snakemake.input.images,
        path_to_annotations=snakemake.input.get("annotations") or None,
        path_to_weights=snakemake.input.weights,
        path_to_pooled=snakemake.output.pooled,
        path_to_image_activations=snakemake.output.images,
        path_to_tails=snakemake.output.tails,
        path_to_rejected=snakemake.output.rejected,
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        settings=ExtractionSettings(**snakemake.params.activations, workers=snakemake.threads).faithful(faithful),
        scatteritem=snakemake.wildcards.scatteritem,
        max_bad_fraction=snakemake.params.max_bad_fraction,
        random_crops=snakemake.params.seed if faithful.random_crops else None,
    )
