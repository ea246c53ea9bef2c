"""Does a filter fire where its word is? IoU, F1, AUPRC and correlation over all images, streaming.

A label set claims one token for every filter. Only sums are kept, already weighed by every bootstrap resample, so
memory is resamples x claims x bins whatever the number of images. What is summed up are whole multiples of a quantum
each, so float64 adds them without rounding: the sums are the same bits in whatever order the images come, and into
however many shards they are cut.

IoU and F1 compare the thresholded map, upsampled, with the token's mask; AUPRC and correlation compare the map
itself with the share of each cell that the mask covers. AUPRC sorts activations into bins that are geometric in
units of the filter's threshold; of a saturated filter, whose threshold nothing exceeds, they end there.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from filterscope.schemas.values import AUPRC, AUPRC_LIFT, CORRELATION, F1, IOU
from filterscope.words.firing import Fired, Thresholds
from filterscope.words.scoring.bins import BINS, ActivationBins
from filterscope.words.truth import ImageTruth, SampledMasks

# CLAIM_SCORES are reported; the pixel-wise recall and precision only serve the sanity tests.
METRICS = (IOU, F1, AUPRC, CORRELATION, "pixel_recall", "pixel_precision")
# What is known of a filter and a token before its histogram: pixels that region and mask share, and the sum of a m.
SHARED, PRODUCT, PAIR = 0, 1, 2
# Images that wait for one product with the weights, and values of histograms that are summed up at once: more would not
# stay in a processor's cache.
BUFFERED = 16
CACHED = 1 << 17
# Pairs of a collector up to which all of an image are taken in at once, whether their tokens are there or not.
FEW = 512
# Bits that a float64 holds, and those that are left for activations far above their filter's unit.
BITS, SPARE = 53, 7


@dataclass(frozen=True)
class BinnedMaps:
    """What an image's maps are to every collector of one layer, whatever is in the image: computed once for all.

    maps: [d, h, w]. fired: where they fire, enlarged to the grid. bins: of every cell, [d, h*w].
    """

    maps: torch.Tensor
    fired: Fired
    bins: torch.Tensor


@dataclass(frozen=True)
class Overlaps:
    """How an image's maps lie over the masks of its t tokens.

    tokens: [t]. of_tokens: mask area, sums of m and m^2 of all tokens that there are, [T, 3]. of_pairs: of every token
    and filter, see SHARED, and then the histogram of what lies in the mask, [t, d, PAIR + BINS]. regions: pixels of
    every filter, [d].
    """

    tokens: np.ndarray
    of_tokens: torch.Tensor
    of_pairs: torch.Tensor
    regions: torch.Tensor

    def of(self, kept: np.ndarray) -> Overlaps:
        """Those of some of the tokens, bool [t], as if the others were not in the image."""
        some = torch.from_numpy(np.flatnonzero(kept)).to(self.of_pairs.device)
        of_tokens = self.of_tokens.clone()
        of_tokens[torch.from_numpy(self.tokens[~kept]).to(self.of_pairs.device)] = 0
        return replace(self, tokens=self.tokens[kept], of_tokens=of_tokens, of_pairs=self.of_pairs[some])


class FilterSums:
    """What a layer's filters say to all images, whatever is in them, in every resample; shared by all collectors.

    units: how large a filter's activations are, [d].
    """

    def __init__(self, weights: torch.Tensor, units: torch.Tensor):
        resamples, self.images = weights.shape
        self.weights, self.exponents = weights, torch.frexp(units.double())[1]
        # Region area, sums of a and a^2, and cells in every bin.
        self.sums = torch.zeros(resamples, len(units), 3 + BINS, dtype=torch.float64, device=weights.device)
        self.cells = torch.zeros(resamples, dtype=torch.float64, device=weights.device)
        self._waiting: list[tuple[int, torch.Tensor]] = []
        self._quanta: dict[tuple[int, int], torch.Tensor] = {}

    def rounded(self, sums: torch.Tensor, cells: int, power: int = 1) -> torch.Tensor:
        """An image's sums over so many cells of a, or of its power, [..., d], as multiples of the filters' quanta."""
        if (cells, power) not in self._quanta:
            largest = power * self.exponents + (self.images * cells).bit_length() + SPARE
            one = self.sums.new_ones(len(largest))
            self._quanta[cells, power] = torch.ldexp(one, largest - BITS)
        quantum = self._quanta[cells, power]
        return sums.double().div_(quantum).round_().mul_(quantum)

    def take(self, image: int, seen: BinnedMaps, regions: torch.Tensor) -> None:
        """Take in one image; regions: pixels where every filter fires, [d]."""
        flat = seen.maps.flatten(1)
        filters, cells = flat.shape
        self.cells += self.weights[:, image] * cells
        own = flat.new_zeros(filters, 3 + BINS, dtype=torch.float64)
        own[:, 0] = regions
        own[:, 1] = self.rounded(flat.sum(1), cells)
        own[:, 2] = self.rounded(flat.square().sum(1), cells, 2)
        own[:, 3:] = flat.new_zeros(filters, BINS).scatter_add_(1, seen.bins, flat.new_ones(1).expand_as(flat))
        self._waiting.append((image, own))
        if len(self._waiting) >= BUFFERED:
            self.flush()

    def flush(self) -> None:
        """Sum up what still waits."""
        _add_up(self.sums.flatten(1), self.weights, self._waiting)


def _add_up(sums: torch.Tensor, weights: torch.Tensor, waiting: list[tuple[int, torch.Tensor]]) -> None:
    """Add what waits, of some images, to the sums of every resample, [1+resamples, values]."""
    if waiting:
        images, parts = zip(*waiting, strict=True)
        sums.addmm_(weights[:, list(images)], torch.stack(parts).flatten(1))
        waiting.clear()


class ClaimScores:
    """Collects the evidence for and against label sets.

    labels: by name (any key), a token index per filter, -1 where a filter claims nothing; int [d].
    thresholds: [d]. weights: [1+resamples, images] from `resample_weights`. resolution: px of the grid on which
    regions and masks are compared. every: also collect what every filter reaches for every token: the null of
    support, and the best claims that there are. units: how large activations are, [d]; the thresholds by default.
    beside: a collector of the same images and maps, which takes in what does not hang on tokens.
    """

    def __init__(
        self,
        labels: Mapping[Hashable, np.ndarray],
        thresholds: Thresholds | np.ndarray,
        tokens: int,
        weights: np.ndarray,
        resolution: int,
        device: torch.device,
        every: bool = False,
        units: np.ndarray | None = None,
        beside: ClaimScores | None = None,
    ):
        self.names = list(labels)
        self.thresholds = Thresholds.of(thresholds, device)
        self.tokens, self.resolution, self.device = tokens, resolution, device
        self.weights = torch.from_numpy(weights).double().to(device)
        self.bins = beside.bins if beside else ActivationBins(self.thresholds)
        size = self.thresholds.values if units is None else torch.from_numpy(np.asarray(units)).to(device)
        self.filters = beside.filters if beside else FilterSums(self.weights, size.clamp(min=1e-12))
        self._alone = beside is None
        self._claim(np.stack([labels[name] for name in self.names]))

        def zeros(*shape: int) -> torch.Tensor:
            return torch.zeros(*shape, dtype=torch.float64, device=device)

        filters, resamples = len(self.thresholds), len(weights)
        self.of_tokens = zeros(resamples, tokens, 3)
        self.of_pairs = zeros(resamples, len(self.pair_filters), PAIR + BINS)
        self.every = zeros(tokens, filters, PAIR + BINS) if every else None
        # What waits for `_flush`: of the tokens, of few pairs in one list, of many in one for each token.
        self._waiting: list[tuple[int, torch.Tensor]] = []
        self._few = len(self.pair_filters) <= FEW
        self._of_pairs: list[list[tuple[int, torch.Tensor]]] = [[] for _ in range(1 if self._few else tokens)]

    def _claim(self, labels: np.ndarray) -> None:
        """Number the pairs of a filter and a token that it is claimed to stand for, those of a token in a row."""
        sets, filters = np.nonzero(labels >= 0)
        names, places = np.unique(labels[sets, filters] * labels.shape[1] + filters, return_inverse=True)
        owners, claimants = np.divmod(names, labels.shape[1])
        self.places = np.full(labels.shape, len(names))  # of every label's pair; the last and one where it has none
        self.places[sets, filters] = places
        self.pair_tokens, self.pair_filters = (torch.from_numpy(each).to(self.device) for each in (owners, claimants))
        ends = np.searchsorted(owners, np.arange(self.tokens + 1))
        self.spans = [slice(first, last) for first, last in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]

    def binned(self, maps: torch.Tensor, kept: bool = True) -> BinnedMaps:
        """An image's maps [d, h, w] as `add` takes them in; all collectors of a layer may share them.

        kept: whether where they fire is held, which is faster where more than one takes them.
        """
        fired = self.thresholds.fired(maps, (self.resolution, self.resolution))
        return BinnedMaps(maps, fired.kept() if kept else fired, self.bins.of(maps.flatten(1)))

    def overlaps(self, seen: BinnedMaps, scene: ImageTruth) -> Overlaps:
        """How these maps lie over the masks of a scene: of the claimed pairs, or of every filter and token."""
        filters, height, width = seen.maps.shape
        masks = scene.sampled(self.resolution, (height, width))
        shared, region = seen.fired.overlaps(masks.sampled)
        product = self.filters.rounded(masks.covered @ seen.maps.flatten(1).T, height * width)
        of_pairs = torch.zeros(len(scene.tokens), filters, PAIR + BINS, dtype=torch.float64, device=self.device)
        of_pairs[:, :, SHARED], of_pairs[:, :, PRODUCT] = shared.T, product
        if len(scene.tokens):
            of_pairs[:, :, PAIR:] = self._histograms(seen.bins, masks, scene.tokens)
        of_tokens = masks.sums.new_zeros(self.tokens, 3)
        of_tokens[torch.from_numpy(scene.tokens).to(self.device)] = masks.sums
        return Overlaps(scene.tokens, of_tokens, of_pairs, region[:, 0])

    def _histograms(self, bins: torch.Tensor, masks: SampledMasks, tokens: np.ndarray) -> torch.Tensor:
        """How much of every token's masks lies in every bin, of all filters or of those that claim it, [t, d, BINS]."""
        found = masks.covered.new_zeros(len(bins), len(tokens), BINS)
        if self.every is not None or self._few:
            token, cell = masks.cells  # most cells have nothing of a token
            shares = masks.covered[token, cell].expand(len(bins), -1)
            return found.flatten(1).scatter_add_(1, token * BINS + bins[:, cell], shares).view_as(found).transpose(0, 1)
        for place, token in enumerate(tokens.tolist()):
            some = self.pair_filters[self.spans[token]]
            cells = masks.cells[1, masks.cells[0] == place]
            shares = masks.covered[place, cells].expand(len(some), -1)
            found[some, place] = shares.new_zeros(len(some), BINS).scatter_add_(1, bins[some][:, cells], shares)
        return found.transpose(0, 1)

    def add(self, image: int, maps: torch.Tensor | BinnedMaps, scene: ImageTruth) -> Overlaps:
        """Take in one image: its position among the weights, its maps [d, h, w], maybe `binned`, and its truth."""
        seen = maps if isinstance(maps, BinnedMaps) else self.binned(maps, kept=False)
        overlaps = self.overlaps(seen, scene)
        if self._alone:
            self.filters.take(image, seen, overlaps.regions)
        self.take(image, overlaps)
        return overlaps

    def take(self, image: int, overlaps: Overlaps) -> None:
        """Take in what has been computed of an image by this collector or by another of the same layer."""
        tokens = torch.from_numpy(overlaps.tokens).to(self.device)
        self._waiting.append((image, overlaps.of_tokens))
        if len(self._waiting) >= BUFFERED:
            _add_up(self.of_tokens.flatten(1), self.weights, self._waiting)
        if self.every is not None:
            self.every.index_add_(0, tokens, overlaps.of_pairs)
        if self._few:
            # The place of each pair's token among those of the image; where it is absent the pair has nothing.
            places = torch.full((self.tokens,), -1, device=self.device)
            places[tokens] = torch.arange(len(tokens), device=self.device)
            there = (places[self.pair_tokens] >= 0).nonzero()[:, 0]
            own = self.of_pairs.new_zeros(len(self.pair_filters), PAIR + BINS)
            own[there] = overlaps.of_pairs[places[self.pair_tokens[there]], self.pair_filters[there]]
            self._wait(0, image, own)
            return
        for place, token in enumerate(overlaps.tokens.tolist()):
            self._wait(token, image, overlaps.of_pairs[place, self.pair_filters[self.spans[token]]])

    def _wait(self, place: int, image: int, of_pairs: torch.Tensor) -> None:
        """Let pairs of an image wait until there are enough of them for one product."""
        self._of_pairs[place].append((image, of_pairs))
        if len(self._of_pairs[place]) >= BUFFERED:
            self._sum_up(place)

    def _sum_up(self, place: int) -> None:
        size = PAIR + BINS
        columns = slice(None) if self._few else slice(self.spans[place].start * size, self.spans[place].stop * size)
        _add_up(self.of_pairs.flatten(1)[:, columns], self.weights, self._of_pairs[place])

    def _flush(self) -> None:
        """Sum up what still waits."""
        self.filters.flush()
        _add_up(self.of_tokens.flatten(1), self.weights, self._waiting)
        for place in range(len(self._of_pairs)):
            self._sum_up(place)

    def sums(self) -> dict[str, torch.Tensor]:
        """All that is summed up, by name, as another job's collector takes it in: added, nothing is rounded."""
        self._flush()
        own = {"of_tokens": self.of_tokens, "of_pairs": self.of_pairs}
        if self.every is not None:
            own["every"] = self.every
        if self._alone:
            own |= {"of_filters": self.filters.sums, "cells": self.filters.cells}
        return own

    def metrics(self) -> dict[str, np.ndarray]:
        """Each metric, [1+resamples, labels, filters]; 0 where a claimed token was never seen.

        Beside METRICS also "share", the part of all cells that the claimed token covers: AUPRC by chance.
        """
        self._flush()
        resamples = len(self.weights)
        of_filters, cells = self.filters.sums[:resamples], self.filters.cells[:resamples, None]
        shared, product = self.of_pairs[..., :PAIR].unbind(-1)
        area, mass, mass2 = self.of_tokens[:, self.pair_tokens].unbind(-1)
        region, total, total2 = of_filters[:, self.pair_filters, :3].unbind(-1)
        spread = ((total2 - total**2 / cells) * (mass2 - mass**2 / cells)).clamp(min=0).sqrt()
        values = {
            IOU: _ratio(shared, region + area - shared),
            F1: _ratio(2 * shared, region + area),
            AUPRC: self._auprc(of_filters[..., 3:]),
            CORRELATION: torch.where(mass > 0, _ratio(product - total * mass / cells, spread), 0.0),
            "pixel_recall": _ratio(shared, area),
            "pixel_precision": torch.where(area > 0, _ratio(shared, region), 0.0),
            "share": mass / cells,
        }
        nothing = np.zeros((resamples, 1))  # what filters without a claim reach
        return {
            name: np.concatenate([value.cpu().numpy(), nothing], 1)[:, self.places] for name, value in values.items()
        }

    def _auprc(self, everything: torch.Tensor) -> torch.Tensor:
        """Of every pair, [1+resamples, pairs]; everything: cells in the filters' bins, [1+resamples, d, BINS]."""
        size = max(1, CACHED // (len(everything) * BINS))
        parts = [
            average_precision(positives, everything[:, filters])
            for positives, filters in zip(
                self.of_pairs[..., PAIR:].split(size, 1), self.pair_filters.split(size), strict=True
            )
        ]
        return torch.cat(parts, 1)

    def every_auprc(self) -> np.ndarray:
        """AUPRC of every filter for every token, [d, T]."""
        self._flush()
        everything = self.filters.sums[0, :, 3:]
        return torch.stack([average_precision(each[:, PAIR:], everything) for each in self.every], 1).cpu().numpy()

    def best_possible(self, live: np.ndarray, auprc: np.ndarray) -> dict[str, np.ndarray]:
        """By metric, what each filter reaches with the best claim that there is for it on these very images, [d].

        A ceiling: no choice of claims can do better here, and none that does not look at these masks as well.
        live: bool [d], the filters whose mean is taken off for the lift. auprc: `every_auprc`.
        """
        self._flush()
        shared, product = self.every[..., :PAIR].transpose(0, 1).unbind(-1)
        area, mass, mass2 = self.of_tokens[0].unbind(-1)
        region, total, total2 = self.filters.sums[0, :, :3, None].unbind(1)
        cells = self.filters.cells[0]
        spread = ((total2 - total**2 / cells) * (mass2 - mass**2 / cells)).clamp(min=0).sqrt()
        values = {
            IOU: _ratio(shared, region + area - shared).cpu().numpy(),
            F1: _ratio(2 * shared, region + area).cpu().numpy(),
            AUPRC: auprc,
            AUPRC_LIFT: auprc - (auprc[live].mean(0) if live.any() else 0.0),
            CORRELATION: _ratio(product - total * mass / cells, spread).cpu().numpy(),
        }
        return {name: value.max(1) for name, value in values.items()}


def _ratio(part: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    return torch.where(whole > 0, part / whole.clamp(min=1e-30), 0.0)


def average_precision(positives: torch.Tensor, everything: torch.Tensor) -> torch.Tensor:
    """Area under the precision-recall curve from histograms over ascending bins, [..., bins]; 0 without positives."""
    steps = positives.double().flip(-1)
    right = steps.cumsum(-1)
    said = everything.double().flip(-1).cumsum(-1)
    precision = _ratio(right, said)
    return _ratio((precision * steps).sum(-1), right[..., -1])
