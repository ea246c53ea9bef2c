"""Find the senses of filters: groups among the images that excite each of them most."""

from filterscope import job, tables
from filterscope.activations.again import pair_at_hand
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.mining import mined
from filterscope.activations.probing import ProbeSettings
from filterscope.pictures.senses.codes import Strongest
from filterscope.pictures.senses.counting import CountSettings
from filterscope.pictures.senses.findings import told
from filterscope.pictures.senses.tables import chosen_filters, sense_tables


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
    look = images, folder, path_to_weights, activations, most, device
    with pair_at_hand(probe, codes, paths_to_maps, paths_to_code_maps, *look) as (fired, maps):
        senses, members = sense_tables(strongest, fired, maps, sensing["fewest"], settings, seed)
    for path in (path_to_senses, path_to_senses_csv):
        tables.write(senses, "senses", path)
    for path in (path_to_members, path_to_members_csv):
        tables.write(members, "sense_images", path)
    job.LOGGER.info("%s", told(senses))


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
