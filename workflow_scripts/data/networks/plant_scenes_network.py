"""Set the filters of a network by hand and write down what each of them detects."""

from filterscope import job, tables
from filterscope.data.networks import planting
from filterscope.data.networks.embedded import build_planted
from filterscope.data.networks.settings import NetworkSettings
from filterscope.data.networks.weights import write_weights


def plant_scenes_network(path_to_weights, path_to_words, settings):
    """The planted weights and the right names of the filters."""
    network = build_planted()
    planting.plant(network, settings.input)
    with tables.replacing(path_to_weights) as temporary:
        write_weights(network, temporary)
    tables.write(planting.planted_words(), "known_words", path_to_words)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    plant_scenes_network(
        path_to_weights=snakemake.output.weights,
        path_to_words=snakemake.output.words,
        settings=NetworkSettings.from_mapping(snakemake.params.network),
    )
