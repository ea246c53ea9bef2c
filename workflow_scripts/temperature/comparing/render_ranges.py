"""Draw learning rate range analyses at several moments of a training, with the fitted model."""

from filterscope import job, tables
from filterscope.temperature.figures import range_panels


def render_ranges(path_to_points, path_to_fits, path_to_figure, title):
    points = tables.read(path_to_points, "range_points").to_pandas()
    fits = tables.read(path_to_fits, "range_fits").to_pandas()
    range_panels(points, fits, title).savefig(path_to_figure)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_ranges(
        path_to_points=snakemake.input.points,
        path_to_fits=snakemake.input.fits,
        path_to_figure=snakemake.output.figure,
        title=snakemake.params.title,
    )
