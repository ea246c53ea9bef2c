"""Where filters fire in their top images: maps as bytes, small enough to be kept for every filter of a layer."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import torch
from torch.nn import functional

SIDE = 14  # cells along either side of a kept map, at most; larger maps keep the largest value of every cell


class TopMaps:
    """Gathers the maps of every filter's top images, one byte a cell: 255 is the filter's largest maximum of all.

    maxima: [filters, p], of every filter's top images, the largest first. Memory: filters x p x SIDE^2 bytes at most.
    """

    def __init__(self, maxima: np.ndarray):
        self._largest = torch.from_numpy(np.ascontiguousarray(maxima[:, 0], dtype=np.float32))
        self.shape = maxima.shape
        self._kept: np.ndarray | None = None  # uint8 [filters, p, rows, columns]
        self._peaks = np.full(self.shape, -1, np.int64)  # place of the largest value in the map as the network makes it
        self._size = (0, 0)

    def add(self, filters: np.ndarray, ranks: np.ndarray, maps: torch.Tensor) -> None:
        """Take in the maps [n, h, w] of n filters in one image, which is their top image of these ranks."""
        if not len(filters):
            return
        self._size = tuple(maps.shape[1:])
        kept = tuple(min(SIDE, each) for each in self._size)
        if self._kept is None:
            self._kept = np.zeros((*self.shape, *kept), np.uint8)
        small = functional.adaptive_max_pool2d(maps[None].float(), kept)[0]
        largest = self._largest[torch.from_numpy(filters)].to(maps.device)[:, None, None]
        codes = (small.clamp_min(0) / largest * 255).round().clamp(0, 255)
        self._kept[filters, ranks] = codes.to(torch.uint8).cpu().numpy()
        self._peaks[filters, ranks] = maps.flatten(1).argmax(1).cpu().numpy()

    def table(self, image_ids: np.ndarray) -> pa.Table:
        """The table `heatmaps`; image_ids: [filters, p], of the top images."""
        filters, ranks = np.nonzero(self._peaks >= 0)
        count = len(filters)
        rows, columns = (0, 0) if self._kept is None else self._kept.shape[2:]
        peaks = self._peaks[filters, ranks]
        wide = max(self._size[1], 1)
        return pa.table(
            {
                "filter": filters,
                "rank": ranks,
                "image_id": image_ids[filters, ranks],
                "rows": np.full(count, rows),
                "columns": np.full(count, columns),
                "map": pa.array([self._kept[pair].tobytes() for pair in zip(filters, ranks, strict=True)], pa.binary()),
                "map_rows": np.full(count, self._size[0]),
                "map_columns": np.full(count, self._size[1]),
                "peak_row": peaks // wide,
                "peak_column": peaks % wide,
            }
        )
