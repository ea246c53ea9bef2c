"""Pages of the rooms diagnosis and temperature: their sentences, tables, figures and curves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from filterscope.report.atlas.pictures import Gallery
from filterscope.report.atlas.places import Places
from filterscope.report.attachments import findings, shows_samples
from filterscope.report.measurements import temperature_section
from filterscope.schemas import SCHEMAS

MOST_ROWS = 200  # of a table on a page; its file has the others
# Tables of the diagnosis room by section: title of the section, tables with their titles.
_DIAGNOSIS = {
    "Do networks fit their data?": {"fit": "Networks against data", "network_capacities": "Capacity of networks, bits"},
    "How hard are the data?": {"complexity": "Expected capacity and class separability"},
    "Does resampling help?": {"resampling": "Scores on the untouched test split, and gains over no resampling"},
    "Is smaller more robust?": {
        "robustness_trends": "Rank correlation of capacity and the size of attacks",
        "robustness": "Networks of every capacity",
    },
}
# What both measures of complexity are called where they are drawn.
_MEASURES = {"expected capacity": "expected capacity, bits", "csg": "cumulative spectral gradient (CSG)"}
_SENTENCES = ["sentence", "caveats"]  # columns of `fit`
_SECTION_OF = {"fit": 0, "complexity": 1, "capacity": 0, "resampling": 2, "robustness": 3}
_QUANTITIES = {
    "learning_rate": "learning rate",
    "temperature": "temperature, bits",
    "val_accuracy": "validation accuracy",
}


def diagnosis_page(places: Places, gallery: Gallery, pixels: str) -> dict | None:
    """What the diagnosis room found; None where the study asks it nothing.

    Figures on which samples are seen are left out where no pixel of a photograph may be shown (pixels "none").
    """
    given = places.given["diagnosis"]
    read = {name: places.table(given["tables"], name) for name in given["tables"]}
    sections = []
    for title, own in _DIAGNOSIS.items():
        shown = {name: read[name] for name in own if read.get(name) is not None}
        tables = [_table(own[name], places.link(given["tables"][name]), table, name) for name, table in shown.items()]
        section = {"title": title, "sentences": [], "tables": tables, "figures": [], "curves": []}
        if "fit" in shown:
            section["sentences"] = [f"{row.sentence} {row.caveats}".strip() for row in shown["fit"].itertuples()]
        if "complexity" in shown:
            section["curves"] = complexity_curves(shown["complexity"], places.link(given["tables"]["complexity"]))
        sections.append(section)
    for text in given["texts"]:
        if places.is_there(text):
            said = findings(places.path(text).read_text(encoding="utf-8"))
            sections[_SECTION_OF[Path(text).stem]]["sentences"] += said
    for figure in _figures(places, given["figures"]):
        if pixels != "none" or not shows_samples(figure):
            section = sections[_SECTION_OF[figure.split("/")[2]]]
            section["figures"].append(_figure(places, figure, gallery))
    sections = [each for each in sections if each["tables"] or each["sentences"] or each["figures"]]
    if not sections:
        return None
    return {"sentences": [line for each in sections for line in each["sentences"]], "sections": sections}


def temperature_page(places: Places, gallery: Gallery) -> dict | None:
    """What the temperature room found; None where the study asks it nothing."""
    given = places.given["temperature"]
    read = {name: places.table(given["tables"], name) for name in given["tables"]}
    sections = []
    titles = {
        "duel": "Schedules against each other",
        "duel_pairs": "Every pair of schedules",
        "training_table": "Test errors beside published ones",
    }
    shown = {name: read[name] for name in titles if read.get(name) is not None}
    sentences = temperature_section(shown["duel"], []).lines if "duel" in shown else []
    if shown:
        links = {name: places.link(given["tables"][name]) for name in shown}
        tables = [_table(titles[name], links[name], table, name) for name, table in shown.items()]
        title = "Schedules of the learning rate"
        sections.append({"title": title, "sentences": sentences, "tables": tables, "figures": [], "curves": []})
    for entry in given["courses"]:
        courses = places.table({"courses": entry["table"]}, "courses")
        if courses is not None:
            title = f"Trainings of {entry['network']} on {entry['samples']}"
            curves = _course_curves(courses, places.link(entry["table"]))
            sections.append({"title": title, "sentences": [], "tables": [], "figures": [], "curves": curves})
    figures = [_figure(places, each, gallery) for each in _figures(places, given["figures"])]
    if figures:
        sections.append({"title": "Figures", "sentences": [], "tables": [], "figures": figures, "curves": []})
    return {"sentences": sentences, "sections": sections} if sections else None


def _table(title: str, file: str, table: pd.DataFrame, name: str) -> dict:
    """The first rows of a table as it is, what its columns mean, and how many rows its file has.

    name: of the table's schema. Columns without any value are left out, and those of sentences, which stand above it.
    """
    shown = table.loc[:, (table.notna() & (table != "")).any()].drop(columns=_SENTENCES, errors="ignore")
    plain = shown[:MOST_ROWS].astype(object)
    if "settings" in plain:
        plain["settings"] = plain["settings"].map(settings_said, na_action="ignore")
    rows = plain.where(plain.notna(), None).to_numpy().tolist()
    meant = {column.name: column.meaning for column in SCHEMAS[name].columns}
    columns = list(shown.columns)
    meanings = [meant[column] for column in columns]
    return {"title": title, "file": file, "columns": columns, "meanings": meanings, "rows": rows, "total": len(table)}


def settings_said(settings: str) -> str:
    """A schedule's settings, kept as JSON, in the words of the published ones; these as they are. The method and what
    is not set are left out."""
    if not settings.startswith("{"):
        return settings
    given = {name: value for name, value in json.loads(settings).items() if name != "method" and value is not None}
    numbers = {name: f"{value:.4g}" if isinstance(value, float) else value for name, value in given.items()}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in numbers.items())


def _figures(places: Places, paths: Sequence[str]) -> list[str]:
    """The PNG files among these places, those of folders in order."""
    found = []
    for place in paths:
        if not places.is_there(place):
            continue
        path = places.path(place)
        found += [f"{place}/{each.name}" for each in sorted(path.glob("*.png"))] if path.is_dir() else [place]
    return found


def _figure(places: Places, place: str, gallery: Gallery) -> dict:
    path, width, height = gallery.add_figure(places.path(place))
    parts = Path(place).with_suffix("").parts[2:]
    title = ": ".join(dict.fromkeys(each.replace("_", " ") for each in parts if each != "figures"))
    return {
        "path": path,
        "title": title,
        "alt": f"Figure: {title}",
        "width": width,
        "height": height,
        "file": places.link(place),
    }


def complexity_curves(table: pd.DataFrame, file: str) -> list[dict]:
    """Both measures over the number of samples, with 95 % of the draws, beside shuffled labels."""
    curves = []
    for measure, of_measure in table.groupby("measure", sort=False):
        series = []
        for (samples, embedding), rows in of_measure.groupby(["samples", "embedding"], sort=False):
            rows = rows.sort_values("count")
            name = samples if embedding == "raw" else f"{samples}, {embedding}"
            for kind, columns in (
                ("", ("value", "low", "high")),
                (", shuffled labels", ("null", "null_low", "null_high")),
            ):
                values = dict(zip(("y", "low", "high"), (rows[each].tolist() for each in columns), strict=True))
                told = {"name": f"{name}{kind}", "group": name, "nil": bool(kind)}
                series.append({**told, "x": rows["count"].tolist(), **values})
        label = _MEASURES.get(measure, str(measure))
        axes = {"x": "samples", "y": label, "log_x": True, "log_y": "capacity" in str(measure)}
        note = "Dotted: the same samples with shuffled labels."
        curves.append({"title": label, "note": note, "file": file, **axes, "series": series})
    return curves


def _course_curves(courses: pd.DataFrame, file: str) -> list[dict]:
    """Learning rate, temperature and accuracy over the steps, a line per schedule."""
    curves = []
    for quantity, label in _QUANTITIES.items():
        rows = courses[courses["quantity"] == quantity]
        if not len(rows):
            continue
        series = [
            {"name": name, "group": name, "x": own["step"].tolist(), "y": own["value"].tolist()}
            for name, own in rows.sort_values("step").groupby("schedule", sort=False)
        ]
        positive = bool(np.all(rows["value"].to_numpy() > 0))
        axes = {"x": "step", "y": label, "log_x": False, "log_y": quantity == "learning_rate" and positive}
        curves.append({"title": label, "file": file, **axes, "series": series})
    return curves
