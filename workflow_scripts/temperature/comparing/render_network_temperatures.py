"""Draw the temperature of every layer of a network of the study that was trained with a schedule of this room."""

from filterscope import job, tables
from filterscope.temperature.courses import heat_table
from filterscope.temperature.figures import heatmaps


def render_network_temperatures(path_to_temperatures, path_to_figure, path_to_heat, name, schedule):
    """path_to_heat: what the figure is drawn from, as CSV."""
    heat = heat_table(tables.read(path_to_temperatures, "temperatures").to_pandas(), schedule)
    tables.write(heat, "temperature_courses", path_to_heat)
    heatmaps(heat, name).savefig(path_to_figure)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_network_temperatures(
        path_to_temperatures=snakemake.input.temperatures,
        path_to_figure=snakemake.output.figure,
        path_to_heat=snakemake.output.heat,
        name=snakemake.wildcards.network,
        schedule=snakemake.params.schedule,
    )
