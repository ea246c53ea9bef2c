"""Embed a dataset's training images with a CLIP model, once for all probes."""

from filterscope import job, tables
from filterscope.data.rejection import Rejections
from filterscope.words.rivals import clips


def embed_images(
    path_to_images, path_to_weights, path_to_embeddings, folder, batch_size, workers, max_bad_fraction, split="train"
):
    """Pictures that cannot be read are left out, as far as max_bad_fraction allows."""
    device = job.device()
    clip = clips.load(path_to_weights, device)
    images = tables.read(path_to_images, "images").to_pandas()
    images = images[images["split"] == split]
    unreadable = Rejections(max_bad_fraction)
    reject = unreadable.image_by_image(len(images))
    with tables.Writer("image_embeddings", path_to_embeddings) as writer:
        batches = clips.embedded_pictures(clip, folder, images, batch_size, workers, device, reject)
        for ids, vectors in job.progress(batches, -(-len(images) // batch_size), "batches of images"):
            writer.add({"image_id": ids, "vector": tables.vectors(vectors)})
    unreadable.check(image=len(images))
    job.LOGGER.info("%d images embedded, %d left out", len(images) - len(unreadable), len(unreadable))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    embed_images(
        path_to_images=snakemake.input.images,
        path_to_weights=snakemake.input.weights,
        path_to_embeddings=snakemake.output.embeddings,
        folder=snakemake.input.pictures,
        batch_size=snakemake.params.batch_size,
        workers=snakemake.threads,
        max_bad_fraction=snakemake.params.max_bad_fraction,
    )
