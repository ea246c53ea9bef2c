"""Layouts: where a module's output has its filters, seen by watching the network look at pictures of several sizes.

A map of filters may be [B, C, H, W], [B, H, W, C] or tokens, [B, N, C] or [B, C, N]. What an axis is tells the picture:
axes of places follow its size, that of the filters does not (docs/methods.md, Layouts).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from torch import nn

from filterscope.data.networks.layout_kinds import FIRST, LAST, TOKENS, VECTOR, WINDOWS, Key, Layout, grid_of
from filterscope.data.networks.passes import Pass, Path, Use, both_sides, first_pass, other_pass
from filterscope.data.networks.token_places import placed
from filterscope.data.networks.windows import cuts

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
SMALL = 2**31  # weights times pixels of a picture, no fewer than its multiplications, that take a hundredth of a second


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
        self.tokens: dict[Key, Layout | str] = {**found, **(placed(network, base, tokens) if tokens else {})}

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
