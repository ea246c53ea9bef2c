"""How much of a picture a place of a layer's maps sees: the effective receptive field (Luo et al. 2016, section 2)."""

from __future__ import annotations

import pyarrow as pa
import torch
from torch import Tensor, nn

from filterscope import job
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.passes import LayerError

PICTURES = 2  # of noise, over which gradients are averaged
HELD = 0.9  # share of the squared gradient that lies within the field


def receptive_field(network: nn.Module, layer: str, call: int, size: int) -> float | None:
    """Side of the square around a place of the layer's maps that holds HELD of what moves it, share of the picture's.

    The place in the middle is asked, with filters added up by random signs, for pictures of noise of size x size px:
    their squared gradient, averaged, is what moves it. 1 where a map is one place. None where no gradient comes
    through, or the network's code does not let one be taken.
    """
    chance = torch.Generator().manual_seed(0)
    parameter = next(network.parameters(), torch.zeros(()))
    noise = torch.randn((PICTURES, 3, size, size), generator=chance).to(parameter.device, parameter.dtype)
    noise.requires_grad_()
    with torch.enable_grad(), Reader(network, layer, call, input_size=size) as reader:
        if reader.height * reader.width == 1:
            return 1.0
        try:
            maps = reader(noise)
            row, column = reader.height // 2, reader.width // 2
            signs = torch.randint(0, 2, (reader.filters,), generator=chance).to(maps.device) * 2.0 - 1
            (gradient,) = torch.autograd.grad((maps[:, :, row, column] * signs).sum(), noise)
        # LayerError: noise uses the layer otherwise than pictures do. RuntimeError is how torch says that nothing
        # requires a gradient, that something was changed since, or that there is no memory left.
        except (LayerError, RuntimeError) as error:
            job.LOGGER.info("how much of the picture %s sees is not known: %s", layer, error)
            return None
    moved = gradient.float().square().sum((0, 1)).cpu()
    if not (torch.isfinite(moved).all() and moved.sum() > 0):
        return None
    centre = ((row + 0.5) / reader.height * size, (column + 0.5) / reader.width * size)
    return _side(moved, centre) / size


def field_table(layer: str, share: float | None, size: int) -> pa.Table:
    """The table `receptive_field`; no row where nothing is known. size: of the network's view, px."""
    rows = [] if share is None else [{"layer": layer, "share": share, "size": size}]
    schema = pa.schema([("layer", pa.string()), ("share", pa.float64()), ("size", pa.int64())])
    return pa.Table.from_pylist(rows, schema)


def _side(moved: Tensor, centre: tuple[float, float]) -> float:
    """Side of the smallest square around a point that holds HELD of these values [h, w], px, at most their own."""
    down, across = (
        (torch.arange(length) + 0.5 - middle).abs() for length, middle in zip(moved.shape, centre, strict=True)
    )
    distance, order = torch.maximum(down[:, None], across[None]).flatten().sort(stable=True)
    held = moved.flatten()[order].double().cumsum(0)
    last = min(int(torch.searchsorted(held, HELD * held[-1])), len(held) - 1)
    return min(float(len(moved)), float(2 * distance[last] + 1))
