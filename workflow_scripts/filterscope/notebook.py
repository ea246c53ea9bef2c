"""Filters of a torch module named in a notebook, on a list of pictures, by an explainer that a finished study trained.

>>> from filterscope import notebook
>>> trained = notebook.load("my.yaml")
>>> named = trained.name(trained.network(), sorted(Path("album").glob("*.jpg")))
>>> named.table[["status", "name", "words"]]
>>> named.sheet(3)

There are no masks, so nothing can be tested: every name is `untested`, as in a folder of photographs, and what the
study's masks said of the same claim stands beside it. An explainer is of one layer of one network, whose filters it was
shown in this order: it needs that layer, or the same one of a network that was trained on from there.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import nn

from filterscope import tables
from filterscope.activations.extraction import read_maps
from filterscope.activations.mining import TopImages
from filterscope.activations.remarks import mining_remarks, threshold_remarks
from filterscope.activations.streaming import Batch, Look
from filterscope.activations.tails import Tail
from filterscope.activations.thresholds import threshold_table
from filterscope.commands import studies
from filterscope.data.datasets.sources import SOURCES
from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.data.networks import building, checkpoints
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings, NetworkSettings
from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.figures import Figure
from filterscope.words.explaining.candidates import candidates
from filterscope.words.explaining.evidence import Evidence
from filterscope.words.explaining.explainer import Explainer, load_explainer
from filterscope.words.explaining.explanation import ExplanationSettings, TopPairs, explain
from filterscope.words.explaining.novelty import novel
from filterscope.words.explaining.proposals import ProposalSettings, apart, known_chances, proposers
from filterscope.words.explaining.targets import Tokens
from filterscope.words.firing import Thresholds
from filterscope.words.naming import called, filter_names, name_remarks
from filterscope.words.results import claimed, votes_table
from filterscope.words.scoring.score_table import WORDS
from filterscope.words.sheets import TopImage, remarks_of, sheet, views

Picture = str | Path | Image.Image | np.ndarray  # a file, or uint8 [height, width, 3]

# What a study would say where none is given; of config.yaml.
PER_IMAGE, VOTING, WEIGHTING, PRINTED, TOP, SHARE, QUANTILE = 20, 5, "none", 10, 25, 0.1, 0.995
SHOWN = 3  # words of an image on a sheet
BARS = 20  # names that a chart shows
OTHER_WEIGHTS = (
    "The network's weights are not the study's: what its training images say of the filters does not count, names are "
    "voted for by the explainer alone, and that was trained on the study's weights."
)
UNKNOWN_WEIGHTS = (
    "Whether the network's weights are the study's cannot be told without its file (load(study=...)), so what its "
    "training images say of the filters does not count, and names are voted for by the explainer alone."
)


class NotebookError(ValueError):
    """What is needed is not there or does not fit: says what was found and what would be right."""


@dataclass(frozen=True)
class NamingSettings:
    """How filters are named; of the study's `words` and `activations`."""

    explanation: ExplanationSettings = field(default_factory=lambda: ExplanationSettings(per_image=PER_IMAGE))
    proposals: ProposalSettings = ProposalSettings(evidence=0.015, novelty=0.036)
    top_images: int = TOP
    top_share: float = SHARE
    voting: int = VOTING
    weighting: str = WEIGHTING
    printed: int = PRINTED
    quantile: float = QUANTILE


@dataclass(frozen=True)
class Trained:
    """An explainer and what it needs to name filters.

    evidence: what the study's training images say of the filters. inputs: how pictures become the network's input.
    layer: dotted path of the module, None where no study said it. settings_of_network, path_to_weights: the study's own
    network. reference: the study's `filter_names`, None where there are none yet.
    """

    explainer: Explainer
    vocabulary: Vocabulary
    tokens: Tokens
    evidence: Evidence
    path_to_weights: Path | None = None
    layer: str | None = None
    call: int = -1
    inputs: InputSettings = InputSettings()
    settings: NamingSettings = NamingSettings()
    settings_of_network: NetworkSettings | None = None
    reference: pd.DataFrame | None = None

    def __repr__(self) -> str:
        return (
            f"Trained(layer={self.layer!r}, {self.explainer.filters} filters, {len(self.vocabulary)} words, "
            f"{len(self.tokens.every)} categories' tokens)"
        )

    def network(self) -> nn.Module:
        """The network that the explainer was trained on, in eval mode. Raises NotebookError without a study."""
        if self.settings_of_network is None:
            raise NotebookError("which network this explainer was trained on only its study tells: load(study=...)")
        return building.load(self.settings_of_network, self.path_to_weights)

    def name(
        self,
        network: nn.Module,
        pictures: Sequence[Picture],
        layer: str | None = None,
        call: int | None = None,
        inputs: InputSettings | None = None,
    ) -> Named:
        """Name all filters of a layer by what they see in the pictures.

        pictures: files, PIL images or uint8 arrays [height, width, 3]; they are held in memory as the network takes
        them. layer, call, inputs: those of the study by default. The network stays on its device and in its mode.
        Raises NotebookError where there is no picture, no layer is given or the layer has not the explainer's filters,
        ImageError for a picture that cannot be read and LayerError for a layer that is not there.
        """
        layer, inputs, pictures = layer or self.layer, inputs or self.inputs, list(pictures)
        if layer is None:
            raise NotebookError(
                f"no layer is given: should be the one with the {self.explainer.filters} filters that the explainer "
                "was trained on, as layer='layer4'; or load(study=...), which tells it"
            )
        if not pictures:
            raise NotebookError("pictures is empty; should be files, PIL images or arrays")
        looks = list(_looks(pictures, Geometry(inputs.resize, inputs.crop)))
        with Reader(network, layer, self.call if call is None else call, input_size=inputs.crop) as reader:
            wanted, found = self.explainer.filters, self.settings.explanation.explainer_size(reader)
            if wanted != found:
                raise NotebookError(
                    f"layer {layer!r} gives {found} values, the explainer was trained on {wanted}"
                    + (f", of layer {self.layer!r}" if self.layer else "")
                )
            return _named(self, network, reader, looks, inputs)

    def _is_own(self, network: nn.Module) -> bool:
        """Whether the network's weights are those that the study's training images were seen by."""
        if self.path_to_weights is None or not self.path_to_weights.is_file():
            return False
        kept, given = checkpoints.read_checkpoint(self.path_to_weights), network.state_dict()
        return kept.keys() == given.keys() and all(
            torch.equal(value, given[key].cpu().to(value.dtype)) for key, value in kept.items()
        )


@dataclass(frozen=True)
class Named:
    """Filters with their names.

    table: `filter_names` by filter: status, name, words, what sets it apart, claim, and the study's status of the same
    claim. words: `filter_words`. top: `top_images`, with the position of each picture in the list that was given.
    remarks: what must be known before names are believed, a sentence each.
    """

    table: pd.DataFrame
    words: pd.DataFrame
    thresholds: pd.DataFrame
    top: pd.DataFrame
    remarks: list[str]
    image_words: dict[tuple[int, int], list[str]] = field(repr=False)
    _views: partial = field(repr=False)
    layer: str = ""

    def sheet(self, number: int, images: int = 8) -> Figure:
        """The contact sheet of a filter: its top images, where it looks in them, what it is called."""
        if number not in self.table.index:
            raise NotebookError(f"there is no filter {number}; should be from 0 to {len(self.table) - 1}")
        own = self.top[(self.top["filter"] == number) & (self.top["maximum"] > 0)].head(images)
        if own.empty:
            raise NotebookError(f"filter {number} is {self.table.loc[number, 'status']}: no picture excites it")
        seen = self._views(own)
        shown = [
            TopImage(*seen[number, image], self.image_words[number, image][:SHOWN], maximum)
            for image, maximum in zip(own["image_id"], own["maximum"], strict=True)
        ]
        names = self.table.reset_index()
        remarks = remarks_of(number, names, self.thresholds, self.top)
        words = self.words[self.words["filter"] == number]
        name = names.set_index("filter").loc[number]
        return _shown(sheet(f"layer {self.layer}   filter {number}", name, words, None, shown, remarks))

    def chart(self) -> Figure:
        """How many filters bear each name, commonest first: whether names tell filters apart."""
        counts = called(self.table).dropna().value_counts()[:BARS][::-1]
        figure = Figure(figsize=(6, 0.6 + 0.25 * max(len(counts), 1)), dpi=100, layout="constrained")
        axes = figure.add_subplot()
        axes.barh(list(counts.index), list(counts), color="#57606a")
        axes.set_xlabel(f"filters of layer {self.layer} with this name, of {len(self.table)}; none of them tested")
        axes.xaxis.get_major_locator().set_params(integer=True)
        return _shown(figure)


def load(
    study: str | Path | None = None,
    results: str | Path = "results",
    dataset: str | None = None,
    probe: str | None = None,
    vocabulary: str | None = None,
) -> Trained:
    """The explainer of a finished study.

    study: its file, which tells layer, network and settings; without one these are config.yaml's, and the layer is
    asked for later. results: their folder. dataset (with masks), probe, vocabulary: which of its explainers, by
    default the first. Raises NotebookError for what is not there.
    """
    config = None if study is None else _config(study)
    entry = _entry(config, Path(results), {"dataset": dataset, "probe": probe, "vocabulary": vocabulary})
    place = Path(results, "words", entry["dataset"], entry["probe"], entry["vocabulary"])
    data, activations = Path(results, "data"), Path(results, "activations", entry["dataset"], entry["probe"])
    vocabulary_ = Vocabulary.from_table(
        _read(data / "vocabularies" / entry["vocabulary"] / "vocabulary.parquet", "vocabulary")
    )
    tokens = Tokens.of(_read(data / entry["dataset"] / "categories.parquet", "categories").to_pandas())
    vocabulary_ = vocabulary_.including(tokens.every)
    path = _there(place / "explainer.pt")
    width = torch.load(path, weights_only=True, map_location="cpu")["layers.0.weight"].shape[0]
    names = place / "filter_names.parquet"
    trained = Trained(
        load_explainer(path, width, vocabulary_.dimension),
        vocabulary_,
        tokens,
        Evidence.of(_read(activations / "evidence.parquet", "evidence").to_pandas(), tokens.every),
        reference=tables.read(names, "filter_names").to_pandas() if names.is_file() else None,
    )
    return trained if config is None else _as_in(trained, config, entry, data)


def _as_in(trained: Trained, config: dict, entry: dict, data: Path) -> Trained:
    """With what the study says of network, layer and settings."""
    probe, words, activations = config["probes"][entry["probe"]], config["words"], config["activations"]
    network = NetworkSettings.from_mapping(config["networks"][probe["network"]])
    explanation = ExplanationSettings(
        words["method"], probe["pool"] or activations["pool"], words["per_image"], activations["batch_size"]
    )
    settings = NamingSettings(
        explanation,
        ProposalSettings(words["evidence"], words["novelty"]),
        **{key: words[key] for key in ("top_images", "top_share", "voting", "weighting", "printed")},
        quantile=activations["quantile"],
    )
    layer = probe.get("layer")
    return replace(
        trained,
        path_to_weights=data / "networks" / probe["network"] / "weights.pt",
        layer=layer if isinstance(layer, str) else None,
        call=probe.get("call", -1),
        inputs=network.input,
        settings=settings,
        settings_of_network=network,
    )


def _config(study: str | Path) -> dict:
    read = studies.read(study)
    if read.mistakes:
        raise NotebookError("\n".join([f"{study} is wrong:", *read.mistakes]))
    return read.config


def _entry(config: dict | None, results: Path, asked: dict[str, str | None]) -> dict[str, str]:
    """Which explainer is meant: the first that the study, or the folder, has and that is as asked for."""
    if config is not None:
        annotated = {name for name, each in config["datasets"].items() if SOURCES[each["source"]].annotated}
        known = [{key: each[key] for key in asked} for each in config["explanations"] if each["dataset"] in annotated]
    else:
        paths = sorted(results.glob("words/*/*/*/explainer.pt"))
        known = [dict(zip(asked, path.parts[-4:-1], strict=True)) for path in paths]
    fits = [each for each in known if all(asked[key] in (None, each[key]) for key in asked)]
    if fits:
        return fits[0]
    where = "the study's explanations have" if config is not None else f"{results} has"
    there = ", ".join("/".join(each.values()) for each in known) or "none"
    wanted = "/".join(value or "*" for value in asked.values())
    raise NotebookError(f"no explainer {wanted} (dataset/probe/vocabulary): {where} {there}")


def _there(path: Path) -> Path:
    if not path.is_file():
        raise NotebookError(f"{path}: there is no such file; the study must be finished as far as its words")
    return path


def _read(path: Path, name: str):
    return tables.read(_there(path), name)


def _looks(pictures: Sequence[Picture], geometry: Geometry) -> Iterator[Look]:
    """The pictures as the network takes them; their numbers are their positions."""
    for number, picture in enumerate(pictures):
        yield Look(number, geometry.picture(_pixels(number, picture)), np.zeros(0, np.int64), {})


def _pixels(number: int, picture: Picture) -> torch.Tensor:
    if isinstance(picture, (str, Path)):
        return read_image(picture, apply_exif=True)
    values = np.array(picture.convert("RGB")) if isinstance(picture, Image.Image) else np.asarray(picture)
    if values.dtype != np.uint8 or values.ndim != 3 or values.shape[2] != 3:
        raise NotebookError(
            f"picture {number} is {values.dtype} {list(values.shape)}; should be a file, a PIL image or an array, "
            "uint8 [height, width, 3]"
        )
    return torch.tensor(np.ascontiguousarray(values)).permute(2, 0, 1).contiguous()


def _named(trained: Trained, network: nn.Module, reader: Reader, looks: list[Look], inputs: InputSettings) -> Named:
    settings, own = trained.settings, trained._is_own(network)
    device = next((each.device for each in network.parameters()), torch.device("cpu"))
    size = settings.explanation.batch_size

    def batches(some: Sequence[Look] = looks) -> Iterator[Batch]:
        return (Batch(list(some[first : first + size])) for first in range(0, len(some), size))

    tail = Tail(reader.filters, settings.quantile, len(looks) * reader.height * reader.width, device)
    top = TopImages(settings.top_images, settings.top_share)
    for batch in batches():
        maps = read_maps(batch, reader, inputs, device)
        tail.add(maps)
        top.add(batch.image_ids, maps.amax((2, 3)).cpu().numpy(), maps.mean((2, 3)).cpu().numpy())
    thresholds, (ids, maxima) = threshold_table([tail.table()], settings.quantile), top.best()
    asked = _proposers(trained, own, device)
    explainer = trained.explainer.to(device)
    found = explain(
        batches(),
        reader,
        inputs,
        {WORDS: explainer},
        TopPairs(ids, maxima),
        Thresholds.of(thresholds),
        {WORDS: asked},
        settings.explanation,
        device,
    )
    words, names = _tabulated(trained, own, found, maxima, thresholds, asked)
    mined = pd.DataFrame(top.table())
    said = found.words[WORDS, "vocabulary"].rows
    spoken = {
        (number, int(image)): [str(trained.vocabulary.words[row]) for row in said[number, rank] if row >= 0]
        for number in range(len(ids))
        for rank, image in enumerate(ids[number])
    }
    remarks = [*threshold_remarks(thresholds), *mining_remarks(mined), *name_remarks(names)]
    shown = partial(_views_of, network, reader.layer, reader.call, looks, inputs, device, size)
    if not own:
        remarks.insert(0, UNKNOWN_WEIGHTS if trained.path_to_weights is None else OTHER_WEIGHTS)
    return Named(names.set_index("filter"), words, thresholds, mined, remarks, spoken, shown, reader.layer)


def _proposers(trained: Trained, own: bool, device: torch.device) -> dict:
    tokens, vocabulary = trained.tokens, trained.vocabulary
    known = known_chances(trained.evidence, tokens, [WORDS])[WORDS]
    weights = trained.settings.proposals if own else ProposalSettings(0.0, trained.settings.proposals.novelty)
    sought = candidates(vocabulary, tokens.every, None, tokens.held_out)
    return proposers(sought, vocabulary.restricted(tokens.supervised), known, weights, device)


def _tabulated(trained: Trained, own: bool, found, maxima, thresholds, asked) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`filter_words` and `filter_names`, as the rules explain_photographs and tabulate_words make them."""
    settings, tokens, vocabulary = trained.settings, trained.tokens, trained.vocabulary
    words = {name: found.words[WORDS, name] for name in asked}
    directions = found.directions[WORDS]
    claims = (
        claimed(trained.evidence.claims(tokens.claimable(None)), directions, vocabulary, tokens.every) if own else None
    )
    weigh = partial(asked["vocabulary"].of_words, directions)
    votes = votes_table(
        words, maxima, vocabulary.words, settings.voting, settings.weighting, settings.printed, claims, weigh
    )
    among = votes[votes["claim"] & (votes["candidates"] == "categories")].set_index("filter")["word"].to_dict()
    own_words = apart(directions, asked, settings.printed)
    said, sets_apart = (
        each[each["candidates"] == "vocabulary"].drop(columns="candidates") for each in (votes, own_words)
    )
    distinct = pd.concat([said["word"], sets_apart["word"]]).unique()
    new = dict(zip(distinct, novel(distinct, tokens.every), strict=True))
    said, sets_apart = (each.assign(novel=each["word"].map(new)) for each in (said, sets_apart))
    reference = trained.reference if own else None
    names = filter_names(said.drop(columns="claim"), thresholds, None, among, sets_apart, reference)
    return said.drop(columns="claim").reset_index(drop=True), names


def _views_of(network, layer, call, looks, inputs, device, size, top: pd.DataFrame) -> dict:
    """Pictures and heatmaps of some top images."""
    chosen = [looks[number] for number in sorted(set(top["image_id"]))]
    batches = (Batch(chosen[first : first + size]) for first in range(0, len(chosen), size))
    with Reader(network, layer, call, input_size=inputs.crop) as reader:
        return views(batches, reader, inputs, top, device)


def _shown(figure: Figure) -> Figure:
    """The figure, which a notebook shows where it ends a cell."""

    def png() -> bytes:
        stream = io.BytesIO()
        figure.savefig(stream, format="png")
        return stream.getvalue()

    figure._repr_png_ = png
    return figure
