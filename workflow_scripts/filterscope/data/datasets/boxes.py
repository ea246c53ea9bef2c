"""Boxes as masks: clipped to their image, written as COCO compressed run lengths, united."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pycocotools import mask as mask_utils


def whole_pixels(
    x: np.ndarray, y: np.ndarray, w: np.ndarray, h: np.ndarray, widths: np.ndarray, heights: np.ndarray
) -> np.ndarray:
    """The pixels of boxes that lie in their images: left, upper, right and lower edge, int64 [n, 4].

    x, y, w, h: px, finite, [n]; edges between pixels go to the nearer one. widths, heights: px, of each box's
    image, [n]. A box without a pixel in its image has right <= left or lower <= upper.
    """
    far = 2.0**31  # beyond, int64 of a float is not defined; no picture is so large
    edges = np.stack([x, y, x + w, y + h], 1).clip(-far, far)
    limits = np.stack([widths, heights, widths, heights], 1)
    return np.floor(edges + 0.5).astype(np.int64).clip(0, limits)


def rectangle(left: int, upper: int, right: int, lower: int, height: int, width: int) -> bytes:
    """COCO compressed run lengths of a height x width mask that is 1 in [upper:lower, left:right].

    The runs go down the columns, so a box is written without drawing it. Edges in px, 0 <= left < right <= width
    and 0 <= upper < lower <= height; raises ValueError otherwise. The bytes are those of `pycocotools.mask.encode`.
    """
    if not (0 <= left < right <= width and 0 <= upper < lower <= height):
        raise ValueError(f"the box [{upper}:{lower}, {left}:{right}] has no pixel in {height} x {width} or leaves it")
    columns, inside = right - left, lower - upper
    if inside == height:  # the columns touch: one run
        columns, inside = 1, height * columns
    before = left * height + upper
    between = height - inside
    after = height * width - before - columns * inside - (columns - 1) * between
    if columns == 1:
        return b"".join(map(_compressed, [before, inside, after] if after else [before, inside]))
    # From the fourth on a run is written as its difference from the last but one, which is 0 between equal columns.
    last = _compressed(after - between) if after else b""
    return _compressed(before) + _compressed(inside) + _compressed(between) + b"0" * (2 * columns - 3) + last


def union(masks: Sequence[bytes], height: int, width: int) -> bytes:
    """The logical or of masks given as compressed run lengths; at least one."""
    if len(masks) == 1:
        return masks[0]
    return mask_utils.merge([{"size": [height, width], "counts": mask} for mask in masks])["counts"]


def _compressed(value: int) -> bytes:
    """One number in COCO's writing: groups of five bits, low ones first, bit 32 where more follow, from byte 48."""
    written = bytearray()
    while True:
        bits, value = value & 31, value >> 5
        more = value != (-1 if bits & 16 else 0)
        written.append(48 + bits + (32 if more else 0))
        if not more:
            return bytes(written)
