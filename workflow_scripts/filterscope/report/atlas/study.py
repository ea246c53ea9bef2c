"""The first page: what was asked, of which networks, and what came out, in sentences made from the tables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd

from filterscope import tables
from filterscope.report.atlas.beside import Asked, changed_names, comparison, label_of
from filterscope.report.atlas.depth import depths
from filterscope.report.atlas.layers import CAUSES, STATUSES, Layer
from filterscope.report.atlas.photographs import Photographs
from filterscope.report.atlas.places import FORMAT, Places
from filterscope.report.atlas.senses import noted_senses, of_senses
from filterscope.report.atlas.verdict import asked_for, layer_notes, layer_verdict, missing_files
from filterscope.report.verdict import Explained, best_named, layer_warnings, rooms_verdict, spread, verdict
from filterscope.schemas.values import RECALL
from filterscope.words.scoring.score_table import ROW_NAMES, SCORE_NAMES

_SCORES = ("metric", "candidates", "k", "row", "value", "low", "high", "margin", "margin_low", "margin_high", "n")
_READ = ("filter_names", "filter_claims", "scores", "known_answers", "thresholds", "top_images")
_TOLD = ("filter_names", "filter_claims", "scores", "known_answers")
FIRST_SHOWN = 8  # filters on the first page
PLACE = Path("report/atlas")  # in the folder of results: there links to tables lead somewhere


@dataclass(frozen=True)
class Found:
    """What was made of a study before its first page: layers as they were asked for and as the page is told of them,
    photographs, pages of classes, of covered photographs and of networks that drew the same classes, pages of other
    rooms by name (None where there is none), and pairs of layers whose filters were matched."""

    asked: Sequence[Asked]
    noted: Sequence[dict]
    photographs: Sequence[Photographs]
    classes: Sequence[Mapping]
    occluded: Sequence[Mapping]
    networks: Sequence[Mapping]
    rooms: Mapping[str, dict | None]
    matched: Sequence[tuple[int, int]]


@dataclass
class _Told:
    """What is gathered of the layers, one after another."""

    explained: list[Explained] = field(default_factory=list)
    best: list[tuple[int, list[int]]] = field(default_factory=list)
    warnings: list[dict] = field(default_factory=list)
    notes: list[dict] = field(default_factory=list)
    scores: list[pd.DataFrame] = field(default_factory=list)
    known: list[dict] = field(default_factory=list)


def noted_layer(
    asked: Asked,
    layer: Layer,
    photographs: Photographs | None,
    strongest: bool,
    words: int | None,
    label: str | None = None,
) -> dict:
    """What the study says of one layer. counts: of all its filters, as in the table of names; label: what the study
    beside is called, which tells its layers from this one's."""
    places, given, own = asked.places, layer.given, layer.given["tables"]
    files = {name: places.link(own[name]) for name in own if name not in ("vocabulary", "heatmaps")}
    for entry in given["pictures"]:
        files |= {f"{name} ({entry['recipe']})": places.link(each) for name, each in entry["tables"].items()}
    files |= {name: places.link(place) for name, place in of_senses(given).items()}
    for name, entry in (("firing", given["firing"]), ("images", None), ("annotations", None)):
        place = entry[0] if entry else places.given["datasets"][given["dataset"]]["tables"].get(name)
        files |= {name: places.link(place)} if place else {}
    called = {name: given[name] for name in ("heading", "probe")}
    return {
        "number": layer.number,
        "study": asked.study,
        **({name: f"{each} · {label}" for name, each in called.items()} if asked.study else called),
        **{name: given[name] for name in ("dataset", "vocabulary", "network", "layer", "reference", "view")},
        "filters": sum(layer.counts.values()),
        "shown": len(layer.filters),
        "counts": layer.counts,
        "files": files,
        "photographs": None if photographs is None else photographs.number,
        "words": words,
        "strongest": strongest,
        "explained": layer.names is not None,
        "recipes": [entry["recipe"] for entry in given["pictures"]],
        "senses": noted_senses(layer.senses),
    }


def study_page(
    places: Places,
    found: Found,
    shown: Mapping[int, np.ndarray],
    target: Path,
    beside: Places | None = None,
    together: Sequence[tuple[int, int]] = (),
) -> dict:
    """What is loaded at once. shown: filters that are shown, by layer; target: the folder in which the atlas will be
    opened; together: layers that belong together in this study and the one beside."""
    told = _Told()
    for asked, noted in zip(found.asked, found.noted, strict=True):
        _tell(told, asked, noted, shown[asked.number])
    asked_of = {**places.given["diagnosis"]["tables"], **places.given["temperature"]["tables"]}
    rooms_said = rooms_verdict({name: places.table(asked_of, name) for name in asked_of})
    first = spread([filters for _, filters in told.best], FIRST_SHOWN)
    missing = [*places.missing, *(beside.missing if beside is not None else [])]
    if missing:
        told.warnings.insert(0, {"layer": None, "text": missing_files(missing)})
    table = pd.concat(told.scores, ignore_index=True) if told.scores else None
    return {
        "format": FORMAT,
        "title": places.given["title"],
        "version": _version(),
        "seed": places.given["seed"],
        "statuses": STATUSES,
        "causes": CAUSES,
        "base": _base(places, target),
        "layers": list(found.noted),
        "verdict": verdict(told.explained) or _asked(found),
        "best": [[told.best[place][0], number] for place, number in first],
        "depth": depths(places),
        "rooms": rooms_said,
        "room_files": {room: _room_files(places, room) for room in rooms_said},
        "warnings": told.warnings,
        "notes": told.notes,
        "scores": {} if table is None else {name: _plain(table[name]) for name in ("layer", *_SCORES)},
        "row_names": ROW_NAMES,
        "metric_names": {RECALL: "recall", **SCORE_NAMES},
        "known": told.known,
        "classes": [
            {
                "facets": len(each["facets"]),
                "file": each["files"].get("facet_summary"),
                "picture": _first_picture(each),
                **{name: each[name] for name in ("number", "class", "unit", "dataset", "probe", "layer")},
            }
            for each in found.classes
        ],
        "photographs": [each.noted() for each in found.photographs],
        "occlusions": [
            {name: each[name] for name in ("number", "photographs", "row", "image", "dataset", "probe", "layer")}
            for each in found.occluded
        ],
        "networks": [
            {name: each[name] for name in ("number", "dataset", "probes", "said", "files")} for each in found.networks
        ],
        "matches": [list(each) for each in found.matched],
        "beside": None if beside is None else _beside(places, beside, found.asked, together),
        "pages": [name for name, page in found.rooms.items() if page],
        "cite": _citation(places.given["title"]),
        "links": _links(places),
    }


def _asked(found: Found) -> list[str]:
    """What was asked of a study that explains no layer, and of networks that drew the same classes what takes no test
    to tell, without intervals; all of it stands on their page."""
    plain = [said for each in found.networks for said in each["said"] if "adjusted" not in said]
    return [asked_for(found.noted, found.classes), *(re.sub(r" \[[^\]]*\]", "", said) for said in plain)]


def _first_picture(page: Mapping) -> str | None:
    """A picture of a class, None where none is shown."""
    drawn = (each["path"] for facet in page["facets"] for each in facet.get("pictures", ()))
    return next(filter(None, drawn), None)


def _tell(told: _Told, asked: Asked, noted: dict, shown: np.ndarray) -> None:
    """Sentences, scores and known answers of one layer; the verdict is that of this study's layers alone."""
    places, given, number = asked.places, asked.given, asked.number
    own = {name: places.table(given["tables"], name) for name in _READ}
    names = own["filter_names"]
    if names is None:
        return
    explained = Explained(**{name: own[name] for name in _TOLD}, **_sizes(places, given["tables"]))
    noted["said"] = layer_verdict(given, names, noted["counts"], own)
    told.warnings += [
        {"layer": number, "text": text} for text in layer_warnings(names, own["thresholds"], own["top_images"])
    ]
    told.notes += [{"layer": number, "text": text} for text in layer_notes(own["top_images"], explained)]
    if own["scores"] is not None:
        told.scores.append(own["scores"].assign(layer=number))
    if own["known_answers"] is not None:
        told.known.append(_known(number, own["known_answers"], places.link(given["tables"]["known_answers"])))
    if asked.study == 0:
        told.explained.append(explained)
        told.best.append((number, best_named(names[names["filter"].isin(shown)], FIRST_SHOWN)))


def _beside(places: Places, beside: Places, asked: Sequence[Asked], together: Sequence[tuple[int, int]]) -> dict:
    """What the page is told of the study beside: its name, layers that belong together, and what of names changed."""
    label = label_of(beside, places)
    names = {
        number: asked[number].places.table(asked[number].given["tables"], "filter_names")
        for pair in together
        for number in pair
    }
    changes = []
    for own, other in together:  # the one beside is the earlier one, from which is compared
        if names[own] is not None and names[other] is not None:
            changed = changed_names(names[other], names[own])
            said = comparison(asked[own].given["heading"], label, changed)
            changes.append({"layers": [other, own], "said": said, **changed})
    return {
        "label": label,
        "seed": beside.given["seed"],
        "pairs": [list(each) for each in together],
        "changes": changes,
    }


def _room_files(places: Places, room: str) -> list[str]:
    """The tables that the sentences of a room are made from."""
    own = places.given[room]["tables"]
    return [places.link(own[name]) for name in ("fit", "resampling", "robustness_trends", "duel") if name in own]


def _sizes(places: Places, own: Mapping[str, str]) -> dict[str, int | None]:
    """How many tokens the categories have, and how many words the vocabulary; None for what is not there."""
    categories = places.table(own, "categories")
    tokens = None if categories is None else len({token for each in categories["tokens"] for token in each})
    there = places.is_there(own.get("vocabulary"))
    return {"tokens": tokens, "vocabulary": _rows(places.path(own["vocabulary"])) if there else None}


def _rows(vocabulary: Path) -> int:
    with tables.opened(vocabulary, "vocabulary") as file:
        return file.metadata.num_rows


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
