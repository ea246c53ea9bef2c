"""What the class units of networks that learnt shapes are called: the CNN, the ViT and the ConvNeXt of scenes.

Names are claims, by the masks of training pictures; right is a unit that is called its own shape. Beside them stand the
same network before any training, and chance: the same claims, handed to the units in another order.
studies/transformers.yaml explains the same units by words of a whole vocabulary.

    units.py [training pictures] [side, px] [epochs] [sources]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from activations.extract_activations import extract_activations
from activations.gather_thresholds import gather_thresholds
from data.datasets.prepare_scenes import prepare_scenes
from data.networks.train_scenes_network import train_scenes_network
from filterscope import tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import ProbeSettings
from filterscope.activations.shards import ShardPaths
from filterscope.data.networks import building
from filterscope.data.networks.embedded_training import EmbeddedTrainingSettings
from filterscope.data.networks.settings import NetworkSettings
from filterscope.data.networks.weights import write_weights
from filterscope.data.scenes.dataset import ScenesSettings
from filterscope.data.scenes.words import SHAPES
from filterscope.words.explaining.evidence import Evidence
from filterscope.words.explaining.explanation import ExplanationSettings
from filterscope.words.explaining.targets import Tokens
from filterscope.words.in_memory_run import MiningSettings
from filterscope.words.scoring.scores import ScoreSettings
from words.explaining.dissect_filters import dissect_filters

RATES = {"scenes_cnn": 0.004, "scenes_vit": 0.002, "scenes_convnext": 0.004}
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

    def train(self, entry: dict, source: str, epochs: int) -> tuple[Path, float]:
        """The weights, and the accuracy on other pictures."""
        own = self.folder / source
        own.mkdir()
        train_scenes_network(
            *(self.paths["images"], self.paths["annotations"], self.folder / "pictures"),
            *(own / "weights.pt", own / "words.parquet", own / "history.csv"),
            NetworkSettings.from_mapping(entry).input,
            EmbeddedTrainingSettings(epochs, RATES[source], 32),
            seed=0,
            source=source,
        )
        return own / "weights.pt", pd.read_csv(own / "history.csv")["val_accuracy"].max()

    def claims(self, entry: dict, weights: Path) -> list[str]:
        """What every class unit is called."""
        own = weights.with_suffix("")
        probe = ProbeSettings.from_mapping({"network": entry, "layer": "classifier"})
        shard = ShardPaths(*(own / f"{kind}.parquet" for kind in KINDS))
        looked = {
            "path_to_images": self.paths["images"],
            "path_to_annotations": self.paths["annotations"],
            "path_to_weights": weights,
            "folder": self.folder / "pictures",
        }
        settings = {"settings": EXTRACTION, "scatteritem": "1-of-1", "max_bad_fraction": 0, "most": 8}
        extract_activations(**looked, outputs=[shard], probes=[probe], split="all", **settings)
        gather_thresholds([shard.tails], own / "thresholds.parquet", own / "thresholds.csv", EXTRACTION.quantile)
        mining, scores = MiningSettings(), ScoreSettings()
        dissect_filters(
            **looked,
            paths_to_maps=[shard.maps],
            paths_to_image_activations=[shard.images],
            path_to_categories=self.paths["categories"],
            path_to_thresholds=own / "thresholds.parquet",
            path_to_overlaps=own / "overlaps.parquet",
            path_to_evidence=own / "evidence.parquet",
            path_to_attended=own / "attended.parquet",
            probe=probe,
            activations=EXTRACTION,
            explanation=ExplanationSettings(),
            settings=mining.evidence,
            attended=0,
            overlap=scores.overlap,
            resolution=scores.resolution,
            kept=20,
            seed=0,
        )
        tokens = Tokens.of(tables.read(self.paths["categories"], "categories").to_pandas())
        evidence = Evidence.of(pd.read_parquet(own / "evidence.parquet"), tokens.every)
        return np.array(tokens.every, object)[evidence.claims(~tokens.unsupervised)].tolist()


def right(claims: list[str]) -> int:
    """Units that are called their own shape."""
    return sum(claim == shape for claim, shape in zip(claims, SHAPES, strict=True))


def by_chance(claims: list[str]) -> float:
    """The same of these claims in any other order, the mean."""
    generator = np.random.default_rng(0)
    return float(np.mean([right(generator.permutation(claims).tolist()) for _ in range(ORDERS)]))


def main(count: str = "1600", side: str = "96", epochs: str = "24", *sources: str) -> None:
    """Print a line for each network."""
    torch.set_num_threads(1)
    print("| network | accuracy | units called right | by chance | never trained | claims |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        scenes = Scenes(Path(folder), int(count), int(side))
        for source in sources or RATES:
            entry = {"source": source, "input": {"resize": int(side), "crop": int(side)}}
            weights, accuracy = scenes.train(entry, source, int(epochs))
            random = weights.with_name("random.pt")
            write_weights(building.initialise(NetworkSettings.from_mapping(entry), seed=1), random)
            claims, null = (scenes.claims(entry, each) for each in (weights, random))
            numbers = f"{accuracy:.3f} | {right(claims)} of {len(SHAPES)} | {by_chance(claims):.2f} | {right(null)}"
            print(f"| {source} | {numbers} | {' '.join(claims)} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
