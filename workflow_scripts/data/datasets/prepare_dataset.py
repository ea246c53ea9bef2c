"""Prepare a folder of pictures: its tables, what was left out and what was unusual."""

from pathlib import Path

from filterscope import job, tables
from filterscope.data.datasets import sources


def prepare_dataset(
    source: str,
    path_to_folder: str | Path,
    path_to_images: str | Path,
    path_to_rejected: str | Path,
    path_to_findings: str | Path,
    path_to_findings_csv: str | Path,
    max_bad_fraction: float,
    threads: int = 1,
    path_to_annotations: str | Path | None = None,
    path_to_categories: str | Path | None = None,
    **settings,
) -> None:
    """Read the folder as its source is read, and write its tables; nothing is written if too much is unusable.

    path_to_annotations, path_to_categories: None for a source without masks. settings: what the reader takes besides.
    """
    found = sources.read(source, path_to_folder, max_bad_fraction, threads, **settings)
    tables.write(found.images, "images", path_to_images)
    if path_to_annotations is not None:
        tables.write(found.annotations, "annotations", path_to_annotations)
        tables.write(found.categories, "categories", path_to_categories)
    tables.write(found.rejected, "rejected", path_to_rejected)
    for path in (path_to_findings, path_to_findings_csv):
        tables.write(found.findings, "findings", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    prepare_dataset(
        source=snakemake.params.source,
        path_to_folder=snakemake.input.folder,
        path_to_images=snakemake.output.images,
        path_to_rejected=snakemake.output.rejected,
        path_to_findings=snakemake.output.findings,
        path_to_findings_csv=snakemake.output.findings_csv,
        max_bad_fraction=snakemake.params.max_bad_fraction,
        threads=snakemake.threads,
        path_to_annotations=snakemake.output.get("annotations"),
        path_to_categories=snakemake.output.get("categories"),
        **snakemake.params.reading,
    )
