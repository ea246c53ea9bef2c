"""Draw the layers of a network from the first to the last."""

from filterscope import job, tables
from filterscope.words.figures import depth_lines


def render_depth(path_to_depth, path_to_figure):
    """One panel of names that hold, one of kinds of words."""
    depth_lines(tables.read(path_to_depth, "depth").to_pandas()).savefig(path_to_figure)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_depth(path_to_depth=snakemake.input.depth, path_to_figure=snakemake.output.figure)
