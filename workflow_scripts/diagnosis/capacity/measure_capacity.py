"""Measure how much a network can hold, layer by layer."""

import pandas as pd

from filterscope import job, tables
from filterscope.data.networks.settings import NetworkSettings
from filterscope.diagnosis.capacity.blueprint import blueprint
from filterscope.diagnosis.capacity.network_capacity import layer_rows, network_capacity


def measure_capacity(path_to_layers, path_to_layers_csv, path_to_network, name, network, batch_norm):
    """network: its entry of `networks`; no weights are needed."""
    settings = NetworkSettings.from_mapping(network)
    found = network_capacity(blueprint(settings), (3, settings.input.crop, settings.input.crop), batch_norm)
    whole = {
        "network": name,
        "size": settings.input.crop,
        "found_by": found.found_by,
        "batch_norm": batch_norm,
        "layers": sum(layer.parameters > 0 for layer in found.layers),
        "parameters": found.parameters,
        "capacity": found.bits,
        "printed": found.printed,
    }
    layers = layer_rows(found)
    for path in (path_to_layers, path_to_layers_csv):
        tables.write(layers, "layer_capacities", path)
    tables.write(pd.DataFrame([whole]), "network_capacities", path_to_network)
    job.LOGGER.info("%s holds %s bits; by the printed algorithm %s", name, f"{found.bits:,}", f"{found.printed:,}")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    measure_capacity(
        path_to_layers=snakemake.output.layers,
        path_to_layers_csv=snakemake.output.layers_csv,
        path_to_network=snakemake.output.network,
        name=snakemake.wildcards.network,
        network=snakemake.params.network,
        batch_norm=snakemake.params.batch_norm,
    )
