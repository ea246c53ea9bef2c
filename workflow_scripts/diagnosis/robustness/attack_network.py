"""Attack the networks of some capacities, all by the same test samples."""

from functools import partial
from pathlib import Path

import pandas as pd

from filterscope import job, tables
from filterscope.data.samples.labelled_samples import read_samples
from filterscope.diagnosis.robustness.attack_runs import attack_all, attacked_samples
from filterscope.diagnosis.scaled.trained import load_network, weights_file

SHOWN = 4  # test samples whose attacked pictures are kept, of the first network of every capacity


def attack_network(
    path_to_samples,
    paths_to_weights,
    paths_to_networks,
    path_to_attacks,
    path_to_pictures,
    attacks,
    images,
    batch_size,
    seed,
):
    """paths_to_weights: folders, beside the tables of the networks whose weights they hold.

    attacks: settings by name; images: test samples that are attacked, as far as a network gets them right.
    """
    samples, device = read_samples(path_to_samples), job.device()
    chosen = attacked_samples(samples, images, job.derived_seed(seed, "attacked_samples"))
    parts, shown = [], {}
    facts = [
        (Path(path_to_weights) / weights_file(fact["share"], fact["seed"]), fact)
        for path_to_weights, path_to_networks in zip(paths_to_weights, paths_to_networks, strict=True)
        for fact in tables.read(path_to_networks, "scaled_networks").to_pylist()
    ]
    for path_to_weights, fact in facts:
        names = {name: fact[name] for name in ("family", "share", "seed")}
        network = load_network(path_to_weights, fact["family"], fact["width"], samples)
        own = job.derived_seed(seed, "attack")
        bar = partial(job.progress, title=f"attacks on network {fact['seed']} at {fact['share']} %")
        found, made = attack_all(
            network,
            samples,
            chosen,
            attacks,
            own,
            device,
            batch_size,
            progress=bar,
        )
        parts.append(found.assign(**names))
        if fact["share"] not in shown:
            shown[fact["share"]] = []
            for attack, pictures in made.items():
                rows = found.loc[found["attack"] == attack, ["attack", "sample"]].head(SHOWN)
                values = pictures[: len(rows)].reshape(len(rows), -1)
                shown[fact["share"]].append({**rows.assign(**names).to_dict("list"), "values": tables.vectors(values)})
    tables.write(pd.concat(parts, ignore_index=True), "attacks", path_to_attacks)
    with tables.Writer("attacked_pictures", path_to_pictures) as writer:
        for each in (each for parts in shown.values() for each in parts):
            writer.add(each)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    attack_network(
        path_to_samples=snakemake.input.samples,
        paths_to_weights=list(snakemake.input.weights),
        paths_to_networks=list(snakemake.input.networks),
        path_to_attacks=snakemake.output.attacks,
        path_to_pictures=snakemake.output.pictures,
        attacks=snakemake.params.attacks,
        images=snakemake.params.images,
        batch_size=snakemake.params.batch_size,
        seed=snakemake.params.seed,
    )
