"""How much memory the extraction of some layers takes, told before anything is computed, and what would lower it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.tails import tail_length
from filterscope.data.datasets.counting import Photographs, most

VALUE = 4  # bytes
HELD = 3  # outputs as large as the largest, in a forward pass at a time: what goes in, what comes out, a branch
COPIES = 3  # of a layer's maps: as they are read, as they are pooled, as their tail is taken
OBJECTS = 8  # in a picture, where whole masked maps are kept for each; COCO has 7.3 (Lin et al. 2014)
# Python with its libraries, and the pictures and tables that are under way: what every job takes besides, measured with
# three networks (benchmarks/memory.py).
OWN = 1_200_000_000
GB = 1e9


class MemoryLimitError(ValueError):
    """A probe takes more memory than it may: says how much, and what to lower."""


@dataclass(frozen=True)
class Pass:
    """Probes that are read in one pass, how, and how many pictures of the largest dataset decide their thresholds.

    guessed: whether nothing told how many, and the number is a usual one.
    """

    probes: Sequence[str]
    settings: ExtractionSettings
    pictures: int
    guessed: bool = False

    @classmethod
    def from_mapping(cls, given: Mapping, photographs: Mapping[str, Photographs]) -> Pass:
        """photographs: of each dataset."""
        settings = ExtractionSettings(**given["activations"])
        return cls(given["probes"], settings, *most(photographs[each] for each in given["datasets"]))


@dataclass(frozen=True)
class Part:
    """Bytes, what they are for, and what to do about them."""

    bytes: int
    what: str
    remedy: str


def parts(layers: Sequence[Mapping], settings: ExtractionSettings, pictures: int, guessed: bool = False) -> list[Part]:
    """What a job needs that reads these layers of one network in one pass, the largest first; besides OWN.

    layers: lines of the `checked_layers` table. pictures: that the thresholds come from, of the largest dataset.
    guessed: whether their number is a guess, which is then said.
    """
    batch = settings.batch_size
    cells = [line["filters"] * line["height"] * line["width"] for line in layers]
    kept = [
        line["filters"] * tail_length(settings.quantile, pictures * line["height"] * line["width"]) for line in layers
    ]
    passing = max(line["largest"] for line in layers)
    found = [
        Part(layers[0]["weights"], "weights of the network", "name a smaller network"),
        Part(
            VALUE * batch * HELD * passing,
            f"a forward pass of {batch} pictures",
            "lower activations.batch_size or input.crop",
        ),
        Part(
            VALUE * batch * COPIES * sum(cells),
            f"maps of {batch} pictures",
            "lower activations.batch_size, or name fewer or later layers",
        ),
        # Those that are kept, and as many that wait to be merged with them.
        Part(
            VALUE * 2 * sum(kept),
            f"the largest activations of {pictures:,} pictures{' (a guess)' * guessed}, for thresholds",
            "name fewer or later layers, or raise activations.quantile",
        ),
    ]
    if settings.pool == "native":
        found.append(
            Part(VALUE * batch * OBJECTS * sum(cells), "masked maps of objects", "pool: mean, or a smaller batch_size")
        )
    return sorted(found, key=lambda part: -part.bytes)


def refuse_too_large(
    name: str,
    layers: Sequence[Mapping],
    settings: ExtractionSettings,
    pictures: int,
    most: float | None,
    guessed: bool = False,
) -> None:
    """Raises MemoryLimitError where the layers of a probe need more than `most` gigabytes; None is no limit."""
    if most is None:
        return
    found = parts(layers, settings, pictures, guessed)
    total = OWN + sum(part.bytes for part in found)
    if total <= most * GB:
        return
    mostly = "; ".join(f"{part.bytes / GB:.2g} GB for {part.what} ({part.remedy})" for part in found[:2])
    many = f"{len(layers)} layers" if len(layers) > 1 else f"layer {layers[0]['layer']}"
    raise MemoryLimitError(
        f"probe {name}, {many}: needs about {total / GB:.3g} GB ({total:,} bytes), max_memory allows {most:g} GB. "
        f"{OWN / GB:g} GB are Python's, its libraries' and of what is under way; most of the rest: {mostly}"
    )
