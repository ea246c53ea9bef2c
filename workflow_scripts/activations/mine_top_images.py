"""Mine the images that excite each filter most."""

from filterscope import job, tables
from filterscope.activations.mining import mined
from filterscope.activations.remarks import mining_remarks


def mine_top_images(paths_to_image_activations, path_to_top_images, top_images, top_share, split):
    """split: val, train or all images are mined; top_share: of these, that top images may be at most."""
    shards = job.progress(paths_to_image_activations, len(paths_to_image_activations), "shards")
    top = mined(shards, top_images, top_share, split)
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
