"""Draw published recall and ours."""

from filterscope import job, tables
from filterscope.report.figures import recall_dots


def render_recall(path_to_table, path_to_figure):
    """One panel per experiment."""
    recall_dots(tables.read(path_to_table, "reproduced_recall").to_pandas()).savefig(path_to_figure)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_recall(path_to_table=snakemake.input.table, path_to_figure=snakemake.output.figure)
