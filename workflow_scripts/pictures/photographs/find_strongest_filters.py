"""Find the filters that photographs excite most."""

import numpy as np
import pandas as pd

from filterscope import job, tables
from filterscope.activations.probing import ProbeSettings, open_pictures, reading
from filterscope.activations.streaming import stream
from filterscope.data.networks import building
from filterscope.data.rejection import stop
from filterscope.pictures.choices import chosen_images
from filterscope.pictures.photographs import warn_of_small
from filterscope.pictures.strongest import Scenarios, mean_activations, scenario, scrambled, strongest


def find_strongest_filters(
    path_to_images,
    path_to_weights,
    path_to_table,
    path_to_csv,
    folder,
    probe: ProbeSettings,
    images,
    n,
    thresholds: Scenarios,
    batch_size,
    seed,
):
    """images: numbers or paths of photographs; n: filters per photograph."""
    device = job.device()
    chosen = chosen_images(tables.read(path_to_images, "images").to_pandas(), images)
    warn_of_small(chosen, probe.inputs)
    rows = []
    with reading(probe, building.load(probe.network, path_to_weights), device) as reader:
        pictures = open_pictures(folder, chosen, None, probe.inputs)
        for batch in stream(pictures, batch_size, 0, stop):
            views = batch.pictures(device)
            means = mean_activations(views, reader, probe.inputs, device, batch_size)
            for image_id, view, own in zip(batch.image_ids, views, means, strict=True):
                filters, total = strongest(own, n), own.sum()
                chance = np.random.default_rng(job.derived_seed(seed, "scrambled", int(image_id)))
                others = scrambled(view, thresholds.views, chance)
                others = mean_activations(others, reader, probe.inputs, device, batch_size)
                rows.append(
                    pd.DataFrame(
                        {
                            "image_id": image_id,
                            "rank": np.arange(n),
                            "filter": filters,
                            "activation": own[filters],
                            "share": own[filters] / total if total > 0 else None,
                            "median": np.median(own),
                            "scenario": scenario(own, others, thresholds),
                        }
                    )
                )
    table = pd.concat(rows, ignore_index=True)
    for path in (path_to_table, path_to_csv):
        tables.write(table, "strongest_filters", path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    find_strongest_filters(
        path_to_images=snakemake.input.images,
        path_to_weights=snakemake.input.weights,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        images=snakemake.params.entry["images"],
        n=snakemake.params.strongest["filters"],
        thresholds=Scenarios(**snakemake.params.strongest["scenarios"]),
        batch_size=snakemake.params.batch_size,
        seed=snakemake.params.seed,
    )
