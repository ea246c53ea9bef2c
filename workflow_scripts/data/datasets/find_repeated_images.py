"""Find images that a dataset has more than once, by the digests that its table holds."""

from pathlib import Path

from filterscope import job, tables
from filterscope.data.samples import repeats


def find_repeated_images(path_to_images: str | Path, path_to_table: str | Path, path_to_csv: str | Path) -> None:
    """Write the groups of images whose files are the same, and log how many are on both sides of the split."""
    images = tables.read(path_to_images, "images").to_pandas()
    repeats.write(repeats.of_images(images), (path_to_table, path_to_csv), len(images), "images")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    find_repeated_images(
        path_to_images=snakemake.input.images,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
    )
