"""What happens to the strongest filters when parts of a photograph are covered (Amirli, 4.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from pycocotools import mask as coco_mask
from torch import Tensor

from filterscope.data.geometry import Geometry
from filterscope.job import LOGGER
from filterscope.pictures.strongest import strongest

BLACK, MEAN, BLUR = "black", "mean", "blur"
FILLS = (BLACK, MEAN, BLUR)
# Standard deviation of the blur, share of the view's side.
BLUR_SHARE = 0.06
# Sides of random rectangles differ by no more than this factor.
LONGEST = 2.0


@dataclass(frozen=True)
class OcclusionSettings:
    """filters: size of the sets that are compared; rectangles: random ones per covered area; size and stride: of the
    square that slides over the view, shares of its side; fill: black, mean or blur."""

    filters: int = 10
    fill: str = BLACK
    rectangles: int = 100
    size: float = 0.15
    stride: float = 0.075

    def __post_init__(self):
        if self.fill not in FILLS:
            raise ValueError(f"occlusion.fill is {self.fill!r}, should be one of {', '.join(FILLS)}")
        if self.stride > self.size:
            raise ValueError(
                f"occlusion.stride is {self.stride}, should be at most the size of the sliding square, {self.size}, "
                "which leaves gaps otherwise"
            )

    def pixels(self, side: int) -> tuple[int, int]:
        """Size and stride for a view of this side, px."""
        return max(1, round(self.size * side)), max(1, round(self.stride * side))


# Mean activations [K, d] of views uint8 [K, 3, crop, crop].
Look = Callable[[Tensor], np.ndarray]


@dataclass(frozen=True)
class Rectangle:
    """A part of a photograph, px of the file: columns x0 to x1 - 1, rows y0 to y1 - 1. name: what it covers, or ""."""

    x0: int
    y0: int
    x1: int
    y1: int
    fill: str | None = None
    name: str = ""

    def mask(self, height: int, width: int, photograph: str) -> np.ndarray:
        """Truth [H, W]. Raises ValueError where the rectangle does not lie in the photograph."""
        if not (0 <= self.x0 < self.x1 <= width and 0 <= self.y0 < self.y1 <= height):
            raise ValueError(
                f"rectangle {[self.x0, self.y0, self.x1, self.y1]} does not lie in {photograph}, which is "
                f"{width} x {height} px: x0 < x1 should be from 0 to {width}, y0 < y1 from 0 to {height}"
            )
        mask = np.zeros((height, width), bool)
        mask[self.y0 : self.y1, self.x0 : self.x1] = True
        return mask


@dataclass(frozen=True)
class CoveredPart:
    """Something to cover: what it is called and its pixels in the network's view, truth [crop, crop]."""

    kind: str
    name: str
    mask: np.ndarray
    box: tuple[int, int, int, int]  # x0, y0, x1, y1 in px of the photograph
    fill: str


@dataclass
class Covered:
    """What covering one part did, against random rectangles of the same area."""

    part: CoveredPart
    view: Tensor  # the covered view, uint8 [3, S, S]
    area: float  # share of the view
    filters: np.ndarray  # strongest filters now, [n]
    overlap: int  # of them with the photograph's own
    change: float | None  # of the mean activation of all filters, relative
    change_strongest: float | None  # of the photograph's own strongest filters
    null: np.ndarray  # overlaps of random rectangles


def rectangle_parts(
    rectangles: Sequence[Rectangle], height: int, width: int, geometry: Geometry, fill: str, photograph: str
) -> list[CoveredPart]:
    """Rectangles of the config as parts of the view. One that the view does not show is logged: it covers nothing."""
    parts = []
    for each in rectangles:
        mask = geometry.mask(each.mask(height, width, photograph))
        if not mask.any():
            LOGGER.warning(
                "rectangle %s lies in %s, but outside the network's view of it: it covers nothing",
                *([each.x0, each.y0, each.x1, each.y1], photograph),
            )
        parts.append(CoveredPart("rectangle", each.name, mask, (each.x0, each.y0, each.x1, each.y1), each.fill or fill))
    return parts


def object_parts(masks: np.ndarray, names: Sequence[str], geometry: Geometry, fill: str) -> list[CoveredPart]:
    """Annotated objects as parts of the view; masks: truth [k, H, W]. Objects outside the view are left out."""
    parts = []
    for mask, name in zip(masks, names, strict=True):
        seen = geometry.mask(mask)
        if seen.any():
            rows, columns = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
            box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
            parts.append(CoveredPart("object", name, seen.astype(bool), box, fill))
    return parts


def squares(side: int, size: int, stride: int) -> list[tuple[int, int]]:
    """Upper left corners (y, x) of a sliding square over a view; the last row and column touch its edge."""
    if not 1 <= size <= side:
        raise ValueError(f"the sliding square is {size} px, should be from 1 to the view's {side} px")
    starts = [*range(0, side - size, stride), side - size]
    return [(y, x) for y in starts for x in starts]


def square_parts(side: int, settings: OcclusionSettings) -> list[CoveredPart]:
    """Every place of the sliding square as a part; its box counts the pixels of the view."""
    size, stride = settings.pixels(side)
    parts = []
    for y, x in squares(side, size, stride):
        mask = np.zeros((side, side), bool)
        mask[y : y + size, x : x + size] = True
        parts.append(CoveredPart("square", "", mask, (x, y, x + size, y + size), settings.fill))
    return parts


def parts(
    cover, view: Tensor, size: tuple[int, int], image, annotations, geometry: Geometry, settings
) -> list[CoveredPart]:
    """Nothing, then what is to be covered of a photograph of size (height, width), seen as `view`.

    cover: "objects" (annotated masks), "grid" (a sliding square), rectangles, or {image, parts} with the named
    rectangles of each photograph; image: its row of `images`; annotations: the dataset's; settings: OcclusionSettings.
    """
    if cover == "objects":
        own = annotations[annotations["image_id"] == image.image_id].sort_values("annotation_id")
        runs = [{"size": list(size), "counts": mask} for mask in own["mask"]]
        masks = coco_mask.decode(runs).transpose(2, 0, 1) if runs else np.zeros((0, *size))
        found = object_parts(masks.astype(bool), own["category"], geometry, settings.fill)
    elif cover == "grid":
        found = square_parts(view.shape[-1], settings)
    else:
        found = rectangle_parts(_rectangles(cover, image), *size, geometry, settings.fill, image.path)
    return [whole_part(view, size, settings.fill), *found]


def _rectangles(cover, image) -> list[Rectangle]:
    """Of one photograph."""
    if not isinstance(cover[0], Mapping):
        return [Rectangle(*each) for each in cover]
    own = [each["parts"] for each in cover if each["image"] in (image.path, image.image_id)]
    return [Rectangle(*each, name=name) for named in own for name, each in named.items()]


def fillings(view: Tensor, kinds: Sequence[str]) -> dict[str, Tensor]:
    """What covers a view uint8 [3, S, S], of each kind, the same type and shape."""
    made = {
        BLACK: lambda: torch.zeros_like(view),
        MEAN: lambda: view.float().mean((1, 2)).round().to(torch.uint8).view(3, 1, 1).expand_as(view),
        BLUR: lambda: _blurred(view),
    }
    unknown = [kind for kind in kinds if kind not in made]
    if unknown:
        raise ValueError(f"fill is {unknown[0]!r}, should be one of {', '.join(FILLS)}")
    return {kind: made[kind]() for kind in dict.fromkeys(kinds)}


def _blurred(view: Tensor) -> Tensor:
    from torchvision.transforms.v2 import functional as transforms  # takes seconds to load

    sd = BLUR_SHARE * view.shape[-1]
    width = 2 * min(int(3 * sd), (view.shape[-1] - 1) // 2) + 1
    return transforms.gaussian_blur(view, [width, width], [sd, sd])


def covered(view: Tensor, masks: np.ndarray | Tensor, filling: Tensor) -> Tensor:
    """Views [K, 3, S, S] of a view [3, S, S] with each mask [K, S, S] covered."""
    return torch.where(torch.as_tensor(np.asarray(masks))[:, None], filling, view)


def random_rectangles(area: int, side: int, count: int, chance: np.random.Generator) -> np.ndarray:
    """Masks [count, side, side] of rectangles of this area (px, as nearly as whole sides can), anywhere in the view."""
    area = max(1, min(area, side * side))
    masks = np.zeros((count, side, side), bool)
    for mask in masks:
        height = np.sqrt(area) * LONGEST ** chance.uniform(-0.5, 0.5)
        height = int(np.clip(round(height), -(-area // side), side))
        width = int(np.clip(round(area / height), 1, side))
        y, x = chance.integers(0, side - height + 1), chance.integers(0, side - width + 1)
        mask[y : y + height, x : x + width] = True
    return masks


def overlap(first: np.ndarray, second: np.ndarray) -> int:
    """How many filters two sets share (Amirli, table 1)."""
    return len(set(first.tolist()) & set(second.tolist()))


def measure(
    view: Tensor, parts: Sequence[CoveredPart], look: Look, n: int, null: int, chance: np.random.Generator
) -> Iterator[Covered]:
    """Cover each part of a view uint8 [3, S, S] and compare the n strongest filters with the view's own.

    null: random rectangles per area and fill; parts that cover equally many pixels share them.
    """
    before = look(view[None])[0]
    own = strongest(before, n)
    filled = fillings(view, [part.fill for part in parts])
    nulls: dict[tuple[int, str], np.ndarray] = {}
    for part in parts:
        area = int(part.mask.sum())
        hidden = covered(view, part.mask[None], filled[part.fill])
        after = look(hidden)[0]
        key = (area, part.fill)
        if key not in nulls:
            drawn = random_rectangles(area, view.shape[-1], null, chance)
            means = look(covered(view, drawn, filled[part.fill])) if null and area else np.zeros((0, len(before)))
            nulls[key] = np.array([overlap(own, each) for each in strongest(means, n)], np.int64)
        now = strongest(after, n)
        yield Covered(
            part=part,
            view=hidden[0],
            area=area / part.mask.size,
            filters=now,
            overlap=overlap(own, now),
            change=_relative(after.mean(), before.mean()),
            change_strongest=_relative(after[own].mean(), before[own].mean()),
            null=nulls[key],
        )


def _relative(after: float, before: float) -> float | None:
    """Relative change; None where there was nothing."""
    return None if before == 0 else float((after - before) / abs(before))


def smaller_overlap(seen: int, null: np.ndarray) -> float | None:
    """Share of random rectangles that leave no more of the strongest filters than this, the part counted among
    them: a small one says that the place matters, not only its size. None without random rectangles."""
    return None if len(null) == 0 else (1 + int((null <= seen).sum())) / (1 + len(null))


def importance(view: Tensor, look: Look, settings: OcclusionSettings) -> tuple[np.ndarray, np.ndarray]:
    """How much each place of a view matters to its strongest filters: a square slides over it.

    Returns two maps float64 [S, S], means over the squares that cover a pixel: share of the set that is lost,
    and relative loss of the set's activation, of its absolute value (logits may be negative); none where that is zero.
    """
    parts = square_parts(view.shape[-1], settings)
    masks = np.stack([part.mask for part in parts])
    before = look(view[None])[0]
    own = strongest(before, settings.filters)
    after = look(covered(view, masks, fillings(view, [settings.fill])[settings.fill]))
    lost = np.array([1 - overlap(own, each) / settings.filters for each in strongest(after, settings.filters)])
    changes = [_relative(each[own].sum(), before[own].sum()) for each in after]
    weaker = np.array([-(change or 0.0) for change in changes])
    times = masks.sum(0)
    return np.tensordot(lost, masks, 1) / times, np.tensordot(weaker, masks, 1) / times


def whole_part(view: Tensor, size: tuple[int, int], fill: str) -> CoveredPart:
    """Nothing of a photograph of size (height, width): what its covered parts are compared with."""
    return CoveredPart("photograph", "", np.zeros(tuple(view.shape[1:]), bool), (0, 0, size[1], size[0]), fill)


def rows(image_id: int, found: Sequence[Covered]) -> list[dict]:
    """Rows of the table `occlusions` for what was measured in one photograph: itself first, then its parts."""
    made = []
    for number, each in enumerate(found):
        null = each.null
        low, high = np.quantile(null, [0.025, 0.975]).tolist() if len(null) else (None, None)
        made.append(
            {
                "image_id": int(image_id),
                "number": number,
                "kind": each.part.kind,
                "name": each.part.name,
                **dict(zip(("x0", "y0", "x1", "y1"), each.part.box, strict=True)),
                "fill": each.part.fill if number else "",
                "area": each.area,
                "filters": " ".join(map(str, each.filters.tolist())),
                "overlap": each.overlap,
                "change": each.change,
                "change_strongest": each.change_strongest,
                "null_overlap": float(null.mean()) if len(null) else None,
                "null_low": low,
                "null_high": high,
                "p": smaller_overlap(each.overlap, null),
            }
        )
    return made
