"""Visual Genome's objects through the passes that leave categories to learn from (LaViSE, 4.2).

Both papers describe the same passes and end with different numbers: the order decides. `paper` takes the passes
in the order of the text, counts a category once per image, and keeps images that lose their last object to the
rarity of its category. `reproduction` counts objects before they are united and removes such images at the end.
(Its code never unites: a list of passes without `merge` repeats that.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from filterscope import job

ORDERS: dict[str, tuple[str, ...]] = {
    "paper": ("empty_images", "vocabulary", "merge", "rare"),
    "reproduction": ("vocabulary", "rare", "merge", "empty_images"),
}


class PassError(ValueError):
    """Nothing is left after a pass, or there is no such pass: says which, and what would be right."""


@dataclass(frozen=True)
class Objects:
    """Objects with a box and a category each. n objects, N images.

    images: position of each object's image, [n]. categories: index of its category, [n]. edges: left, upper,
    right and lower edge, px, int [n, 4]. kept: whether each image is still in the dataset, bool [N]. merged: whether
    an image's objects of one category are one annotation.
    """

    images: np.ndarray
    categories: np.ndarray
    edges: np.ndarray
    kept: np.ndarray
    merged: bool = False

    def only(self, chosen: np.ndarray) -> Objects:
        """These objects, bool [n]; the images stay."""
        return replace(self, images=self.images[chosen], categories=self.categories[chosen], edges=self.edges[chosen])

    def united(self) -> Objects:
        """The same with an image's objects of one category as one annotation."""
        return replace(self, merged=True)

    def annotated(self) -> tuple[np.ndarray, np.ndarray]:
        """Image and category of every annotation, in their order."""
        if not self.merged:
            return self.images, self.categories
        width = int(self.categories.max(initial=0)) + 1
        images, categories = np.divmod(np.unique(self.images * width + self.categories), width)
        return images, categories

    def count(self) -> dict[str, int]:
        """Images, annotations and categories that there are."""
        images, categories = self.annotated()
        return {
            "images": int(self.kept.sum()),
            "annotations": len(images),
            "categories": len(np.unique(categories)),
        }


def run_passes(
    objects: Objects,
    order: str | Sequence[str],
    names: Sequence[str],
    known: Callable[[str], bool],
    min_count: int,
) -> tuple[Objects, list[dict]]:
    """Send the objects through the passes of an order of ORDERS, or through a list of passes.

    names: of the categories. known: whether a category has a vector. min_count: annotations below which a category
    is rare. Returns what is left, and a row of images, annotations and categories after every pass.
    Raises PassError naming the pass that leaves nothing.
    """
    passes = {
        "vocabulary": lambda each: _with_vector(each, names, known),
        "merge": Objects.united,
        "rare": lambda each: _frequent(each, names, min_count),
        "empty_images": lambda each: replace(each, kept=each.kept & _seen(each)),
    }
    rows = []
    for name in ORDERS[order] if isinstance(order, str) and order in ORDERS else order:
        if name not in passes:
            raise PassError(
                f"there is no pass {name!r}; they are {', '.join(passes)}, or {' or '.join(ORDERS)} for all"
            )
        objects = passes[name](objects)
        rows.append({"pass": name, **objects.count()})
        job.LOGGER.info("after %s: %s", name, ", ".join(f"{rows[-1][each]:,} {each}" for each in objects.count()))
    return objects, rows


def _with_vector(objects: Objects, names: Sequence[str], known: Callable[[str], bool]) -> Objects:
    have = np.array([known(name) for name in names], bool)
    if not have[objects.categories].any():
        some = ", ".join(sorted({names[each] for each in objects.categories[:50].tolist()})[:5])
        raise PassError(
            f"pass vocabulary: none of {len(set(objects.categories.tolist()))} categories, such as {some}, has a "
            "vector; name another vocabulary"
        )
    return objects.only(have[objects.categories])


def _frequent(objects: Objects, names: Sequence[str], min_count: int) -> Objects:
    counts = np.bincount(objects.annotated()[1], minlength=len(names))
    if counts.max(initial=0) < min_count:
        raise PassError(
            f"pass rare: every category has fewer annotations than min_count, {min_count}; the most frequent, "
            f"{names[int(counts.argmax())]}, has {counts.max(initial=0)}. Lower min_count"
        )
    return objects.only((counts >= min_count)[objects.categories])


def _seen(objects: Objects) -> np.ndarray:
    return np.bincount(objects.images, minlength=len(objects.kept)) > 0
