"""Codes of a filter's images: what else the network sees where the filter fires, weighed by its attention."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from filterscope.activations.maps import KeptMaps

BATCH = 32  # images whose maps are read together
BLOCK = 512e6  # bytes of codes that are held at a time
SHARPNESS = 16  # chosen on training photographs, of 1, 4 and 16 (benchmarks/measured.md)


@dataclass(frozen=True)
class Strongest:
    """The images that excite filters most: filters [n], image_ids and maxima [n, p], best first."""

    filters: np.ndarray
    image_ids: np.ndarray
    maxima: np.ndarray

    def blocks(self, width: int) -> Iterator[np.ndarray]:
        """Places of filters whose codes of so many values are held together."""
        most = max(1, int(BLOCK / (4 * width * self.image_ids.shape[1])))
        yield from np.array_split(np.arange(len(self.filters)), -(-len(self.filters) // most))

    def of(self, places: np.ndarray) -> Strongest:
        """Some of the filters."""
        return Strongest(self.filters[places], self.image_ids[places], self.maxima[places])


@dataclass(frozen=True)
class Codes:
    """Of filters [n] and images [n, p]: codes float32 [n, p, d], whether the attending filter fires there, and
    where its map is largest, rows and columns as shares of the view [n, p, 2]."""

    values: np.ndarray
    fired: np.ndarray
    peaks: np.ndarray


@dataclass(frozen=True)
class Background:
    """Mean and standard deviation of every filter of a layer over all places of some images, [d] each."""

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, maps: KeptMaps, image_ids: Sequence[int]) -> Background:
        """Of images whose maps were kept. A filter that is the same everywhere deviates by one, so that it tells
        nothing apart."""
        total, squares, cells = torch.zeros(maps.filters).double(), torch.zeros(maps.filters).double(), 0
        for start in range(0, len(image_ids), BATCH):
            own = maps.of(image_ids[start : start + BATCH]).double()
            total += own.sum((0, 2, 3))
            squares += (own**2).sum((0, 2, 3))
            cells += own.numel() // maps.filters
        mean = total / cells
        deviation = (squares / cells - mean**2).clamp(min=0).sqrt()
        return cls(mean.float(), torch.where(deviation > 0, deviation, 1.0).float())


def firing(fired: KeptMaps, image_ids: np.ndarray) -> np.ndarray:
    """Whether filters fire anywhere in images [n] whose maps were kept, [n, d]."""
    parts = [
        (fired.of(image_ids[start : start + BATCH].tolist()).amax((2, 3)) > 0).numpy()
        for start in range(0, len(image_ids), BATCH)
    ]
    return np.concatenate(parts)


def image_codes(maps: Tensor, fired: Tensor) -> Tensor:
    """Means of maps [d, h, w] where each of n filters fires most, [n, d].

    fired: the filters' own maps [n, height, width], of whatever size. Places weigh by the filter's activation to the
    power of SHARPNESS: those below its maximum in the image hardly count.
    """
    places = fired.clamp(min=0)
    if places.shape[1:] != maps.shape[1:]:
        places = functional.interpolate(places[None], maps.shape[1:], mode="bilinear", align_corners=False)[0]
    places = places.flatten(1)
    weights = (places / places.amax(1, keepdim=True).clamp(min=torch.finfo(places.dtype).tiny)) ** SHARPNESS
    return weights @ maps.flatten(1).T / weights.sum(1, keepdim=True).clamp(min=torch.finfo(places.dtype).tiny)


def codes_of(
    strongest: Strongest,
    fired: KeptMaps,
    maps: KeptMaps,
    background: Background,
    attending: np.ndarray | None = None,
    left_out: np.ndarray | None = None,
) -> Codes:
    """Codes of filters in their images, in standard deviations above the background.

    fired: maps that were kept of the filters' layer; maps: of the one that tells images apart. attending: the filters
    [n] by whose maps places weigh, by default the filters themselves. left_out: of each the filters [n, k] whose values
    are 0 in its codes where both layers are the same, by default itself: it fires in all of its images.
    """
    attending = strongest.filters if attending is None else attending
    zeros = torch.from_numpy(strongest.filters[:, None] if left_out is None else left_out)
    count, most = strongest.image_ids.shape
    values = np.zeros((count, most, maps.filters), np.float32)
    answers, peaks = np.zeros((count, most), bool), np.zeros((count, most, 2), np.float32)
    order = np.argsort(strongest.image_ids, axis=None, kind="stable")
    ids = strongest.image_ids.reshape(-1)[order]
    every, first = np.unique(ids, return_index=True)
    pairs = np.split(order, first[1:])
    size = np.array([fired.height, fired.width])
    for start in range(0, len(every), BATCH):
        some = every[start : start + BATCH].tolist()
        own = fired.of(some)
        seen = own if maps is fired else maps.of(some)
        for place, where in enumerate(pairs[start : start + BATCH]):
            rows, columns = np.unravel_index(where, (count, most))
            answer = own[place][torch.from_numpy(attending[rows])]
            codes = (image_codes(seen[place], answer) - background.mean) / background.deviation
            if maps is fired:
                codes.scatter_(1, zeros[torch.from_numpy(rows)], 0.0)
            values[rows, columns] = codes.numpy()
            flat = answer.flatten(1)
            answers[rows, columns] = (flat.amax(1) > 0).numpy()
            cells = np.stack(np.unravel_index(flat.argmax(1).numpy(), tuple(size)), 1)
            peaks[rows, columns] = (cells + 0.5) / size
    return Codes(values, answers, peaks)
