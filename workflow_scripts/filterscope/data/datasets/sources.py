"""Where reference datasets come from, by name: what the workflow must know of a source, and what reads it.

A further source of pictures in a folder is a module with a reader, its line in SOURCES, and its keys among
`$defs: datasets:` in rules/config.schema.yaml; the rule prepare_dataset does the rest. The workflow imports this module
while it plans, so a reader is named here and imported where it is called.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filterscope.data.datasets.dataset_tables import DatasetTables


@dataclass(frozen=True)
class Source:
    """What is known of a source before any of its files is looked at.

    reader: module:function, called as `read` does; None where a rule of the source's own makes the tables. annotated:
    whether its pictures have masks. boxes: whether those are boxes. classes_by: what makes an image's class, see
    `filterscope.pictures.facets.classes`. Raises ValueError for classes by category without annotations.
    """

    reader: str | None = None
    annotated: bool = True
    boxes: bool = False
    classes_by: str = "category"

    def __post_init__(self):
        if not self.annotated and self.classes_by == "category":
            raise ValueError(
                "a source without annotations has no categories: say what else makes a class, as in folder"
            )

    @property
    def module(self) -> str | None:
        """Dotted name of the reader's module."""
        return self.reader and self.reader.partition(":")[0]


SOURCES: dict[str, Source] = {
    "coco": Source("filterscope.data.datasets.coco:read_coco"),
    "folder": Source("filterscope.data.datasets.folder:read_folder", annotated=False, classes_by="folder"),
    "scenes": Source(classes_by="shape"),  # prepare_scenes draws them
    "visual_genome": Source(boxes=True),  # prepare_visual_genome needs a vocabulary besides, and tells of its passes
}


def read(source: str, folder: str | Path, max_bad_fraction: float, threads: int, **settings) -> DatasetTables:
    """The tables of a folder, by the reader of one of SOURCES.

    max_bad_fraction: share of its images, and of its annotations, that may be unusable. settings: what the source's
    entry of the config says besides, under the same names. Raises ValueError for a source without a reader, and
    what the reader raises.
    """
    readers = {name: each.reader for name, each in SOURCES.items() if each.reader}
    if source not in readers:
        raise ValueError(f"source is {source!r}, should be one of {', '.join(readers)}")
    module, _, function = readers[source].partition(":")
    return getattr(importlib.import_module(module), function)(folder, max_bad_fraction, threads, **settings)
