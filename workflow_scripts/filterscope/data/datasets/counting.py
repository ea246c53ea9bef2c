"""How many photographs a dataset has, told before it is read: counted where its folder is there, else known or guessed.

Planning imports this module, so it imports nothing that takes long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from filterscope import folders

JPEGS = (".jpg", ".jpeg", ".jpe", ".jif", ".jfif")
# Of pictures that can be read.
SUFFIXES = (*JPEGS, ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".ppm", ".pgm")

ALL, TRAINING, EXPLAINED = "all", "training", "explained"
OBJECTS = 3.0  # in a scene
PIXELS, SIDE = 640 * 480, 96  # of a picture of COCO's; px, side of a scene
UNKNOWN = 10_000  # photographs of a folder that cannot be looked into
SHARE = 0.9  # of photographs that are not parted yet, to train on


@dataclass(frozen=True)
class Photographs:
    """How many, and objects with masks in each.

    guessed: nothing told how many, so the number is a usual one. size: pixels of each, in those of COCO's pictures.
    """

    training: int
    explained: int
    objects: float
    guessed: bool = False
    size: float = 1.0

    def of(self, which: str) -> int:
        """Those of a part: ALL, TRAINING or EXPLAINED."""
        return {ALL: self.training + self.explained, TRAINING: self.training, EXPLAINED: self.explained}[which]

    @property
    def deciding(self) -> int:
        """Those that thresholds come from: what is trained on, or all of a dataset that trains nothing."""
        return self.training or self.explained


# What is downloaded (Lin et al. 2014; Krishna et al. 2017), and the folders in which it lies.
KNOWN = {"coco": Photographs(118_287, 5_000, 7.3), "visual_genome": Photographs(97_269, 10_808, 35.0)}
FOLDERS = {"coco": ("train2017", "val2017"), "visual_genome": ("VG_100K", "VG_100K_2")}
# Keys of an entry of `datasets` that tell how many there are.
TELLING = ("source", "folder", "train", "val", "size")


def photographs(entry: Mapping) -> Photographs:
    """Of an entry of the config's `datasets`; files are counted by their names, and not opened."""
    source, folder = entry["source"], entry.get("folder")
    if source == "scenes":
        return Photographs(entry["train"], entry["val"], OBJECTS, size=entry.get("size", SIDE) ** 2 / PIXELS)
    known = KNOWN.get(source)
    if known and not folder:
        return known
    counts = [_pictures(Path(folder, name)) for name in FOLDERS.get(source, ("",))] if folder else []
    if not sum(counts):
        return known or _parted(source, UNKNOWN, entry, guessed=True)
    return Photographs(*counts, known.objects) if source == "coco" else _parted(source, sum(counts), entry)


def _parted(source: str, count: int, entry: Mapping, guessed: bool = False) -> Photographs:
    """So many photographs, by what the entry says of their parts; those of a plain folder train nothing."""
    if source == "folder":
        return Photographs(0, count, 0.0, guessed)
    training = round(count * entry.get("train", SHARE))
    objects = KNOWN[source].objects if source in KNOWN else OBJECTS
    return Photographs(training, count - training, objects, guessed)


def _pictures(folder: Path) -> int:
    """How many files have a picture's suffix, in the folder and below it; 0 where it is not there or cannot be read."""
    if not folder.is_dir():
        return 0
    places = folders.walk(folder, unreadable=lambda place, error: None)
    return sum(name.lower().endswith(SUFFIXES) for _, files in places for name in files)


def most(found: Iterable[Photographs]) -> tuple[int, bool]:
    """The most photographs that decide thresholds, of some datasets, and whether that is a guess; 0 where there are
    none."""
    largest = max(found, key=lambda each: each.deciding, default=Photographs(0, 0, 0.0))
    return largest.deciding, largest.guessed
