"""Draw the test error of every schedule with its interval, beside what was published."""

from filterscope import job, tables
from filterscope.temperature.figures import error_intervals


def render_errors(path_to_table, path_to_figure):
    error_intervals(tables.read(path_to_table, "training_table").to_pandas()).savefig(path_to_figure)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_errors(path_to_table=snakemake.input.table, path_to_figure=snakemake.output.figure)
