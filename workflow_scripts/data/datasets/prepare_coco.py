"""Prepare a COCO folder: its images, annotations and categories, what was left out and what was unusual."""

from pathlib import Path

from filterscope import job, tables
from filterscope.data.datasets import coco


def prepare_coco(
    path_to_folder: str | Path,
    path_to_images: str | Path,
    path_to_annotations: str | Path,
    path_to_categories: str | Path,
    path_to_rejected: str | Path,
    path_to_findings: str | Path,
    path_to_findings_csv: str | Path,
    max_bad_fraction: float,
    threads: int = 1,
    whole_names: bool = False,
    exif: str = "auto",
) -> None:
    """Read the folder and write its tables; nothing is written if it holds more mistakes than allowed."""
    found = coco.read_coco(path_to_folder, max_bad_fraction, threads, whole_names, exif)
    tables.write(found.images, "images", path_to_images)
    tables.write(found.annotations, "annotations", path_to_annotations)
    tables.write(found.categories, "categories", path_to_categories)
    tables.write(found.rejected, "rejected", path_to_rejected)
    for path in (path_to_findings, path_to_findings_csv):
        tables.write(found.findings, "findings", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    prepare_coco(
        path_to_folder=snakemake.input.folder,
        path_to_images=snakemake.output.images,
        path_to_annotations=snakemake.output.annotations,
        path_to_categories=snakemake.output.categories,
        path_to_rejected=snakemake.output.rejected,
        path_to_findings=snakemake.output.findings,
        path_to_findings_csv=snakemake.output.findings_csv,
        max_bad_fraction=snakemake.params.max_bad_fraction,
        threads=snakemake.threads,
        **snakemake.params.reading,
    )
