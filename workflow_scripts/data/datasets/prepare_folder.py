"""Prepare a plain folder of pictures: its images, what was left out and what was unusual."""

from pathlib import Path

from filterscope import job, tables
from filterscope.data.datasets import folder


def prepare_folder(
    path_to_folder: str | Path,
    path_to_images: str | Path,
    path_to_rejected: str | Path,
    path_to_findings: str | Path,
    path_to_findings_csv: str | Path,
    max_bad_fraction: float,
    threads: int = 1,
) -> None:
    """Read the folder and write its tables; nothing is written if more is unusable than allowed."""
    images, rejected, findings = folder.read_folder(path_to_folder, max_bad_fraction, threads)
    tables.write(images, "images", path_to_images)
    tables.write(rejected, "rejected", path_to_rejected)
    for path in (path_to_findings, path_to_findings_csv):
        tables.write(findings, "findings", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    prepare_folder(
        path_to_folder=snakemake.input.folder,
        path_to_images=snakemake.output.images,
        path_to_rejected=snakemake.output.rejected,
        path_to_findings=snakemake.output.findings,
        path_to_findings_csv=snakemake.output.findings_csv,
        max_bad_fraction=snakemake.params.max_bad_fraction,
        threads=snakemake.threads,
    )
