"""What the jobs of a run find in their environment."""

from __future__ import annotations

import os
from pathlib import Path


def share_library(folder: str | Path) -> None:
    """Let the scripts of this run's jobs import the library in this folder, which need not be installed."""
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path not in ("", str(folder))]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), *others])


def share_threads(threads: int) -> None:
    """Tell the jobs of this run how many threads to calculate with, however many cores a scheduler grants them.

    Sums are rounded by how threads share them out, so what is granted must not decide: with --cores 1 a study of two
    threads would end with other weights than with --cores 2 (filterscope/job.py).
    """
    os.environ["FILTERSCOPE_THREADS"] = str(threads)


def yield_idle_cores() -> None:
    """Let torch's threads sleep while they wait for each other, unless the user has decided otherwise.

    By default they spin, and where decoding processes or other jobs want the same cores, everything slows down
    several times over: dissecting filters took 77 s instead of 16 s beside one other busy process on two cores.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def keep_freed_memory() -> None:
    """Let the memory that a job frees stay with it, up to a GiB, unless the user has decided otherwise.

    A batch's maps are some 100 MB each. By default glibc hands such blocks back to the system, which clears every page
    of the next one: a third of the CPU seconds of a forward pass (62 ms a picture instead of 40, ResNet-50).
    """
    for name in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"):
        os.environ.setdefault(name, str(2**30))
