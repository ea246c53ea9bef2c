"""What looks at photographs, in CPU seconds: one layer and four of ResNet-50, together and one pass per layer.

*together* is the workflow's way: one job reads all layers in one pass and keeps their maps. *apart* looks again in
every job and for every layer, as the workflow did before. *CLIP-Dissect's looks* are but the first step, the pooled
activations of all photographs, by one pass per layer: as CLIP-Dissect gets its own (Oikarinen and Weng 2023), which
computes nothing else of ours. Every case runs in a process of its own, step by step through the workflow's own scripts;
*apart* without the memory settings that jobs now have. What looks at nothing (training the explainers, gathering
thresholds) is run and not counted, but for the null network's own. Twice the photographs take as much memory.

    layers.py [images of each split] [objects per token] [case, or all]
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from material import real_study

from activations.extract_activations import extract_activations
from activations.gather_thresholds import gather_thresholds
from activations.mine_top_images import mine_top_images
from configuration.environment import keep_freed_memory
from filterscope import tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import ProbeSettings
from filterscope.activations.shards import ShardPaths
from filterscope.data.networks.weights import write_weights
from filterscope.faithful import Faithful
from filterscope.words.explaining.explanation import ExplanationSettings
from filterscope.words.explaining.explanation_tables import ExplanationPaths, KnownPaths, VoteSettings
from filterscope.words.explaining.proposals import ProposalSettings
from filterscope.words.explaining.training import ExplainerSettings
from filterscope.words.explaining.training_images import StudySettings
from filterscope.words.in_memory_run import MiningSettings, TrialSettings
from filterscope.words.looking import ProbedImages
from filterscope.words.proofs.responses import ProofSettings
from filterscope.words.results import SaidPaths
from filterscope.words.scoring.scores import ScoredPaths, ScoreSettings
from words.explaining.dissect_filters import dissect_filters
from words.explaining.explain_filters import explain_filters
from words.explaining.train_explainer import train_explainer
from words.proofs.extract_answers import extract_answers
from words.scoring.score_random_network import score_random_network
from words.scoring.score_words import score_words


@dataclass(frozen=True)
class Way:
    """How many layers are read, whether in one pass whose maps are kept, of how many times the photographs; whether
    that pass is all."""

    layers: int
    together: bool
    times: int = 1
    looks_only: bool = False


CASES = {
    "one, together": Way(1, True),
    "four, together": Way(4, True),
    "four, together, twice the photographs": Way(4, True, times=2),
    "four, CLIP-Dissect's looks": Way(4, False, looks_only=True),
    "one, apart": Way(1, False),
    "four, apart": Way(4, False),
}
LAYERS = ("layer4", "layer1", "layer2", "layer3")
EXTRACTION = ExtractionSettings(batch_size=16, workers=1)
TRAINING = ExplainerSettings(
    epochs=1, batch_size=64, learning_rate=0.003, vocabulary_negatives=1024, loss="softmax", power=0.5, hidden=512
)
EXPLANATION, SCORES, MINING = ExplanationSettings(), ScoreSettings(bootstrap=50), MiningSettings()
KINDS = ("pooled", "images", "tails", "rejected", "maps")


class Case:
    """The tables of a few photographs, and the CPU seconds of every step."""

    def __init__(self, folder: Path, images: int, objects: int):
        self.folder, self.seconds = folder, {}
        self.proofs = ProofSettings(objects=objects, controls=objects)
        study = real_study("resnet50")
        some = study.images.groupby("split").head(images)
        annotations = study.annotations.to_pandas()
        annotations = annotations[annotations["image_id"].isin(some["image_id"])]
        self.pictures, self.network = study.folder, study.probe.network
        self.paths = {
            name: folder / f"{name}.parquet" for name in ("images", "annotations", "categories", "vocabulary")
        }
        tables.write(some, "images", self.paths["images"])
        tables.write(annotations, "annotations", self.paths["annotations"])
        tables.write(study.categories, "categories", self.paths["categories"])
        words = {"row": np.arange(len(study.vocabulary.words), dtype=np.int32), "word": list(study.vocabulary.words)}
        vectors = {"vector": tables.vectors(study.vocabulary.vectors)}
        tables.write(words | vectors, "vocabulary", self.paths["vocabulary"])
        self.weights = folder / "weights.pt"
        write_weights(study.network, self.weights)

    def counted(self, step: str, function, *arguments, **keywords) -> None:
        """Run it, and count its CPU seconds, those of its decoding processes among them."""
        before = cpu_seconds()
        function(*arguments, **keywords)
        spent = cpu_seconds() - before
        self.seconds[step] = self.seconds.get(step, 0.0) + spent
        print(f"{step}: {spent:.1f} CPU s", file=sys.stderr, flush=True)

    def run(self, layers: tuple[str, ...], kept: bool, looks_only: bool = False) -> None:
        """All that looks at photographs, for these layers in one pass; looks_only: nothing but that pass."""
        own = {layer: self.folder / layer for layer in layers}
        shards = {layer: ShardPaths(*(own[layer] / f"{kind}.parquet" for kind in KINDS)) for layer in layers}
        probes = [ProbeSettings(self.network, layer) for layer in layers]
        looked = {
            "path_to_images": self.paths["images"],
            "path_to_annotations": self.paths["annotations"],
            "path_to_weights": self.weights,
            "folder": self.pictures,
        }
        most = 8 if kept else 0
        self.counted(
            "extract_activations",
            extract_activations,
            **looked,
            outputs=list(shards.values()),
            probes=probes,
            settings=EXTRACTION,
            scatteritem="1-of-1",
            max_bad_fraction=0,
            most=most,
        )
        if looks_only:
            return
        activations = [[each.images] for each in shards.values()]
        self.counted(
            "extract_answers",
            extract_answers,
            **looked,
            paths_to_image_activations=activations,
            path_to_categories=self.paths["categories"],
            paths_to_answers=[each / "answers.parquet" for each in own.values()],
            probes=probes,
            activations=EXTRACTION,
            settings=self.proofs,
            split="val",
            seed=0,
        )
        for probe in probes:
            self._explained(own[probe.layer], shards[probe.layer], probe, kept)
        self.counted(
            "score_random_network",
            score_random_network,
            self.paths | {"image_activations": activations},
            [each / "random.parquet" for each in own.values()],
            self.pictures,
            TrialSettings(EXTRACTION, TRAINING, MINING, EXPLANATION, SCORES),
            probes,
            0,
            Faithful(),
            most,
        )

    def _explained(self, own: Path, shard: ShardPaths, probe: ProbeSettings, kept: bool) -> None:
        """One layer from its thresholds to its scores and their tests."""
        shown = ProbedImages(
            probe,
            EXTRACTION,
            self.pictures,
            self.paths["images"],
            self.paths["categories"],
            own / "thresholds.parquet",
            self.weights,
            [shard.maps] if kept else [],
            [shard.images],
            self.paths["annotations"],
        )
        gather_thresholds([shard.tails], own / "thresholds.parquet", own / "thresholds.csv", EXTRACTION.quantile)
        mine_top_images([shard.images], own / "top.parquet", MINING.top_images, MINING.top_share, MINING.split)
        self.counted(
            "dissect_filters",
            dissect_filters,
            shown,
            path_to_overlaps=own / "overlaps.parquet",
            path_to_evidence=own / "evidence.parquet",
            path_to_attended=own / "attended.parquet",
            settings=StudySettings(MINING.evidence, EXPLANATION, SCORES.overlap, TRAINING.attended),
            resolution=SCORES.resolution,
            kept=20,
            seed=0,
        )
        names = ("words", "shuffled_labels")
        for name in names:
            train_explainer(
                paths_to_pooled=[shard.pooled],
                paths_to_attended=[own / "attended.parquet"],
                path_to_categories=self.paths["categories"],
                path_to_vocabulary=self.paths["vocabulary"],
                path_to_weights=own / f"{name}.pt",
                path_to_history=own / f"{name}_history.parquet",
                path_to_csv=own / f"{name}_history.csv",
                path_to_temperatures=own / f"{name}_temperatures.parquet",
                settings=TRAINING,
                seed=0,
                shuffled_labels=name != "words",
            )
        words = {name: own / f"{name}_by_image.parquet" for name in names}
        votes = {name: own / f"{name}_by_filter.parquet" for name in names}
        explainers = {name: own / f"{name}.pt" for name in names}
        self.counted(
            "explain_filters",
            explain_filters,
            shown,
            path_to_top_images=own / "top.parquet",
            known=KnownPaths(self.paths["vocabulary"], None, own / "evidence.parquet", explainers),
            written=ExplanationPaths(
                words, votes, *(own / f"{name}.parquet" for name in ("apart", "heatmaps", "feeds", "field"))
            ),
            settings=EXPLANATION,
            proposals=ProposalSettings(0.015, 0.036),
            votes=VoteSettings(),
        )
        self.counted(
            "score_words",
            score_words,
            shown,
            SaidPaths(words, votes, own / "overlaps.parquet"),
            path_to_top_images=own / "top.parquet",
            written=ScoredPaths(
                own / "measurements.parquet",
                *((own / f"{table}.parquet", own / f"{table}.csv") for table in ("claims", "sanity")),
            ),
            settings=SCORES,
            split="val",
            seed=0,
        )


def cpu_seconds() -> float:
    """Of this process and of those that it waited for."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in both)


def measure(name: str, images: int, objects: int) -> None:
    """Print a line of the table."""
    way = CASES[name]
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        case = Case(Path(folder), images * way.times, objects)
        # Apart, every layer has a pass of its own, and nothing of what the last one saw.
        chosen = LAYERS[: way.layers]
        for layers in [chosen] if way.together else [(layer,) for layer in chosen]:
            case.run(layers, way.together, way.looks_only)
        stored = sum(path.stat().st_size for path in Path(folder).glob("*/maps.parquet")) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in case.seconds.items())
    print(f"| {name} | {sum(case.seconds.values()):.0f} | {peak:.1f} | {stored:.0f} | {steps} |", flush=True)


def main(images: str = "64", objects: str = "6", case: str | None = None) -> None:
    """Run all cases, or the one that is named."""
    if case is not None:
        measure(case, int(images), int(objects))
        return
    print("| case | CPU s | peak GiB | maps MiB | of it |\n|---|---|---|---|---|", flush=True)
    own = dict(os.environ)
    keep_freed_memory()
    for name, way in CASES.items():
        environment = os.environ if way.together or way.looks_only else own
        subprocess.run([sys.executable, __file__, images, objects, name], env=environment, check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
