"""Where a filter looks: its map laid over the picture (LaViSE, 4.3)."""

from __future__ import annotations

import torch
from torch.nn import functional

# Share of the brightness that a picture keeps where the filter is silent.
DIMMEST = 0.3


def upsample(maps: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Bilinear upsampling (align_corners False) of maps [n, h, w] to [n, rows, columns].

    Separable, so two small matrix products do the work of an interpolation over every pixel. Maps that have the size
    already are given back as they are.
    """
    count, height, width = maps.shape
    if (height, width) == size:
        return maps
    rows = interpolation(height, size[0], maps)
    columns = interpolation(width, size[1], maps)
    wide = (maps.reshape(count * height, width) @ columns.T).view(count, height, size[1])
    return torch.bmm(rows.expand(count, -1, -1), wide)


def interpolation(cells: int, size: int, like: torch.Tensor) -> torch.Tensor:
    """Weights [size, cells] that interpolate a line of cells."""
    unit = torch.eye(cells, dtype=like.dtype, device=like.device)[None]
    return functional.interpolate(unit, size=size, mode="linear", align_corners=False)[0].T.contiguous()


def heatmap(picture: torch.Tensor, activation: torch.Tensor) -> torch.Tensor:
    """Dim a picture where the filter is silent: picture x max(0.3, U / max U).

    picture: [3, H, W]; activation: map [h, w]. Returns the type and shape of the picture.
    A map without a positive value dims everything.
    """
    upsampled = upsample(activation[None].float(), tuple(picture.shape[1:]))[0]
    peak = upsampled.max()
    share = upsampled / peak if peak > 0 else torch.zeros_like(upsampled)
    dimmed = picture.float() * share.clamp(DIMMEST, 1.0)
    return dimmed.round().to(picture.dtype) if not picture.is_floating_point() else dimmed
