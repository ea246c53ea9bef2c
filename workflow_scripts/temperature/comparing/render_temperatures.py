"""Draw the temperature of every layer over the training, schedule by schedule."""

from filterscope import job, tables
from filterscope.temperature.figures import heatmaps


def render_temperatures(path_to_heat, path_to_figure, title):
    heat = tables.read(path_to_heat, "temperature_courses").to_pandas()
    heatmaps(heat, title).savefig(path_to_figure)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_temperatures(
        path_to_heat=snakemake.input.heat,
        path_to_figure=snakemake.output.figure,
        title=snakemake.params.title,
    )
