"""MNIST and what is laid out like it: four files in the idx format, packed with gzip or not."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from filterscope.data.samples.labelled_samples import TEST, TRAIN, LabelledSamples, SamplesError, joined

PREFIXES = {TRAIN: "train", TEST: "t10k"}
DIGITS = tuple("0123456789")
FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_BYTES = 0x08  # the format's code for unsigned bytes


class IdxError(SamplesError):
    """A file is not what the idx format wants: names the file."""


def read_idx(path: str | Path) -> np.ndarray:
    """The array of unsigned bytes in an idx file. Raises IdxError for every other content."""
    path = Path(path)
    try:
        with _opened(path) as file:
            start = file.read(4)
            if len(start) < 4 or start[:2] != b"\0\0":
                found = start.hex(" ") or "nothing"
                raise IdxError(f"{path}: begins with {found}, should be 00 00 08: no idx file")
            kind, rank = start[2], start[3]
            if kind != _BYTES or not 1 <= rank <= 4:
                raise IdxError(
                    f"{path}: holds type {kind:#04x} of rank {rank}, should be unsigned bytes (0x08) of rank 1 to 4"
                )
            lengths = file.read(4 * rank)
            if len(lengths) < 4 * rank:
                raise IdxError(f"{path}: cut short in its header")
            shape = tuple(int(length) for length in np.frombuffer(lengths, ">u4"))
            wanted = int(np.prod(shape, dtype=np.int64))
            data = file.read(wanted + 1)  # no more, lest a small file that unpacks to a huge one fill the memory
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise IdxError(f"{path}: damaged or cut short ({error}); fetch it again") from error
    if len(data) != wanted:
        found = f"more than {wanted:,} bytes follow" if len(data) > wanted else f"{len(data):,} bytes follow"
        raise IdxError(f"{path}: {found} the header, should be {wanted:,} for {list(shape)}; fetch it again")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if is_packed else path.open("rb")


def read_idx_folder(folder: str | Path, classes: tuple[str, ...]) -> LabelledSamples:
    """The pictures and labels of train-* and t10k-*, uint8 [N, 1, H, W].

    Raises SamplesError naming the file that is missing or the two that do not belong together.
    """
    parts = {}
    for split, prefix in PREFIXES.items():
        pictures, labels = _found(folder, f"{prefix}-images", 3), _found(folder, f"{prefix}-labels", 1)
        values, numbers = read_idx(pictures), read_idx(labels)
        if values.ndim != 3 or numbers.ndim != 1:
            raise IdxError(f"{pictures}: rank {values.ndim}, {labels}: rank {numbers.ndim}; should be 3 and 1")
        if len(values) != len(numbers):
            raise IdxError(f"{pictures} has {len(values)} pictures, {labels} has {len(numbers)} labels")
        if len(numbers) and numbers.max() >= len(classes):
            raise IdxError(f"{labels}: label {numbers.max()}, should be from 0 to {len(classes) - 1}")
        parts[split] = (values[:, None], numbers.astype(np.int64))
    return joined(parts, classes)


def _found(folder: str | Path, stem: str, rank: int) -> Path:
    """The file under the names that it goes by."""
    names = [f"{stem}{dot}idx{rank}-ubyte{packed}" for dot in "-." for packed in ("", ".gz")]
    for name in names:
        if Path(folder, name).is_file():
            return Path(folder, name)
    raise IdxError(f"{folder}: none of {', '.join(names)} in it")
