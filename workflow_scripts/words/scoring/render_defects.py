"""Draw what every defect of the reference costs."""

from filterscope import job, tables
from filterscope.words.figures import defect_bars


def render_defects(path_to_defects, path_to_figure):
    """One bar per defect and number of words."""
    defect_bars(tables.read(path_to_defects, "defects").to_pandas()).savefig(path_to_figure)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_defects(path_to_defects=snakemake.input.defects, path_to_figure=snakemake.output.figure)
