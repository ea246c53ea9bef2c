"""Draw the training curves of an explainer and of its null."""

from filterscope import job, tables
from filterscope.words.figures import training_curves


def render_training(path_to_history, path_to_null, path_to_figure):
    """path_to_null: history of the explainer trained on shuffled labels."""
    own, null = (tables.read(path, "history").to_pandas() for path in (path_to_history, path_to_null))
    training_curves(own, null).savefig(path_to_figure)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_training(
        path_to_history=snakemake.input.history,
        path_to_null=snakemake.input.null,
        path_to_figure=snakemake.output.figure,
    )
