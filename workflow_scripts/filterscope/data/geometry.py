"""One geometry for pictures and masks: shorter side resized, centre cropped (docs/methods.md, Pictures and masks).

A picture is interpolated, a mask is sampled at the centres of the very same pixels, so that both always show
the same part of the scene. The reference code cropped them apart (the switch `random_crops`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch

Picture = TypeVar("Picture", "torch.Tensor", np.ndarray)

# A picture longer than this many times its shorter side is first cut to it: only the centre is kept anyway,
# and a strip of 1 x 3000 px must not become one of 256 x 768000.
LONGEST_ASPECT = 8


def resized_picture(picture: Picture, size: tuple[int, int]) -> Picture:
    """A picture uint8 [3, H, W] at another height and width, px, interpolated as torchvision's `resize` does."""
    if tuple(picture.shape[1:]) == size:
        return picture
    import torch  # takes seconds to load

    if isinstance(picture, np.ndarray):
        return resized_picture(torch.from_numpy(picture), size).numpy()
    interpolate = torch.nn.functional.interpolate
    return interpolate(picture[None], size, mode="bilinear", align_corners=False, antialias=True)[0]


@dataclass(frozen=True)
class Geometry:
    """Resizing of the shorter side and the side of the crop, px."""

    resize: int
    crop: int

    def __post_init__(self):
        if not 0 < self.crop <= self.resize:
            raise ValueError(f"crop is {self.crop} px, should be from 1 to resize ({self.resize} px)")

    def _frame(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Upper edge, left edge, height and width of the part of the picture that is looked at, px."""
        longest = LONGEST_ASPECT * min(height, width)
        kept_height, kept_width = min(height, longest), min(width, longest)
        return (height - kept_height) // 2, (width - kept_width) // 2, kept_height, kept_width

    def _resized(self, height: int, width: int) -> tuple[int, int]:
        short = min(height, width)
        return (
            max(self.crop, int(self.resize * height / short)),
            max(self.crop, int(self.resize * width / short)),
        )

    def picture(self, picture: Picture, offset: tuple[float, float] = (0.5, 0.5)) -> Picture:
        """Resize and crop a picture.

        picture: uint8 [3, H, W], a tensor or an array. offset: where the crop lies in the free room, (0.5, 0.5) is the
        centre; only the `random_crops` defect uses another. Returns uint8 [3, crop, crop].
        """
        top, left, height, width = self._frame(*picture.shape[1:])
        picture = picture[:, top : top + height, left : left + width]
        resized = resized_picture(picture, self._resized(height, width))
        top, left = self._corner(resized.shape[1], resized.shape[2], offset)
        return resized[:, top : top + self.crop, left : left + self.crop]

    def _corner(self, height: int, width: int, offset: tuple[float, float]) -> tuple[int, int]:
        return round((height - self.crop) * offset[0]), round((width - self.crop) * offset[1])

    def mask(self, mask: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
        """Sample masks at the centres of the cells of the cropped picture.

        mask: [H, W] or [H, W, k], any type. size: rows and columns of the result; the crop's own pixels by
        default. Returns [rows, columns] or [rows, columns, k].
        """
        size = size or (self.crop, self.crop)
        top, left, height, width = self._frame(*mask.shape[:2])
        resized = self._resized(height, width)
        corner = self._corner(*resized, (0.5, 0.5))
        rows = top + self._centres(size[0], corner[0], resized[0], height)
        columns = left + self._centres(size[1], corner[1], resized[1], width)
        return mask[rows][:, columns]

    def _centres(self, cells: int, corner: int, resized: int, original: int) -> np.ndarray:
        """Original pixel under the centre of each cell along one axis."""
        centre = corner + (np.arange(cells) + 0.5) * self.crop / cells
        return np.clip((centre * original / resized).astype(np.int64), 0, original - 1)

    def coverage(self, mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Share of each cell of a rows x columns grid over the crop that a mask covers.

        mask: [H, W, k], 0 or 1. Returns float32 [rows, columns, k].
        """
        rows, columns = size
        # Sampled on a grid that the cells divide evenly, at least as fine as the crop itself.
        fine = (-(-self.crop // rows) * rows, -(-self.crop // columns) * columns)
        sampled = self.mask(mask, fine)
        blocks = sampled.reshape(rows, fine[0] // rows, columns, fine[1] // columns, -1)
        return blocks.mean(axis=(1, 3), dtype=np.float32)
