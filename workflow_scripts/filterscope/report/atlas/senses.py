"""Senses of filters: groups among the images that excite each most, with words, pictures, stability and a null."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from filterscope.pictures.files import CHANCE
from filterscope.pictures.senses.findings import UNTOLD, sense_names, told
from filterscope.report.atlas.photographs import Photographs
from filterscope.report.atlas.pictures import Gallery
from filterscope.report.atlas.places import Places
from filterscope.report.atlas.views import View

PER_FILE = 64  # filters, as of details
WORDS = 10  # of a sense
CALLED = 3  # words that it is called by
DIGITS = 3  # of places on a filter's map
_FIRM = ("strength", "likeness", "distinction", "null_senses", "null_strength", "null_likeness")
_FIRM += ("other_filter", "shared_images", "shared_senses", "other_senses", "other_strength", "other_likeness")
_WORD = ("word", "votes", "contrast", "p")


def of_senses(given: Mapping) -> Mapping[str, str]:
    """Tables of a layer's senses; none of a study from before the atlas showed them."""
    return (given.get("senses") or {}).get("tables", {})


def shown_senses(places: Places, given: Mapping) -> pd.DataFrame | None:
    """Rows of `sense_images` whose photographs are shown: of every sense those that are averaged."""
    members = places.table(of_senses(given), "sense_images")
    return None if members is None else members[members["rank"] < given["senses"]["nearest"]]


def noted_senses(senses: pd.DataFrame | None) -> str | None:
    """What the study says of a layer's senses, in a sentence."""
    return None if senses is None else told(senses)


def words_of_senses(words: pd.DataFrame | None, count: int) -> dict[int, list[str]]:
    """By filter, words that tell its senses from each other, or the first ones of its only sense: those of all senses
    in turn, each once, `count` at most.

    words: `sense_words`.
    """
    if words is None:
        return {}
    p = pd.to_numeric(words["p"])
    telling = words[p.isna() | (p <= CHANCE)].sort_values(["filter", "sense", "rank"])
    telling["turn"] = telling.groupby(["filter", "sense"]).cumcount()
    distinct = telling.sort_values(["filter", "turn", "sense"]).drop_duplicates(["filter", "word"])
    return {number: rows["word"].head(count).tolist() for number, rows in distinct.groupby("filter")}


def sense_files(
    places: Places,
    given: Mapping,
    filters: Sequence[int],
    photographs: Photographs | None,
    gallery: Gallery,
    pixels: str,
) -> Iterator[tuple[int, dict]]:
    """Number of a file and the senses in it, by filter: PER_FILE of the shown filters each, in order.

    Where no pixel of a photograph may be shown (pixels "none"), neither may a picture, which began as a mean image.
    """
    own = of_senses(given)
    senses, members = places.table(own, "senses"), places.table(own, "sense_images")
    if senses is None or members is None:
        return
    maker = _Maker(places, given, photographs, gallery, pixels, members)
    rows = senses.set_index("filter")
    for start in range(0, len(filters), PER_FILE):
        # A file also where there is nothing to tell: the page asks for that of a filter's row, and cannot know.
        asked = [int(number) for number in filters[start : start + PER_FILE] if number in rows.index]
        shown = {str(number): maker.of(number, rows.loc[number]) for number in asked}
        yield start // PER_FILE, {"filters": shown, "limits": given["senses"]["limits"]}


class _Maker:
    """Makes what the page is told of one filter after another."""

    def __init__(self, places, given, photographs, gallery, pixels, members):
        own = of_senses(given)
        words, drawn = places.table(own, "sense_words"), places.table(own, "sense_pictures")
        self.window, self.nearest = given["senses"]["window"], given["senses"]["nearest"]
        self.view = View(**given["view"])
        self.photographs, self.gallery, self.pixels = photographs, gallery, pixels
        self.called = {} if words is None else sense_names(words, CALLED, CHANCE)
        self.members = dict(iter(members.groupby("filter")))
        self.words = {} if words is None else dict(iter(words.groupby(["filter", "sense"])))
        self.drawn = {} if drawn is None else {(row.filter, row.sense): row for row in drawn.itertuples()}
        self.beside = None if drawn is None else places.path(own["sense_pictures"]).parent

    def of(self, number: int, row: pd.Series) -> dict:
        """One filter: how many senses, how firm that is, and the groups."""
        found = {name: row[name] for name in ("status", "senses", "images", "note", *_FIRM)}
        if row["status"] == UNTOLD:
            return found
        own = self.members[number].sort_values(["sense", "rank"])
        found["map"] = {name: own[name].round(DIGITS).tolist() for name in ("x", "y")} | {
            "facet": own["sense"].tolist(),
            "row": [self._tile(each) for each in own["image_id"]],
        }
        return found | {"groups": [self._group(number, sense, rows) for sense, rows in own.groupby("sense")]}

    def _tile(self, image_id: int) -> int | None:
        return None if self.photographs is None else self.photographs.tiles.get(image_id)

    def _group(self, number: int, sense: int, rows: pd.DataFrame) -> dict:
        near = rows[rows["rank"] < self.nearest]
        shown = near if self.photographs is not None else near[:0]
        found = {
            "sense": int(sense),
            "images": len(rows),
            "row": [self._tile(each) for each in shown["image_id"]],
            "maximum": shown["maximum"].tolist(),
            "box": [self._box(each) for each in shown.itertuples()],
            "called": self.called.get((number, sense)),
        }
        if (number, sense) in self.words:
            words = self.words[number, sense].sort_values("rank")[:WORDS]
            found["words"] = [list(each) for each in zip(*(words[name] for name in _WORD), strict=True)]
        made = self.drawn.get((number, sense))
        if made is not None:
            there = self.pixels != "none" and not pd.isna(made.path)
            found["picture"] = {
                "path": self.gallery.path(self.beside / made.path) if there else None,
                **{name: getattr(made, name) for name in ("recipe", "status", "activation", "mean_activation")},
                "note": "not shown: it was made from photographs" if self.pixels == "none" else made.note,
            }
        return found

    def _box(self, row) -> list[float]:
        """The window around the place where the filter is strongest, in shares of the photograph, as sheets show it."""
        left, upper, right, lower = self.view.box(*self.photographs.size(row.image_id))
        side = min(1.0, self.window)
        across, down = (min(max(place - side / 2, 0), 1 - side) for place in (row.peak_column, row.peak_row))
        wide, high = right - left, lower - upper
        return [
            left + across * wide,
            upper + down * high,
            left + (across + side) * wide,
            upper + (down + side) * high,
        ]
