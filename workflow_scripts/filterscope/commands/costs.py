"""What a planned run would download, take and fill: sums over its jobs, each with what it rests on.

Sizes of downloads are those of the sources' own tables. Seconds are guesses: of finished jobs of the same rules where
this folder has some, else of the embedded study's jobs and, where jobs look at photographs, of ResNet-50's at 224 px
(benchmarks/measured.md). A guess within a factor of three is a good one; tests hold the guesses against both.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filterscope.data.datasets.counting import ALL, EXPLAINED, TRAINING, Photographs, photographs
from filterscope.data.networks.settings import TRAINED
from filterscope.data.networks.untrained import trained
from filterscope.data.web import official

Job = tuple[str, Mapping[str, str]]  # rule and wildcards
SHARED = "layers in one pass"  # beside the wildcards of a job that reads several layers, and is told layer by layer

# CPU seconds of a job of the embedded study by Snakemake's benchmarks, where they are neither those of OTHERS
# nor those of TABLES. Of jobs that look at photographs: what they take besides, most of it imports.
SECONDS = {
    "analyse_learning_rates": 5,
    "attack_network": 7,
    "check_probes": 2.5,
    "dissect_filters": 2,
    "dissect_shard": 2,
    "dissect_untrained_shard": 2,
    "draw_facet_plates": 2.5,
    "draw_facets": 2.5,
    "draw_senses": 2.5,
    "embed_facets": 15,
    "explain_filters": 1.7,
    "explain_photographs": 1.7,
    "extract_activations": 2,
    "extract_untrained_activations": 2,
    "extract_answers": 2,
    "gather_scores": 3,
    "maximise_activations": 8,
    "measure_causes": 1.5,
    "measure_complexity": 2,
    "measure_defects": 20,
    "measure_occlusion": 2,
    "name_facets": 2.5,
    "name_pictures": 1.7,
    "prepare_object_samples": 3,
    "prepare_scenes": 8,
    "render_atlas": 4,
    "render_facets": 4,
    "render_sheets": 4.5,
    "score_pictures": 4,
    "score_random_network": 3,
    "score_shard": 3.5,
    "score_words": 3.5,
    "search_capacity": 12,
    "tabulate_defects": 45,
    "tabulate_fit": 2,
    "train_explainer": 1.7,
    "train_null_explainer": 1.7,
    "train_scaled_networks": 11,
    "train_scenes_clip": 13,
    "train_scenes_network": 35,
    "train_with_schedule": 3.5,
    "train_word_vectors": 8,
    "tune_schedule": 4,
}
OTHERS = 1.0
TABLES, VERBS = 0.2, ("gather", "mine", "note", "tabulate")  # of rules that read and write tables
START = 1.0  # of Snakemake for a job, and of what begins and ends it, which are in no benchmark
BUSY = 0.95  # share of two cores' time that jobs of the embedded study fill: at times only one can run
# CPU seconds of a photograph more, for a layer like ResNet-50's last: whether of all, of training or of explained ones.
# Looking comes on top, by LOOKS, learning, by TRAININGS, and looking for words, by EXPLAINERS.
PER_PHOTOGRAPH = {
    "extract_activations": (ALL, 0.005),
    "extract_untrained_activations": (ALL, 0.005),
    "dissect_filters": (TRAINING, 0.025),
    "dissect_shard": (TRAINING, 0.025),
    "dissect_untrained_shard": (TRAINING, 0.025),
    "explain_filters": (EXPLAINED, 0.01),
    "explain_photographs": (EXPLAINED, 0.01),
    "score_shard": (EXPLAINED, 0.03),
    "score_words": (EXPLAINED, 0.03),
    "score_random_network": (ALL, 0.03),
    "prepare_coco": (ALL, 0.01),
    "prepare_visual_genome": (ALL, 0.01),
    "prepare_folder": (ALL, 0.01),
    "unpack_coco": (ALL, 0.001),
    "unpack_visual_genome": (ALL, 0.001),
    "embed_images": (TRAINING, 0.05),
}
# CPU seconds of a look at a photograph: to decode it, with its masks, and a forward pass of ResNet-50; and how often a
# rule looks: where maps are kept, and where not.
PICTURE, FORWARD = 0.012, 0.04
LOOKS = {
    "extract_activations": (1, 1),
    "extract_untrained_activations": (1, 1),
    "dissect_filters": (0, 1),
    "dissect_shard": (0, 1),
    "dissect_untrained_shard": (0, 1),
    "explain_filters": (0, 1),
    "explain_photographs": (0, 1),
    "score_shard": (0, 1),
    "score_words": (0, 1),
    "score_random_network": (1, 2),
}
SEEN_IN_SHARDS = {"score_random_network": (0, 1)}  # where shards have looked before it
EXTRACTING = ("extract_activations", "extract_untrained_activations")
# Composed pictures of an object, besides those at its places: its own, and two without it. Objects that can be used,
# in a photograph, and tokens that objects are looked for of.
COMPOSED, USABLE, TOKENS = 3, 2.0, 80
# Rules that train an explainer, and CPU seconds of an epoch over a filter's value of a sample.
TRAININGS = ("train_explainer", "train_null_explainer", "score_random_network")
WITH_NULL = ("train_explainer",)  # where nothing is cut into shards they train two, one after the other
SAMPLE = 3e-8
# Explainers whose words a rule looks for; CPU seconds for a filter and one of its top images, and for each word that
# they could be. Words of the vocabularies that nobody has limited.
EXPLAINERS = {"explain_filters": 2, "explain_photographs": 2, "score_random_network": 1}
PAIR, WORD = 6e-5, 4e-9
WORDS, CAPTION_WORDS = 400_000, 1000
RESNET50 = 4.1e9  # its multiplications for a picture
CELLS = 2048 * 7 * 7  # of the maps of its last layer
SMALL = (*TRAINED, "planted")  # networks that take next to nothing
LEAST = 0.02  # share of these seconds that maps take, however small they are
BYTES = 4  # of a cell of a kept map
FILTERS, SMALL_FILTERS = 1024, 64  # of a layer that nobody has counted
# Archives that a rule unpacks beside themselves.
UNPACKED = ("download_coco", "download_visual_genome")


@dataclass(frozen=True)
class Download:
    """bytes: None where nobody says how large it is."""

    what: str
    bytes: int | None

    def __str__(self) -> str:
        return f"{self.what}, {'of unknown size' if self.bytes is None else size(self.bytes)}"


@dataclass(frozen=True)
class Layer:
    """What a probe reads: filters, the multiplications that a picture takes up to there, and the cells of its maps."""

    filters: int
    operations: float
    cells: int = CELLS

    @property
    def share(self) -> float:
        """Of the seconds that a forward pass of ResNet-50 takes."""
        return self.operations / RESNET50

    @property
    def size(self) -> float:
        """Of the seconds that the maps of ResNet-50's last layer take, once they are there."""
        return max(LEAST, self.cells / CELLS)


@dataclass(frozen=True)
class Estimate:
    """seconds or bytes, and what the number rests on."""

    basis: str
    seconds: float = 0.0
    bytes: float = 0.0


def size(count: float) -> str:
    """Bytes for people, in powers of ten: 21.3 GB."""
    for unit, power in (("TB", 12), ("GB", 9), ("MB", 6)):
        if count >= 10**power:
            return f"{count / 10**power:.1f} {unit}"
    return f"{math.ceil(count / 1000)} kB"


def downloads(config: Mapping, jobs: Sequence[Job]) -> list[Download]:
    """What the planned jobs would download."""
    archives = {
        "download_coco_annotations": official.ARCHIVES["annotations_trainval2017.zip"],
        "download_coco_train": official.ARCHIVES["train2017.zip"],
        "download_coco_val": official.ARCHIVES["val2017.zip"],
        "download_glove": official.ARCHIVES["glove.6B.zip"],
        "download_visual_genome": official.VISUAL_GENOME["objects"],
        "download_visual_genome_images": official.VISUAL_GENOME["images"],
        "download_visual_genome_images2": official.VISUAL_GENOME["images2"],
    }
    found = []
    for rule, names in jobs:
        if rule in archives:
            found.append(Download(archives[rule].path.rpartition("/")[2], archives[rule].size))
        elif rule == "download_samples":
            source = config["samples"][names["samples"]]["source"]
            files = official.SAMPLES.get(source)
            found.append(Download(f"samples {names['samples']}", sum(each.size for each in files) if files else None))
        elif rule == "prepare_network":
            found += _weights(config["networks"][names["network"]])
    return sorted(found, key=lambda each: (-(each.bytes or 0), each.what))


def _weights(network: Mapping) -> list[Download]:
    """The weights of a network that its source would fetch, none where they lie in torchvision's cache.

    Whether those of timm and Hugging Face do is not looked up.
    """
    name = network.get("model") or network.get("architecture")
    other = network["source"] in ("timm", "huggingface") and network.get("pretrained") and not network.get("file")
    if other and not Path(name).is_dir():
        return [Download(f"weights of {name}", None)]
    if network["source"] != "torchvision" or network["weights"] is None:
        return []
    import torch
    import torchvision

    try:
        known = torchvision.models.get_model_weights(network["architecture"])
        weights = known[network["weights"].rpartition(".")[2]]
    except (KeyError, ValueError):
        return []  # the check of the network says so
    name = weights.url.rpartition("/")[2]
    if Path(torch.hub.get_dir(), "checkpoints", name).is_file():
        return []
    megabytes = weights.meta.get("_file_size")
    return [Download(f"weights of {network['architecture']}", round(megabytes * 2**20) if megabytes else None)]


def time(
    config: Mapping, jobs: Sequence[Job], results: Path, cores: int, layers: Mapping[str, Layer] | None = None
) -> Estimate:
    """How long the jobs would take on so many cores. layers: of probes, where they are known."""
    measured = _measured(results)
    looked = {name: photographs(each) for name, each in _used(config, jobs)}
    guess = partial(_guessed, config=config, looked=looked, layers=layers or {})
    seconds = [measured[rule] if rule in measured else guess(job=(rule, names)) for rule, names in jobs]
    known = sum(rule in measured for rule, _ in jobs)
    parts = []
    if known:
        parts.append(f"{known} of {len(jobs)} jobs as long as finished jobs of their rules here")
    if known < len(jobs):
        rest = "the others" if known else "they"
        parts.append(
            f"{rest} as in the embedded study, and for each photograph as ResNet-50 took, by the network's "
            "multiplications: right within a factor of three at best"
        )
    parts += [
        f"datasets.{name}: {each.of(ALL):,} photographs are a guess, as its folder cannot be looked into"
        for name, each in looked.items()
        if each.guessed
    ]
    longest = max(seconds, default=0.0) / max(1, min(cores, config["threads"]))
    together = (sum(seconds) + START * len(jobs)) / (cores if cores == 1 else cores * BUSY)
    return Estimate("; ".join(parts), seconds=max(together, longest))


def _used(config: Mapping, jobs: Sequence[Job]) -> list[tuple[str, Mapping]]:
    names = dict.fromkeys(names["dataset"] for _, names in jobs if names.get("dataset") in config["datasets"])
    return [(name, config["datasets"][name]) for name in names]


def _guessed(job: Job, config: Mapping, looked: Mapping[str, Photographs], layers: Mapping[str, Layer]) -> float:
    rule, names = job
    seconds = float(SECONDS.get(rule, TABLES if rule.partition("_")[0] in VERBS else OTHERS))
    seen = looked.get(names.get("dataset"))
    if seen is None:
        return seconds
    layer = _layer(names.get("probe"), config, layers)
    parts = config["shards"] if "scatteritem" in names else 1
    if rule in PER_PHOTOGRAPH:
        which, each = PER_PHOTOGRAPH[rule]
        known = {**LOOKS, **(SEEN_IN_SHARDS if config["shards"] > 1 else {})}
        looks = known[rule][not _kept(seen, which, layer, config)] if rule in known else 0
        look = (PICTURE * seen.size + FORWARD * layer.share) * looks / int(names.get(SHARED, 1))
        seconds += seen.of(which) * (each * (layer.size if "probe" in names else seen.size) + look) / parts
    if rule == "extract_answers":
        objects = min(USABLE * seen.explained, config["proofs"]["objects"] * TOKENS)
        composed = objects * (config["proofs"]["places"] + COMPOSED)
        seconds += composed * (PICTURE / 4 * seen.size + FORWARD * layer.share) / int(names.get(SHARED, 1))
    if rule in EXPLAINERS:
        words = config["words"]
        top = min(words["top_images"], max(1, words["top_share"] * seen.explained))
        each = PAIR + WORD * _words(config["vocabularies"][names["vocabulary"]])
        seconds += EXPLAINERS[rule] * layer.filters * top * each
    if rule in TRAININGS:
        samples = seen.training * seen.objects * (1 + config["training"]["attended"])
        trained_there = 2 if rule in WITH_NULL and config["shards"] == 1 else 1
        seconds += trained_there * SAMPLE * config["training"]["epochs"] * samples * layer.filters
    return seconds


def _words(vocabulary: Mapping) -> int:
    return CAPTION_WORDS if vocabulary["source"] == "captions" else min(vocabulary.get("limit") or WORDS, WORDS)


def _kept(seen: Photographs, which: str, layer: Layer, config: Mapping) -> bool:
    """Whether the maps of these photographs are kept, as `filterscope.activations.maps.kept_images` decides."""
    most = config["activations"]["kept"] * 1e9 / (BYTES * layer.cells)
    return seen.of(ALL) <= most or (which == EXPLAINED and seen.of(EXPLAINED) <= most)


def _layer(probe: str | None, config: Mapping, layers: Mapping[str, Layer]) -> Layer:
    """What a probe reads, or what it takes where nobody has looked at it; never trained it takes the same."""
    probe = trained(probe) if probe else None
    if probe in layers:
        return layers[probe]
    network = config["probes"].get(probe, {}).get("network")
    small = network is not None and config["networks"][network]["source"] in SMALL
    return Layer(SMALL_FILTERS, 0.0, round(0.1 * CELLS)) if small else Layer(FILTERS, RESNET50)


def _measured(results: Path) -> dict[str, float]:
    """CPU seconds of finished jobs here, the mean by rule, from Snakemake's benchmarks."""
    found: dict[str, list[float]] = {}
    folder = results / "benchmarks"
    for path in sorted(folder.rglob("*.tsv")):
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        try:
            with path.open(encoding="utf-8") as file:
                rows = list(csv.DictReader(file, delimiter="\t"))
            found.setdefault(rule, []).extend(max(float(row["cpu_time"]), 0.3 * float(row["s"])) for row in rows)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a job that was too short to be measured
    return {rule: sum(each) / len(each) for rule, each in found.items() if each}


def disk(
    config: Mapping, jobs: Sequence[Job], loads: Sequence[Download], layers: Mapping[str, Layer] | None = None
) -> Estimate:
    """How much the results would fill. layers: of probes, where they are known."""
    archives = sum(each.bytes or 0 for each in loads)
    rules = {rule for rule, _ in jobs}
    unpacked = archives if any(rule.startswith(UNPACKED) for rule in rules) else 0
    looked = {name: photographs(each) for name, each in _used(config, jobs)}
    pairs = dict.fromkeys((names["dataset"], names["probe"]) for rule, names in jobs if rule in EXTRACTING)
    cached = 0.0
    for dataset, probe in pairs:
        seen, width = looked[dataset], (layers or {}).get(trained(probe), Layer(FILTERS, 0)).filters
        pooled = seen.of(ALL) * seen.objects + seen.of(TRAINING) * seen.objects * config["training"]["attended"]
        cached += 4 * width * (pooled + 2 * seen.of(ALL))
    parts = ["archives and what is unpacked of them"] if archives else []
    parts += ["activations of all objects and photographs"] if pairs else []
    basis = f"{' and '.join(parts)}; tables and pictures besides" if parts else "tables and pictures"
    return Estimate(basis, bytes=archives + unpacked + cached + 2e6 * len(jobs))
