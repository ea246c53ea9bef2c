"""Snakemake's records of how files were made, after a loss of power."""

from __future__ import annotations

from pathlib import Path


def doubt_unrecorded(folder: Path) -> int:
    """Have files made again whose record is lost, and return how many there are.

    folder: `.snakemake`. A loss of power leaves records of the last moments without content. Snakemake passes over
    those: such a file would stay as it is after a change of its settings, too. So it is marked as one whose job has not
    finished. Nothing is done while a run holds the folder, for that may just be writing a record.
    """
    if any(path.stat().st_size for path in (folder / "locks").glob("*")):
        return 0
    records, unfinished = folder / "metadata", folder / "incomplete"
    lost = [path for path in records.rglob("*") if path.is_file() and not path.stat().st_size]
    for path in lost:
        mark = unfinished / path.relative_to(records)
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text('{"external_jobid": null}')
        path.unlink()
    return len(lost)
