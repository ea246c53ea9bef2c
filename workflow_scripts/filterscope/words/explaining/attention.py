"""What the explainer is shown of one filter: filter-level attention and its rivals (LaViSE, 3.2).

Every method takes the maps of one image and gives a row for each asked filter, all filters at once.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from filterscope.words.firing import Thresholds


def _means(maps: torch.Tensor) -> torch.Tensor:
    return maps.flatten(1).mean(1)


def _cosines(maps: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """Cosine of each asked filter's map with every map, [n, d]; 0 where a map is all zero."""
    flat = maps.flatten(1)
    norms = flat.norm(dim=1, keepdim=True)
    unit = torch.where(norms > 0, flat / norms.clamp(min=torch.finfo(flat.dtype).tiny), 0.0)
    return unit[filters] @ unit.T


def attention(maps: torch.Tensor, filters: torch.Tensor, thresholds: Thresholds, pool: str) -> torch.Tensor:
    """The text's: each map weighed by its cosine with the filter's, z_k = cos(F_u, F_k) mean(F_k)."""
    weights = _cosines(maps, filters)
    return _weighted(maps, weights, pool)


def projection(maps: torch.Tensor, filters: torch.Tensor, thresholds: Thresholds, pool: str) -> torch.Tensor:
    """Both codes': z_k = mean(F_k F_u) / |F_u|, which also grows with the length of F_k."""
    flat = maps.flatten(1)
    norms = flat[filters].norm(dim=1, keepdim=True)
    unit = torch.where(norms > 0, flat[filters] / norms.clamp(min=torch.finfo(flat.dtype).tiny), 0.0)
    if pool == "native":
        return (flat[None] * unit[:, None]).flatten(1)
    return unit @ flat.T / flat.shape[1]


def activation(maps: torch.Tensor, filters: torch.Tensor, thresholds: Thresholds, pool: str) -> torch.Tensor:
    """Where the filter fires: z = mean(F [F_u > T_u])."""
    flat = maps.flatten(1)
    region = thresholds[filters].cells(flat[filters]).to(flat.dtype)
    if pool == "native":
        return (flat[None] * region[:, None]).flatten(1)
    return region @ flat.T / flat.shape[1]


def original(maps: torch.Tensor, filters: torch.Tensor, thresholds: Thresholds, pool: str) -> torch.Tensor:
    """The whole image, the same for every filter: z = mean(F)."""
    whole = maps.flatten() if pool == "native" else _means(maps)
    return whole.expand(len(filters), -1)


def _weighted(maps: torch.Tensor, weights: torch.Tensor, pool: str) -> torch.Tensor:
    if pool == "native":
        return (maps.flatten(1)[None] * weights[:, :, None]).flatten(1)
    return weights * _means(maps)


Method = Callable[[torch.Tensor, torch.Tensor, Thresholds, str], torch.Tensor]

# maps [d, h, w], filters [n], thresholds [d], pool -> explainer inputs [n, d] or [n, d*h*w].
# The method "image" needs the network itself and lives in explanation.py.
METHODS: dict[str, Method] = {
    "attention": attention,
    "projection": projection,
    "activation": activation,
    "original": original,
}
