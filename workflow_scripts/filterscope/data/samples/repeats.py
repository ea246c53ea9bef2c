"""The same picture or vector more than once: in train and test, in two classes, or within one of them.

Exact copies only, by digest; pictures that were encoded anew are different files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from filterscope import job, tables
from filterscope.data.samples.labelled_samples import LabelledSamples

_NAMED = 3  # groups that a message spells out


def of_images(images: pd.DataFrame) -> pd.DataFrame:
    """Images (split, path, sha256) whose files are the same as another's: the columns of the table `repeats`."""
    return _repeated(images["sha256"], images["split"], [None] * len(images), images["path"])


def of_samples(samples: LabelledSamples) -> pd.DataFrame:
    """Samples whose values are the same as another's: the columns of the table `repeats`."""
    rows = samples.values if samples.values.dtype == np.uint8 else samples.values + np.float32(0)  # -0 is 0
    digests = [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in rows]
    items = [f"[{row}]" for row in range(len(samples))] if samples.origins is None else samples.origins
    return _repeated(digests, samples.split, np.array(samples.classes, object)[samples.labels], items)


def _repeated(digests: Sequence, splits: Sequence[str], classes: Sequence, items: Sequence[str]) -> pd.DataFrame:
    table = pd.DataFrame({"group": digests, "split": splits, "class": classes, "item": items})
    table = table[table["group"].duplicated(keep=False)]
    # Groups in the order in which their first item comes; items of a group side by side.
    table = table.assign(group=pd.factorize(table["group"])[0].astype(np.int64))
    return table.sort_values("group", kind="stable").reset_index(drop=True)


def write(repeats: pd.DataFrame, paths: Sequence[str | Path], total: int, what: str) -> None:
    """Write the table to these files and log how many of `total` items are repeated, kind by kind, with the first ones.

    what: the items' name, as in "images".
    """
    for path in paths:
        tables.write(repeats, "repeats", path)
    if repeats.empty:
        return
    by_group = repeats.groupby("group", sort=True)
    several_splits, several_classes = (by_group[key].nunique() > 1 for key in ("split", "class"))
    kinds = {
        "in the train split and another: scores there count what was learnt by heart": several_splits,
        "with different classes, of which one at most is right": several_classes,
        "within one split and class": ~(several_splits | several_classes),
    }
    job.LOGGER.warning("%d of %d %s are the same as another, listed in the table of repeats", len(repeats), total, what)
    for kind, holds in kinds.items():
        groups = holds.index[holds]
        if len(groups):
            first = "; ".join(" = ".join(map(_named, _rows(repeats, group))) for group in groups[:_NAMED])
            job.LOGGER.warning("  %d %s (%s)", len(groups), kind, first + (" ..." if len(groups) > _NAMED else ""))


def _rows(repeats: pd.DataFrame, group: int) -> list:
    return list(repeats[repeats["group"] == group].head(_NAMED).itertuples(index=False, name=None))


def _named(row: tuple) -> str:
    _, split, named, item = row
    return f"{item} ({split}{f', {named}' if named is not None else ''})"
