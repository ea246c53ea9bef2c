"""The embedded study's reference dataset: generated pictures whose every pixel has a known meaning.

A scene is a muted textured background with a few objects; each has a colour, a texture and a shape, and these
three words are the tokens of its category. One object, the main one, is larger than the others and lies near
the centre; its shape is the class that the embedded CNN learns. Three main objects of five take their colour
and texture from one of the two FACETS of their shape, so that every class shows two faces.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image
from pycocotools import mask as run_lengths

from filterscope.data.scenes import drawing
from filterscope.data.scenes.words import COLOURS, FACETS, SHAPES, TEXTURES, TOKENS

FACETED = 0.6  # share of the main objects that take one of their shape's facets

# Radii of the circles of equal area and other lengths, as shares of the picture's side.
_MAIN_RADIUS = (0.190, 0.225)
_OTHER_RADIUS = (0.095, 0.125)
_OFF_CENTRE = 0.055
_OVERLAP = 0.06  # largest share of a new object that may meet others already placed
_TRIES = 30  # places tried before an object is made smaller
_SHRINK = 0.88


@dataclass(frozen=True)
class ScenesSettings:
    """What a scenes dataset is made of; `objects` are the fewest and the most of a picture."""

    train: int
    val: int
    size: int = 96
    objects: tuple[int, int] = (2, 4)
    source: str = "scenes"
    max_bad_fraction: float = 0.0  # accepted as every dataset does; a generated picture is never bad

    def __post_init__(self):
        if len(self.objects) != 2:
            raise ValueError(f"objects is {list(self.objects)}, should be the fewest and the most of a picture")
        fewest, most = self.objects
        if not 1 <= fewest <= most:
            raise ValueError(f"objects is [{fewest}, {most}], should be the fewest and the most, from 1 upwards")
        if self.size < 48:
            raise ValueError(f"size is {self.size} px, should be 48 or more: textures would not be visible")
        if self.train < 1 or self.val < 1:
            raise ValueError(f"train is {self.train} and val is {self.val}; both should be 1 or more")


@dataclass(frozen=True)
class SceneObject:
    """One object: its three words, where it is visible ([H, W] bool), and whether it is the main one."""

    colour: str
    texture: str
    shape: str
    mask: np.ndarray
    main: bool

    @property
    def tokens(self) -> list[str]:
        return [self.colour, self.texture, self.shape]

    @property
    def category(self) -> str:
        return " ".join(self.tokens)


@dataclass(frozen=True)
class DrawnScene:
    """A picture, uint8 [H, W, 3], and its objects from the lowest to the uppermost."""

    image: np.ndarray
    objects: tuple[SceneObject, ...]

    @property
    def main(self) -> SceneObject:
        return next(each for each in self.objects if each.main)


@dataclass(frozen=True)
class _Placed:
    """An object before it is painted: its distance patch and where the patch's corner lies in the picture."""

    words: tuple[str, str, str]
    patch: np.ndarray
    top: int
    left: int
    main: bool

    def spread(self, patch: np.ndarray, size: int, fill: float, down: int = 0) -> np.ndarray:
        """The patch on a [size, size] canvas, shifted down and to the right by so many px."""
        canvas = np.full((size, size), fill)
        top, left, n = self.top + down, self.left + down, len(patch)
        y0, y1, x0, x1 = max(top, 0), min(top + n, size), max(left, 0), min(left + n, size)
        canvas[y0:y1, x0:x1] = patch[y0 - top : y1 - top, x0 - left : x1 - left]
        return canvas


def draw(seed: int, index: int, size: int = 96, objects: tuple[int, int] = (2, 4)) -> DrawnScene:
    """Picture number `index` of the dataset that `seed` stands for; depends on nothing else.

    `size` is the side in px, `objects` the fewest and the most objects. A mask holds the pixels that the
    object covers by half or more and that no object above it covers by half or more.
    """
    generator = np.random.default_rng([seed, index])
    placed = _place(generator, size, int(generator.integers(objects[0], objects[1] + 1)))
    picture = drawing.background(generator, size)
    masks: list[np.ndarray] = []
    for each in placed:
        picture, mask = _paint(picture, each, generator)
        masks = [below & ~mask for below in masks] + [mask]
    picture = picture + 0.008 * generator.standard_normal((size, size, 1))
    return DrawnScene(
        image=(np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8),
        objects=tuple(SceneObject(*each.words, mask, each.main) for each, mask in zip(placed, masks, strict=True)),
    )


def random_words(generator: np.random.Generator, main: bool) -> tuple[str, str, str]:
    """Colour, texture and shape; a main object mostly shows a facet of its shape."""
    shape = SHAPES[generator.integers(len(SHAPES))]
    if main and generator.random() < FACETED:
        colour, texture = FACETS[shape][generator.integers(len(FACETS[shape]))]
    else:
        colour = list(COLOURS)[generator.integers(len(COLOURS))]
        texture = TEXTURES[generator.integers(len(TEXTURES))]
    return colour, texture, shape


def _place(generator: np.random.Generator, size: int, count: int) -> list[_Placed]:
    """Words, outlines and places of the objects, from the lowest to the uppermost."""
    placed: list[_Placed] = []
    taken = np.zeros((size, size), bool)
    for number in range(count):
        main = number == 0
        words = random_words(generator, main)
        radius = generator.uniform(*(_MAIN_RADIUS if main else _OTHER_RADIUS)) * size
        angle = generator.uniform(-0.3, 0.3)
        offset = tuple(generator.uniform(-0.5, 0.5, 2))
        new = _find_place(generator, taken, words, radius, angle, offset, main)
        taken |= new.spread(new.patch, size, np.inf) <= 0
        placed.append(new)
    if generator.random() < 0.5:  # the main object lies under the others or above them
        placed = placed[1:] + placed[:1]
    return placed


def _find_place(generator, taken, words, radius, angle, offset, main) -> _Placed:
    """Where an object hardly meets those already placed; where there is no such place, a smaller one fits."""
    size = len(taken)
    while True:
        patch = drawing.distance(words[2], radius, angle, offset, margin=4 * size / 96)
        inside = patch <= 0
        half = len(patch) // 2
        reach = int(np.abs(np.argwhere(inside) - half).max()) + 1
        if main:
            centres = size / 2 + generator.uniform(-_OFF_CENTRE, _OFF_CENTRE, (1, 2)) * size
        else:
            centres = generator.uniform(reach, size - reach, (_TRIES, 2))
        for row, column in np.rint(np.clip(centres, reach, size - 1 - reach)).astype(int):
            new = _Placed(words, patch, row - half, column - half, main)
            meeting = taken & (new.spread(patch, size, np.inf) <= 0)
            if meeting.sum() <= _OVERLAP * inside.sum():
                return new
        radius *= _SHRINK


def _paint(picture: np.ndarray, each: _Placed, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The picture with the object and its shadow on it, and the pixels that it covers by half or more."""
    size = len(picture)
    colour, texture, _ = each.words
    unit = size / 96
    cover = each.spread(drawing.coverage(each.patch), size, 0.0)
    shadow = each.spread(drawing.coverage(each.patch, softness=5 * unit), size, 0.0, down=max(1, round(1.5 * unit)))
    picture = picture * (1 - 0.38 * shadow[..., None])

    n = len(each.patch)
    period = drawing.PERIOD * size * generator.uniform(0.94, 1.06)
    dark = 1 - (1 - drawing.MARK) * drawing.marks(texture, n, period, generator)
    axis = np.linspace(-1, 1, n)
    light = 1.02 - 0.10 * (axis[:, None] + axis[None, :])
    rim = 1 - 0.22 * drawing.coverage(-each.patch - 0.7 * unit, softness=2 * unit)
    tint = np.array(COLOURS[colour]) * generator.uniform(0.88, 1.05) + generator.uniform(-0.025, 0.025, 3)
    shade = each.spread(dark * light * rim, size, 0.0)
    painted = np.clip(shade[..., None] * tint, 0, 1)
    return picture * (1 - cover[..., None]) + painted * cover[..., None], cover >= 0.5


def encode(image: np.ndarray) -> bytes:
    """The picture as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG", compress_level=4)
    return buffer.getvalue()


def file_name(index: int) -> str:
    """File of picture number `index`, relative to the dataset's picture folder."""
    return f"{index:06d}.png"


def split_of(index: int, train: int) -> str:
    """The first `train` pictures train, the others validate."""
    return "train" if index < train else "val"


def image_row(index: int, image: np.ndarray, file: bytes, train: int) -> dict:
    """The picture's row of the images table; `file` is its encoded form."""
    return {
        "image_id": index,
        "split": split_of(index, train),
        "path": file_name(index),
        "width": image.shape[1],
        "height": image.shape[0],
        "turned": False,
        "sha256": hashlib.sha256(file).hexdigest(),
    }


def annotation_rows(index: int, scene: DrawnScene, first: int) -> list[dict]:
    """The rows of the scene's objects in the annotations table, numbered from `first`."""
    rows = []
    for number, each in enumerate(scene.objects, start=first):
        y, x = np.nonzero(each.mask)
        left, top = x.min(), y.min()
        rows.append(
            {
                "annotation_id": number,
                "image_id": index,
                "category": each.category,
                "tokens": each.tokens,
                "x": float(left),
                "y": float(top),
                "w": float(x.max() + 1 - left),
                "h": float(y.max() + 1 - top),
                "mask": run_lengths.encode(np.asfortranarray(each.mask, np.uint8))["counts"],
                "area": float(len(x)),
            }
        )
    return rows


def table(rows: list[dict]) -> pa.Table:
    """Rows as a table."""
    return pa.Table.from_pylist(rows)


def categories_table(images: Iterable[dict], annotations: Iterable[dict]) -> pa.Table:
    """The categories that occur, with their counts per split; all of them may train an explainer."""
    rows = pd.DataFrame(annotations)[["image_id", "category"]]
    rows = rows.merge(pd.DataFrame(images)[["image_id", "split"]], on="image_id")
    names = sorted(rows["category"].unique(), key=lambda name: [TOKENS.index(token) for token in name.split()])
    columns = {"category": names, "tokens": [name.split() for name in names]}
    for what, counted in (("images", rows.drop_duplicates()), ("annotations", rows)):
        for split in ("train", "val"):
            counts = counted[counted["split"] == split]["category"].value_counts()
            columns[f"{what}_{split}"] = [int(counts.get(name, 0)) for name in names]
    columns["supervised"] = [True] * len(names)
    return pa.table(columns)
