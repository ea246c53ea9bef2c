"""Train networks whose capacities are shares of the bits that the data need, one after the other."""

from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path

import pandas as pd

from filterscope import job, tables
from filterscope.data.networks.weights import write_weights
from filterscope.data.samples.labelled_samples import read_samples
from filterscope.diagnosis.scaled.settings import ScaledTrainingSettings
from filterscope.diagnosis.scaled.trained import Scaling, trained_network, weights_file
from filterscope.diagnosis.scaled.training import Checkpoint


def train_scaled_networks(
    path_to_samples,
    path_to_weights,
    path_to_networks,
    path_to_history,
    family,
    shares: Sequence[int],
    numbers: Sequence[int],
    scaling: Scaling,
    training: ScaledTrainingSettings,
    seed,
    code="",
):
    """shares: % of the bits at which the search starts; numbers: of the networks among those of a capacity.

    path_to_weights: a folder, with a file of each. code: digest of the program; a checkpoint of another program is not
    taken up.
    """
    samples, device = read_samples(path_to_samples), job.device()
    targets = {share: scaling.target(samples, share) for share in shares}
    matches = {share: scaling.match(samples, family, target) for share, target in targets.items()}
    rows, histories, checkpoints = [], [], []
    weights = job.empty_folder(path_to_weights)
    for share, number in product(shares, numbers):
        target, match = targets[share], matches[share]
        own = job.derived_seed(seed, "scaled_network", family, target, number)
        beside = Path(path_to_weights).with_name(weights_file(share, number))
        checkpoint = Checkpoint.beside(beside, samples.values, samples.labels, match, training, own, code)
        network, history, facts = trained_network(
            match,
            samples,
            training,
            own,
            device,
            resume=checkpoint.load(device),
            save=checkpoint.save,
            progress=partial(job.progress, title=f"epochs of network {number} at {share} %"),
        )
        rows.append({"family": family, "share": share, "seed": number, "target": target, **facts})
        histories.append(pd.DataFrame(history).assign(share=share, seed=number))
        write_weights(network.cpu(), weights / weights_file(share, number))
        checkpoints.append(checkpoint)
        told = match.capacity, target, 100 * facts["accuracy"]
        job.LOGGER.info("network %d at %d %%: %d bits (%d wanted), test accuracy %.1f %%", number, share, *told)
    tables.write(pd.DataFrame(rows), "scaled_networks", path_to_networks)
    tables.write(pd.concat(histories, ignore_index=True), "scaled_history", path_to_history)
    for checkpoint in checkpoints:  # only now: a killed job finds what it has done
        checkpoint.remove()


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    train_scaled_networks(
        path_to_samples=snakemake.input.samples,
        path_to_weights=snakemake.output.weights,
        path_to_networks=snakemake.output.networks,
        path_to_history=snakemake.output.history,
        family=snakemake.wildcards.family,
        shares=snakemake.params.shares,
        numbers=snakemake.params.numbers,
        scaling=Scaling(**snakemake.params.scaling, **snakemake.params.measure),
        training=ScaledTrainingSettings(**snakemake.params.training),
        seed=snakemake.params.seed,
        code=snakemake.params.code,
    )
