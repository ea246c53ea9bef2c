"""Fetch a network's weights and keep them as one checked state_dict."""

from filterscope import job, tables
from filterscope.data.networks import building
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import NetworkSettings
from filterscope.data.networks.weights import write_weights


def prepare_network(path_to_weights, settings, seed, layers=()):
    """Torchvision's weights, a local checkpoint or what a factory returns; refused unless they fit.

    layers: names and calls that probes will read; one that is not there is an error now, not after the downloads.
    """
    settings = NetworkSettings.from_mapping(settings)
    network = building.prepare(settings, job.derived_seed(seed, "prepare_network"))
    job.LOGGER.info("%s weights of %s", f"{sum(p.numel() for p in network.parameters()):,}", type(network).__name__)
    for layer, call in layers:
        Reader(network, layer, call, settings.input.crop)
    with tables.replacing(path_to_weights) as temporary:
        write_weights(network, temporary)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    prepare_network(
        path_to_weights=snakemake.output.weights,
        settings=snakemake.params.network,
        seed=snakemake.params.seed,
        # From the config, not a parameter: a new probe must not make everything that uses the network anew.
        layers=[
            (probe["layer"], probe.get("call", -1))
            for probe in snakemake.config["probes"].values()
            if probe["network"] == snakemake.wildcards.network
        ],
    )
