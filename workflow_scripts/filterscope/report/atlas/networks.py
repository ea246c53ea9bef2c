"""Pages of networks that drew the same classes: their pictures by criteria, paired tests, each class in all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from filterscope.pictures.files import MEAN
from filterscope.pictures.quality.comparison import CHECKED, Drawn, criteria_of, side_by_side
from filterscope.report.atlas.places import Places

_CRITERIA = ("probe", "group", "measure", "n", "value", "low", "high", "believed")
_TESTS = ("first_probe", "first", "second_probe", "second", "by", "n", "difference", "low", "high", "p", "adjusted")


def drawn_by_networks(classes: Sequence[Mapping]) -> dict[tuple[str, str], list[dict]]:
    """By dataset and class, a row per network that drew it: probe, page of the class, and a picture of each facet.

    classes: pages of classes.
    """
    found: dict[tuple[str, str], list[dict]] = {}
    for page in classes:
        pictures = [
            {"facet": facet["facet"], **{name: each[name] for name in ("path", "ratio", "status", "note", "recipe")}}
            for facet in page["facets"]
            for each in facet.get("pictures", ())
            if each["start"] == MEAN
        ]
        row = {"probe": page["probe"], "page": page["number"], "pictures": pictures}
        found.setdefault((page["dataset"], page["class"]), []).append(row)
    return found


def network_pages(places: Places, rows: Mapping[tuple[str, str], Sequence[Mapping]]) -> list[dict]:
    """A page per dataset whose classes were drawn and scored, by one network or by several.

    rows: of all classes, from `drawn_by_networks`.
    """
    compared = {entry["dataset"]: entry for entry in places.given.get("networks", [])}
    pages = []
    for dataset in dict.fromkeys(dataset for dataset, _ in rows):
        entry = compared.get(dataset)
        own = entry["tables"] if entry else {}
        criteria, tests = places.table(own, "network_criteria"), places.table(own, "network_tests")
        files = [places.link(each) for each in own.values()]
        if criteria is None:
            criteria, files = _of_probes(places, dataset)
        if criteria is None:
            continue
        pages.append(
            {
                "number": len(pages),
                "dataset": dataset,
                "probes": list(dict.fromkeys(criteria["probe"])),
                "said": _said(places, entry),
                "measures": [
                    *criteria_of(criteria),
                    *(each for each in CHECKED if (criteria["measure"] == each).any()),
                ],
                "criteria": {name: _plain(criteria[name]) for name in _CRITERIA},
                "tests": {} if tests is None else {name: _plain(tests[name]) for name in ("measure", *_TESTS)},
                "classes": [
                    {"class": name, "rows": list(drawn)} for (of, name), drawn in rows.items() if of == dataset
                ],
                "files": files,
            }
        )
    return pages


def _of_probes(places: Places, dataset: str) -> tuple[pd.DataFrame | None, list[str]]:
    """The criteria of every probe that drew classes of a dataset, as `network_criteria` has them, and their files."""
    drawn, files = {}, []
    for given in places.given["layers"]:
        own = given["facets"]["tables"] if given["facets"] and given["dataset"] == dataset else {}
        criteria, validation = places.table(own, "criteria"), places.table(own, "criteria_validation")
        if criteria is not None and validation is not None and given["probe"] not in drawn:
            drawn[given["probe"]] = Drawn(pd.DataFrame(), criteria, validation, {})
            files += [places.link(own[name]) for name in ("criteria", "criteria_validation")]
    return (side_by_side(drawn) if drawn else None), files


def _said(places: Places, entry: Mapping | None) -> list[str]:
    """The sentences that compare the networks."""
    if entry is None or not places.is_there(entry["text"]):
        return []
    text = places.path(entry["text"]).read_text(encoding="utf-8")
    return [each for each in re.split(r"(?<=\.)\s+(?=[A-Z])", text.strip()) if each]


def _plain(column: pd.Series) -> list:
    values = column.astype(object)
    return values.where(values.notna(), None).tolist()
