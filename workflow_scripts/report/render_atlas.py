"""Render the atlas: one folder in which a browser shows what the study found."""

from pathlib import Path

from filterscope import job
from filterscope.report.atlas.assembling import make_atlas


def render_atlas(path_to_places, path_to_atlas, threads):
    """path_to_places: in the folder report/ of the results, which may be copies below a prefix; the config's own
    folders are relative to where the workflow runs."""
    results = Path(path_to_places).parents[1]
    make_atlas(results, path_to_atlas, threads=threads, say=job.LOGGER.info, home=Path())
    job.LOGGER.info("open %s/index.html in a browser", path_to_atlas)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_atlas(
        path_to_places=snakemake.input.places,
        path_to_atlas=snakemake.output.atlas,
        threads=snakemake.threads,
    )
