"""Draw how much every layer of a network can hold."""

from filterscope import job, tables
from filterscope.diagnosis.figures import layers_figure


def render_capacity(path_to_layers, path_to_network, path_to_figure):
    """One bar for a layer by the four rules, one by the algorithm as it is printed."""
    layers = tables.read(path_to_layers, "layer_capacities").to_pandas()
    (whole,) = tables.read(path_to_network, "network_capacities").to_pylist()
    figure = layers_figure(whole["network"], layers, whole)
    with tables.replacing(path_to_figure) as temporary:
        figure.savefig(temporary, format="png")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_capacity(
        path_to_layers=snakemake.input.layers,
        path_to_network=snakemake.input.network,
        path_to_figure=snakemake.output.figure,
    )
