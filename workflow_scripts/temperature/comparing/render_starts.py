"""Draw trainings that differ in nothing but the learning rate that they begin with."""

from filterscope import job, tables
from filterscope.temperature.figures import start_panels


def render_starts(path_to_courses, path_to_figure, schedules, title):
    """schedules: those to draw."""
    table = tables.read(path_to_courses, "courses").to_pandas()
    start_panels(table[table["schedule"].isin(schedules)], title).savefig(path_to_figure)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_starts(
        path_to_courses=snakemake.input.courses,
        path_to_figure=snakemake.output.figure,
        schedules=snakemake.params.schedules,
        title=snakemake.params.title,
    )
