"""The same network as it was before any training, for the null rows."""

from filterscope import job, tables
from filterscope.data import networks


def initialise_network(path_to_trained, path_to_weights, settings, seed):
    """Draw the weights at random; refused when the trained weights belong to another network."""
    settings = networks.NetworkSettings.from_mapping(settings)
    trained = networks.load(settings, path_to_trained)
    network = networks.initialise(settings, job.derived_seed(seed, "initialise_network"))
    networks.refuse_trained(network, trained)
    with tables.replacing(path_to_weights) as temporary:
        networks.write_weights(network, temporary)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    initialise_network(
        path_to_trained=snakemake.input.weights,
        path_to_weights=snakemake.output.weights,
        settings=snakemake.params.network,
        seed=snakemake.params.seed,
    )
