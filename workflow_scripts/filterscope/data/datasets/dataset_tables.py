"""What a reader of a dataset returns, and what every reader counts in the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

SPLITS = ("train", "val")


@dataclass(frozen=True)
class DatasetTables:
    """The tables `images`, `annotations`, `categories`, `rejected` and `findings`; see their schemas.

    annotations, categories: None where the source has no masks.
    """

    images: pa.Table
    rejected: dict[str, list[str]]
    findings: dict[str, list]
    annotations: pa.Table | None = None
    categories: pa.Table | None = None


def count_categories(tokens: Mapping[str, Sequence[str]], images: pa.Table, annotations: pa.Table) -> pa.Table:
    """The table `categories`, all of them supervised: how many images and annotations of either split each has.

    tokens: words of every category, in the order that the table is to have. images: image_id and split. annotations:
    category and image_id.
    """
    splits = dict(zip(images["image_id"].to_pylist(), images["split"].to_pylist(), strict=True))
    pairs = [tuple(row.values()) for row in annotations.select(["category", "image_id"]).to_pylist()]
    columns: dict[str, list] = {"category": list(tokens), "tokens": list(tokens.values())}
    for what, found in (("images", dict.fromkeys(pairs)), ("annotations", pairs)):
        for split in SPLITS:
            total = dict.fromkeys(columns["category"], 0)
            for category, image in found:
                total[category] += splits[image] == split
            columns[f"{what}_{split}"] = list(total.values())
    columns["supervised"] = [True] * len(tokens)
    return pa.table(columns)
