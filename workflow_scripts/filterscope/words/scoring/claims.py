"""Does a filter fire where its word is? IoU, F1, AUPRC and correlation over all images, streaming.

A label set claims one token for every filter. Per image only sums are kept, already weighed by every bootstrap
resample, so memory is resamples x labels x filters x bins whatever the number of images.

IoU and F1 compare the thresholded map, upsampled, with the token's mask; AUPRC and correlation compare the map
itself with the share of each cell that the mask covers. AUPRC sorts activations into bins that are geometric in
units of the filter's threshold; of a saturated filter, whose threshold nothing exceeds, they end there.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from filterscope.schemas.values import AUPRC, AUPRC_LIFT, CORRELATION, F1, IOU
from filterscope.words.firing import Fired, Thresholds
from filterscope.words.truth import ImageTruth

# CLAIM_SCORES are reported; the pixel-wise recall and precision only serve the sanity tests.
METRICS = (IOU, F1, AUPRC, CORRELATION, "pixel_recall", "pixel_precision")
BINS = 32
# Lowest and highest bin edge, in units of the filter's threshold; zero and below is a bin of its own.
LOWEST, HIGHEST = 0.01, 4.0
# Images that wait for one product with the weights, and values of histograms that are summed up at once: more would not
# stay in a processor's cache.
BUFFERED = 32
CACHED = 1 << 17


@dataclass(frozen=True)
class BinnedMaps:
    """What an image's maps are to every collector of one layer, whatever is in the image: computed once for all.

    maps: [d, h, w]. fired: where they fire, enlarged to the grid. bins: of every cell, [d, h*w]. everything: cells in
    each bin, [d, BINS]. sums: of a and a^2, [d, 2].
    """

    maps: torch.Tensor
    fired: Fired
    bins: torch.Tensor
    everything: torch.Tensor
    sums: torch.Tensor

    @classmethod
    def of(cls, maps: torch.Tensor, fired: Fired, edges: torch.Tensor) -> BinnedMaps:
        """From maps [d, h, w]; edges: of `bin_edges`."""
        flat = maps.flatten(1)
        bins = torch.searchsorted(edges, flat).clamp_(max=BINS - 1)
        everything = torch.zeros(len(flat), BINS, device=flat.device).scatter_add_(1, bins, torch.ones_like(flat))
        return cls(maps, fired, bins, everything, torch.stack([flat.sum(1), flat.square().sum(1)], 1))


class ClaimScores:
    """Collects the evidence for and against label sets.

    labels: by name (any key), a token index per filter, -1 where a filter claims nothing; int [d].
    thresholds: [d]. weights: [1+resamples, images] from `resample_weights`. resolution: px of the grid on which
    regions and masks are compared. every: also collect what every filter reaches for every token: the null of
    support, and the best claims that there are.
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
    ):
        self.names = list(labels)
        self.labels = torch.from_numpy(np.stack([labels[name] for name in self.names])).to(device)  # [L, d]
        self.thresholds = Thresholds.of(thresholds, device)
        self.tokens, self.resolution, self.device = tokens, resolution, device
        self.weights = torch.from_numpy(weights).to(device)
        count, filters = self.labels.shape
        resamples = len(weights)
        self.edges = bin_edges(self.thresholds)

        def zeros(*shape: int) -> torch.Tensor:
            return torch.zeros(resamples, *shape, device=device)

        # By label: intersection, mask area, sums of m, m^2 and a m; by filter: region area, sums of a and a^2.
        self.by_label, self.by_filter = zeros(count, filters, 5), zeros(filters, 3)
        self.positives, self.everything = zeros(count, filters, BINS), zeros(filters, BINS)
        self.cells = zeros(1)
        self.every = torch.zeros(filters, tokens, BINS, device=device) if every else None
        # Of every filter with every token: intersection, product; of every token: mask area, sums of m and m^2.
        self.pairs = torch.zeros(filters, tokens, 2, device=device) if every else None
        self.of_tokens = torch.zeros(tokens, 3, device=device)
        self._waiting: list[tuple[int, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, int]] = []

    def binned(self, maps: torch.Tensor, kept: bool = True) -> BinnedMaps:
        """An image's maps [d, h, w] as `add` takes them in; all collectors of a layer may share them.

        kept: whether where they fire is held, which is faster where more than one takes them.
        """
        fired = self.thresholds.fired(maps, (self.resolution, self.resolution))
        return BinnedMaps.of(maps, fired.kept() if kept else fired, self.edges)

    def add(self, image: int, maps: torch.Tensor | BinnedMaps, scene: ImageTruth) -> None:
        """Take in one image: its position among the weights, its maps [d, h, w], maybe `binned`, and its truth."""
        seen = maps if isinstance(maps, BinnedMaps) else self.binned(maps, kept=False)
        filters, height, width = seen.maps.shape
        masks = scene.sampled(self.resolution, (height, width))
        shared, region = seen.fired.overlaps(masks.sampled)
        present = len(scene.tokens)
        positives = torch.zeros(filters, present + 1, BINS, device=self.device)
        per_token = torch.zeros(filters, present + 1, 5, device=self.device)
        if present:
            token, cell = masks.cells  # most cells have nothing of a token
            shares = masks.covered[token, cell].expand(filters, -1)
            positives.flatten(1).scatter_add_(1, token * BINS + seen.bins[:, cell], shares)
            per_token[:, :present, 0] = shared
            per_token[:, :present, 1:4] = masks.sums
            per_token[:, :present, 4] = seen.maps.flatten(1) @ masks.covered.T
            if self.every is not None:
                tokens = torch.from_numpy(scene.tokens).to(self.device)
                self.every[:, tokens] += positives[:, :present]
                self.pairs[:, tokens] += per_token[:, :present, [0, 4]]
                self.of_tokens[tokens] += per_token[0, :present, 1:4]
        # Column of each claimed token among those present; the last, empty column where the token is absent.
        column = torch.full((self.tokens + 1,), present, device=self.device)
        column[torch.from_numpy(scene.tokens).to(self.device)] = torch.arange(present, device=self.device)
        chosen = column[self.labels]  # [L, d]; label -1 reads the last entry, which is absent
        rows = torch.arange(filters, device=self.device).expand_as(chosen)
        by_filter = torch.cat([region, seen.sums], 1)
        self._waiting.append(
            (image, per_token[rows, chosen], by_filter, positives[rows, chosen], seen.everything, height * width)
        )
        if len(self._waiting) >= BUFFERED:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        images, by_label, by_filter, positives, everything, cells = zip(*self._waiting, strict=True)
        weights = self.weights[:, list(images)]
        for total, parts in (
            (self.by_label, by_label),
            (self.by_filter, by_filter),
            (self.positives, positives),
            (self.everything, everything),
        ):
            total.flatten(1).addmm_(weights, torch.stack(parts).flatten(1))
        self.cells[:, 0] += weights @ torch.tensor(cells, dtype=torch.float32, device=self.device)
        self._waiting = []

    def metrics(self) -> dict[str, np.ndarray]:
        """Each metric, [1+resamples, labels, filters]; 0 where a claimed token was never seen.

        Beside METRICS also "share", the part of all cells that the claimed token covers: AUPRC by chance.
        """
        self._flush()
        shared, area, mass, mass2, product = self.by_label.double().unbind(-1)
        region, total, total2 = (each[:, None] for each in self.by_filter.double().unbind(-1))
        cells = self.cells.double()[:, :, None]
        covariance = product - total * mass / cells
        spread = ((total2 - total**2 / cells) * (mass2 - mass**2 / cells)).clamp(min=0).sqrt()
        values = {
            IOU: _ratio(shared, region + area - shared),
            F1: _ratio(2 * shared, region + area),
            AUPRC: by_parts(self.positives, self.everything[:, None], 2),
            CORRELATION: torch.where(mass > 0, _ratio(covariance, spread), 0.0),
            "pixel_recall": _ratio(shared, area),
            "pixel_precision": torch.where(area > 0, _ratio(shared, region), 0.0),
            "share": (mass / cells).expand_as(mass),
        }
        return {name: value.cpu().numpy() for name, value in values.items()}

    def every_auprc(self) -> np.ndarray:
        """AUPRC of every filter for every token, [d, T]."""
        self._flush()
        return by_parts(self.every, self.everything[0][:, None], 0).cpu().numpy()

    def best_possible(self, live: np.ndarray) -> dict[str, np.ndarray]:
        """By metric, what each filter reaches with the best claim that there is for it on these very images, [d].

        A ceiling: no choice of claims can do better here, and none that does not look at these masks as well.
        live: bool [d], the filters whose mean is taken off for the lift.
        """
        self._flush()
        shared, product = self.pairs.double().unbind(-1)
        area, mass, mass2 = self.of_tokens.double().unbind(-1)
        region, total, total2 = (each[:, None] for each in self.by_filter[0].double().unbind(-1))
        cells = self.cells[0].double()
        spread = ((total2 - total**2 / cells) * (mass2 - mass**2 / cells)).clamp(min=0).sqrt()
        auprc = self.every_auprc()
        values = {
            IOU: _ratio(shared, region + area - shared).cpu().numpy(),
            F1: _ratio(2 * shared, region + area).cpu().numpy(),
            AUPRC: auprc,
            AUPRC_LIFT: auprc - (auprc[live].mean(0) if live.any() else 0.0),
            CORRELATION: _ratio(product - total * mass / cells, spread).cpu().numpy(),
        }
        return {name: value.max(1) for name, value in values.items()}


def bin_edges(thresholds: Thresholds) -> torch.Tensor:
    """Upper edges of the bins of activations, [d, BINS]: zero, then geometric steps from LOWEST thresholds on.

    What lies above the last edge is in the last bin. A saturated filter has no activation above its threshold: its
    last bin holds those that reach it, and nothing else, and the others are the finer.
    """
    # A filter that never fires has threshold 0: its edges collapse, and everything lands in the first bin.
    units = thresholds.values.clamp(min=1e-12)[:, None]
    beyond = np.concatenate([[0.0], np.geomspace(LOWEST, HIGHEST, BINS - 1)])
    within = np.concatenate([[0.0], np.geomspace(LOWEST, 1.0, BINS - 2), [1.0]])
    ordinary, bounded = (torch.from_numpy(scale).float().to(units.device) * units for scale in (beyond, within))
    bounded[:, -2] = torch.nextafter(units[:, 0], torch.zeros_like(units[:, 0]))
    return torch.where(thresholds.saturated[:, None], bounded, ordinary)


def _ratio(part: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    return torch.where(whole > 0, part / whole.clamp(min=1e-30), 0.0)


def average_precision(positives: torch.Tensor, everything: torch.Tensor) -> torch.Tensor:
    """Area under the precision-recall curve from histograms over ascending bins, [..., bins]; 0 without positives."""
    right = positives.double().flip(-1).cumsum(-1)
    said = everything.double().flip(-1).cumsum(-1)
    precision = _ratio(right, said)
    steps = positives.double().flip(-1)
    return _ratio((precision * steps).sum(-1), right[..., -1])


def by_parts(positives: torch.Tensor, everything: torch.Tensor, axis: int) -> torch.Tensor:
    """`average_precision` of many histograms, some filters at a time; axis: of the filters."""
    size = max(1, CACHED * positives.shape[axis] // max(positives.numel(), 1))
    parts = zip(positives.split(size, axis), everything.split(size, axis), strict=True)
    return torch.cat([average_precision(right, said) for right, said in parts], axis)
