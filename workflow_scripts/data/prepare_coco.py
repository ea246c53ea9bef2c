"""Prepare a COCO folder: the tables of its images, annotations and categories, and of what was left out."""

from pathlib import Path

from filterscope import job, tables
from filterscope.data import coco


def prepare_coco(
    path_to_folder: str | Path,
    path_to_images: str | Path,
    path_to_annotations: str | Path,
    path_to_categories: str | Path,
    path_to_rejected: str | Path,
    max_bad_fraction: float,
    threads: int = 1,
) -> None:
    """Read the folder and write its tables; nothing is written if it holds more mistakes than allowed."""
    found = coco.read_coco(path_to_folder, max_bad_fraction, threads)
    tables.write(found.images, "images", path_to_images)
    tables.write(found.annotations, "annotations", path_to_annotations)
    tables.write(found.categories, "categories", path_to_categories)
    tables.write(found.rejected, "rejected", path_to_rejected)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    prepare_coco(
        path_to_folder=snakemake.input.folder,
        path_to_images=snakemake.output.images,
        path_to_annotations=snakemake.output.annotations,
        path_to_categories=snakemake.output.categories,
        path_to_rejected=snakemake.output.rejected,
        max_bad_fraction=snakemake.params.max_bad_fraction,
        threads=snakemake.threads,
    )
