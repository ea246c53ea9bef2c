"""Two studies in one atlas, as before and after a fine-tuning: whose layers they are, and which belong together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from filterscope.report.atlas.places import AtlasError, Places

OTHER = "the other study"  # what the study beside is called where both have the same title


@dataclass(frozen=True)
class Asked:
    """A layer that is shown. number: in the atlas; study: 0 for this one, 1 for the one beside; places: of its study;
    given: what that notes of the layer."""

    number: int
    study: int
    places: Places
    given: Mapping

    @property
    def album(self) -> tuple[int, str]:
        """Its dataset: study and name."""
        return self.study, self.given["dataset"]


def asked_layers(places: Places, beside: Places | None) -> list[Asked]:
    """The layers of this study, and those of the one beside that are explained, numbered on."""
    both = [(0, places, given) for given in places.given["layers"]]
    if beside is not None:
        both += [(1, beside, given) for given in beside.given["layers"] if given["vocabulary"] is not None]
    return [Asked(number, *each) for number, each in enumerate(both)]


def places_beside(results: str | Path, own: Places, atlas: Path) -> Places:
    """The places of another study; links lead there from `atlas`, below this study's results. Raises AtlasError."""
    if Path(results).resolve() == own.results.resolve():
        raise AtlasError(f"beside is {str(results)!r}, the results of this very study; name those of another one")
    found = Places.of(results)
    found.base = f"{Path(os.path.relpath(found.results, own.results / atlas)).as_posix()}/"
    return found


def label_of(beside: Places, own: Places) -> str:
    """What the study beside is called: by its title, if that is another one."""
    title = beside.given["title"]
    return title if title != own.given["title"] else OTHER


def same_albums(places: Places, beside: Places | None) -> dict[tuple[int, str], tuple[int, str]]:
    """Datasets of the study beside, by study and name, that hold the very same files under the same numbers as one of
    this study's: that one. Their photographs are stored once, and filters can be matched by what they fire on."""
    if beside is None:
        return {}
    own = {name: _digests(places, given) for name, given in places.given["datasets"].items()}
    found = {}
    for name, given in beside.given["datasets"].items():
        digests = _digests(beside, given)
        same = [each for each, others in own.items() if digests is not None and digests.equals(others)]
        if same:
            found[1, name] = (0, name if name in same else same[0])
    return found


def _digests(places: Places, given: Mapping) -> pd.Series | None:
    """Of every image, by its number and split, the digest of its file; None without the table."""
    images = places.table(given["tables"], "images")
    return None if images is None else images.set_index(["image_id", "split"])["sha256"].sort_index()


def counterparts(asked: Sequence[Asked], filters: Mapping[int, int]) -> list[tuple[int, int]]:
    """Numbers of layers of both studies that belong together: the same probe in the same words on a dataset of the same
    name, or else the same module with as many filters, where either study has just one such layer that is explained.
    filters: how many each layer has."""
    found, taken = [], set()
    for alike in (_of_name, lambda layer: (layer.given["layer"], filters[layer.number])):
        kinds: dict[tuple, tuple[list[int], list[int]]] = {}
        for layer in asked:
            if layer.given["vocabulary"] is not None and layer.number not in taken:
                kinds.setdefault(alike(layer), ([], []))[layer.study].append(layer.number)
        pairs = [(own[0], others[0]) for own, others in kinds.values() if len(own) == len(others) == 1]
        found += pairs
        taken.update(*pairs)
    return sorted(found)


def _of_name(layer: Asked) -> tuple[str, ...]:
    return tuple(layer.given[name] for name in ("dataset", "probe", "vocabulary"))


def changed_names(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, int]:
    """How many filters of the same number kept their name, bear another one, lost or gained one, or have none in both.

    before, after: `filter_names` of the same layer in two studies; filters that only one has are left out.
    """
    both = before[["filter", "name"]].merge(after[["filter", "name"]], on="filter", suffixes=("_before", "_after"))
    had, has = both["name_before"].notna(), both["name_after"].notna()
    same = had & has & (both["name_before"] == both["name_after"])
    kinds = {"kept": same, "renamed": had & has & ~same, "lost": had & ~has, "gained": ~had & has, "none": ~had & ~has}
    return {kind: int(each.sum()) for kind, each in kinds.items()}


def comparison(heading: str, label: str, changed: Mapping[str, int]) -> str:
    """The same in a sentence; before is the study beside, which is called `label`, after is this one."""
    total = sum(changed.values())
    return (
        f"{heading}: of {total} filters {changed['kept']} kept the name they had in {label}, {changed['renamed']} bear "
        f"another one; {changed['lost']} lost theirs, {changed['gained']} gained one, {changed['none']} have none in "
        "both."
    )
