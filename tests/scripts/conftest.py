"""A tiny study for the tests of scripts: 24 pictures, 5 filters of which 2 see colours and 1 is dead, 40 words.

`study` runs the scripts of the activations and words rooms once, in the order of the rules; a test reads its
tables, or calls one script again with something changed.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as coco_mask

from activations.extract_activations import extract_activations
from activations.gather_thresholds import gather_thresholds
from activations.mine_top_images import mine_top_images
from data.networks.prepare_network import prepare_network
from filterscope import tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import ProbeSettings
from filterscope.activations.shards import ShardPaths
from filterscope.faithful import Faithful
from filterscope.words.explaining.explanation import ExplanationSettings
from filterscope.words.explaining.explanation_tables import ExplanationPaths, KnownPaths, VoteSettings
from filterscope.words.explaining.proposals import ProposalSettings
from filterscope.words.explaining.training import ExplainerSettings
from filterscope.words.explaining.training_images import StudySettings
from filterscope.words.in_memory_run import MiningSettings, TrialSettings
from filterscope.words.looking import ProbedImages
from filterscope.words.results import SaidPaths
from filterscope.words.scoring.scores import ScoredPaths, ScoreSettings
from words.explaining.dissect_filters import dissect_filters
from words.explaining.explain_filters import explain_filters
from words.explaining.tabulate_words import tabulate_words
from words.explaining.train_explainer import train_explainer
from words.scoring.score_random_network import score_random_network
from words.scoring.score_words import score_words
from words.scoring.tabulate_scores import tabulate_scores

SIDE, TRAIN, VAL = 64, 16, 8
COLOURS = {"red": (230, 20, 20), "green": (20, 200, 20), "blue": (30, 30, 230)}
RED, BLUE, DEAD = 0, 1, 4  # filters of the factory below

FACTORY = '''
import torch
from torch import nn


def network():
    """Filter 0 sees red, 1 blue, 2 and 3 edges, 4 nothing; maps of 16 x 16."""
    layer = nn.Conv2d(3, 5, 4, stride=4)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
        layer.weight[0] = torch.tensor([1.0, -1.0, -1.0]).view(3, 1, 1) / 16
        layer.weight[1] = torch.tensor([-1.0, -1.0, 1.0]).view(3, 1, 1) / 16
        layer.weight[2, :, :2], layer.weight[2, :, 2:] = 1 / 8, -1 / 8
        layer.weight[3, :, :, :2], layer.weight[3, :, :, 2:] = 1 / 8, -1 / 8
        layer.weight[4], layer.bias[4] = -1 / 16, -1.0
    return nn.Sequential(layer, nn.ReLU())


def clipped():
    """The same, clipped where the colours begin: filters 0 and 1 reach the bound in all of their patches."""
    return nn.Sequential(network()[0], nn.Hardtanh(0, 0.4))


def other():
    return nn.Sequential(nn.Conv2d(3, 3, 4, stride=4))


def poisoned():
    """The same, but every filter answers NaN to a picture that is purely white somewhere."""

    class Poison(nn.Module):
        def forward(self, images):
            spoilt = (images >= 1).all(1).flatten(1).any(1)
            return torch.where(spoilt[:, None, None, None], float("nan"), images)

    return nn.Sequential(Poison(), *network())
'''


def sentence(seed, *parts):
    return np.random.default_rng([seed, *parts])


class Study:
    """Where everything of the study lies, and its settings."""

    extraction = ExtractionSettings(batch_size=8, workers=0, quantile=0.95)
    training = ExplainerSettings(
        epochs=40,
        batch_size=8,
        learning_rate=0.01,
        vocabulary_negatives=4,
        loss="softmax",
        power=0.5,
        choosing=0.25,
        attended=1.0,
    )
    explanation = ExplanationSettings(per_image=6, batch_size=8)
    # No small share of false names can be told of so few: two of four claims are lent to filters of other words.
    scores = ScoreSettings(recall_at=(1, 3), resolution=32, bootstrap=40, false_discoveries=1.0)
    mining = MiningSettings("val", 5, 3, "none", proposals=ProposalSettings(0.03, 0.025))
    seed, printed = 0, 5

    def __init__(self, folder: Path):
        self.folder = folder
        self.pictures = folder / "pictures"
        self.factory = folder / "factory.py"
        self.factory.write_text(FACTORY)

    def __getattr__(self, name: str) -> Path:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.folder / f"{name}.parquet"

    @property
    def weights(self) -> Path:
        return self.folder / "weights.pt"

    @property
    def explainers(self) -> dict[str, Path]:
        return {name: self.folder / f"{name}.pt" for name in ("words", "shuffled_labels")}

    def network(self, function: str = "network") -> dict:
        """As in the config, defaults filled in."""
        inputs = {"resize": SIDE, "crop": SIDE, "mean": [0, 0, 0], "std": [1, 1, 1]}
        return {"source": "factory", "factory": f"{self.factory}:{function}", "input": inputs}

    def probe(self, function: str = "network", layer: str = "1") -> ProbeSettings:
        return ProbeSettings.from_mapping({"network": self.network(function), "layer": layer})

    def larger_probe(self) -> ProbeSettings:
        """The probe of a network whose input is larger than the pictures, which are enlarged to it."""
        probe = self.probe()
        inputs = replace(probe.inputs, resize=80, crop=80)
        return replace(probe, network=replace(probe.network, input=inputs))

    @property
    def trial(self) -> TrialSettings:
        return TrialSettings(self.extraction, self.training, self.mining, self.explanation, self.scores)

    def table(self, name: str, schema: str | None = None):
        """A table of the study as a frame."""
        return tables.read(getattr(self, name), schema or name).to_pandas()

    # --- the world --------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Pictures with one to three rectangles of different colours on noise, and exact masks."""
        self.pictures.mkdir(parents=True)
        images, annotations = [], []
        for number in range(TRAIN + VAL):
            chance = sentence(self.seed, number)
            pixels = chance.integers(0, 60, (SIDE, SIDE, 3), np.uint8)
            present = [name for place, name in enumerate(COLOURS) if (number + place) % 3 or chance.random() < 0.3]
            for place, name in enumerate(present):
                height, width = chance.integers(12, 30, 2)
                top, left = chance.integers(0, SIDE - height), place * 20 + chance.integers(0, 3)
                width = min(width, 18)
                mask = np.zeros((SIDE, SIDE), np.uint8)
                mask[top : top + height, left : left + width] = 1
                pixels[mask > 0] = np.array(COLOURS[name]) + chance.integers(-15, 16, (int(mask.sum()), 3))
                encoded = coco_mask.encode(np.asfortranarray(mask))
                x, y, w, h = coco_mask.toBbox(encoded)
                annotations.append(
                    (len(annotations), number, name, [name], x, y, w, h, encoded["counts"], float(mask.sum()))
                )
            path = self.pictures / f"{number}.png"
            Image.fromarray(pixels).save(path)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            images.append((number, "train" if number < TRAIN else "val", path.name, SIDE, SIDE, False, digest))
        self.write("images", images)
        self.write("annotations", annotations)
        rows = [(name, [name], *self.counts(annotations, name), True) for name in COLOURS]
        self.write("categories", rows)

    @staticmethod
    def counts(annotations, name):
        owners = [row[1] for row in annotations if row[2] == name]
        train = [owner for owner in owners if owner < TRAIN]
        val = [owner for owner in owners if owner >= TRAIN]
        return len(set(train)), len(set(val)), len(train), len(val)

    def write(self, name: str, rows: list[tuple]) -> None:
        columns = dict(zip(tables.SCHEMAS[name].names, map(list, zip(*rows, strict=True)), strict=True))
        tables.write(columns, name, getattr(self, name))

    def speak(self) -> None:
        """Tokens, a synonym beside each, a plural, and words that mean nothing here."""
        chance = sentence(self.seed, 1000)
        words, vectors = [], []
        for name, synonym in zip(COLOURS, ("crimson", "emerald", "azure"), strict=True):
            vector = chance.normal(size=16)
            words += [name, synonym]
            vectors += [vector, vector + 0.5 * chance.normal(size=16)]
        words += ["reds", *(f"noise{number}" for number in range(33))]
        vectors += [vectors[0] + chance.normal(size=16), *chance.normal(size=(33, 16))]
        table = {
            "row": np.arange(len(words), dtype=np.int32),
            "word": words,
            "vector": tables.vectors(np.array(vectors)),
        }
        tables.write(table, "vocabulary", self.vocabulary)

    # --- the rules --------------------------------------------------------------------------------------

    def shards(self, kind: str, total: int = 2, where: Path | None = None) -> list[Path]:
        where = where or self.folder / "shards"
        return [where / f"{kind}-{number}-of-{total}.parquet" for number in range(1, total + 1)]

    def outputs(self, number: int, total: int = 2, where: Path | None = None) -> ShardPaths:
        """Where the tables of a shard go."""
        kinds = ("pooled", "image", "tails", "rejected", "maps")
        return ShardPaths(*(self.shards(kind, total, where)[number - 1] for kind in kinds))

    def extract(self, total: int = 2, where: Path | None = None, **changed) -> None:
        for number in range(1, total + 1):
            arguments = {
                "path_to_images": self.images,
                "path_to_annotations": self.annotations,
                "path_to_weights": self.weights,
                "outputs": [self.outputs(number, total, where)],
                "folder": self.pictures,
                "probes": [self.probe()],
                "settings": self.extraction,
                "scatteritem": f"{number}-of-{total}",
                "max_bad_fraction": 0,
                "most": 1.0,
            }
            extract_activations(**{**arguments, **changed})

    def train(self, **changed) -> None:
        for name, path in self.explainers.items():
            arguments = {
                "paths_to_pooled": self.shards("pooled"),
                "paths_to_attended": [self.attended],
                "path_to_categories": self.categories,
                "path_to_vocabulary": self.vocabulary,
                "path_to_weights": path,
                "path_to_history": self.folder / f"{name}_history.parquet",
                "path_to_csv": self.folder / f"{name}_history.csv",
                "settings": self.training,
                "seed": self.seed,
                "shuffled_labels": name == "shuffled_labels",
            }
            train_explainer(**{**arguments, **changed})

    def explain(self, **changed) -> None:
        names = list(self.explainers)
        votes = {name: self.folder / f"{name}_by_filter.parquet" for name in names}
        beside = Path(changed.get("paths_to_votes", votes)["words"]).parent
        arguments = {
            **self.looked_at,
            "path_to_top_images": self.top_images,
            "path_to_vocabulary": self.vocabulary,
            "path_to_allowed": None,
            "path_to_evidence": self.evidence,
            "paths_to_explainers": self.explainers,
            "paths_to_words": {name: self.folder / f"{name}_by_image.parquet" for name in names},
            "paths_to_votes": votes,
            "path_to_apart": beside / "words_apart.parquet",
            "path_to_heatmaps": beside / "heatmaps.parquet",
            "path_to_feeds": beside / "feeds.parquet",
            "path_to_field": beside / "receptive_field.parquet",
            "settings": self.explanation,
            "proposals": self.mining.proposals,
            "voting": self.mining.voting,
            "weighting": self.mining.weighting,
            "printed": self.printed,
            **changed,
        }
        shown = taken(ProbedImages, arguments)
        known, written = taken(KnownPaths, arguments), taken(ExplanationPaths, arguments)
        votes = taken(VoteSettings, arguments)
        explain_filters(shown, known=known, written=written, votes=votes, **arguments)

    @property
    def looked_at(self) -> dict:
        """Where everything is that a job takes which looks once more at pictures with masks, see ProbedImages."""
        return {
            "path_to_images": self.images,
            "paths_to_image_activations": self.shards("image"),
            "path_to_annotations": self.annotations,
            "path_to_categories": self.categories,
            "path_to_thresholds": self.thresholds,
            "path_to_weights": self.weights,
            "paths_to_maps": [],
            "folder": self.pictures,
            "probe": self.probe(),
            "activations": self.extraction,
        }

    def study_settings(self, run: int) -> StudySettings:
        """How training images are looked at, so many of them added up at a time."""
        return StudySettings(
            self.mining.evidence, self.explanation, self.scores.overlap, attended=self.training.attended, run=run
        )

    def dissect(self, **changed) -> None:
        beside = Path(changed.get("path_to_overlaps", self.overlaps)).parent
        arguments = {
            **self.looked_at,
            "path_to_overlaps": self.overlaps,
            "path_to_evidence": beside / "evidence.parquet",
            "path_to_attended": beside / "attended.parquet",
            "settings": self.study_settings(run=self.extraction.batch_size),
            "resolution": 32,
            "kept": 3,
            "seed": self.seed,
            **changed,
        }
        dissect_filters(taken(ProbedImages, arguments), **arguments)

    def score(self, **changed) -> None:
        names = list(self.explainers)
        arguments = {
            **self.looked_at,
            "path_to_top_images": self.top_images,
            "path_to_overlaps": self.overlaps,
            "paths_to_words": {name: self.folder / f"{name}_by_image.parquet" for name in names},
            "paths_to_votes": {name: self.folder / f"{name}_by_filter.parquet" for name in names},
            "written": self.scored_at(self.folder),
            "settings": self.scores,
            "split": "val",
            "seed": self.seed,
            **changed,
        }
        score_words(taken(ProbedImages, arguments), taken(SaidPaths, arguments), **arguments)

    @staticmethod
    def scored_at(folder: Path) -> ScoredPaths:
        """Where the scores, claims and tests go."""
        claims, tests = ((folder / f"{name}.parquet", folder / f"{name}.csv") for name in ("filter_claims", "sanity"))
        return ScoredPaths(folder / "measurements.parquet", claims, tests)

    @property
    def paths(self) -> dict:
        """What a trial reads."""
        names = ("images", "annotations", "categories", "vocabulary")
        tables_ = {name: getattr(self, name) for name in names}
        return {**tables_, "image_activations": self.shards("image"), "weights": self.weights}

    def paths_of_layers(self, *shards) -> dict:
        """The same for a job of several layers, of each of which these are the shards."""
        return {**self.paths, "image_activations": list(shards) or [self.shards("image")]}

    def tabulate(self, **changed) -> None:
        names = (self.filter_names, self.folder / "filter_names.csv")
        arguments = {
            "path_to_votes": self.words_by_filter,
            "path_to_apart": self.words_apart,
            "path_to_thresholds": self.thresholds,
            "path_to_categories": self.categories,
            "path_to_claims": self.filter_claims,
            "path_to_reference": None,
            "paths_to_words": (self.filter_words, self.folder / "filter_words.csv"),
            "paths_to_names": names,
            "path_to_apart_csv": Path(changed.get("paths_to_names", names)[0]).parent / "words_apart.csv",
        }
        tabulate_words(**{**arguments, **changed})

    def run(self) -> None:
        """The whole way."""
        self.draw()
        self.speak()
        prepare_network(self.weights, self.network(), self.seed)
        self.extract()
        gather_thresholds(
            self.shards("tails"), self.thresholds, self.folder / "thresholds.csv", self.extraction.quantile
        )
        mining = self.mining
        mine_top_images(self.shards("image"), self.top_images, mining.top_images, mining.top_share, "val")
        self.dissect()
        self.train()
        self.explain()
        self.score()
        score_random_network(
            self.paths_of_layers(),
            [self.random_network],
            self.pictures,
            self.trial,
            [self.probe()],
            self.seed,
            Faithful(),
        )
        tabulate_scores(
            [self.measurements, self.random_network],
            self.folder / "scores.parquet",
            self.folder / "scores.csv",
            0.95,
            {"probe": "p", "dataset": "d", "vocabulary": "v"},
        )
        self.tabulate()


def taken(kind: type, arguments: dict):
    """One of this dataclass from those of the arguments that are its fields, which are taken away from them."""
    return kind(**{each.name: arguments.pop(each.name) for each in fields(kind) if each.name in arguments})


@pytest.fixture(scope="session")
def study(tmp_path_factory) -> Study:
    """The study, run to its end. Tests write elsewhere, so that all of them see the same."""
    torch.set_num_threads(1)  # the matrices are so small that threads only wait for each other
    study = Study(tmp_path_factory.mktemp("study"))
    study.run()
    return study
