"""Train networks whose capacity is a share of the bits that the data need, one after the other."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from filterscope import job, tables
from filterscope.data.networks.weights import write_weights
from filterscope.data.samples.labelled_samples import read_samples
from filterscope.diagnosis.scaled.settings import ScaledTrainingSettings
from filterscope.diagnosis.scaled.trained import Scaling, trained_network
from filterscope.diagnosis.scaled.training import Checkpoint


def train_scaled_networks(
    path_to_samples,
    path_to_weights,
    path_to_networks,
    path_to_history,
    family,
    share,
    numbers: Sequence[int],
    scaling: Scaling,
    training: ScaledTrainingSettings,
    seed,
    code="",
):
    """share: % of the bits at which the search starts; numbers: of the networks among those of this capacity.

    path_to_weights: a folder, with a file `{number}.pt` of each. code: digest of the program; a checkpoint of another
    program is not taken up.
    """
    samples, device = read_samples(path_to_samples), job.device()
    target = scaling.target(samples, share)
    match = scaling.match(samples, family, target)
    rows, histories, checkpoints = [], [], []
    weights = job.empty_folder(path_to_weights)
    for number in numbers:
        own = job.derived_seed(seed, "scaled_network", family, target, number)
        beside = Path(path_to_weights).with_name(f"{number}.pt")
        checkpoint = Checkpoint.beside(beside, samples.values, samples.labels, match, training, own, code)
        network, history, facts = trained_network(
            match,
            samples,
            training,
            own,
            device,
            resume=checkpoint.load(device),
            save=checkpoint.save,
            progress=partial(job.progress, title=f"epochs of network {number}"),
        )
        rows.append({"family": family, "share": share, "seed": number, "target": target, **facts})
        histories.append(pd.DataFrame(history).assign(seed=number))
        write_weights(network.cpu(), weights / f"{number}.pt")
        checkpoints.append(checkpoint)
        told = match.capacity, target, 100 * facts["accuracy"]
        job.LOGGER.info("network %d: %d bits (%d wanted), test accuracy %.1f %%", number, *told)
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
        share=int(snakemake.wildcards.share),
        numbers=snakemake.params.numbers,
        scaling=Scaling(**snakemake.params.scaling, **snakemake.params.measure),
        training=ScaledTrainingSettings(**snakemake.params.training),
        seed=snakemake.params.seed,
        code=snakemake.params.code,
    )
