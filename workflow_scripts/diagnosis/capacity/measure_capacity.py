"""Measure how much a network can hold, layer by layer."""

import pandas as pd

from filterscope import job, tables
from filterscope.data.networks.settings import NetworkSettings
from filterscope.diagnosis.capacity.blueprint import blueprint
from filterscope.diagnosis.capacity.network_capacity import layer_rows, network_capacity


def measure_capacity(paths_to_layers, paths_to_network, name, network, batch_norm):
    """network: its entry of `networks`; no weights are needed. The paths are those of Parquet and CSV files."""
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
    for paths, table, rows in (
        (paths_to_layers, "layer_capacities", layer_rows(found)),
        (paths_to_network, "network_capacities", pd.DataFrame([whole])),
    ):
        for path in paths:
            tables.write(rows, table, path)
    job.LOGGER.info("%s holds %s bits; by the printed algorithm %s", name, f"{found.bits:,}", f"{found.printed:,}")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    measure_capacity(
        paths_to_layers=(snakemake.output.layers, snakemake.output.layers_csv),
        paths_to_network=(snakemake.output.network,),
        name=snakemake.wildcards.network,
        network=snakemake.params.network,
        batch_norm=snakemake.params.batch_norm,
    )
