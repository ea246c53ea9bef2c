"""Two runs of one study, compared byte by byte."""

from __future__ import annotations

import filecmp
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

# What differs from run to run by design, as results/README.md says: what jobs said, took, and how long trainings were.
BY_DESIGN = ("logs/*", "benchmarks/*", "temperature/times.*", "temperature/*/times.parquet")


def files(results: Path) -> set[str]:
    """Paths, within results/, of all that should be the same in every run; hidden files are nobody's results."""
    return {path for path in _all(results) if not _is_hidden(path) and not _may_differ(path)}


def hidden(results: Path) -> set[str]:
    """Paths, within results/, of files that a job keeps for itself while it works; Snakemake's own are not meant."""
    return {path for path in _all(results) if _is_hidden(path) and not path.endswith("/.snakemake_timestamp")}


def changed(results: Path, expected: Path) -> list[str]:
    """Files of a run, finished or not, that are not those of the expected one; what is missing does not count."""
    return sorted(path for path in files(results) if not _is_same(results / path, expected / path))


def differences(results: Path, expected: Path) -> list[str]:
    """Files of a finished run that are not those of the expected one, missing and additional ones included."""
    return sorted({*changed(results, expected), *files(results) ^ files(expected)})


def _all(results: Path) -> Iterator[str]:
    return (path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file())


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


def _may_differ(path: str) -> bool:
    return any(fnmatch(path, pattern) for pattern in BY_DESIGN)


def _is_same(path: Path, expected: Path) -> bool:
    try:
        return expected.is_file() and filecmp.cmp(path, expected, shallow=False)
    except FileNotFoundError:  # an orphaned job has taken it away between the two looks
        return True
