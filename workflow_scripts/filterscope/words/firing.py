"""Where a filter fires: the one place that compares activations with thresholds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from filterscope.words.heatmaps import upsample

# Share of an interpolated pixel that cells at the bound must have for a saturated filter to fire there.
HALF = 0.5


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

    def marked(self, maps: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """`regions` as ones and zeros of the maps' own type, to be multiplied with masks."""
        shown, limits = self._compared(maps)
        enlarged = upsample(shown, size)
        # In place, where that spoils nobody's maps: half the memory that is gone through.
        return (enlarged > limits).to(maps.dtype) if enlarged is maps else enlarged.gt_(limits)

    def _compared(self, maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What is enlarged, [d, h, w], and what it is compared with, [d, 1, 1]."""
        limits = self.values[:, None, None]
        if not bool(self.saturated.any()):
            return maps, limits
        saturated = self.saturated[:, None, None]
        return torch.where(saturated, self.cells(maps).to(maps.dtype), maps), torch.where(saturated, HALF, limits)
