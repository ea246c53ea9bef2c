"""Train one network whose capacity is a share of the bits that the data need."""

from functools import partial

import pandas as pd

from filterscope import job, tables
from filterscope.data.networks.weights import write_weights
from filterscope.data.samples.labelled_samples import read_samples
from filterscope.diagnosis.scaled.settings import ScaledTrainingSettings
from filterscope.diagnosis.scaled.trained import Scaling, trained_network
from filterscope.diagnosis.scaled.training import Checkpoint


def train_scaled_network(
    path_to_samples,
    path_to_weights,
    path_to_network,
    path_to_history,
    family,
    share,
    number,
    scaling: Scaling,
    training: ScaledTrainingSettings,
    seed,
    code="",
):
    """share: % of the bits at which the search starts; number: of the network among those of this capacity.

    code: digest of the program; a checkpoint of another program is not taken up.
    """
    samples, device = read_samples(path_to_samples), job.device()
    target = scaling.target(samples, share)
    match = scaling.match(samples, family, target)
    own = job.derived_seed(seed, "scaled_network", family, target, number)
    checkpoint = Checkpoint.beside(path_to_weights, samples.values, samples.labels, match, training, own, code)
    network, history, facts = trained_network(
        match,
        samples,
        training,
        own,
        device,
        resume=checkpoint.load(device),
        save=checkpoint.save,
        progress=partial(job.progress, title="epochs"),
    )
    row = {"family": family, "share": share, "seed": number, "target": target, **facts}
    tables.write(pd.DataFrame([row]), "scaled_networks", path_to_network)
    tables.write(pd.DataFrame(history), "scaled_history", path_to_history)
    with tables.replacing(path_to_weights) as temporary:
        write_weights(network.cpu(), temporary)
    checkpoint.remove()
    job.LOGGER.info("%d bits (%d wanted), test accuracy %.1f %%", match.capacity, target, 100 * facts["accuracy"])


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    train_scaled_network(
        path_to_samples=snakemake.input.samples,
        path_to_weights=snakemake.output.weights,
        path_to_network=snakemake.output.network,
        path_to_history=snakemake.output.history,
        family=snakemake.wildcards.family,
        share=int(snakemake.wildcards.share),
        number=int(snakemake.wildcards.number),
        scaling=Scaling(**snakemake.params.scaling, **snakemake.params.measure),
        training=ScaledTrainingSettings(**snakemake.params.training),
        seed=snakemake.params.seed,
        code=snakemake.params.code,
    )
