"""Views of pictures that the network is shown while they are optimised: what survives them is robust."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from filterscope.pictures.recipes.ascent import Chance


def views(
    pictures: Tensor, scales: Tensor, angles: Tensor, shifts: Tensor, side: int, padding: str = "reflection"
) -> Tensor:
    """Square views of pictures, bilinear, differentiable.

    pictures: [B, 3, S, S]; scales: side of the view as a share of the picture's [B, k]; angles: degrees [B, k];
    shifts: of the centre, shares of the picture's half side, (x, y) [B, k, 2]. Returns [B * k, 3, side, side].
    """
    count, several = scales.shape
    turn = angles * (math.pi / 180)
    cosine, sine = torch.cos(turn) * scales, torch.sin(turn) * scales
    rows = torch.stack(
        [torch.stack([cosine, -sine, shifts[..., 0]], -1), torch.stack([sine, cosine, shifts[..., 1]], -1)], -2
    )
    matrices = rows.flatten(0, 1).to(pictures.device, pictures.dtype)
    grid = functional.affine_grid(matrices, (count * several, 3, side, side), align_corners=False)
    repeated = pictures.repeat_interleave(several, 0) if several > 1 else pictures
    return functional.grid_sample(repeated, grid, mode="bilinear", padding_mode=padding, align_corners=False)


def wobble(chance: Chance, scale: float, angle: float, shift: float, count: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Random scales (1 +- scale), angles (+- degrees) and shifts (+- share of the side) for each picture."""
    drawn = chance.uniform(count, 4).cpu() * 2 - 1
    return 1 + scale * drawn[..., 0], angle * drawn[..., 1], 2 * shift * drawn[..., 2:]


def crops(
    chance: Chance, smallest: float, largest: float, count: int, angle: float = 0.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Random boxes for each picture: sides between these shares of the picture's, anywhere inside it, turned by up to
    so many degrees."""
    drawn = chance.uniform(count, 4 if angle else 3).cpu()
    scales = smallest + (largest - smallest) * drawn[..., 0]
    shifts = (2 * drawn[..., 1:3] - 1) * (1 - scales[..., None])
    angles = angle * (2 * drawn[..., 3] - 1) if angle else torch.zeros_like(scales)
    return scales, angles, shifts


def mirrored(pictures: Tensor, which: Tensor) -> Tensor:
    """Pictures [n, 3, H, W], those that are chosen [n] mirrored left to right."""
    return torch.where(which.to(pictures.device).view(-1, 1, 1, 1), pictures.flip(3), pictures)
