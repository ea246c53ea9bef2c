"""Layouts: where a module's output has its filters, seen by watching the network look at pictures of several sizes.

A map of filters may be [B, C, H, W], [B, H, W, C] or tokens, [B, N, C] or [B, C, N]. What an axis is tells the picture:
axes of places follow its size, that of the filters does not (docs/methods.md, Layouts).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn

from filterscope.data.networks.passes import (
    Pass,
    Path,
    Use,
    both_sides,
    first_pass,
    other_pass,
    pictures,
    tensor_at,
    watched,
)
from filterscope.data.networks.windows import Cut, cuts

FIRST, LAST, TOKENS, VECTOR = "channels first", "channels last", "tokens", "vector"
WINDOWS = "windows"
KINDS = (FIRST, LAST, TOKENS, WINDOWS, VECTOR)
# Layers that take and put out [B, C, H, W] whatever else the network does, and those whose last axis is the filters'.
CHANNELS_FIRST = (
    *(nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d),
    *(nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d),
)
FILTERS_LAST = (nn.Linear, nn.LayerNorm)
FACTORS = ((2, 3), (2, 2))  # how much higher and wider the other pictures are
GROWN = 1.15  # how much wider a map must become in proportion where a picture becomes 1.5 times as wide
STILL = 4  # times; a map's width grows at most by so much where its height does not grow
MOST_EXTRA = 16  # tokens that stand for no place: class, register and distillation tokens
MOST_CLASS_TOKENS = 2  # of these where the grid itself is not seen
EXACT = 1e-4  # of the greatest change; smaller ones are rounding
MOST_CHANGED, NEAR = 5, 0.12  # tokens that are looked at; share of a side that they may be beside the spot
SMALL = 2**31  # weights times pixels of a picture, no fewer than its multiplications, that take a hundredth of a second
LOCAL = 0.6  # share of places that may change where a spot of the picture does, and the change still tells its place

Key = tuple[str, int, Path]  # module, call, place in the output


@dataclass(frozen=True)
class Layout:
    """Where an output has its filters, and the size of their maps.

    extra: positions of the tokens that stand for no place. flipped: whether tokens are [B, C, N]. path: place of the
    tensor in a tuple or mapping. cut: how windows lie in the picture. assumed: what could not be seen, to be said.
    """

    kind: str
    filters: int
    height: int = 1
    width: int = 1
    extra: tuple[int, ...] = ()
    flipped: bool = False
    path: Path = ()
    cut: Cut | None = None
    assumed: str = ""

    def maps(self, output: torch.Tensor) -> torch.Tensor:
        """The output as maps [B, d, h, w]. Raises ValueError where it has another shape than this layout."""
        if self.kind == VECTOR and output.ndim == 2:
            return output[:, :, None, None]
        if self.kind in (FIRST, LAST) and output.ndim == 4:
            return output if self.kind == FIRST else output.permute(0, 3, 1, 2)
        if self.kind == TOKENS and output.ndim == 3:
            tokens = output if self.flipped else output.transpose(1, 2)
            places = tokens.shape[2] - len(self.extra)
            height, width = self._grid(places)
            if self.extra:
                kept = [place for place in range(tokens.shape[2]) if place not in set(self.extra)]
                tokens = (
                    tokens[:, :, len(self.extra) :] if kept[0] == len(self.extra) else tokens[:, :, kept].contiguous()
                )
            return tokens.unflatten(2, (height, width))
        if self._is_windows(output):
            rows = output.reshape(-1, self.cut.rows, self.filters)[:, list(self.cut.order)]
            return rows.transpose(1, 2).unflatten(2, (self.height, self.width))
        raise ValueError(f"a tensor {list(output.shape)} is no {self.kind}")

    def _is_windows(self, output: torch.Tensor) -> bool:
        values = self.cut.rows * self.filters if self.cut else 1
        return self.kind == WINDOWS and output.shape[-1] == self.filters and output.numel() % values == 0

    def pictures(self, output: torch.Tensor) -> int:
        """How many pictures an output is of."""
        return len(output) // (self.cut.windows if self.cut else 1)

    def _grid(self, places: int) -> tuple[int, int]:
        if places == self.height * self.width:
            return self.height, self.width
        grid = grid_of(places, self.height / self.width)  # the picture is larger or smaller than the one watched
        if grid is None:
            raise ValueError(f"{places} tokens are no grid of {self.height} : {self.width}")
        return grid


def grid_of(places: int, aspect: float) -> tuple[int, int] | None:
    """Rows and columns of so many places, height to width as the picture's; None where there are none."""
    rows = round((places * aspect) ** 0.5)
    near = [each for each in (rows, rows - 1, rows + 1) if each > 0 and places % each == 0]
    fitting = [each for each in near if abs(each / (places // each) / aspect - 1) < 0.5]
    return (fitting[0], places // fitting[0]) if fitting else None


@dataclass(frozen=True)
class Seen:
    """One use of a module: its layout, or the reason why none was found."""

    use: Use
    layout: Layout | None
    reason: str = ""


def layouts(network: nn.Module, size: int | tuple[int, int], wanted: set[str] | None = None) -> tuple[list[Seen], bool]:
    """Every use of every module, or of the modules of these names, in the order of a forward pass.

    Of a tuple or mapping, the first tensor that has a layout counts. The second value is whether the network writes
    into its input. Raises LayerError where the network cannot take the picture.
    """
    size = both_sides(size)
    base = first_pass(network, size)
    asked = [use for use in base.uses if wanted is None or use.name in wanted]
    judge = _Judge(network, base, [use for use in asked if any(map(_is_open, _leaves(use)))])
    found = [judge.seen(use) for use in asked]
    if any(_may_be_windows(each) for each in found):
        found = _in_windows(network, size, judge, found)
    return found, base.writes


def _may_be_windows(seen: Seen) -> bool:
    """Whether an output that no layout was found for has several parts for a picture, with their filters last."""
    shapes = [shape for shape in seen.use.shapes.values() if len(shape) in (3, 4)]
    return seen.layout is None and any(shape[0] > 1 or len(shape) == 4 for shape in shapes)


def _in_windows(network: nn.Module, size: tuple[int, int], judge: _Judge, found: list[Seen]) -> list[Seen]:
    """The same, with a layout for what lies in windows whose places in the picture could be seen."""
    known = [judge.seen(use) for use in judge.base.uses]
    maps = {
        each.use.key: (each.layout.path, each.layout.maps)
        for each in known
        if each.layout is not None and each.layout.kind != VECTOR and each.layout.height * each.layout.width > 1
    }
    seen = cuts(network, size, maps)
    result = []
    for each in found:
        paths = [path for path in each.use.shapes if (*each.use.key, path) in seen] if _may_be_windows(each) else []
        if paths:
            cut, filters = seen[(*each.use.key, paths[0])], each.use.shapes[paths[0]][-1]
            layout = Layout(WINDOWS, filters, cut.height, cut.width, path=paths[0], cut=cut)
            each = Seen(each.use, layout)
        result.append(each)
    return result


def _leaves(use: Use) -> Iterator[tuple[Use, Path, tuple[int, ...]]]:
    yield from ((use, path, shape) for path, shape in use.shapes.items())


def _is_open(leaf: tuple[Use, Path, tuple[int, ...]]) -> bool:
    """Whether more than the type of its module is needed to know an output's layout."""
    use, _, shape = leaf
    return not (isinstance(use.module, CHANNELS_FIRST) and len(shape) == 4 and shape[0] == 1)


class _Judge:
    """Knows what a network's modules put out for pictures of several sizes, as far as that is needed."""

    def __init__(self, network: nn.Module, base: Pass, unclear: list[Use]):
        self.base = base
        self.others = _other_passes(network, base) if unclear else []
        # What is certain first, what is told by it afterwards.
        self.grids: list[tuple[Use, Path, tuple[int, int]]] = []
        self.grids = [grid for use in base.uses for grid in self._grids(use)]
        self.one_size = all(
            other[2:] == use.shapes[path][2:]
            for use, path, _ in self.grids
            for other, _ in self._other_shapes(use, path)
        )
        self.extras: set[tuple[int, ...]] = set()
        self.first_only = False
        threes = list(self._of_axes(base.uses, 3))
        if unclear:
            linear = [self._three_of_one_size(*each) for each in threes if isinstance(each[0].module, FILTERS_LAST)]
            self.extras = {each.extra for each in linear if isinstance(each, Layout)}
            fours = [self._four(*each) for each in self._of_axes(base.uses, 4)]
            self.first_only = not any(isinstance(each, Layout) and each.kind == LAST for each in fours)
        # Of all tokens, also where few are asked for: those before an attention tell of those behind it.
        asked = threes if any(self._of_axes(unclear, 3)) else []
        found = {(*use.key, path): self._three(use, path, shape) for use, path, shape in asked}
        tokens = {key: each for key, each in found.items() if isinstance(each, Layout)}
        self.tokens: dict[Key, Layout | str] = {**found, **(_placed(network, base, tokens) if tokens else {})}

    @staticmethod
    def _of_axes(uses: list[Use], axes: int) -> Iterator[tuple[Use, Path, tuple[int, ...]]]:
        """Outputs of one picture with so many axes."""
        for use in uses:
            for path, shape in use.shapes.items():
                if len(shape) == axes and shape[0] == 1:
                    yield use, path, shape

    def seen(self, use: Use) -> Seen:
        reasons = []
        for path, shape in use.shapes.items():
            layout = self._judged(use, path, shape)
            if isinstance(layout, Layout):
                return Seen(use, replace(layout, path=path))
            reasons.append(layout)
        if not reasons:
            return Seen(use, None, f"it is {use.described} without tensors")
        if () not in use.shapes:
            return Seen(use, None, f"of {use.described} of {len(reasons)} tensors: {reasons[0]}")
        return Seen(use, None, reasons[0])

    def _judged(self, use: Use, path: Path, shape: tuple[int, ...]) -> Layout | str:
        others = self._other_shapes(use, path)
        if not shape or shape[0] != 1 or any(other[0] != 2 for other, _ in others if other):
            return f"{_written(shape)}: its first axis is not the pictures (windows, or parts of them side by side)"
        if len(shape) == 2:
            if any(other[1] != shape[1] for other, _ in others):
                return f"{_written(shape)}: its length follows the picture's size, so it has no fixed filters"
            return Layout(VECTOR, shape[1])
        if len(shape) == 3:
            return self.tokens.get((*use.key, path), "")
        if len(shape) == 4:
            return self._four(use, path, shape)
        return f"{_written(shape)}: {len(shape)} axes, should be 2 to 4 (windows or heads have axes of their own)"

    def _other_shapes(self, use: Use, path: Path) -> list[tuple[tuple[int, ...], tuple[float, float]]]:
        """The output's shape in the first of the other passes that came so far; with how much larger its picture is."""
        for shapes, factors in self.others:
            other = shapes.get((*use.key, path))
            if other is not None and len(other) == len(use.shapes[path]):
                return [(other, factors)]
        return []

    def _grids(self, use: Use) -> Iterator[tuple[Use, Path, tuple[int, int]]]:
        """Sizes of maps that are certain, since their module is a convolution or the like."""
        if isinstance(use.module, CHANNELS_FIRST):
            for path, shape in use.shapes.items():
                if len(shape) == 4 and shape[0] == 1 and isinstance(self._four(use, path, shape), Layout):
                    yield use, path, shape[2:]

    # --- four axes ---

    def _four(self, use: Use, path: Path, shape: tuple[int, ...]) -> Layout | str:
        first = Layout(FIRST, shape[1], *shape[2:])
        last = Layout(LAST, shape[3], *shape[1:3])
        certain = isinstance(use.module, CHANNELS_FIRST)
        for other, factors in self._other_shapes(use, path):
            if other[1:] != shape[1:]:
                if other[1] == shape[1] and _is_map(shape[2:], other[2:], factors):
                    return first
                if not certain and other[3] == shape[3] and _is_map(shape[1:3], other[1:3], factors):
                    return last
                return (
                    f"{_written(shape)}, for a larger picture {_written(other)}: no two of its axes are height and "
                    "width (heads of an attention, or its weights)"
                )
        if certain:
            return first
        if 1 in (shape[1] * shape[2], shape[2] * shape[3]):
            return first if shape[2] * shape[3] == 1 else last
        known = {grid for _, _, grid in self.grids}
        if (shape[2:] in known) != (shape[1:3] in known):
            return first if shape[2:] in known else last
        others = self._other_shapes(use, path)
        if self.first_only and (not known or (others and not self.one_size)):
            return first
        return (
            f"{_written(shape)}: the network takes pictures of one size only, and it is not the size of any "
            "convolution's maps, so which axis has the filters cannot be seen"
        )

    # --- three axes ---

    def _three(self, use: Use, path: Path, shape: tuple[int, ...]) -> Layout | str:
        others = self._other_shapes(use, path)
        if not others or (others[0][0][1:] == shape[1:] and self.one_size):
            return self._three_of_one_size(use, path, shape)
        other, factors = others[0]
        changed = [axis for axis in (1, 2) if other[axis] != shape[axis]]
        if len(changed) != 1:
            return f"{_written(shape)}, for a larger picture {_written(other)}: no axis of it is the picture's places"
        axis = changed[0]
        places, more = shape[axis], other[axis]
        fitting = []
        for known, path_to_known, grid in self.grids:
            larger = [each[2:] for each, by in self._other_shapes(known, path_to_known) if by == factors]
            extra = places - grid[0] * grid[1]
            if larger and 0 <= extra <= MOST_EXTRA and more - larger[0][0] * larger[0][1] == extra:
                fitting.append((extra, grid))
        if not fitting:
            area, rest = divmod(more - places, round(factors[0] * factors[1]) - 1)
            grid = grid_of(area, self.base.size[0] / self.base.size[1]) if area > 0 and not rest else None
            if grid is not None and 0 <= places - area <= MOST_EXTRA:
                fitting.append((places - area, grid))
        if not fitting:
            return (
                f"{_written(shape)}: its {places} tokens are no grid of places, whatever of the first {MOST_EXTRA} are "
                "left out"
            )
        extra, grid = min(fitting)
        return Layout(TOKENS, shape[3 - axis], *grid, tuple(range(extra)), axis == 2)

    def _three_of_one_size(self, use: Use, _path: Path, shape: tuple[int, ...]) -> Layout | str:
        """By the grids of convolutions, or half of these, and by how many tokens elsewhere stand for no place."""
        fitting = []
        for axis in (1,) if isinstance(use.module, FILTERS_LAST) else (1, 2):
            for grid in {grid for _, _, grid in self.grids if grid != (1, 1)}:
                extra = shape[axis] - grid[0] * grid[1]
                if 0 <= extra <= MOST_EXTRA and (axis == 1 or not extra):
                    fitting.append((extra, axis, grid))
                for halved in (2, 4, 8):
                    smaller = (-(-grid[0] // halved), -(-grid[1] // halved))
                    extra = shape[axis] - smaller[0] * smaller[1]
                    if smaller != (1, 1) and (extra == 0 or (axis == 1 and 0 < extra <= MOST_CLASS_TOKENS)):
                        fitting.append((extra, axis, smaller))
        if self.extras and len({axis for _, axis, _ in fitting}) > 1:
            fitting = [each for each in fitting if tuple(range(each[0])) in self.extras]
        axes = {axis for _, axis, _ in fitting}
        if len(axes) != 1:
            why = "both of its axes could be" if axes else "none of its axes is"
            return (
                f"{_written(shape)}: the network takes pictures of one size only, and {why} the grid of a "
                "convolution, so which axis has the places cannot be seen"
            )
        extra, axis, grid = min(fitting)
        return Layout(TOKENS, shape[3 - axis], *grid, tuple(range(extra)), axis == 2)


def _other_passes(network: nn.Module, base: Pass) -> list[tuple[dict[Key, tuple[int, ...]], tuple[float, float]]]:
    """Shapes of all outputs for larger pictures; real passes only where shapes alone do not get half as far, and of
    small networks, which have looked before torch has loaded what computes shapes alone."""
    passes, small = [], _is_small(network, base)
    for factors in FACTORS:
        size = tuple(side * factor for side, factor in zip(base.size, factors, strict=True))
        seen = other_pass(network, size, real=small)
        if len(seen.uses) < len(base.uses) / 2 or (small and seen.error is not None):
            again = other_pass(network, size, real=not small)
            seen = again if len(again.uses) > len(seen.uses) else seen
        passes.append(({(*use.key, path): shape for use in seen.uses for path, shape in use.shapes.items()}, factors))
        if len(seen.uses) == len(base.uses) and seen.error is None:
            break
    return passes


def _is_small(network: nn.Module, base: Pass) -> bool:
    """Whether looking takes less than the compiler takes to load, and the network is ready for pictures of any size."""
    weights = sum(each.numel() for each in network.parameters())
    return weights * base.size[0] * base.size[1] <= SMALL and not hasattr(network, "set_input_size")


def _is_map(small: tuple[int, int], large: tuple[int, int], factors: tuple[float, float]) -> bool:
    """Whether two axes are height and width, by what becomes of them in a picture so many times larger."""
    (height, width), (higher, wider) = small, large
    if higher < height or wider < width:
        return False
    if factors[0] != factors[1]:
        grown = wider * height / (width * higher)
        return grown >= GROWN and not (higher == height and wider > STILL * width)
    return higher > height and wider > width and max(higher / height, wider / width) <= factors[0] ** 1.75


def _written(shape: tuple[int, ...]) -> str:
    return str(list(shape))


# --- where tokens are --------------------------------------------------------------------------------------


def _placed(network: nn.Module, base: Pass, tokens: dict[Key, Layout]) -> dict[Key, Layout | str]:
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
