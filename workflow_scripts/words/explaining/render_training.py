"""Draw the training curves of an explainer and of its null."""

from filterscope import job, tables
from filterscope.words.figures import training_curves


def render_training(
    path_to_history, path_to_null, path_to_figure, path_to_temperatures=None, path_to_null_temperatures=None
):
    """path_to_null: history of the explainer trained on shuffled labels; the temperatures are None
    where neither was measured."""
    own, null = (tables.read(path, "history").to_pandas() for path in (path_to_history, path_to_null))
    measured = [path for path in (path_to_temperatures, path_to_null_temperatures) if path is not None]
    temperatures = [tables.read(path, "temperatures").to_pandas() for path in measured]
    training_curves(own, null, temperatures).savefig(path_to_figure)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_training(
        path_to_history=snakemake.input.history,
        path_to_null=snakemake.input.null,
        path_to_figure=snakemake.output.figure,
        path_to_temperatures=snakemake.input.temperatures,
        path_to_null_temperatures=snakemake.input.null_temperatures,
    )
