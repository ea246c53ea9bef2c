"""Find the senses of filters: groups among the images that excite each of them most."""

import numpy as np
import pandas as pd

from filterscope import job, tables
from filterscope.activations.again import maps_at_hand
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.mining import mined
from filterscope.activations.probing import ProbeSettings
from filterscope.pictures.senses.codes import Background, Strongest, codes_of
from filterscope.pictures.senses.counting import CountSettings
from filterscope.pictures.senses.findings import told
from filterscope.pictures.senses.tables import IMAGE_COLUMNS, chosen_filters, sense_rows


def find_senses(
    path_to_images,
    paths_to_image_activations,
    paths_to_maps,
    paths_to_code_maps,
    path_to_weights,
    path_to_senses,
    path_to_senses_csv,
    path_to_members,
    path_to_members_csv,
    folder,
    probe: ProbeSettings,
    codes: ProbeSettings | None,
    filters,
    activations: ExtractionSettings,
    sensing,
    settings: CountSettings,
    most,
    seed,
):
    """codes: the layer that tells images apart, None for the filters' own. filters: their numbers, or all. sensing:
    images of a filter, share of the images looked at and fewest, split. most: gigabytes of maps that were not kept."""
    device = job.device()
    every = mined(paths_to_image_activations, sensing["images"], sensing["share"], sensing["split"])
    ids, maxima = every.best()
    chosen = chosen_filters(filters, len(ids), probe.layer)
    strongest = Strongest(chosen, ids[chosen], maxima[chosen])
    images = tables.read(path_to_images, "images").to_pandas()
    images = images[images["image_id"].isin(strongest.image_ids.reshape(-1))]

    def at_hand(which, paths):
        return maps_at_hand(which, paths, images, folder, path_to_weights, activations, most, device)

    with at_hand(probe, paths_to_maps) as fired:
        if codes is None:
            rows, frames = _grouped(strongest, fired, fired, sensing["fewest"], settings, seed)
        else:
            with at_hand(codes, paths_to_code_maps) as maps:
                rows, frames = _grouped(strongest, fired, maps, sensing["fewest"], settings, seed)
    senses = pd.DataFrame(rows)
    members = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=IMAGE_COLUMNS)
    for path in (path_to_senses, path_to_senses_csv):
        tables.write(senses, "senses", path)
    for path in (path_to_members, path_to_members_csv):
        tables.write(members, "sense_images", path)
    job.LOGGER.info("%s", told(senses))


def _grouped(strongest, fired, maps, fewest, settings, seed):
    rows, frames, background = [], [], Background.of(maps, np.unique(strongest.image_ids).tolist())
    blocks = list(strongest.blocks(maps.filters))
    for places in job.progress(blocks, len(blocks), "blocks of filters"):
        some = strongest.of(places)
        codes = codes_of(some, fired, maps, background)
        seeds = [job.derived_seed(seed, "senses", int(number)) for number in some.filters]
        more = sense_rows(some, codes, seeds, fewest, settings)
        rows += more[0]
        frames += more[1]
    return rows, frames


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    codes = snakemake.params.codes
    find_senses(
        path_to_images=snakemake.input.images,
        paths_to_image_activations=list(snakemake.input.image_activations),
        paths_to_maps=list(snakemake.input.maps),
        paths_to_code_maps=list(snakemake.input.code_maps),
        path_to_weights=snakemake.input.weights,
        path_to_senses=snakemake.output.senses,
        path_to_senses_csv=snakemake.output.senses_csv,
        path_to_members=snakemake.output.members,
        path_to_members_csv=snakemake.output.members_csv,
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        codes=ProbeSettings.from_mapping(codes) if codes else None,
        filters=snakemake.params.filters,
        activations=ExtractionSettings(**snakemake.params.activations, workers=snakemake.threads),
        sensing=snakemake.params.sensing,
        settings=CountSettings(**snakemake.params.counting),
        most=snakemake.params.kept,
        seed=snakemake.params.seed,
    )
