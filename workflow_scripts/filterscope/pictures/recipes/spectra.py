"""Pictures written as decorrelated spectra: frequencies by frequency, colours by principal component.

Steps in this space are as large for coarse as for fine structure, and colours move together as those of photographs
do (Olah, Mordvintsev and Schubert, "Feature Visualization", Distill 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from filterscope.pictures.recipes.ascent import Chance

# Square root of the colours' covariance in ImageNet's photographs, columns are the components (published there).
COLOURS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
# Fall of a photograph's magnitudes with the frequency, and standard deviations of its colour components.
FALL = 1.25
TYPICAL_SD = torch.tensor([1.6, 1.2, 1.1])
NOISE = 0.01  # standard deviation of the first spectrum's coefficients
FLATNESS = 4.0  # divides the components, so that the first picture is nearly grey
_UNIT = COLOURS / COLOURS.norm(dim=0).max()


def frequencies(side: int) -> Tensor:
    """Length of each frequency of a real spectrum, cycles per px, [side, side // 2 + 1]."""
    rows, columns = torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)[None]
    return (rows**2 + columns**2).sqrt()


def equalising(side: int) -> Tensor:
    """Weight of every frequency that gives photographs a flat spectrum, [side, side // 2 + 1]."""
    return 1 / frequencies(side).clamp(min=1 / side)


def drawn(spectrum: Tensor, weights: Tensor, side: int) -> Tensor:
    """Pictures [B, 3, side, side], 0 to 1, of spectra float [B, 3, side, side // 2 + 1, 2] that weights equalise."""
    inner = torch.fft.irfft2(torch.view_as_complex(spectrum) * weights, s=(side, side), norm="ortho")
    return pixels(inner / FLATNESS)


def begun(chance: Chance, side: int, weights: Tensor, starts: Tensor | None) -> Tensor:
    """Spectra that are drawn as these pictures [B, 3, h, w], 0 to 1; None: as a nearly grey noise."""
    if starts is None:
        return NOISE * chance.normal(3, side, side // 2 + 1, 2)
    resized = functional.interpolate(starts.to(weights.device), (side, side), mode="bicubic", antialias=True)
    inner = components(resized.clamp(0, 1)) * FLATNESS
    return torch.view_as_real(torch.fft.rfft2(inner, norm="ortho") / weights).contiguous()


def pixels(components: Tensor) -> Tensor:
    """Pictures [B, 3, H, W], 0 to 1, from their colour components."""
    mixed = torch.einsum("kc,bchw->bkhw", _UNIT.to(components.device), components)
    return torch.sigmoid(mixed)


def components(pictures: Tensor) -> Tensor:
    """Colour components of pictures [B, 3, H, W], 0 to 1: what `pixels` makes into them."""
    inner = torch.logit(pictures, eps=1e-3)
    return torch.einsum("ck,bkhw->bchw", torch.linalg.inv(_UNIT).to(pictures.device), inner)


def typical_magnitudes(side: int) -> Tensor:
    """Magnitudes of a photograph's spectrum of components, [3, side, side // 2 + 1].

    They fall with the frequency as they do in COCO's photographs; contrasts are a little lower than theirs, because
    random phases have no large even areas. The mean colour is left out: pictures begin at grey.
    """
    falling = frequencies(side).clamp(min=1 / side) ** -FALL
    falling[0, 0] = 0
    # Scaled so that the components have these standard deviations over the pixels.
    doubled = torch.full_like(falling, 2.0)
    doubled[:, 0] = 1
    if side % 2 == 0:
        doubled[:, -1] = 1
    energy = (falling**2 * doubled).sum() / side**2
    return TYPICAL_SD.view(3, 1, 1) * falling / energy.sqrt()
