"""Windows: parts of a picture that a network lays side by side, and where in the picture their places are.

Swin, MaxViT and others cut their maps into windows, shifted, padded or interleaved, and look at each by itself; what a
module inside puts out is [pictures x windows, places, filters] or the like. How it was cut is seen: what goes into the
first module of the windows is what came out of a module before, place by place, in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from filterscope.data.networks.passes import FAILURES, evaluating, pictures, tensor_at, tensors_in

REMEMBERED = 8  # outputs before a module in which its input is looked for
SHOWN = 2  # pictures; both must be cut in the same way

Key = tuple[str, int]  # module and call
ToMaps = Callable[[torch.Tensor], torch.Tensor]  # an output as maps [B, C, H, W]


@dataclass(frozen=True)
class Cut:
    """How maps of height x width places were laid out: rows of a picture in all, padding included, and which row each
    place is, by rows of the map. windows: parts that stand along the first axis for each picture."""

    height: int
    width: int
    rows: int
    windows: int
    order: tuple[int, ...]


def cuts(network: nn.Module, size: tuple[int, int], maps: Mapping[Key, tuple[tuple, ToMaps]]) -> dict[tuple, Cut]:
    """The cut of every output inside windows, by module, call and place in the output.

    maps: of the outputs that are maps, their places in the output and how they become [B, C, H, W]. Only outputs of
    modules that got a map in another order, and of what is in such a module, are told; of others nothing is assumed.
    """
    names = {module: name for name, module in network.named_modules() if name}
    calls = dict.fromkeys(names, 0)
    before: list[torch.Tensor] = []  # maps [B, C, H, W], the latest last
    inside: list[tuple[str, tuple[int, ...], Cut]] = []  # modules at work on windows: name, shape, cut
    found: dict[tuple, Cut] = {}

    def enter(module, given) -> None:
        if given and isinstance(given[0], torch.Tensor):
            cut = _cut(given[0], before)
            if cut is not None:
                inside.append((names[module], tuple(given[0].shape[:-1]), cut))

    def leave(module, _, output) -> None:
        name, call = names[module], calls[module]
        calls[module] += 1
        for path, tensor in tensors_in(output):
            for holder, shape, cut in reversed(inside):
                if (name == holder or name.startswith(f"{holder}.")) and tuple(tensor.shape[:-1]) == shape:
                    found[(name, call, path)] = cut
                    break
        while inside and inside[-1][0] == name:
            inside.pop()
        if (name, call) in maps:
            path, to_maps = maps[name, call]
            try:
                before.append(to_maps(tensor_at(output, path)).detach())
            except (TypeError, KeyError, IndexError, ValueError):
                return
            del before[:-REMEMBERED]

    hooks = [module.register_forward_pre_hook(enter) for module in names]
    hooks += [module.register_forward_hook(leave) for module in names]
    try:
        with evaluating(network), torch.no_grad():
            network(pictures(network, size, SHOWN, noise=True))
    except FAILURES:
        pass  # what was seen before holds
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _cut(given: torch.Tensor, before: list[torch.Tensor]) -> Cut | None:
    """How one of the maps before was cut into this input, None where it is none of them in another order."""
    if given.ndim not in (3, 4) or not given.is_floating_point() or len(given) % SHOWN:
        return None
    if len(given) == SHOWN and given.ndim == 3:
        return None  # tokens of whole pictures
    filters = given.shape[-1]
    rows = given.reshape(SHOWN, -1, filters)
    for maps in reversed(before):
        if len(maps) != SHOWN or maps.shape[1] != filters or maps[0, 0].numel() > rows.shape[1]:
            continue
        if given.ndim == 4 and torch.equal(given, maps.permute(0, 2, 3, 1)):
            return None  # channels that come last, in the picture's own order
        orders = [_order(own, cells) for own, cells in zip(rows, maps.flatten(2).transpose(1, 2), strict=True)]
        if orders[0] is not None and orders[0] == orders[1]:
            return Cut(*maps.shape[2:], rows.shape[1], len(given) // SHOWN, orders[0])
    return None


def _order(rows: torch.Tensor, cells: torch.Tensor) -> tuple[int, ...] | None:
    """Which of the rows [R, C] each cell [P, C] is; None where one is not among them, or two are alike."""
    generator = torch.Generator().manual_seed(0)
    direction = torch.rand(rows.shape[1], dtype=torch.float64, generator=generator).to(rows.device)
    if len(rows) < 2:
        return None
    own, wanted = ((each.double() * direction).sum(1) for each in (rows, cells))
    own, places = own.sort()
    after = torch.searchsorted(own, wanted).clamp(1, len(own) - 1)
    nearer = (own[after] - wanted).abs() <= (own[after - 1] - wanted).abs()
    order = places[torch.where(nearer, after, after - 1)]
    if len(order.unique()) < len(order) or not torch.equal(rows[order], cells):
        return None
    return tuple(order.tolist())
