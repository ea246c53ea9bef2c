"""Where everything lies that an atlas shows: what a study notes of itself, and what of it is there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa

from filterscope import tables
from filterscope.job import RESULTS  # how places begin that lie in the results; others are as the config has them

FORMAT = 1
PLACES = "report/atlas_places.json"  # in the folder of results


class AtlasError(ValueError):
    """An atlas cannot be made: says which file or setting, what was found and what would be right."""


def files_of(places: object) -> list[str]:
    """The paths in the folder of results that are named anywhere in these places, each once, in order."""
    return list(dict.fromkeys(path for path in _texts(places) if path.startswith(RESULTS)))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, Iterable):
        for each in value:
            yield from _texts(each)


@dataclass
class Places:
    """What a study noted, and the folder of results that it is in. home: what the config's own places are relative to;
    missing: files that were asked for in vain; base: what leads to the results from the atlas."""

    given: Mapping
    results: Path
    home: Path
    missing: list[str] = field(default_factory=list)
    base: str = "../../"

    @classmethod
    def of(cls, results: str | Path, home: str | Path | None = None) -> Places:
        """The places of the study in this folder of results. home: what the config's own places are relative to;
        None for the folder that has the results. Raises AtlasError where there are none, or of another version."""
        path = Path(results) / PLACES
        try:
            given = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise AtlasError(
                f"{path}: the file is missing, so {results} is not the results folder of a study, or of one from "
                f"before there was an atlas; `snakemake {RESULTS}{PLACES}` writes it"
            ) from None
        except ValueError as error:
            raise AtlasError(f"{path}: not JSON ({error}); delete it and run the workflow") from error
        if not isinstance(given, dict) or given.get("format") != FORMAT:
            found = given.get("format") if isinstance(given, dict) else type(given).__name__
            raise AtlasError(f"{path}: format is {found!r}, should be {FORMAT}; delete it and run the workflow")
        return cls(given, Path(results), Path(results).parent if home is None else Path(home))

    @property
    def beside(self) -> Path | None:
        """Results of the study that the config wants beside this one; None where it wants none, or where they are gone,
        which is noted."""
        place = self.given["atlas"].get("beside")  # no key in what versions noted that knew one study only
        return self.path(place) if self.is_there(place) else None

    def path(self, place: str) -> Path:
        """Where a noted path lies now: results may have been moved."""
        if place.startswith(RESULTS):
            return self.results / place.removeprefix(RESULTS)
        return self.home / place

    def link(self, place: str) -> str:
        """The CSV of a table, or the file itself where there is none, as seen from the atlas in report/atlas."""
        csv = Path(place).with_suffix(".csv")
        return f"{self.base}{(csv if self.path(str(csv)).is_file() else Path(place)).as_posix().removeprefix(RESULTS)}"

    def is_there(self, place: str | None) -> bool:
        """Whether a noted file or folder exists; one that does not is noted as missing."""
        if place is None:
            return False
        if self.path(place).exists():
            return True
        if place not in self.missing:
            self.missing.append(place)
        return False

    def table(self, own: Mapping[str, str], name: str) -> pd.DataFrame | None:
        """The table of this name, None where it is not among a layer's or was not made."""
        place = own.get(name)
        return tables.read(self.path(place), name).to_pandas() if self.is_there(place) else None

    def arrow(self, own: Mapping[str, str], name: str) -> pa.Table | None:
        """The same as it is stored, for columns of bytes or vectors."""
        place = own.get(name)
        return tables.read(self.path(place), name) if self.is_there(place) else None
