"""Words for every filter's top images: all filters and images of a batch at once (LaViSE, 3.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from filterscope.activations.extraction import ExtractionSettings, read_maps
from filterscope.activations.maps import KeptMaps
from filterscope.activations.streaming import Batch
from filterscope.data.networks.building import normalise
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.faithful import Faithful
from filterscope.words.explaining.attention import METHODS
from filterscope.words.explaining.explainer import Explainer
from filterscope.words.explaining.proposals import Proposer
from filterscope.words.explaining.top_maps import TopMaps
from filterscope.words.firing import Thresholds


@dataclass(frozen=True)
class ExplanationSettings:
    """How top images become words; see config.yaml."""

    method: str = "attention"
    pool: str = "mean"
    per_image: int = 20
    batch_size: int = 32

    @classmethod
    def of(cls, words: Mapping, activations: ExtractionSettings) -> ExplanationSettings:
        """From the config's `words`, which says more, and from how activations were taken."""
        return cls(words["method"], activations.pool, words["per_image"], activations.batch_size)

    @property
    def from_maps(self) -> bool:
        """Whether maps suffice; the method "image" shows the network the pictures again."""
        return self.method != "image"

    def explainer_size(self, reader: Reader | KeptMaps) -> int:
        """How many values an explainer takes."""
        return reader.filters * (reader.height * reader.width if self.pool == "native" else 1)

    def __post_init__(self):
        known = [*METHODS, "image"]
        if self.method not in known:
            raise ValueError(f"words.method is {self.method!r}, should be one of {', '.join(known)}")

    def faithful(self, defects: Faithful) -> ExplanationSettings:
        """These settings with the switched-on defects of the reference."""
        changed = replace(self, method="projection") if defects.projection else self
        return replace(changed, pool="native") if defects.unpooled else changed


class TopPairs:
    """The (filter, rank) pairs that each image is a top image of."""

    def __init__(self, image_ids: np.ndarray, maxima: np.ndarray):
        """image_ids, maxima: [filters, p]. Images in which a filter stays silent (m <= 0) are nobody's pair."""
        self.shape = image_ids.shape
        filters, ranks = np.nonzero(maxima > 0)
        order = np.argsort(image_ids[filters, ranks], kind="stable")
        self.filters, self.ranks = filters[order], ranks[order]
        self.keys = image_ids[self.filters, self.ranks]
        self.image_ids = np.unique(self.keys)

    def of(self, image_id: int) -> tuple[np.ndarray, np.ndarray]:
        """Filters and ranks, [n] each."""
        first, last = np.searchsorted(self.keys, [image_id, image_id + 1])
        return self.filters[first:last], self.ranks[first:last]


@dataclass
class Words:
    """Words of every filter's top images: vocabulary rows and cosines [filters, p, s]; row -1 where there is none."""

    rows: np.ndarray
    cosines: np.ndarray


@dataclass
class Explained:
    """What explainers make of the top images.

    words: by (explainer, candidates). directions: by explainer, the mean over a filter's top images of the points of
    unit length, [filters, D]; 0 for filters without one. A word's mean cosine over a filter's top images is its vector
    times the filter's direction.
    """

    words: dict[tuple[str, str], Words]
    directions: dict[str, np.ndarray]


def explain(
    batches: Iterable[Batch],
    reader: Reader,
    inputs: InputSettings,
    explainers: Mapping[str, Explainer],
    pairs: TopPairs,
    thresholds: Thresholds | np.ndarray,
    proposers: Mapping[str, Mapping[str, Proposer]],
    settings: ExplanationSettings,
    device: torch.device,
    kept: TopMaps | None = None,
) -> Explained:
    """Name what every filter sees in its top images.

    explainers: by name. proposers: by explainer and candidates. kept: takes in the maps of all pairs.
    """
    limits = Thresholds.of(thresholds, device)
    words, directions = {}, {}
    for explainer, model in explainers.items():
        directions[explainer] = np.zeros((pairs.shape[0], model.dimension))
        for name, proposer in proposers[explainer].items():
            count = min(settings.per_image, len(proposer.rows))
            words[explainer, name] = Words(
                np.full((*pairs.shape, count), -1, np.int32), np.zeros((*pairs.shape, count), np.float32)
            )
    for batch in batches:
        members = [pairs.of(int(image_id)) for image_id in batch.image_ids]
        filters = np.concatenate([pair[0] for pair in members])
        ranks = np.concatenate([pair[1] for pair in members])
        if not len(filters):
            continue
        maps = read_maps(batch, reader, inputs, device)
        if kept is not None:
            for own, pair in zip(maps, members, strict=True):
                kept.add(*pair, own[torch.from_numpy(pair[0]).to(device)])
        asked = torch.from_numpy(filters).to(device)
        with torch.inference_mode():
            shown = _inputs(batch, maps, members, reader, inputs, limits, settings, device)
            for explainer, model in explainers.items():
                points = functional.normalize(model(shown), dim=1)
                np.add.at(directions[explainer], filters, points.double().cpu().numpy())
                for name, proposer in proposers[explainer].items():
                    each = words[explainer, name]
                    each.rows[filters, ranks], each.cosines[filters, ranks] = proposer(
                        points, asked, each.rows.shape[2]
                    )
    for each in directions.values():
        each /= np.maximum(np.bincount(pairs.filters, minlength=len(each)), 1)[:, None]
    return Explained(words, directions)


def _inputs(batch, maps, members, reader, inputs, thresholds, settings, device) -> torch.Tensor:
    """Explainer inputs of all pairs of a batch, [n, d] or [n, d*h*w]."""
    if settings.method == "image":
        return _masked_images(batch, maps, members, reader, inputs, thresholds, settings, device)
    return torch.cat(
        [
            explainer_inputs(maps[index], torch.from_numpy(filters).to(device), thresholds, settings)
            for index, (filters, _) in enumerate(members)
        ]
    )


def explainer_inputs(
    maps: torch.Tensor, filters: torch.Tensor, thresholds: Thresholds, settings: ExplanationSettings
) -> torch.Tensor:
    """What the explainer is shown of these filters in one image, [n, d] or [n, d*h*w]; not for the method "image"."""
    return METHODS[settings.method](maps, filters, thresholds, settings.pool)


def _masked_images(batch, maps, members, reader, inputs, thresholds, settings, device) -> torch.Tensor:
    """The method "image": the network looks again at only those pixels where the filter fires."""
    pictures = normalise(batch.pictures(device), inputs)
    shown = []
    for index, (filters, _) in enumerate(members):
        chosen = torch.from_numpy(filters).to(device)
        for some in chosen.split(settings.batch_size):
            regions = thresholds[some].regions(maps[index][some], tuple(pictures.shape[2:]))
            seen = reader(pictures[index] * regions[:, None]).float()
            shown.append(seen.flatten(1) if settings.pool == "native" else seen.mean((2, 3)))
    return torch.cat(shown)
