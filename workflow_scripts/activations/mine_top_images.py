"""Mine the images that excite each filter most."""

import numpy as np

from filterscope import job, tables
from filterscope.activations.mining import TopImages
from filterscope.activations.remarks import mining_remarks


def mine_top_images(paths_to_image_activations, path_to_top_images, top_images, top_share, split):
    """split: val, train or all images are mined; top_share: of these, that top images may be at most."""
    top = TopImages(top_images, top_share)
    for path in job.progress(paths_to_image_activations, len(paths_to_image_activations), "shards"):
        for batch in tables.batches(path, "image_activations", columns=["image_id", "split", "maximum", "mean"]):
            mined = np.ones(len(batch), bool) if split == "all" else batch["split"].to_numpy(False) == split
            maxima, means = (tables.matrix(batch[name])[mined] for name in ("maximum", "mean"))
            top.add(batch["image_id"].to_numpy()[mined], maxima, means)
    table = tables.write(top.table(), "top_images", path_to_top_images)
    for remark in mining_remarks(table.to_pandas()):
        job.LOGGER.info("%s", remark)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    mine_top_images(
        paths_to_image_activations=list(snakemake.input.images),
        path_to_top_images=snakemake.output.top_images,
        top_images=snakemake.params.top_images,
        top_share=snakemake.params.top_share,
        split=snakemake.params.split,
    )
