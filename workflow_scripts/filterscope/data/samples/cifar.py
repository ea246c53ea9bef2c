"""CIFAR-10 in its binary version: records of a label and 32 x 32 pixels, plane by plane."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from filterscope.data.samples.labelled_samples import TEST, TRAIN, LabelledSamples, SamplesError, joined

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
BATCHES = {TRAIN: tuple(f"data_batch_{number}.bin" for number in range(1, 6)), TEST: ("test_batch.bin",)}
ARCHIVE = "cifar-10-binary.tar.gz"
SIDE = 32  # px
_RECORD = 1 + 3 * SIDE * SIDE  # bytes
_LARGEST = 100_000 * _RECORD  # bytes of a file, ten times the official ones


class CifarError(SamplesError):
    """A file is not CIFAR-10's: names it."""


def read_records(data: bytes, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures uint8 [N, 3, 32, 32] and labels int64 [N] of one file. Raises CifarError naming it."""
    if not data or len(data) % _RECORD:
        raise CifarError(f"{name}: {len(data):,} bytes, should be a multiple of {_RECORD:,}; fetch it again")
    records = np.frombuffer(data, np.uint8).reshape(-1, _RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= len(CLASSES):
        place = int(np.argmax(labels >= len(CLASSES)))
        raise CifarError(f"{name}: record {place} has the label {labels[place]}, should be from 0 to 9: no CIFAR-10")
    return records[:, 1:].reshape(-1, 3, SIDE, SIDE), labels


def read_cifar10(folder: str | Path) -> LabelledSamples:
    """The five training files and the test file, in a folder, one below it, or the archive as it was downloaded.

    Raises CifarError naming the file that is missing or damaged.
    """
    files = dict(_files(Path(folder)))
    parts = {}
    for split, names in BATCHES.items():
        missing = [name for name in names if name not in files]
        if missing:
            raise CifarError(f"{folder}: no {', '.join(missing)} in it, nor in {ARCHIVE}")
        pictures, labels = zip(*(read_records(files[name], f"{folder}/{name}") for name in names), strict=True)
        parts[split] = (np.concatenate(pictures), np.concatenate(labels))
    return joined(parts, CLASSES)


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Contents by name of what is there of the set."""
    wanted = {name for names in BATCHES.values() for name in names}
    for place in (folder, folder / "cifar-10-batches-bin"):
        if any((place / name).is_file() for name in wanted):
            yield from ((name, (place / name).read_bytes()) for name in wanted if (place / name).is_file())
            return
    archive = folder / ARCHIVE
    if not archive.is_file():
        return
    try:
        with tarfile.open(archive) as opened:  # members are read, never unpacked
            for member in opened:
                name = member.name.rpartition("/")[2]
                if name in wanted and member.isfile():
                    if member.size > _LARGEST:  # a small archive may unpack to a huge file
                        raise CifarError(f"{archive}: {name} has {member.size:,} bytes, should be 30,730,000")
                    yield name, opened.extractfile(member).read()
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise CifarError(f"{archive}: damaged or cut short ({error}); fetch it again") from error
