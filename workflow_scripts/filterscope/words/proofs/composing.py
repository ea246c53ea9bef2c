"""Composed pictures: an object laid into another picture at a size and a place, or taken out of its own.

Everything is done on the picture as the network takes it, in uint8 and before normalisation. Named objects and the
objects that they are compared with go through the same steps, so that resampling, seams and what is covered are alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

# How an object is taken out: its own pixels blurred, or its surroundings grown over it.
REMOVALS = ("blur", "fill")
# Lengths in units of the side of a square of the object's area: the cells of the blur, and how far beyond its mask an
# object is taken out.
CELL = 0.5
MARGIN = 0.05
# Longest side of an object, in its own view and where it is laid into a picture, share of the side.
LONGEST = 0.95


@dataclass(frozen=True)
class Cutout:
    """An object and the picture that it is in, as the network sees both. S: side of the network's input, px."""

    image_id: int
    view: Tensor  # uint8 [3, S, S]
    mask: np.ndarray  # bool [S, S]

    @property
    def area(self) -> float:
        """Share of the view."""
        return float(self.mask.mean())

    def box(self) -> tuple[slice, slice]:
        """Rows and columns."""
        rows, columns = (np.flatnonzero(self.mask.any(axis)) for axis in (1, 0))
        return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)

    def size(self, area: float) -> tuple[int, int]:
        """Height and width of its box, px, where the object covers this share of a view."""
        rows, columns = self.box()
        factor = np.sqrt(area / self.area)
        height, width = rows.stop - rows.start, columns.stop - columns.start
        height, width = (min(max(1, round(each * factor)), len(self.mask)) for each in (height, width))
        return height, width

    def scaled(self, area: float) -> Tensor:
        """The object where it covers this share of a view: colours times cover, and cover; float32 [4, h, w], 0 to 255.

        Colours are resampled together with the mask, so that nothing of the surroundings comes along.
        """
        rows, columns = self.box()
        cover = torch.from_numpy(self.mask[rows, columns]).float()[None]
        layers = torch.cat([self.view[:, rows, columns].float() * cover, 255 * cover])
        return functional.interpolate(layers[None], self.size(area), mode="bilinear", antialias=True)[0]


def lay(view: Tensor, layers: Tensor, centre: tuple[float, float]) -> Tensor:
    """A copy of a view uint8 [3, S, S] with an object of `scaled` on it.

    centre: row and column of the object's box, shares of the side; moved where the object would hang out of the view.
    """
    height, width = layers.shape[1:]
    side = view.shape[-1]
    top, left = (
        min(max(round(place * side - extent / 2), 0), side - extent)
        for place, extent in zip(centre, (height, width), strict=True)
    )
    laid = view.clone()
    under = laid[:, top : top + height, left : left + width]
    mixed = layers[:3] + under.float() * (1 - layers[3:] / 255)
    laid[:, top : top + height, left : left + width] = mixed.round().clamp(0, 255).to(torch.uint8)
    return laid


def take_out(view: Tensor, mask: np.ndarray) -> Tensor:
    """A view uint8 [3, S, S] without the object under a mask bool [S, S], in each way of REMOVALS: [2, 3, S, S].

    A little more than the mask is taken out, with soft edges: a sharp hole would show the object's outline.
    """
    length = float(np.sqrt(mask.sum()))
    reach = max(1, round(MARGIN * length))
    covered = torch.from_numpy(mask).float()[None, None]
    covered = functional.max_pool2d(covered, 4 * reach + 1, stride=1, padding=2 * reach)
    covered = functional.avg_pool2d(covered, 2 * reach + 1, stride=1, padding=reach, count_include_pad=False)[0]
    colours = view.float()
    side = view.shape[-1]
    cells = max(2, round(side / (CELL * length)))
    coarse = functional.interpolate(colours[None], (cells, cells), mode="area")
    blurred = functional.interpolate(coarse, (side, side), mode="bicubic")[0]
    known = (covered == 0).float()
    # An object that fills its view leaves no surroundings to grow.
    filled = _grown(torch.cat([colours * known, known])) if known.any() else blurred
    mixed = torch.stack([covered * each + (1 - covered) * colours for each in (blurred, filled)])
    return mixed.round().clamp(0, 255).to(torch.uint8)


def _grown(sums: Tensor) -> Tensor:
    """Colours [3, h, w] everywhere, from colours times weight and weight [4, h, w]: what is known flows into the rest.

    Push and pull over halved resolutions (Gortler et al. 1996, the lumigraph).
    """
    weight = sums[3:]
    if max(sums.shape[1:]) == 1:
        return sums[:3] / weight.clamp(min=1e-12)
    halved = [-(-each // 2) for each in sums.shape[1:]]
    coarse = _grown(functional.interpolate(sums[None], halved, mode="area")[0])
    return sums[:3] + (1 - weight) * functional.interpolate(coarse[None], sums.shape[1:], mode="bilinear")[0]
