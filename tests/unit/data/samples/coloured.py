"""Folders of pictures of one colour each, and how they are read."""

from __future__ import annotations

from PIL import Image

from filterscope.data.rejection import Rejections
from filterscope.data.samples import class_folders

COLOURS = {"apple": (220, 20, 20), "berry": (20, 20, 220), "cherry": (90, 10, 40)}


def fill(folder, count=4, size=(12, 10), classes=("apple", "berry"), below="", suffix="png"):
    for name in classes:
        place = folder / name / below
        place.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.new("RGB", size, COLOURS[name]).save(place / f"{number}.{suffix}")
    return folder


def read(folder, size=None, test=0.0, limits=None, seed=0, bad=0.0):
    return class_folders.read_class_folders(folder, size, test, limits or {}, seed, Rejections(bad))


def splits_of(samples):
    return {split: len(samples.part(split)) for split in ("train", "test") if (samples.split == split).any()}


def flat(folder, count=3, suffix="png"):
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (12, 10), (number, 9, 9)).save(folder / f"{number}.{suffix}")
    return folder
