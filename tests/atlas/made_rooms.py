"""Rooms, a class and a covered photograph of the atlas that is made up."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from filterscope.report.atlas.writing import write_data


def write_rooms(folder: Path, said: Callable[[str], str], layers: int, filters: int) -> None:
    """Write diagnosis, temperature, one class, one covered photograph and, of two layers, what matches.

    said: what stands in place of a text; filters: of every layer.
    """
    curve = {
        "title": said("temperature"),
        "file": "../../temperature/courses.csv",
        "x": "step",
        "y": said("bits"),
        "log_x": False,
        "log_y": False,
    }
    curve["series"] = [
        {
            "name": said(name) if not row else name,
            "group": said(name) if not row else name,
            "x": list(range(20)),
            "y": [row + step / 9 for step in range(20)],
            "low": [row + step / 10 for step in range(20)],
            "high": [row + step / 8 for step in range(20)],
        }
        for row, name in enumerate(("constant", "one_cycle", "actcoolr"))
    ]
    table = {
        "title": said("Schedules"),
        "file": "../../temperature/duel.csv",
        "columns": ["schedule", said("error")],
        "rows": [[said("constant"), 0.123456], ["one_cycle", None]],
        "total": 5,
    }
    figure = {
        "path": "pictures/0.webp",
        "title": said("a figure"),
        "alt": said("a figure"),
        "width": 64,
        "height": 64,
        "file": "../../temperature/training.csv",
    }
    section = {
        "title": said("Schedules"),
        "sentences": [said("Nothing is decided [0.1, 0.2].")],
        "file": None,
        "tables": [table],
        "figures": [figure],
        "curves": [curve],
    }
    for name in ("diagnosis", "temperature"):
        write_data(
            folder,
            name,
            {
                "sentences": section["sentences"],
                "sections": [
                    section,
                    section | {"title": "Again", "sentences": []},
                    section | {"title": "And again", "curves": []},
                ],
            },
        )
    places = {
        "row": [*range(8)],
        "x": [*range(8)],
        "y": [3, 1, 4, 1, 5, 9, 2, 6],
        "facet": [0, 0, 0, 0, 1, 1, 1, 1],
        "rank": [0, 1, 2, 3] * 2,
        "activation": [1.0] * 8,
    }
    picture = {
        "recipe": said("sketch"),
        "start": "mean",
        "path": "pictures/0.webp",
        "status": "optimised",
        "ratio": 0.7,
        "note": "",
    }
    facets = [
        {
            "facet": number,
            "members": 4,
            "averaged": 4,
            "small": True,
            "recovered": 0.9,
            "words": [[said("coin"), 7 - number, 0.3, 0.1, 0.01], ["button", 3, 0.2, None, None]],
            "told": said("Told apart by: coin."),
            "mean": "pictures/0.webp",
            "nearest": 0,
            "rows": [4 * number, 4 * number + 1],
            "pictures": [picture],
        }
        for number in range(2)
    ]
    files = {
        name: f"../../pictures/{name}.csv" for name in ("facets", "facet_summary", "facet_words", "facet_pictures")
    }
    stability = {"seed": 0.7, "bootstrap": 0.8, "silhouette": 0.5, "suggested": 2}
    write_data(
        folder,
        "classes/0",
        {
            "class": said("circle"),
            "unit": 0,
            "dataset": said("made"),
            "probe": said("units"),
            "layer": 0,
            "photographs": 0,
            "places": places,
            "stability": stability,
            "facets": facets,
            "files": files,
        },
    )
    parts = {
        "kind": ["photograph", "object", "square"],
        "name": ["", said("ring"), ""],
        "fill": ["", "black", "mean"],
        "area": [0, 0.2, 0.1],
        "overlap": [10, 7, 8],
        "change": [0, -0.1, 0.1],
        "change_strongest": [0, -0.3, 0.2],
        "null_overlap": [None, 8.0, None],
        "null_low": [None, 7, None],
        "null_high": [None, 9, None],
        "p": [None, 0.04, None],
        "box": [None, [0.1, 0.1, 0.6, 0.7], [0.2, 0.2, 0.3, 0.3]],
        "path": [None, "pictures/0.webp", None],
        "filters": [[1, 2, 3], [1, 2, 4], [1, 2, 3]],
    }
    heat = base64.b64encode(bytes(range(16))).decode()
    write_data(
        folder,
        "occlusions/0",
        {
            "number": 0,
            "photographs": 0,
            "row": 0,
            "image": 1000,
            "dataset": "made",
            "probe": said("units"),
            "layer": 0,
            "parts": parts,
            "sentences": [said("A ring covered: 7 of 10 stay [6, 8].")],
            "strongest": {"filter": [3, 1, 2], "activation": [5.0, 4.0, 1.0], "share": [0.5, 0.3, 0.1]},
            "scenario": "group",
            "strongest_file": "../../pictures/strongest_filters.csv",
            "importances": {"h": 4, "w": 4, "lost": heat, "weaker": heat},
            "file": "../../pictures/occlusions.csv",
            "size": 10,
        },
    )
    if layers > 1:
        write_data(
            folder,
            "matches/0/1",
            {
                "filter": [number if number % 3 else None for number in range(filters)],
                "correlation": [number / filters if number % 3 else None for number in range(filters)],
                "same": [1 - number / filters for number in range(filters)],
            },
        )
