"""Which way up annotated pictures are read: as they are stored, or turned as the tag of their EXIF data asks.

Some programs let people annotate the stored pixels, others what a viewer shows. Where the two differ in size, the
size that the annotations were made for tells; where they do not (a half turn, a mirror, a square picture), it is
decided for all alike, counted and told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from filterscope import job
from filterscope.data.images import SIDEWAYS, TURNS, Inspection

CHOICES = ("auto", "stored", "turned")
_NAMED = 5  # pictures that a warning names


@dataclass(frozen=True)
class Sighting:
    """A picture with an EXIF tag: its path, its tag, and whether its annotated size fits the pixels either way."""

    path: str
    tag: int
    stored: bool
    turned: bool


def sighted(path: str, found: Inspection, size: tuple[int, int] | None) -> Sighting:
    """size: width and height in px that the annotations are made for, None where they do not say."""
    stored = size is None or size == (found.width, found.height)
    turned = size is None or size == turned_size(found)
    return Sighting(path, found.orientation, stored, turned and found.orientation in TURNS)


def turned_size(found: Inspection) -> tuple[int, int]:
    """Width and height in px after turning."""
    return (found.height, found.width) if found.orientation in SIDEWAYS else (found.width, found.height)


def turns(pictures: Sequence[Sighting], choice: str) -> tuple[list[bool], dict[str, int]]:
    """Whether each picture is turned, and the findings: how many pictures of which tag are read which way, and why.

    Every picture fits at least one way. choice: for those that fit either way, "stored", "turned", or "auto": as the
    others of the data set, stored where they do not agree or there are none, as pycocotools' users read them.
    Raises ValueError for another choice.
    """
    if choice not in CHOICES:
        raise ValueError(f"exif is {choice!r}, should be one of {', '.join(CHOICES)}")
    tagged = [each for each in pictures if each.tag in TURNS]
    told = {each.turned for each in tagged if each.stored != each.turned}
    other = choice == "turned" or (choice == "auto" and told == {True})
    turned = [each.turned and (other or not each.stored) for each in pictures]
    counts: Counter[str] = Counter()
    for each, own in zip(pictures, turned, strict=True):
        if each.tag in TURNS:
            way, not_so = ("turned", "as stored") if own else ("as stored", "turned")
            both = each.stored and each.turned
            why = f"{not_so} would fit as well" if both else "only so the annotated size fits"
            counts[f"pictures with EXIF tag {each.tag} read {way} ({why})"] += 1
    ambiguous = [each for each in tagged if each.stored and each.turned]
    if ambiguous:
        tags = ", ".join(f"{count} x {tag}" for tag, count in sorted(Counter(each.tag for each in ambiguous).items()))
        job.LOGGER.warning(
            "%d pictures have an EXIF tag that turns them (%s), and their annotations fit either way; they are read "
            "%s. Where their masks lie beside the objects, set exif: %s. The first are %s",
            *(len(ambiguous), tags, "turned" if other else "as they are stored", "stored" if other else "turned"),
            ", ".join(each.path for each in ambiguous[:_NAMED]),
        )
    return turned, dict(sorted(counts.items()))
