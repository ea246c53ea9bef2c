"""Pages of classes: their facets on a map, mean images, pictures, and the words in which they differ."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from filterscope.report.atlas.photographs import Photographs
from filterscope.report.atlas.pictures import Gallery
from filterscope.report.atlas.places import Places

SHOWN = 15  # images of a facet, those nearest to its centre
WORDS = 10  # of a facet
CHANCE = 0.05  # p up to which a word tells a facet from the class's others
_FILES = ("facets", "facet_summary", "facet_words", "facet_pictures", "criteria", "criteria_validation")


def shown_images(places: Places, given: Mapping) -> set[int]:
    """Numbers of the images whose photographs the pages of a layer's classes show."""
    facets = places.table(given["facets"]["tables"], "facets") if given["facets"] else None
    return set() if facets is None else set(facets.loc[facets["rank"] < SHOWN, "image_id"].tolist())


def facet_pages(
    places: Places,
    layer: int,
    given: Mapping,
    photographs: Mapping[str, Photographs],
    gallery: Gallery,
    pixels: str,
    first: int,
) -> list[dict]:
    """A page per class of a layer with facets; first: number of the first of them.

    Where no pixel of a photograph may be shown (pixels "none"), neither may a mean image, nor a picture that began as
    one.
    """
    if not given["facets"]:
        return []
    own = given["facets"]["tables"]
    facets, summary = places.table(own, "facets"), places.table(own, "facet_summary")
    if facets is None or summary is None:
        return []
    said, drawn = places.table(own, "facet_words"), places.table(own, "facet_pictures")
    shown = photographs.get(given["dataset"])
    files = {name: places.link(own[name]) for name in _FILES if name in own}
    plates = given["facets"].get("plates")  # none in what earlier versions noted
    beside = places.path(own["facet_pictures"]).parent
    pages = []
    for unit, members in facets.groupby("unit", sort=False):
        of_class = summary[summary["unit"] == unit].sort_values("facet")
        stability = of_class.iloc[0]
        pages.append(
            {
                "number": first + len(pages),
                "class": stability["class"],
                "unit": int(unit),
                "dataset": given["dataset"],
                "probe": given["probe"],
                "layer": layer,
                "photographs": None if shown is None else shown.number,
                "places": {
                    "row": [None if shown is None else shown.tiles.get(each) for each in members["image_id"]],
                    **{name: members[name].tolist() for name in ("x", "y", "facet", "rank", "activation")},
                },
                "stability": {
                    name: stability[column]
                    for name, column in (
                        ("seed", "seed_stability"),
                        ("bootstrap", "bootstrap_stability"),
                        ("silhouette", "silhouette"),
                        ("suggested", "suggested_facets"),
                    )
                },
                "facets": [
                    _facet(row, members, said, drawn, shown, gallery, beside, pixels) for row in of_class.itertuples()
                ],
                "judge": given["facets"]["judge"],
                "files": files,
                "plates": [] if plates is None else _plates(places, plates, unit),
            }
        )
    return pages


def _plates(places: Places, folder: str, unit: int) -> list[str]:
    """The class's map with its facets around it and its contact sheet, as pictures to print."""
    files = [f"{folder}/{name}_{unit:04d}.png" for name in ("plate", "contacts")]
    return [places.link(each) for each in files if places.path(each).is_file()]


def _facet(
    row,
    members: pd.DataFrame,
    said: pd.DataFrame | None,
    drawn: pd.DataFrame | None,
    shown: Photographs | None,
    gallery: Gallery,
    beside: Path,
    pixels: str,
) -> dict:
    """One facet of a class: a row of `facet_summary` and what belongs to it."""
    tiles = {} if shown is None else shown.tiles
    own = members[members["facet"] == row.facet].sort_values("rank")
    found = {
        "facet": int(row.facet),
        "members": int(row.members),
        "averaged": int(row.averaged),
        "small": bool(row.small),
        "recovered": row.recovered,
        "nearest": tiles.get(own["image_id"].iloc[0]) if len(own) else None,
        "rows": [tiles.get(each) for each in own["image_id"][:SHOWN]],
    }
    if said is not None:
        words = said[(said["unit"] == row.unit) & (said["facet"] == row.facet)].sort_values("rank")[:WORDS]
        columns = (words[name] for name in ("word", "votes", "cosine", "contrast", "p"))
        found["words"] = [list(each) for each in zip(*columns, strict=True)]
        found["told"] = _told(words)
    if drawn is not None:
        pictures = drawn[(drawn["unit"] == row.unit) & (drawn["facet"] == row.facet)]
        found["pictures"] = [_picture(each, gallery, beside, pixels) for each in pictures.itertuples()]
        if len(pictures) and pixels != "none":
            found["mean"] = gallery.path(beside / pictures["mean_path"].iloc[0])
        if len(pictures):
            found["mean_activation"] = pictures["mean_activation"].iloc[0]
            found["best_image"] = pictures["best_image"].iloc[0]
    return found


def _told(words: pd.DataFrame) -> str:
    """The words that tell a facet from the class's others, or that none does, in a sentence."""
    if words.empty:
        return "No word was given to it."
    compared = words[words["p"].notna()]
    if compared.empty:
        return "The class has no other facet that words could tell it from."
    telling = compared[compared["p"] <= CHANCE]
    if len(telling):
        return f"Told apart by: {', '.join(telling['word'])}."
    best = compared.iloc[0]
    return f"No word tells it apart from the class's others ({best['word']}: p {best['p']:.2f})."


def _picture(row, gallery: Gallery, beside: Path, pixels: str) -> dict:
    found = {name: getattr(row, name) for name in ("recipe", "start", "status", "note", "ratio", "activation")}
    withheld = pixels == "none" and row.start != "noise"
    path = None if withheld or pd.isna(row.path) else gallery.path(beside / row.path)
    note = "not shown: it was made from photographs" if withheld else found["note"]
    return {**found, "path": path, "note": note}
