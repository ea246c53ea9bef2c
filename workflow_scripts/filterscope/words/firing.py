"""Where a filter fires: the one place that compares activations with thresholds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from filterscope.words.heatmaps import interpolation, upsample

# Share of an interpolated pixel that cells at the bound must have for a saturated filter to fire there.
HALF = 0.5
# Share of a threshold by which what is interpolated between cells below it may exceed it, by rounding.
ROUNDING = 1e-5
# Parts of an enlarged map that are looked at by themselves, at most, and filters at once: so much stays in a
# processor's cache.
BANDS, CHUNK = 8, 32


@dataclass(frozen=True)
class Fired:
    """Where the maps of one image, enlarged, fire.

    filters: how many maps there are. size: rows and columns of an enlarged map. pieces: gives some of the filters, rows
    of the enlarged maps, and which pixels of these fire, 0 or 1, [filters, pixels]. Nothing fires anywhere else.
    """

    filters: int
    size: tuple[int, int]
    pieces: Callable[[], Iterable[tuple[torch.Tensor | slice, slice, torch.Tensor]]]

    def kept(self) -> Fired:
        """The same, to be compared with masks more than once: all pieces are made now and held."""
        made = list(self.pieces())
        if made and self.filters <= CHUNK:  # one product of all is faster than one of each
            whole = made[0][2].new_zeros(self.filters, *self.size)
            for some, band, fires in made:
                whole[some, band] = fires.view(len(some), band.stop - band.start, self.size[1])
            made = [(slice(None), slice(None), whole.flatten(1))]
        return Fired(self.filters, self.size, lambda: made)

    def overlaps(self, masks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pixels that the regions share with masks [k, rows, columns], and that they have: float32 [d, k] and [d, 1].

        Whole numbers, the same in whatever order they are summed.
        """
        # A row of ones beside the masks: one product gives what a region shares with each of them, and its own area.
        covers = functional.pad(masks.float().flatten(1), (0, 0, 0, 1), value=1.0).view(-1, *masks.shape[1:])
        found = covers.new_zeros(self.filters, len(covers))
        for some, band, fires in self.pieces():
            found[some] += fires @ covers[:, band].flatten(1).T
        return found.split([len(masks), 1], 1)


@dataclass(frozen=True)
class Thresholds:
    """Above which activation each filter fires.

    values: float32 [d]. saturated: bool [d], filters whose threshold is the bound of their activations (ReLU6,
    hardtanh, sigmoid): nothing exceeds it, so they fire where it is reached.
    """

    values: torch.Tensor
    saturated: torch.Tensor

    @classmethod
    def of(
        cls, given: Thresholds | pd.DataFrame | np.ndarray | torch.Tensor, device: torch.device | str = "cpu"
    ) -> Thresholds:
        """From the `thresholds` table, or from plain numbers [d], which no filter is saturated at."""
        if isinstance(given, pd.DataFrame):
            saturated = torch.tensor(given["saturated"].to_numpy(bool))
            given = cls(torch.tensor(given["threshold"].to_numpy(), dtype=torch.float32), saturated)
        if not isinstance(given, cls):
            values = torch.as_tensor(given, dtype=torch.float32)
            given = cls(values, torch.zeros(len(values), dtype=torch.bool, device=values.device))
        return cls(given.values.to(device), given.saturated.to(device))

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, filters) -> Thresholds:
        """Those of some filters, by whatever a tensor can be indexed with."""
        return Thresholds(self.values[filters], self.saturated[filters])

    def split(self, size: int) -> list[Thresholds]:
        """Those of so many filters at a time."""
        return [self[start : start + size] for start in range(0, len(self), size)]

    def cells(self, maps: torch.Tensor) -> torch.Tensor:
        """Which cells of the maps [d, ...] fire, bool of the same shape."""
        shape = (-1, *[1] * (maps.ndim - 1))
        values, saturated = self.values.view(shape), self.saturated.view(shape)
        return torch.where(saturated, maps >= values, maps > values)

    def regions(self, maps: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """Where the maps [d, h, w], enlarged to a size, fire: bool [d, rows, columns].

        The enlarged map is compared with the threshold (Network Dissection, Bau et al. 2017). Of a saturated filter
        that would leave nothing: whatever is interpolated between a cell at the bound and another lies below it. For
        these it is enlarged which cells reach the bound, and the filter fires where these have more than half of a
        pixel.
        """
        shown, limits = self._compared(maps)
        return upsample(shown, size) > limits

    def overlaps(self, maps: torch.Tensor, masks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pixels that the `regions` of maps [d, h, w] share with masks [k, rows, columns], and that they have.

        Returns float32 [d, k] and [d, 1].
        """
        return self.fired(maps, masks.shape[1:]).overlaps(masks)

    def fired(self, maps: torch.Tensor, size: tuple[int, int]) -> Fired:
        """The `regions` of maps [d, h, w] at a size, piece by piece, each made when it is asked for.

        Only those bands of an enlarged map are made in which it may fire.
        """
        return Fired(len(maps), size, partial(self._pieces, maps, size))

    def _pieces(self, maps: torch.Tensor, size: tuple[int, int]) -> Iterator[tuple[torch.Tensor, slice, torch.Tensor]]:
        shown, limits = self._compared(maps)
        hot = self._hot(shown, limits)
        columns, bands = _enlarging(tuple(maps.shape[1:]), tuple(size), maps.dtype, maps.device)
        for band, near, weights in bands:
            for some in hot[:, near].any(1).nonzero()[:, 0].split(CHUNK):
                part = shown[some, near]
                if maps.shape[1:] != size:
                    wide = (part.flatten(0, 1) @ columns.T).view(*part.shape[:2], len(columns))
                    part = torch.bmm(weights.expand(len(some), -1, -1), wide)
                yield some, band, part.gt_(limits[some]).flatten(1)

    @staticmethod
    def _hot(shown: torch.Tensor, limits: torch.Tensor) -> torch.Tensor:
        """Which rows of cells reach the limit, or what rounding could lift above it, bool [d, h]."""
        return (shown > limits - ROUNDING * limits.abs()).any(2)

    def _compared(self, maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What is enlarged, [d, h, w], and what it is compared with, [d, 1, 1]."""
        limits = self.values[:, None, None]
        if not bool(self.saturated.any()):
            return maps, limits
        saturated = self.saturated[:, None, None]
        return torch.where(saturated, self.cells(maps).to(maps.dtype), maps), torch.where(saturated, HALF, limits)


@cache
def _enlarging(
    cells: tuple[int, int], size: tuple[int, int], dtype: torch.dtype, device: torch.device
) -> tuple[torch.Tensor, list[tuple[slice, slice, torch.Tensor]]]:
    """What enlarges maps of so many cells to a size: weights of the columns, and by band its rows, the rows of cells
    that it is made of, and their weights. The same for every image."""
    like = torch.empty(0, dtype=dtype, device=device)
    rows, columns = (interpolation(*sizes, like) for sizes in zip(cells, size, strict=True))
    bands = []
    for band in _bands(rows):
        made_of = rows[band].any(0).nonzero()[:, 0]
        near = slice(int(made_of[0]), int(made_of[-1]) + 1)
        bands.append((band, near, rows[band, near]))
    return columns, bands


def _bands(weights: torch.Tensor) -> list[slice]:
    """Rows of an enlarged map that begin at the same row of cells, or at neighbouring ones; weights: [rows, cells]."""
    counts = torch.unique_consecutive((weights > 0).int().argmax(1), return_counts=True)[1].tolist()
    size = -(-len(counts) // BANDS)
    ends = np.cumsum([0, *(sum(counts[first : first + size]) for first in range(0, len(counts), size))]).tolist()
    return [slice(first, last) for first, last in pairwise(ends)]
