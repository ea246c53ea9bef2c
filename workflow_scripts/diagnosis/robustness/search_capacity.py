"""Search for the capacity at which a family of networks is most robust (Debugger, 3.4)."""

from functools import cache, partial
from pathlib import Path

import pandas as pd

from filterscope import job, provenance, tables
from filterscope.data.samples.labelled_samples import read_samples
from filterscope.diagnosis.robustness.attack_runs import attack_all, attacked_samples
from filterscope.diagnosis.robustness.observations import of_networks, rho
from filterscope.diagnosis.robustness.search import Journal, Outcome, averaged, search
from filterscope.diagnosis.scaled.settings import ScaledTrainingSettings
from filterscope.diagnosis.scaled.trained import Scaling, trained_network


def search_capacity(
    path_to_samples,
    paths_to_networks,
    paths_to_attacks,
    path_to_table,
    path_to_csv,
    family,
    seeds,
    scaling: Scaling,
    training: ScaledTrainingSettings,
    attack,
    images,
    batch_size,
    loss,
    resolution,
    seed,
    code="",
):
    """The networks of the grid and attacks on them are taken where their target is the one that is wanted.

    attack: settings by the one attack's name; loss: of accuracy that is put up with. code: digest of the program.
    """
    samples, device = read_samples(path_to_samples), job.device()
    (name,) = attack
    attacks = tables.read(paths_to_attacks, "attacks").to_pandas()
    grid = of_networks(
        attacks[attacks["attack"] == name], tables.read(paths_to_networks, "scaled_networks").to_pandas()
    )
    lent = {(row.target, row.seed): Outcome(row.capacity, row.rho, row.accuracy) for row in grid.itertuples()}
    chosen = attacked_samples(samples, images, job.derived_seed(seed, "attacked_samples"))
    parts = (code, provenance.contents(path_to_samples), family, scaling, training, attack, images, seed)
    journal, match = Journal(Path(path_to_table).with_name(".search.json"), *parts), cache(scaling.match)

    def measure(target: int, number: int) -> Outcome:
        own = job.derived_seed(seed, "scaled_network", family, target, number)
        bar = partial(job.progress, title=f"epochs at {target} bits, network {number}")
        wanted = match(samples, family, target)
        network, _, facts = trained_network(wanted, samples, training, own, device, progress=bar)
        attacking = job.derived_seed(seed, "attack")
        found, _ = attack_all(network, samples, chosen, attack, attacking, device, batch_size)
        return Outcome(wanted.capacity, rho(found["size"].to_numpy()), facts["accuracy"])

    measuring = averaged(measure, seeds, lent, journal)
    steps = pd.DataFrame(search(measuring, scaling.target(samples, 100), loss, resolution))
    for path in (path_to_table, path_to_csv):
        tables.write(steps, "capacity_search", path)
    journal.remove()
    best = steps[steps["chosen"]].iloc[0]
    told = best["note"] or f"most robust at {best['target']} bits"
    job.LOGGER.info("%s: %.4g by %s", told, best["rho"], name)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    search_capacity(
        path_to_samples=snakemake.input.samples,
        paths_to_networks=list(snakemake.input.networks),
        paths_to_attacks=list(snakemake.input.attacks),
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        family=snakemake.wildcards.family,
        seeds=snakemake.params.seeds,
        scaling=Scaling(**snakemake.params.scaling, **snakemake.params.measure),
        training=ScaledTrainingSettings(**snakemake.params.training),
        attack=snakemake.params.attack,
        **snakemake.params.searching,
        seed=snakemake.params.seed,
        code=snakemake.params.code,
    )
