"""Mine the images that excite each filter most."""

import numpy as np

from filterscope import job, tables
from filterscope.activations.mining import TopImages


def mine_top_images(paths_to_image_activations, path_to_top_images, top_images, split):
    """split: val, train or all images are mined."""
    top = TopImages(top_images)
    for path in job.progress(paths_to_image_activations, len(paths_to_image_activations), "shards"):
        for batch in tables.batches(path, "image_activations", columns=["image_id", "split", "maximum"]):
            mined = np.ones(len(batch), bool) if split == "all" else batch["split"].to_numpy(False) == split
            top.add(batch["image_id"].to_numpy()[mined], tables.matrix(batch["maximum"])[mined])
    tables.write(top.table(), "top_images", path_to_top_images)
    job.LOGGER.info("%d top images for each of %d filters, among %d images", top.p, len(top.maxima), top.seen)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    mine_top_images(
        paths_to_image_activations=list(snakemake.input.images),
        path_to_top_images=snakemake.output.top_images,
        top_images=snakemake.params.top_images,
        split=snakemake.params.split,
    )
