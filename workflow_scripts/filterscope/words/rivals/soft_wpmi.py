"""CLIP-Dissect's soft WPMI: how well a concept goes with the images that excite a filter most.

Oikarinen and Weng, "CLIP-Dissect: Automatic description of neuron representations in deep vision networks", ICLR 2023,
section 3: with p(t|x) the softmax over the concepts of an image's cosines times `scale`, and p(x in B) falling evenly
over the ranks of a filter's top images B,

    log E[p(t|B)] = sum over x in B of log(1 + p(x in B) (p(t|x) - 1))
    soft WPMI     = log E[p(t|B)] - weight * log p(t),   p(t) the mean of E[p(t|B)] over the layer's filters
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from filterscope.data.vocabularies.vocabulary import largest

# Numbers that a block of concepts may take beside the embeddings: images and twice the filters, for every concept.
ELEMENTS = 2**24
# Filters whose images are sorted at a time.
FILTERS = 128


@dataclass(frozen=True)
class ClipDissectSettings:
    """How filters are dissected with a CLIP model; see `clip_dissect` in config.yaml.

    top_images: of a filter, at most the share `most` of all. summary: of a map, mean or maximum. scale: of the cosines
    before the softmax. weight: of log p(t). membership: p(x in B) of the first top image, and what it falls to.
    """

    top_images: int = 100
    most: float = 0.1
    summary: str = "mean"
    scale: float = 10.0
    weight: float = 1.0
    membership: tuple[float, float] = (0.998, 0.97)

    def __post_init__(self):
        object.__setattr__(self, "membership", tuple(map(float, self.membership)))
        if self.summary not in ("mean", "maximum"):
            raise ValueError(f"clip_dissect.summary is {self.summary!r}, should be mean or maximum")
        if len(self.membership) != 2 or not 0 < self.membership[1] <= self.membership[0] < 1:
            raise ValueError(
                f"clip_dissect.membership is {list(self.membership)}, should be two numbers between 0 and 1, "
                "the larger first"
            )
        if self.top_images < 1 or not 0 < self.most <= 1:
            raise ValueError(
                f"clip_dissect.top_images is {self.top_images} and most is {self.most}, should be 1 or more and a "
                "share from 0 to 1"
            )

    def taken(self, images: int) -> int:
        """How many top images of a filter are taken, of so many images; at least one."""
        return max(1, min(self.top_images, int(self.most * images)))

    def memberships(self, top: int) -> np.ndarray:
        """p(x in B) by rank, for so many top images; [top]."""
        first, last = self.membership
        return first - np.arange(top) / top * (first - last)


def strongest(summaries: np.ndarray, top: int) -> np.ndarray:
    """Each filter's images of largest summary, best first, of equal ones the earlier; int64 [d, top].

    summaries: [N, d], of every image and filter.
    """
    parts = [
        np.argsort(-summaries[:, start : start + FILTERS].T, axis=1, kind="stable")[:, :top]
        for start in range(0, summaries.shape[1], FILTERS)
    ]
    return np.concatenate([np.zeros((0, min(top, len(summaries))), np.int64), *parts])


def soft_wpmi(
    images: torch.Tensor,
    concepts: torch.Tensor,
    top: np.ndarray,
    settings: ClipDissectSettings,
    kept: int,
    elements: int = ELEMENTS,
) -> tuple[np.ndarray, np.ndarray]:
    """The concepts of largest soft WPMI of every filter, best first, of equal ones the lower row.

    images: unit embeddings [N, E]. concepts: unit embeddings [M, E]. top: top images of every filter that fires, best
    first, [d, n]. elements: numbers held at a time, which bounds the memory and changes nothing.
    Returns soft WPMI [d, min(kept, M)] and rows of the concepts, int64 of the same shape.
    Raises ValueError where the embeddings have different lengths, and where there are no concepts.
    """
    if images.ndim != 2 or concepts.ndim != 2 or images.shape[1] != concepts.shape[1] or not len(concepts):
        raise ValueError(
            f"embeddings of images are {list(images.shape)} and of concepts {list(concepts.shape)}, should be "
            "[images, E] and [1 or more, E]"
        )
    if not len(top):
        nothing = np.zeros((0, min(kept, len(concepts))))
        return nothing, nothing.astype(np.int64)
    values = torch.empty(len(top), 0, dtype=torch.float64, device=images.device)
    rows = torch.empty(len(top), 0, dtype=torch.int64, device=images.device)
    for first, found in _blocks(images, concepts, torch.from_numpy(top).to(images.device), settings, elements):
        columns = torch.arange(first, first + found.shape[1], device=images.device).expand(len(top), -1)
        # Earlier concepts come first, so that of equal ones the lower row stays.
        values, best = largest(torch.cat([values, found], 1), kept)
        rows = torch.cat([rows, columns], 1).gather(1, best)
    return values.cpu().numpy(), rows.cpu().numpy()


def _blocks(
    images: torch.Tensor, concepts: torch.Tensor, top: torch.Tensor, settings: ClipDissectSettings, elements: int
) -> Iterator[tuple[int, torch.Tensor]]:
    """First row of a block of concepts, and soft WPMI of every filter with them, float64 [d, m]."""
    size = max(1, elements // (len(images) + 2 * len(top)))
    blocks = concepts.split(size)
    normaliser = torch.full((len(images),), -torch.inf, dtype=torch.float64, device=images.device)
    for block in blocks:
        cosines = (images @ block.T).double() * settings.scale
        normaliser = torch.logaddexp(normaliser, cosines.logsumexp(1))
    memberships = settings.memberships(top.shape[1])
    for number, block in enumerate(blocks):
        given = ((images @ block.T).double() * settings.scale - normaliser[:, None]).exp()  # p(t|x), [N, m]
        total = torch.zeros(len(top), len(block), dtype=torch.float64, device=images.device)
        for rank, member in enumerate(memberships):
            total += torch.log((1 - member) + member * given[top[:, rank]])
        total -= settings.weight * (total.logsumexp(0) - np.log(len(top)))
        yield number * size, total
