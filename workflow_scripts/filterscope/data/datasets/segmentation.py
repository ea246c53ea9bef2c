"""An object's outline as COCO writes it, polygons or run lengths, as a mask of compressed run lengths."""

from __future__ import annotations

from itertools import chain
from math import isfinite

from pycocotools import mask as mask_utils

_FAR = 100_000  # px; a coordinate beyond is a mistake, and drawing its line would eat all memory
_POINTS = 3  # a polygon with fewer encloses nothing


class MaskError(ValueError):
    """A segmentation gives no mask: says why."""


def encode(segmentation: object, height: int, width: int) -> bytes:
    """COCO compressed run lengths of a height x width mask that covers at least one pixel.

    The segmentation is a list of polygons [x0, y0, x1, y1, ...] in px, or run lengths {"size", "counts"},
    compressed or not. Parts of an object with fewer than three points add nothing to it; what lies beyond
    the image's edge is cut off, as pycocotools does. Raises MaskError.
    """
    if isinstance(segmentation, list) and segmentation:
        rle = _of_polygons(segmentation, height, width)
    elif isinstance(segmentation, dict):
        rle = _of_runs(segmentation, height, width)
    else:
        raise MaskError("it has no segmentation")
    if not mask_utils.area(rle):
        raise MaskError("its mask covers no pixel of the image")
    return rle["counts"]


def _of_polygons(polygons: list, height: int, width: int) -> dict:
    if not all(isinstance(polygon, list) and len(polygon) % 2 == 0 for polygon in polygons):
        raise MaskError("its segmentation should be a list of polygons, each a list of x, y, x, y, ...")
    try:
        far = max(map(abs, chain.from_iterable(polygons)), default=0.0)
        usable = isfinite(sum(chain.from_iterable(polygons))) and far <= _FAR
    except (TypeError, OverflowError):  # a whole number of hundreds of digits
        raise MaskError("its polygons should hold numbers only, within the image") from None
    if not usable:
        raise MaskError(f"its polygons have coordinates that are not finite or beyond {_FAR} px")
    # pycocotools takes four numbers for a box, hence the filter comes before it.
    drawn = [polygon for polygon in polygons if len(polygon) >= 2 * _POINTS]
    if not drawn:
        raise MaskError(f"its polygons have fewer than {_POINTS} points")
    return mask_utils.merge(mask_utils.frPyObjects(drawn, height, width))


def _of_runs(runs: dict, height: int, width: int) -> dict:
    counts, size = runs.get("counts"), runs.get("size")
    if size != [height, width]:
        raise MaskError(f"its run lengths are for size {size}, the image has [{height}, {width}]")
    if isinstance(counts, list):
        if not all(isinstance(count, int) and count >= 0 for count in counts):
            raise MaskError("its run lengths should be whole numbers from 0")
        lengths = counts
    elif isinstance(counts, (str, bytes)):
        counts = counts.encode() if isinstance(counts, str) else counts
        lengths = _lengths(counts)
    else:
        raise MaskError("its run lengths are missing")
    if sum(lengths) != height * width:
        raise MaskError(f"its run lengths add up to {sum(lengths)} pixels, the image has {height * width}")
    if isinstance(counts, list):
        return mask_utils.frPyObjects({"size": size, "counts": counts}, height, width)
    return {"size": size, "counts": counts}


def _lengths(counts: bytes) -> list[int]:
    """The runs in compressed form: groups of five bits, low ones first, from the third run on as differences.

    pycocotools trusts them, and reads beyond their end where they are damaged. Raises MaskError.
    """
    lengths: list[int] = []
    value, shift = 0, 0
    for byte in counts:
        bits = byte - 48
        if not 0 <= bits < 64:
            raise MaskError(f"its compressed run lengths have the impossible byte {byte}")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        if len(lengths) > 2:
            value += lengths[-2]
        if value < 0:
            raise MaskError("its compressed run lengths have a negative run")
        lengths.append(value)
        value, shift = 0, 0
    if shift:
        raise MaskError("its compressed run lengths are cut short")
    return lengths
