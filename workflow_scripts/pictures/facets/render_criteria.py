"""Draw the criteria of a probe's pictures, group by group."""

from filterscope import job, tables
from filterscope.pictures.quality.figures import criteria_dots


def render_criteria(path_to_criteria, path_to_validation, path_to_figure):
    """One panel per measure."""
    criteria = tables.read(path_to_criteria, "criteria").to_pandas()
    validation = tables.read(path_to_validation, "criteria_validation").to_pandas()
    criteria_dots(criteria, validation).savefig(path_to_figure)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_criteria(
        path_to_criteria=snakemake.input.criteria,
        path_to_validation=snakemake.input.validation,
        path_to_figure=snakemake.output.figure,
    )
