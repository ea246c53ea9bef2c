"""Rooms, a class and a covered photograph of the atlas that is made up."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from filterscope.report.atlas.writing import write_data

NETWORK_FILES = ["../../pictures/made/network_criteria.csv", "../../pictures/made/network_tests.csv"]
DRAWN = ("sketch, from the mean image", "mean images", "photographs")  # groups of pictures


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
        "columns": ["schedule", said("accuracy")],
        "meanings": ["", said("share of the samples")],
        "rows": [[said("constant"), 0.123456], ["one_cycle", None]],
        "total": 40,
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
    null = {**curve["series"][0], "name": said("constant, shuffled labels"), "nil": True}
    beside = {**curve, "series": [*curve["series"], null], "note": said("Dotted: shuffled labels.")}
    for name, curves in (("diagnosis", [beside]), ("temperature", [curve])):
        section["curves"] = curves
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
    drawn = {"path": "pictures/0.webp", "ratio": 0.7, "status": "optimised", "note": "", "recipe": "sketch"}
    rows = [
        {
            "probe": "units0" if not number else said("units1"),
            "page": number,
            "pictures": [drawn | {"facet": facet} for facet in range(2 + number)],
        }
        for number in range(2)
    ]
    for number in range(2):
        page = {
            "number": number,
            "networks": rows,
            "plates": ["../../pictures/plates/plate_0000.png", "../../pictures/plates/contacts_0000.png"],
            "class": said("circle"),
            "unit": 0,
            "dataset": "made",
            "probe": said("units"),
            "layer": 0,
            "photographs": 0,
            "places": places,
            "stability": stability,
            "facets": facets,
            "files": files,
        }
        write_data(folder, f"classes/{number}", page)
    _write_networks(folder, said, rows)
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


def _write_networks(folder: Path, said: Callable[[str], str], rows: list[dict]) -> None:
    """Two networks that drew the same class: a criterion that can be believed of the first alone, and a judge."""
    criteria = [
        {
            "probe": probe,
            "group": group,
            "measure": measure,
            "n": 20,
            "value": 0.9 - place / 4 - second / 10,
            "low": 0.8 - place / 4 - second / 10,
            "high": 1.0 - place / 4 - second / 10,
            "believed": None if measure == "judge_top5" else not second,
        }
        for measure in ("natural_colours", "judge_top5")
        for second, probe in enumerate(("units0", said("units1")))
        for place, group in enumerate(DRAWN)
    ]
    test = {
        "measure": "judge_top5",
        "first_probe": "units0",
        "first": DRAWN[0],
        "second_probe": said("units1"),
        "second": DRAWN[0],
        "by": "class",
        "n": 8,
        "difference": 0.1,
        "low": 0.02,
        "high": 0.18,
        "p": 0.03,
        "adjusted": 0.06,
    }
    page = {
        "number": 0,
        "dataset": said("made"),
        "probes": ["units0", said("units1")],
        "said": [said("By natural colours units0 draws best (0.7 [0.6, 0.8]).")],
        "measures": ["natural_colours", "judge_top5"],
        "criteria": {name: [row[name] for row in criteria] for name in criteria[0]},
        "tests": {name: [value] for name, value in test.items()},
        "classes": [{"class": said("circle"), "rows": rows}],
        "files": NETWORK_FILES,
    }
    write_data(folder, "networks/0", page)
