"""Which tokens stand for places of the picture, and whether these go row by row: seen, not assumed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import nn

from filterscope.data.networks.layout_kinds import Key, Layout
from filterscope.data.networks.passes import Pass, Use, pictures, tensor_at, watched

EXACT = 1e-4  # of the greatest change; smaller ones are rounding
MOST_CHANGED, NEAR = 5, 0.12  # tokens that are looked at; share of a side that they may be beside the spot
LOCAL = 0.6  # share of places that may change where a spot of the picture does, and the change still tells its place


def placed(network: nn.Module, base: Pass, tokens: dict[Key, Layout]) -> dict[Key, Layout | str]:
    """Tokens that stand for no place, and whether the others go through the picture row by row: seen, not assumed.

    Of four pictures, one is black, one has noise in a spot, one has noise everywhere, and one has it everywhere but in
    the spot. Before tokens are mixed, those that are alike for black and noise stand for no place; and where few tokens
    change with the spot, the one that changes most must be at the spot.
    """
    height, width = base.size
    top, left = height * 5 // 16, width * 10 // 16
    bottom, right = max(top + 1, top + height // 8), max(left + 1, left + width // 8)
    noise = pictures(network, base.size, 4, noise=True) * 2
    noise[0] = 0
    spot = torch.zeros_like(noise[1])
    spot[:, top:bottom, left:right] = noise[1, :, top:bottom, left:right]
    noise[1], noise[3] = spot, noise[2]
    noise[3, :, top:bottom, left:right] = 0
    changes: dict[Key, _Changes] = {}

    def look(use: Use, output) -> None:
        for path in use.shapes:
            key = (*use.key, path)
            if key in tokens:
                values = tensor_at(output, path)
                if values.ndim == 3 and len(values) == len(noise):
                    changes[key] = _Changes.of(values.transpose(1, 2) if tokens[key].flipped else values)

    watched(network, noise, look)
    return _ordered(tokens, changes, (top / height, bottom / height, left / width, right / width))


@dataclass(frozen=True)
class _Changes:
    """What becomes of every token, [N] each: how far a spot in a black picture changes it, noise instead of black, and
    a black spot in noise; and how large it is in noise, with the spot or without."""

    spot: torch.Tensor
    noise: torch.Tensor
    hole: torch.Tensor
    large: torch.Tensor

    @classmethod
    def of(cls, values: torch.Tensor) -> _Changes:
        """From the tokens of the four pictures, [4, N, C]."""
        black, spot, noise, hole = values
        pairs = (spot - black, noise - black, noise - hole, torch.cat([noise, hole], 1))
        return cls(*(pair.abs().amax(1).float().cpu() for pair in pairs))


def _ordered(
    tokens: dict[Key, Layout], changes: dict[Key, _Changes], spot: tuple[float, float, float, float]
) -> dict[Key, Layout | str]:
    extras: dict[int, tuple[int, ...]] = {}
    for key, layout in tokens.items():
        if layout.extra and key in changes:
            noise = changes[key].noise
            still = (noise <= EXACT * noise.max()).nonzero().flatten().tolist()
            if len(still) == len(layout.extra):
                extras.setdefault(len(noise), tuple(still))
    found: dict[Key, Layout | str] = {}
    in_order: dict[int, bool] = {}
    for key, layout in tokens.items():
        if key not in changes:
            found[key] = replace(layout, assumed="tokens are taken to go row by row")
            continue
        count = len(changes[key].noise)
        if layout.extra and count in extras:
            layout = replace(layout, extra=extras[count])
        elif layout.extra:
            layout = replace(layout, assumed=f"the first {len(layout.extra)} tokens are taken to stand for no place")
        there = _at_the_spot(changes[key], layout, spot, lost=not in_order.get(count, True))
        if there is not None:
            in_order[count] = there
        if not in_order.get(count, True):
            found[key] = f"[1, {count}, {layout.filters}]: its tokens do not go through the picture row by row"
        else:
            found[key] = layout
    return found


def _at_the_spot(changes: _Changes, layout: Layout, spot: tuple[float, float, float, float], lost: bool) -> bool | None:
    """Whether the tokens that change most are where the spot is; None where so many change that it tells nothing.

    Behind a ReLU few tokens may fire. That the others do not change says nothing of them, so it is also asked whether
    most of those that fire in noise change where it lacks the spot. lost: whether tokens before these were elsewhere;
    then one alone that is there is chance.
    """
    kept = torch.tensor([place for place in range(len(changes.spot)) if place not in set(layout.extra)])
    change, hole, fires = changes.spot[kept], changes.hole[kept], changes.large[kept] > 0
    changed, differs = (each > EXACT * each.max() for each in (change, hole))
    if min(layout.height, layout.width) < 4 or not changed.any() or changed.float().mean() > LOCAL:
        return None
    if not fires.any() or differs[fires].float().mean() > LOCAL:
        return None
    top, bottom, left, right = spot
    most = change.topk(min(MOST_CHANGED, int(changed.sum()))).indices
    rows, columns = most // layout.width, most % layout.width
    high, wide = (max(1.0, NEAR * side) for side in (layout.height, layout.width))
    there = (rows >= top * layout.height - 1 - high) & (rows <= bottom * layout.height + high)
    there &= (columns >= left * layout.width - 1 - wide) & (columns <= right * layout.width + wide)
    return bool(there.float().mean() >= 0.5) or (bool(there[0]) and not lost)
