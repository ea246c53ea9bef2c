"""Extract one shard: the network looks at each image once, in all layers that are asked for, under all masks."""

from filterscope import job, tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.maps import kept_images
from filterscope.activations.probing import ProbeSettings, look, open_pictures, together
from filterscope.activations.shards import LayerShard, ShardPaths, read_shard
from filterscope.activations.streaming import shard
from filterscope.data.networks import building
from filterscope.data.rejection import Rejections
from filterscope.faithful import Faithful


def extract_activations(
    path_to_images,
    path_to_annotations,
    path_to_weights,
    outputs: list[ShardPaths],
    folder,
    probes: list[ProbeSettings],
    settings: ExtractionSettings,
    scatteritem,
    max_bad_fraction,
    split="val",
    most=0.0,
    random_crops=None,
    seed=None,
):
    """outputs: of each probe; all probes are of one network. path_to_annotations is None for pictures without
    annotations. split, most: which maps are kept, see `kept_images`. random_crops is a seed or None. path_to_weights is
    None for the network as it is before any training, by the seed."""
    device, inputs = job.device(), probes[0].inputs
    all_images = tables.read(path_to_images, "images").to_pandas()
    images = shard(all_images, scatteritem, settings.batch_size)
    annotations = tables.read(path_to_annotations, "annotations") if path_to_annotations else None
    unreadable = Rejections(max_bad_fraction)

    def finish() -> Rejections:
        unreadable.check(image=len(images))
        return unreadable

    settled = probes[0].network
    network = building.load(settled, path_to_weights) if path_to_weights else building.initialise(settled, seed)
    with together(probes, network, device) as readers:
        grids = settings.grids(*((each.height, each.width) for each in readers.readers))
        pictures = open_pictures(folder, images, annotations, inputs, grids, random_crops)
        splits = all_images.set_index("image_id")["split"]
        layers = []
        for each, paths in zip(readers.readers, outputs, strict=True):
            kept = kept_images(all_images, split, each.filters * each.height * each.width, most)
            layers.append(LayerShard(each, paths, settings, splits, pictures.annotations.table, device, kept))
        batches = look(pictures, settings, unreadable.image_by_image(len(images)))
        read_shard(batches, readers, layers, inputs, device, finish)
    job.LOGGER.info("%d images read, %d not", len(images) - len(unreadable), len(unreadable))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    faithful = Faithful(**snakemake.params.faithful)
    kinds = ("pooled", "images", "tails", "rejected", "maps")
    extract_activations(
        path_to_images=snakemake.input.images,
        path_to_annotations=snakemake.input.get("annotations") or None,
        path_to_weights=snakemake.input.get("weights") or None,
        outputs=[ShardPaths(*own) for own in zip(*(snakemake.output[kind] for kind in kinds), strict=True)],
        folder=snakemake.input.pictures,
        probes=[ProbeSettings.from_mapping(probe) for probe in snakemake.params.probes],
        settings=ExtractionSettings(**snakemake.params.activations, workers=snakemake.threads).faithful(faithful),
        scatteritem=snakemake.wildcards.scatteritem,
        max_bad_fraction=snakemake.params.max_bad_fraction,
        split=snakemake.params.split,
        most=snakemake.params.kept,
        random_crops=snakemake.params.seed if faithful.random_crops else None,
        seed=snakemake.params.seed,
    )
