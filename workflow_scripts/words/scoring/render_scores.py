"""Draw the scores beside their nulls."""

from filterscope import job, tables
from filterscope.words.figures import score_bars


def render_scores(path_to_scores, path_to_figure):
    """One panel per kind of score, one bar per row."""
    score_bars(tables.read(path_to_scores, "scores").to_pandas()).savefig(path_to_figure)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_scores(path_to_scores=snakemake.input.scores, path_to_figure=snakemake.output.figure)
