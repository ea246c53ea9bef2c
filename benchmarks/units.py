"""What the class units of networks that learnt shapes are called: the CNN, the ViT and the ConvNeXt of scenes.

Names are claims, by the masks of training pictures; right is a unit that is called its own shape. Beside them stand how
well units tell validation pictures of their shape from others (area under the ROC curve of their maps' means), the same
network before any training, and chance: the same claims, handed to the units in another order.
studies/transformers.yaml explains the same units by words of a whole vocabulary.

    units.py [training pictures] [side, px] [epochs] [seeds, as 0,1,2] [sources]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from activations.extract_activations import extract_activations
from activations.gather_thresholds import gather_thresholds
from data.datasets.prepare_scenes import prepare_scenes
from data.networks.train_scenes_network import train_scenes_network
from filterscope import tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import ProbeSettings
from filterscope.activations.shards import ShardPaths
from filterscope.data.networks import building
from filterscope.data.networks.embedded_training import EmbeddedTrainingSettings, main_shapes
from filterscope.data.networks.settings import NetworkSettings
from filterscope.data.networks.weights import write_weights
from filterscope.data.scenes.dataset import ScenesSettings
from filterscope.data.scenes.words import SHAPES
from filterscope.words.explaining.evidence import Evidence
from filterscope.words.explaining.explanation import ExplanationSettings
from filterscope.words.explaining.training_images import StudySettings
from filterscope.words.in_memory_run import MiningSettings
from filterscope.words.looking import ProbedImages
from filterscope.words.scoring.scores import ScoreSettings
from words.explaining.dissect_filters import dissect_filters

RATES = {"scenes_cnn": 0.004, "scenes_vit": 0.004, "scenes_convnext": 0.004}
EXTRACTION = ExtractionSettings(batch_size=32, workers=1)
KINDS = ("pooled", "images", "tails", "rejected", "maps")
ORDERS = 10_000


class Scenes:
    """Drawn pictures, and what is made of them, in a folder."""

    def __init__(self, folder: Path, count: int, side: int):
        self.folder, self.side = folder, side
        names = ("images", "annotations", "categories", "rejected")
        self.paths = {name: folder / f"{name}.parquet" for name in names}
        settings = ScenesSettings(train=count, val=count // 4, size=side)
        prepare_scenes(*self.paths.values(), folder / "pictures", settings, 0)
        annotations = tables.read(self.paths["annotations"], "annotations")
        self.labels = main_shapes(annotations.select(["image_id", "tokens", "area"]).to_pandas())

    def train(self, entry: dict, epochs: int, seed: int) -> tuple[Path, float]:
        """The weights, and the accuracy on other pictures."""
        source = entry["source"]
        own = self.folder / f"{source}_{seed}"
        own.mkdir()
        train_scenes_network(
            *(self.paths["images"], self.paths["annotations"], self.folder / "pictures"),
            *(own / "weights.pt", own / "words.parquet", own / "history.csv"),
            NetworkSettings.from_mapping(entry).input,
            EmbeddedTrainingSettings(epochs, RATES[source], 32, draw=seed),
            seed=0,
            source=source,
        )
        return own / "weights.pt", pd.read_csv(own / "history.csv")["val_accuracy"].max()

    def claims(self, entry: dict, weights: Path) -> tuple[list[str], list[float]]:
        """What every class unit is called, and how well it tells pictures of its shape."""
        own = weights.with_suffix("")
        probe = ProbeSettings.from_mapping({"network": entry, "layer": "classifier"})
        shard = ShardPaths(*(own.with_name(f"{own.name}_{kind}.parquet") for kind in KINDS))
        looked = {
            "path_to_images": self.paths["images"],
            "path_to_annotations": self.paths["annotations"],
            "path_to_weights": weights,
            "folder": self.folder / "pictures",
        }
        settings = {"settings": EXTRACTION, "scatteritem": "1-of-1", "max_bad_fraction": 0, "most": 8}
        extract_activations(**looked, outputs=[shard], probes=[probe], split="all", **settings)
        named = {
            kind: own.with_name(f"{own.name}_{kind}") for kind in ("thresholds", "overlaps", "evidence", "attended")
        }
        thresholds = named["thresholds"].with_suffix(".parquet")
        gather_thresholds([shard.tails], thresholds, thresholds.with_suffix(".csv"), EXTRACTION.quantile)
        shown = ProbedImages(
            **looked,
            probe=probe,
            activations=EXTRACTION,
            path_to_categories=self.paths["categories"],
            path_to_thresholds=thresholds,
            paths_to_maps=[shard.maps],
            paths_to_image_activations=[shard.images],
        )
        evidence = named["evidence"].with_suffix(".parquet")
        scores = ScoreSettings()
        dissect_filters(
            shown,
            path_to_overlaps=named["overlaps"].with_suffix(".parquet"),
            path_to_evidence=evidence,
            path_to_attended=named["attended"].with_suffix(".parquet"),
            settings=StudySettings(MiningSettings().evidence, ExplanationSettings(), scores.overlap, 0),
            resolution=scores.resolution,
            kept=20,
            seed=0,
        )
        tokens = shown.tokens()
        found = Evidence.of(pd.read_parquet(evidence), tokens.every)
        called = np.array([*tokens.every, "nothing"], object)[found.claims(~tokens.unsupervised)].tolist()
        return called, self.told(shard.images)

    def told(self, path_to_activations: Path) -> list[float]:
        """The area under the ROC curve of every unit's mean, over validation pictures."""
        activations = tables.read(path_to_activations, "image_activations")
        val = np.array(activations["split"].to_pylist()) == "val"
        means = tables.matrix(activations["mean"])[val]
        labels = self.labels.loc[activations["image_id"].to_numpy()[val]].to_numpy()
        return [float(roc_auc_score(labels == unit, means[:, unit])) for unit in range(len(SHAPES))]


def right(claims: list[str]) -> int:
    """Units that are called their own shape."""
    return sum(claim == shape for claim, shape in zip(claims, SHAPES, strict=True))


def by_chance(claims: list[str]) -> float:
    """The same of these claims in any other order, the mean."""
    generator = np.random.default_rng(0)
    return float(np.mean([right(generator.permutation(claims).tolist()) for _ in range(ORDERS)]))


def main(count: str = "1600", side: str = "96", epochs: str = "24", seeds: str = "0,1,2", *sources: str) -> None:
    """Print a line for each training, and one for each network: the units of all its trainings, Wilson's interval."""
    torch.set_num_threads(1)
    titles = ("network", "accuracy", "areas of units", "called right", "by chance", "never trained", "claims")
    print(f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}")
    with tempfile.TemporaryDirectory() as folder:
        scenes = Scenes(Path(folder), int(count), int(side))
        for source in sources or RATES:
            entry = {"source": source, "input": {"resize": int(side), "crop": int(side)}}
            every = []
            for seed in map(int, seeds.split(",")):
                weights, accuracy = scenes.train(entry, int(epochs), seed)
                random = weights.with_name("random.pt")
                write_weights(building.initialise(NetworkSettings.from_mapping(entry), seed=seed + 1), random)
                (claims, areas), (null, _) = (scenes.claims(entry, each) for each in (weights, random))
                every.append(right(claims))
                numbers = f"{accuracy:.3f} | {min(areas):.2f} to {max(areas):.2f} | {right(claims)} of {len(SHAPES)}"
                print(
                    f"| {source} | {numbers} | {by_chance(claims):.2f} | {right(null)} | {' '.join(claims)} |",
                    flush=True,
                )
            units = len(every) * len(SHAPES)
            low, high = binomtest(sum(every), units).proportion_ci(method="wilson")
            print(f"| {source}, all | | | {sum(every)} of {units} [{low:.2f}, {high:.2f}] | | | |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
