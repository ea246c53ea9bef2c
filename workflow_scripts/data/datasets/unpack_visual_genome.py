"""Unpack Visual Genome's archives side by side into one folder."""

from collections.abc import Sequence
from pathlib import Path

from filterscope import job
from filterscope.data.web import archives


def unpack_visual_genome(paths_to_archives: Sequence[str | Path], path_to_folder: str | Path) -> None:
    """Unpack the objects and both parts of the pictures; the folder appears when all of them are whole."""
    archives.extract_zips(paths_to_archives, path_to_folder)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    unpack_visual_genome(
        paths_to_archives=[snakemake.input.objects, snakemake.input.images, snakemake.input.images2],
        path_to_folder=snakemake.output.folder,
    )
