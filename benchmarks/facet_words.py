"""Which words tell planted facets apart? Right ones of 16, by seed: whose explainers are asked, and in which order.

    facet_words.py FOLDER SEED...

FOLDER/SEED holds the embedded study of that seed, as far as facets of all eight classes and the explainers of several
layers need it; what is not there is made by Snakemake (some three minutes of CPU a seed). A facet is right if one of
its first three words with p <= .05 is its colour or texture, or a synonym; the null is the same by the words of the
class's other facet. The ceiling: facets with a right word among all that their images propose, and among these with
such a p.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cached_property
from pathlib import Path

import pandas as pd
import torch
import yaml
from material import ROOT

from filterscope import tables
from filterscope.activations.probing import ProbeSettings, open_pictures
from filterscope.activations.streaming import stream
from filterscope.data.networks import building
from filterscope.data.networks.layers import Reader
from filterscope.data.rejection import stop
from filterscope.data.scenes.words import FACETS, SHAPES, SYNONYMS, facet_of
from filterscope.pictures.facets.words import EXPLAINED, Located, locate, words_apart
from filterscope.pictures.files import CHANCE
from filterscope.words.explaining.candidates import read_candidates
from filterscope.words.explaining.explainer import load_explainer

LAYERS = {"early": "features.5", "middle": "features.8", "later": "features.11", "cnn_last": "features"}
WAYS = (
    *((name,) for name in LAYERS),
    ("early", "middle"),
    ("early", "cnn_last"),
    ("middle", "cnn_last"),
    ("early", "middle", "cnn_last"),
    tuple(LAYERS),
)
UNITS, VOCABULARY, FIRST = "cnn_units", "captions", 3
STUDY = {
    "title": "Words of planted facets",
    "probes": {name: {"network": "scenes_cnn", "layer": layer} for name, layer in LAYERS.items()},
    "explanations": [{"dataset": "scenes", "probe": name, "vocabulary": VOCABULARY} for name in LAYERS],
    "facets": [
        {
            "dataset": "scenes",
            "probe": UNITS,
            "codes": "features.5",
            "facets": 2,
            "recipe": "sketch",
            "classes": {shape: unit for unit, shape in enumerate(SHAPES)},
        }
    ],
    "facetting": {"seeds": 0, "bootstraps": 0},
}


class Study:
    """What is made for one seed in a folder."""

    def __init__(self, folder: Path, seed: int):
        self.results = folder / "results"
        self.facets = self.results / f"pictures/scenes/{UNITS}/facets/facets.parquet"
        self.explainers = {name: self.results / f"words/scenes/{name}/{VOCABULARY}/explainer.pt" for name in LAYERS}
        wanted = [each for each in (self.facets, *self.explainers.values()) if not each.exists()]
        if wanted:
            folder.mkdir(parents=True, exist_ok=True)
            own = folder / "study.yaml"
            own.write_text(yaml.safe_dump({**STUDY, "seed": seed}))
            command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", folder]
            targets = [each.relative_to(folder) for each in wanted]
            subprocess.run([*command, "--cores", "1", "--quiet", "all", *targets, "--configfile", own], check=True)

    @cached_property
    def known(self) -> dict[tuple[str, int], set[str]]:
        """By class and facet, the colour and texture that most of its images show, and what else one may call them."""
        annotations = tables.read(self.results / "data/scenes/annotations.parquet", "annotations").to_pandas()
        main = annotations.sort_values(["area", "image_id"], kind="stable").groupby("image_id").tail(1)
        truth = main.set_index("image_id")["tokens"].map(lambda tokens: facet_of(*tokens)).dropna()
        found = {}
        for (name, facet), rows in tables.read(self.facets, "facets").to_pandas().groupby(["class", "facet"]):
            planted = FACETS[name][int(truth.reindex(rows["image_id"]).mode().iloc[0])]
            found[name, facet] = {word for each in planted for word in (each, *SYNONYMS[each])}
        return found

    @cached_property
    def candidates(self) -> dict:
        """Where words are looked for, by name."""
        folder = self.results / "data"
        vocabulary = folder / f"vocabularies/{VOCABULARY}/vocabulary.parquet"
        return read_candidates(folder / "scenes/categories.parquet", vocabulary, None)[1]

    def answers(self) -> dict[str, Located]:
        """What each layer's explainer makes of the facets' nearest images."""
        facets = tables.read(self.facets, "facets").to_pandas()
        near = facets[facets["rank"] < EXPLAINED]
        images = tables.read(self.results / "data/scenes/images.parquet", "images").to_pandas()
        entry = yaml.safe_load((ROOT / "config.yaml").read_text())["networks"]["scenes_cnn"]
        entry = {key: entry[key] for key in ("source", "input")}
        units, *probes = (
            ProbeSettings.from_mapping({"network": entry, "layer": layer}) for layer in ("classifier", *LAYERS.values())
        )
        network = building.load(units.network, self.results / "data/networks/scenes_cnn/weights.pt")
        shown = images[images["image_id"].isin(near["image_id"])]
        pictures = open_pictures(self.results / "data/scenes/pictures", shown, None, units.inputs)
        cpu, dimension, found = torch.device("cpu"), self.candidates["vocabulary"][0].dimension, {}
        for name, probe in zip(LAYERS, probes, strict=True):
            own, maps = (Reader(network, each.layer, input_size=units.inputs.crop) for each in (units, probe))
            asked = [(maps, load_explainer(self.explainers[name], maps.filters, dimension))]
            found[name] = locate(stream(pictures, 32, 0, stop), near, own, asked, units.inputs, "mean", cpu)
        return found


def joined(answers: dict[str, Located], names: tuple[str, ...]) -> Located:
    """As if these explainers had been asked together."""
    return Located(answers[names[0]].rows, torch.stack([answers[name].points for name in names]).mean(0))


def right(table: pd.DataFrame, known: dict[tuple[str, int], set[str]]) -> tuple[int, int]:
    """Facets with a right word among the first three that tell them apart, and with one of the class's other facet."""
    first = table[(table["rank"] < FIRST) & (table["p"] <= CHANCE)].groupby(["class", "facet"])["word"].agg(set)
    own = sum(bool(first.get(key, set()) & words) for key, words in known.items())
    return own, sum(bool(first.get((name, 1 - facet), set()) & words) for (name, facet), words in known.items())


def ceiling(table: pd.DataFrame, known: dict[tuple[str, int], set[str]]) -> tuple[int, int]:
    """Facets with a right word among all that are proposed, and among those that tell it apart."""
    named = table.groupby(["class", "facet"])
    own = [rows[rows["word"].isin(known[key])] for key, rows in named]
    return sum(len(rows) > 0 for rows in own), sum((rows["p"] <= CHANCE).any() for rows in own)


def main(folder: str, *seeds: str) -> None:
    torch.set_num_threads(1)
    print("seed  explainers  right  null  proposed  apart (of 16); the same by contrast alone: right")
    for seed in map(int, seeds):
        study = Study(Path(folder).resolve() / str(seed), seed)
        answers, (words, _) = study.answers(), study.candidates["vocabulary"]
        taught = set(study.candidates["categories"][0].words)
        for names in WAYS:
            found = joined(answers, names)
            table, plain = (words_apart(found, words, len(words), seed, own) for own in (taught, ()))
            counts = (*right(table, study.known), *ceiling(table, study.known), right(plain, study.known)[0])
            print(seed, "+".join(names), *counts, sep="  ", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
