"""Results of the pictures room made up at once: facets, senses, covered photographs, networks that are compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from filterscope import tables

CLASS = 'dog </script> "\u202e"'
CROP = 30


def write(data, name, results: Path, path: str) -> str:
    """Write a table; its place."""
    (results / path).parent.mkdir(parents=True, exist_ok=True)
    tables.write(data, name, results / path)
    return f"results/{path}"


def facets_of(results: Path) -> dict:
    """One class with two facets of three images, each with a mean image and pictures begun as it and as noise."""
    facet = [0, 0, 0, 1, 1, 1]
    members = {"unit": 7, "class": CLASS, "image_id": np.arange(6) + 100, "facet": facet, "rank": [0, 1, 2] * 2}
    members |= {"x": np.arange(6.0), "y": 0.5, "distance": 0.1, "activation": 1.0}
    summary = {"unit": 7, "class": CLASS, "facet": [0, 1], "members": 3, "averaged": 3, "small": True, "recovered": 0.5}
    summary |= {"seed_stability": 0.9, "bootstrap_stability": 0.8, "silhouette": 0.7, "suggested_facets": 2}
    drawn = {"unit": 7, "class": CLASS, "facet": [0, 0, 1, 1], "recipe": "sketch", "start": ["mean", "noise"] * 2}
    drawn |= {"status": "optimised", "note": "", "path": [f"pictures/{n}.png" for n in range(4)]}
    drawn |= {"mean_path": ["means/0.png", "means/0.png", "means/1.png", "means/1.png"], "activation": 2.0}
    drawn |= {"mean_activation": 0.5, "nearest_image_id": 100, "nearest_image": 0.9, "best_image": 1.0, "ratio": 2.0}
    words = {"unit": 7, "class": CLASS, "facet": [0, 0, 1], "rank": [0, 1, 0], "word": ["red", "big", "blue"]}
    words |= {"votes": 3, "cosine": 0.4, "contrast": [0.3, 0.1, 0.05], "p": [0.01, 0.2, 0.31]}
    for path in [*drawn["path"], "means/0.png", "means/1.png"]:
        (results / "facets" / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20), "red").save(results / "facets" / path)
    own = {"facets": members, "facet_summary": summary, "facet_pictures": drawn, "facet_words": words}
    lengths = {"facets": 6, "facet_summary": 2, "facet_pictures": 4, "facet_words": 3}
    written = {
        name: filled(table, lengths[name], name, results, f"facets/{name}.parquet") for name, table in own.items()
    }
    return {"judge": None, "tables": written, "folders": []}


def filled(table, rows: int, name, results: Path, path: str) -> str:
    """Write a table of so many rows, where a column may be one value for all of them; its place."""
    return write({key: column(value, rows) for key, value in table.items()}, name, results, path)


def column(value, length: int) -> list:
    """A column of a table: one value for all rows, or theirs."""
    return [value] * length if np.ndim(value) == 0 else list(value)


def occlusions_of(results: Path) -> dict:
    """One photograph, an object and a square of its view covered."""
    covered = {
        "image_id": 101,
        "number": [0, 1, 2],
        "kind": ["photograph", "object", "square"],
        "name": ["", CLASS, ""],
    }
    covered |= {
        "x0": [0, 0, 0],
        "y0": [0, 10, 0],
        "x1": [60, 30, 15],
        "y1": [40, 40, 15],
        "fill": ["", "black", "mean"],
    }
    covered |= {"area": [0.0, 0.2, 0.1], "filters": ["5 2 3", "2 3 9", "5 2 9"], "overlap": [3, 2, 2]}
    covered |= {"change": [None, -0.1, 0.0], "change_strongest": [None, -0.5, 0.0], "null_overlap": [None, 2.5, None]}
    covered |= {"null_low": [None, 1.0, None], "null_high": [None, 3.0, None], "p": [None, 0.4, None]}
    covered |= {"path": ["covered/0.png", "covered/1.png", None]}
    (results / "covered").mkdir()
    for number in range(2):
        Image.new("RGB", (CROP, CROP), "blue").save(results / f"covered/{number}.png")
    lost = np.zeros((1, CROP * CROP))
    lost[0, : CROP * CROP // 2] = 0.5  # the upper half matters
    table = {key: column(value, 3) for key, value in covered.items()}
    importances = {
        "image_id": [101],
        "lost": tables.vectors(lost),
        "weaker": tables.vectors(np.zeros((1, CROP * CROP))),
    }
    own = {
        "occlusions": write(table, "occlusions", results, "occlusions.parquet"),
        "importances": write(importances, "importances", results, "importances.parquet"),
    }
    return {"tables": own, "folder": "results/covered"}


def strongest_of(results: Path) -> str:
    """The two strongest filters of one photograph."""
    table = {"image_id": 102, "rank": [0, 1], "filter": [4, 8], "activation": [3.0, 1.0], "share": [0.6, 0.2]}
    table |= {"median": 0.1, "scenario": "spike"}
    table = {key: column(value, 2) for key, value in table.items()}
    return write(table, "strongest_filters", results, "strongest_filters.parquet")


def senses_of(results: Path, drawn: bool = True) -> dict:
    """Filter 5 has two senses of three images, 6 one of four, of 7 nothing can be told."""
    senses = {"filter": [5, 6, 7], "images": [6, 4, 1], "status": ["several", "one", "untold"]}
    senses |= {"senses": [2, 1, None], "tried": [2, 2, None], "strength": [0.9, 0.4, None]}
    senses |= {"likeness": [0.1, 0.8, None], "distinction": [2.0, 0.5, None], "null_senses": [1, 1, None]}
    senses |= {"null_strength": [0.3, 0.2, None], "null_likeness": [0.6, 0.7, None]}
    senses |= {"other_filter": [6, None, None], "other_senses": [1, None, None]}
    senses |= {"shared_images": [5, None, None], "shared_senses": [2, None, None]}
    senses |= {"other_strength": [0.2, None, None], "other_likeness": [0.9, None, None]}
    senses |= {"note": ["", "", f"it fires in 1 of its images, {CLASS}"]}
    count = 10
    members = {"filter": [5] * 6 + [6] * 4, "sense": [0, 0, 0, 1, 1, 1, 0, 0, 0, 0]}
    members |= {"image_id": [*range(110, 116), *range(112, 116)], "rank": [0, 1, 2, 0, 1, 2, 0, 1, 2, 3]}
    members |= {"distance": 0.5, "x": np.arange(count) / 7, "y": 0.25, "maximum": 3.0}
    members |= {"peak_row": [0.5] * 9 + [0.0], "peak_column": [0.5] * 9 + [1.0]}
    words = {"filter": [5, 5, 5, 6], "sense": [0, 0, 1, 0], "rank": [0, 1, 0, 0], "word": ["red", "big", CLASS, "blue"]}
    words |= {"votes": 3, "cosine": 0.4, "contrast": [0.3, 0.1, 0.05, None], "p": [0.01, 0.2, 0.31, None]}
    pictures = {"filter": [5, 5, 6], "sense": [0, 1, 0], "recipe": "sketch", "status": "optimised", "note": ""}
    pictures |= {"path": [f"pictures/{n}.png" for n in range(3)], "activation": 2.0, "mean_activation": 0.5}
    made = {"senses": (senses, 3), "sense_images": (members, count), "sense_words": (words, 4)}
    if drawn:
        made["sense_pictures"] = (pictures, 3)
        (results / "senses/pictures").mkdir(parents=True, exist_ok=True)
        for path in pictures["path"]:
            Image.new("RGB", (20, 20), "green").save(results / "senses" / path)
    written = {
        name: filled(table, rows, name, results, f"senses/{name}.parquet") for name, (table, rows) in made.items()
    }
    limits = {"strength": 0.6, "likeness": 0.25, "distinction": 1.4}
    return {"window": 0.5, "nearest": 2, "limits": limits, "tables": written, "folders": []}


def criteria_of(results: Path, folder: str) -> dict[str, str]:
    """Criteria of one network's pictures: one that holds, one that fails, and a judge."""
    measures = ("natural_colours", "clear_context", "judge_top5")
    rows = [(group, measure) for measure in measures for group in ("photographs", "sketch, from the mean image")]
    criteria = {"group": [group for group, _ in rows], "measure": [measure for _, measure in rows], "n": 4}
    criteria |= {"value": np.linspace(0.9, 0.4, 6), "low": 0.1, "high": 0.95}
    validation = {"criterion": list(measures[:2]), "first": "photographs", "second": "mean images", "paired": False}
    validation |= {"first_n": 9, "second_n": 9, "better": 0.8, "low": 0.6, "high": 0.9, "holds": [True, False]}
    validation |= {"difference": 0.1, "difference_low": 0.0, "difference_high": 0.2}
    return {
        name: filled(table, length, name, results, f"{folder}/{name}.parquet")
        for name, table, length in (("criteria", criteria, 6), ("criteria_validation", validation, 2))
    }


def networks_of(results: Path, probes: tuple[str, str]) -> dict:
    """Two networks compared, with one test and a text of three sentences."""
    criteria = {"probe": [*probes] * 2, "group": "sketch, from the mean image", "n": 4, "value": [0.9, 0.7, 1.0, 0.5]}
    criteria |= {"measure": ["clear_context"] * 2 + ["judge_top5"] * 2, "low": None, "high": None}
    criteria |= {"believed": [True, False, None, None]}
    tests = {"measure": "judge_top5", "first_probe": probes[0], "first": "a", "second_probe": probes[1], "second": "b"}
    tests |= {"by": "class", "n": 8, "difference": 0.1, "low": 0.0, "high": 0.2, "p": 0.04, "adjusted": 0.08}
    written = {
        name: filled(table, rows, name, results, f"{name}.parquet")
        for name, table, rows in (("network_criteria", criteria, 4), ("network_tests", tests, 1))
    }
    said = "Pictures of 2 networks. By clear context a draws best (0.90 [0.8, 1.0]). It cannot be believed with b."
    (results / "networks.md").write_text(said + "\n", encoding="utf-8")
    return {"dataset": "album", "tables": written, "text": "results/networks.md"}
