"""Train the embedded study's CLIP model on the captions of its scenes."""

from functools import partial
from pathlib import Path

from filterscope import job, tables
from filterscope.data.images import read_image
from filterscope.data.networks.weights import write_packed
from filterscope.words.rivals import scenes_clip

THREADS = 2  # whatever it is granted; with another number the weights would differ in their last bits


def train_scenes_clip(
    path_to_images,
    path_to_annotations,
    path_to_pictures,
    path_to_weights,
    path_to_history,
    path_to_retrieval,
    settings: scenes_clip.ScenesClipSettings,
    seed,
):
    """Trained on the training images; the others only tell whether it finds the right words for them."""
    images = tables.read(path_to_images, "images").to_pandas()
    columns = ["image_id", "tokens", "x", "y", "w", "h"]
    annotations = tables.read(path_to_annotations, "annotations").select(columns).to_pandas()
    of_image = dict(iter(annotations.groupby("image_id")))

    def pairs(split):
        own = images[images["split"] == split]
        pictures = [read_image(Path(path_to_pictures, path)) for path in own["path"]]
        return scenes_clip.pairs(
            pictures, [of_image.get(each, annotations[:0]) for each in own["image_id"]], settings.size
        )

    model, history = scenes_clip.train_scenes_clip(
        pairs("train"),
        settings,
        seed=job.derived_seed(seed, "train_scenes_clip"),
        device=job.device(),
        progress=partial(job.progress, title="epochs"),
    )
    found = scenes_clip.retrieval(model, pairs("val"))
    with tables.replacing(path_to_weights) as temporary:
        write_packed(model.packed(), temporary)
    tables.write(history, "clip_history", path_to_history)
    tables.write(found, "clip_retrieval", path_to_retrieval)
    for row in found.itertuples():
        job.LOGGER.info(
            "right %ss of held-out scenes: %.1f %%, by chance %.1f %%", row.kind, 100 * row.right, 100 * row.chance
        )


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads, wanted=THREADS)
    train_scenes_clip(
        path_to_images=snakemake.input.images,
        path_to_annotations=snakemake.input.annotations,
        path_to_pictures=snakemake.input.pictures,
        path_to_weights=snakemake.output.weights,
        path_to_history=snakemake.output.history,
        path_to_retrieval=snakemake.output.retrieval,
        settings=scenes_clip.ScenesClipSettings.from_mapping(snakemake.params.clip),
        seed=snakemake.params.seed,
    )
