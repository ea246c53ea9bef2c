"""The first page: what was asked, of which networks, and what came out, in sentences made from the tables."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

from filterscope.report.atlas.layers import CAUSES, STATUSES, Layer
from filterscope.report.atlas.photographs import Photographs
from filterscope.report.atlas.places import FORMAT, Places
from filterscope.report.atlas.verdict import (
    asked,
    layer_notes,
    layer_verdict,
    layer_warnings,
    missing_files,
    rooms_verdict,
)
from filterscope.schemas.values import RECALL
from filterscope.words.scoring.score_table import ROW_NAMES, SCORE_NAMES

_SCORES = ("metric", "candidates", "k", "row", "value", "low", "high", "margin", "margin_low", "margin_high", "n")
_READ = ("filter_names", "filter_claims", "scores", "known_answers", "thresholds", "top_images")
PLACE = Path("report/atlas")  # in the folder of results: there links to tables lead somewhere


def noted_layer(
    places: Places, layer: Layer, photographs: Photographs | None, strongest: bool, words: int | None
) -> dict:
    """What the study says of one layer. counts: of all its filters, as in the table of names."""
    given, own = layer.given, layer.given["tables"]
    files = {name: places.link(own[name]) for name in own if name not in ("vocabulary", "heatmaps")}
    for entry in given["pictures"]:
        files |= {f"{name} ({entry['recipe']})": places.link(each) for name, each in entry["tables"].items()}
    return {
        "number": layer.number,
        **{
            name: given[name]
            for name in ("heading", "dataset", "probe", "vocabulary", "network", "layer", "reference", "view")
        },
        "filters": sum(layer.counts.values()),
        "shown": len(layer.filters),
        "counts": layer.counts,
        "files": files,
        "photographs": None if photographs is None else photographs.number,
        "words": words,
        "strongest": strongest,
        "explained": layer.names is not None,
        "recipes": [entry["recipe"] for entry in given["pictures"]],
    }


def study_page(
    places: Places,
    noted: Sequence[dict],
    photographs: Iterable[Photographs],
    classes: Sequence[Mapping],
    occluded: Sequence[Mapping],
    rooms: Mapping[str, dict | None],
    matched: Sequence[tuple[int, int]],
    target: Path,
) -> dict:
    """What is loaded at once. rooms: pages of other rooms by name, None where there is none; target: the folder in
    which the atlas will be opened."""
    layers = places.given["layers"]
    verdict, warnings, notes = [asked(noted)], [], []
    scores, known = [], []
    for number, given in enumerate(layers):
        own = {name: places.table(given["tables"], name) for name in _READ}
        if own["filter_names"] is None:
            continue
        names, thresholds, top = (own[each] for each in ("filter_names", "thresholds", "top_images"))
        verdict.append(layer_verdict(given, names, noted[number]["counts"], own))
        warnings += [{"layer": number, "text": text} for text in layer_warnings(names, thresholds, top)]
        notes += [{"layer": number, "text": text} for text in layer_notes(places, given, top, own["scores"])]
        if own["scores"] is not None:
            scores.append(own["scores"].assign(layer=number))
        if own["known_answers"] is not None:
            known.append(_known(number, own["known_answers"], places.link(given["tables"]["known_answers"])))
    asked_of = {**places.given["diagnosis"]["tables"], **places.given["temperature"]["tables"]}
    verdict += rooms_verdict({name: places.table(asked_of, name) for name in asked_of})
    if places.missing:
        warnings.insert(0, {"layer": None, "text": missing_files(places.missing)})
    table = pd.concat(scores, ignore_index=True) if scores else None
    return {
        "format": FORMAT,
        "title": places.given["title"],
        "version": _version(),
        "seed": places.given["seed"],
        "statuses": STATUSES,
        "causes": CAUSES,
        "base": _base(places, target),
        "layers": list(noted),
        "verdict": verdict,
        "warnings": warnings,
        "notes": notes,
        "scores": {} if table is None else {name: _plain(table[name]) for name in ("layer", *_SCORES)},
        "row_names": ROW_NAMES,
        "metric_names": {RECALL: "recall", **SCORE_NAMES},
        "known": known,
        "classes": [
            {
                "facets": len(each["facets"]),
                **{name: each[name] for name in ("number", "class", "unit", "dataset", "probe", "layer")},
            }
            for each in classes
        ],
        "photographs": [each.noted() for each in photographs],
        "occlusions": [
            {name: each[name] for name in ("number", "photographs", "row", "image", "dataset", "probe", "layer")}
            for each in occluded
        ],
        "matches": [list(each) for each in matched],
        "pages": [name for name, page in rooms.items() if page],
        "cite": _citation(places.given["title"]),
        "links": _links(places),
    }


def _known(number: int, table: pd.DataFrame, file: str) -> dict:
    """Filters whose right name is known, and what came out."""
    rows = [[row.filter, list(row.right), list(row.found), bool(row.passed), row.detects] for row in table.itertuples()]
    return {"layer": number, "count": len(table), "found": int(table["passed"].sum()), "right": rows, "file": file}


def _base(places: Places, target: Path) -> str | None:
    """What leads from the atlas to the folder of results; None where it lies elsewhere, so that links lead nowhere."""
    if Path(os.path.abspath(target)) == Path(os.path.abspath(places.results)) / PLACE:
        return "../../"
    return None


def _links(places: Places) -> list[dict]:
    """Other pages of the report."""
    summary = places.given["summary"]
    return [{"text": "The summary on one page", "path": places.link(summary)}] if places.is_there(summary) else []


def _version() -> str:
    try:
        return version("filterscope")
    except PackageNotFoundError:
        return "unknown"


def _citation(title: str) -> dict:
    """How the program is cited, for a text and for BibTeX; the works behind it stand in CITATION.cff."""
    number = _version()
    text = (
        f"Filter atlas of “{title}”, made with Filterscope {number} (Filterscope developers). Cite the works whose "
        "methods were used, too: CITATION.cff names them."
    )
    fields = {"author": "{Filterscope developers}", "title": "Filterscope", "version": number}
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items()]
    return {"text": text, "bibtex": ",\n".join(["@software{filterscope", *lines]) + "\n}"}


def _plain(column: pd.Series) -> list:
    values = column.astype(object)
    return values.where(values.notna(), None).tolist()
