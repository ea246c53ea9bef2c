"""Prepare a plain folder of pictures: the table of its images, and of what was left out."""

from pathlib import Path

from filterscope import job, tables
from filterscope.data import folder


def prepare_folder(
    path_to_folder: str | Path,
    path_to_images: str | Path,
    path_to_rejected: str | Path,
    max_bad_fraction: float,
    threads: int = 1,
) -> None:
    """Read the folder and write its tables; nothing is written if more is unusable than allowed."""
    images, rejected = folder.read_folder(path_to_folder, max_bad_fraction, threads)
    tables.write(images, "images", path_to_images)
    tables.write(rejected, "rejected", path_to_rejected)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    prepare_folder(
        path_to_folder=snakemake.input.folder,
        path_to_images=snakemake.output.images,
        path_to_rejected=snakemake.output.rejected,
        max_bad_fraction=snakemake.params.max_bad_fraction,
        threads=snakemake.threads,
    )
