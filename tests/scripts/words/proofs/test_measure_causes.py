"""measure_causes: planted filters answer to what they are named after; shuffled claims and noise are not caused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from activations.extract_activations import extract_activations
from activations.gather_thresholds import gather_thresholds
from data.datasets.prepare_scenes import prepare_scenes
from data.networks.plant_scenes_network import plant_scenes_network
from data.networks.prepare_network import prepare_network
from filterscope import tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import ProbeSettings
from filterscope.activations.shards import ShardPaths
from filterscope.data.networks.embedded import FILTERS
from filterscope.data.scenes.dataset import ScenesSettings
from filterscope.words.proofs.causes import CAUSED, NOT_CAUSED, UNTOLD, lent_claims
from filterscope.words.proofs.responses import ProofSettings
from words.proofs.extract_answers import extract_answers
from words.proofs.measure_causes import measure_causes

INPUT = {"resize": 96, "crop": 96}
NOISE = '''
import torch
from torch import nn


class Noise(nn.Module):
    """Maps that depend on the picture, on every pixel of it, and on nothing that a person would see in it."""

    def forward(self, pictures):
        seeds = (pictures * torch.arange(1, pictures[0].numel() + 1).view_as(pictures[0])).double().sum((1, 2, 3))
        maps = [
            torch.rand(40, 3, 3, generator=torch.Generator().manual_seed(int(1e4 * abs(seed.item())))) for seed in seeds
        ]
        return torch.stack(maps)


def network():
    return nn.Sequential(Noise(), nn.Conv2d(40, 8, 1))
'''


class World:
    """Scenes to score on, networks that have looked at them, and claims."""

    extraction = ExtractionSettings(batch_size=32, workers=0)

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        return self.folder / f"{name}.parquet"

    def draw(self, **size):
        settings = ScenesSettings(train=60, val=140, **size)
        names = ("images", "annotations", "categories", "rejected")
        prepare_scenes(*map(self.path, names), self.folder / "pictures", settings, 0)

    def network(self, name, network, layer, filters, inputs=INPUT):
        """Prepare a network and let it look at the scenes."""
        probe = ProbeSettings.from_mapping({"network": {**network, "input": inputs}, "layer": layer})
        if network["source"] == "planted":
            plant_scenes_network(self.folder / f"{name}.pt", self.path("known_words"), probe.network)
        else:
            prepare_network(self.folder / f"{name}.pt", {**network, "input": inputs}, 0)
        extract_activations(
            path_to_images=self.path("images"),
            path_to_annotations=self.path("annotations"),
            path_to_weights=self.folder / f"{name}.pt",
            outputs=[
                ShardPaths(*(self.path(f"{name}_{kind}") for kind in ("pooled", "activations", "tails", "rejected")))
            ],
            folder=self.folder / "pictures",
            probes=[probe],
            settings=self.extraction,
            scatteritem="1-of-1",
            max_bad_fraction=0,
        )
        gather_thresholds(
            [self.path(f"{name}_tails")], self.path(f"{name}_thresholds"), self.folder / f"{name}_thresholds.csv", 0.995
        )
        assert len(tables.read(self.path(f"{name}_thresholds"), "thresholds")) == filters
        return probe

    def claim(self, words, folder):
        """A table of claims."""
        nothing = dict.fromkeys(
            ("auprc", "low", "high", "null", "iou", "f1", "correlation", "rival", "rival_auprc", "lift")
        )
        table = pd.DataFrame({"filter": range(len(words)), "claim": words, **nothing}).astype(object)
        table[["dead", "supported", "lent_supported", "lent", "told"]] = False
        tables.write(table.where(table.notna(), None), "filter_claims", folder / "claims.parquet")
        return folder / "claims.parquet"

    def answers(self, name, probe, folder, **changed):
        """What the network answers to composed pictures."""
        extract_answers(
            path_to_images=self.path("images"),
            paths_to_image_activations=[[self.path(f"{name}_activations")]],
            path_to_annotations=self.path("annotations"),
            path_to_categories=self.path("categories"),
            path_to_weights=self.folder / f"{name}.pt",
            paths_to_answers=[folder / "answers.parquet"],
            folder=self.folder / "pictures",
            probes=[probe],
            activations=changed.get("activations", self.extraction),
            settings=changed.get("settings", ProofSettings(objects=8, controls=60, places=2)),
            split=changed.get("split", "val"),
            seed=changed.get("seed", 0),
        )
        return folder / "answers.parquet"

    def measure(self, name, probe, words, folder, **changed):
        arguments = {
            "path_to_images": self.path("images"),
            "paths_to_image_activations": [self.path(f"{name}_activations")],
            "path_to_answers": self.answers(name, probe, folder, **changed),
            "path_to_categories": self.path("categories"),
            "path_to_thresholds": self.path(f"{name}_thresholds"),
            "path_to_claims": self.claim(words, folder),
            "path_to_table": folder / "causes.parquet",
            "path_to_csv": folder / "causes.csv",
            "settings": ProofSettings(objects=8, controls=60, places=2),
            "bootstrap": 60,
            "confidence": 0.95,
            "false_discoveries": 0.1,
            "split": "val",
            "seed": 0,
        }
        changed.pop("activations", None)
        measure_causes(**{**arguments, **changed})
        return tables.read(folder / "causes.parquet", "filter_causes").to_pandas()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("world"))
    world.draw()
    return world


@pytest.fixture(scope="module")
def planted(world):
    return world.network("planted", {"source": "planted"}, "detectors", len(FILTERS))


RIGHT = [token for _, token in FILTERS]


def test_planted_filters_answer_to_what_they_are_planted_for(world, planted, tmp_path):
    table = world.measure("planted", planted, RIGHT, tmp_path)
    assert table["status"].eq(CAUSED).all()
    assert (table["low"] > table["null"]).all()
    assert table["objects"].min() >= 8
    assert (table["objects"] < table["controls"]).all()
    assert table["lent_caused"].astype(bool).mean() <= 0.1
    assert (pd.read_csv(tmp_path / "causes.csv")["status"] == table["status"]).all()


def test_objects_outside_the_ordinary_view_tell_as_well(tmp_path):
    """The network is shown the midst of pictures twice as wide, in which hardly an object is whole."""
    world = World(tmp_path)
    world.draw(size=192)
    probe = world.network("planted", {"source": "planted"}, "detectors", len(FILTERS), {"resize": 192, "crop": 96})
    table = world.measure("planted", probe, RIGHT, tmp_path)
    colours = table[[kind == "colour" for kind, _ in FILTERS]]
    assert len(colours) == 8
    assert colours["objects"].min() >= 8
    assert colours["status"].eq(CAUSED).all()
    assert table["lent_caused"].astype(bool).mean() <= 0.1


def test_shuffled_claims_are_not_caused(world, planted, tmp_path):
    """At most the controlled rate, over several shuffles."""
    places = np.unique(RIGHT, return_inverse=True)[1]
    found = []
    for seed in range(3):
        shuffled = np.unique(RIGHT)[lent_claims(places, np.random.default_rng(seed))].tolist()
        table = world.measure("planted", planted, shuffled, tmp_path)
        assert table["status"].isin([CAUSED, NOT_CAUSED]).all()
        found += table["status"].tolist()
    assert np.mean(np.array(found) == CAUSED) <= 0.1


def test_noise_answers_to_nothing(world, tmp_path):
    (world.folder / "noise.py").write_text(NOISE)
    network = {"source": "factory", "factory": f"{world.folder / 'noise.py'}:network"}
    probe = world.network("noise", network, "0", 40)
    words = tables.read(world.path("categories"), "categories").to_pandas()["tokens"].explode().unique()
    table = world.measure("noise", probe, np.resize(words, 40).tolist(), tmp_path)
    assert table["status"].isin([CAUSED, NOT_CAUSED]).all()
    assert table["status"].eq(CAUSED).mean() <= 0.1
    assert table["p"].astype(float).median() > 0.3


def test_what_cannot_be_told_is_not_told(world, planted, tmp_path):
    """No claim, and objects that are all too small."""
    table = world.measure("planted", planted, [None, *RIGHT[1:]], tmp_path)
    assert table["status"][0] == UNTOLD
    assert table["reason"][0] == "the filter claims nothing"
    assert table["status"][1:].eq(CAUSED).mean() > 0.9
    settings = ProofSettings(objects=8, controls=60, places=2, smallest=0.9)
    table = world.measure("planted", planted, RIGHT, tmp_path, settings=settings)
    assert table["status"].eq(UNTOLD).all()
    assert table["reason"].eq("too few usable objects of its claim: 0 of 4").all()
    assert table["unusable"].min() > 0


def test_the_same_seed_gives_the_same_table(world, planted, tmp_path):
    once, settings = tmp_path / "causes.parquet", ProofSettings(objects=4, controls=20, places=1)
    first = world.measure("planted", planted, RIGHT, tmp_path, settings=settings)
    bytes_ = once.read_bytes()
    other = replace(world.extraction, batch_size=7)
    again = world.measure("planted", planted, RIGHT, tmp_path, settings=settings)
    assert once.read_bytes() == bytes_
    batched = world.measure("planted", planted, RIGHT, tmp_path, settings=settings, activations=other)
    assert batched["status"].tolist() == again["status"].tolist() == first["status"].tolist()
    assert batched["effect"].to_numpy(float) == pytest.approx(again["effect"].to_numpy(float), abs=1e-3, nan_ok=True)
