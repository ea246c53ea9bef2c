"""Fetch a network's weights and keep them as one checked state_dict."""

from filterscope import job, tables
from filterscope.data import networks


def prepare_network(path_to_weights, settings, seed):
    """Torchvision's weights, a local checkpoint or what a factory returns; refused unless they fit."""
    settings = networks.NetworkSettings.from_mapping(settings)
    network = networks.prepare(settings, job.derived_seed(seed, "prepare_network"))
    job.LOGGER.info("%s weights of %s", f"{sum(p.numel() for p in network.parameters()):,}", type(network).__name__)
    with tables.replacing(path_to_weights) as temporary:
        networks.write_weights(network, temporary)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    prepare_network(
        path_to_weights=snakemake.output.weights,
        settings=snakemake.params.network,
        seed=snakemake.params.seed,
    )
