"""The first page: what was asked, of which networks, and what came out, in sentences made from the tables."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

from filterscope.activations.remarks import mining_remarks, threshold_remarks
from filterscope.report.atlas.layers import CAUSES, STATUSES, Layer
from filterscope.report.atlas.photographs import Photographs
from filterscope.report.atlas.places import FORMAT, Places
from filterscope.schemas.values import AUPRC, RECALL
from filterscope.words.naming import BELIEVED, name_remarks
from filterscope.words.scoring.leaders import leaders
from filterscope.words.scoring.score_table import CEILING, ROW_NAMES, SCORE_NAMES, WORDS

_SCORES = ("metric", "candidates", "k", "row", "value", "low", "high", "margin", "margin_low", "margin_high", "n")
# What the first table of scores says first: how often one of the first words is right.
_HEADLINE = {"metric": RECALL, "candidates": "vocabulary", "k": 5}
PLACE = Path("report/atlas")  # in the folder of results: there links to tables lead somewhere


def noted_layer(places: Places, layer: Layer, photographs: Photographs | None, strongest: bool, words: int | None) -> dict:
    """What the study says of one layer. counts: of all its filters, as in the table of names."""
    given, own = layer.given, layer.given["tables"]
    files = {name: places.link(own[name]) for name in own if name not in ("vocabulary", "heatmaps")}
    for entry in given["pictures"]:
        files |= {f"{name} ({entry['recipe']})": places.link(each) for name, each in entry["tables"].items()}
    return {
        "number": layer.number,
        **{name: given[name] for name in ("heading", "dataset", "probe", "vocabulary", "network", "layer", "reference", "view")},
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
    target: Path,
) -> dict:
    """What is loaded at once. rooms: pages of other rooms by name, None where there is none; target: the folder in
    which the atlas will be opened."""
    layers = places.given["layers"]
    verdict, warnings = [_asked(noted)], []
    scores, known = [], []
    for number, given in enumerate(layers):
        own = {name: places.table(given["tables"], name) for name in ("scores", "known_answers", "filter_claims", "filter_causes")}
        names = places.table(given["tables"], "filter_names")
        if names is None:
            continue
        verdict += _verdict(given, names, noted[number]["counts"], own)
        warnings += [{"layer": number, "text": text} for text in _warnings(places, given, names, own["scores"])]
        if own["scores"] is not None:
            scores.append(own["scores"].assign(layer=number))
        if own["known_answers"] is not None:
            known.append(_known(number, own["known_answers"], places.link(given["tables"]["known_answers"])))
    for page in rooms.values():
        verdict += page["sentences"][:3] if page else []
    if places.missing:
        shown = ", ".join(sorted(each.removeprefix("results/") for each in places.missing)[:5])
        more = f" and {len(places.missing) - 5} more" if len(places.missing) > 5 else ""
        warnings.insert(0, {"layer": None, "text": f"{len(places.missing)} files of the study are not there, and what they say is missing here: {shown}{more}."})
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
        "scores": {} if table is None else {name: _plain(table[name]) for name in ("layer", *_SCORES)},
        "row_names": ROW_NAMES,
        "metric_names": {RECALL: "recall", **SCORE_NAMES},
        "known": known,
        "classes": [
            {"facets": len(each["facets"]), **{name: each[name] for name in ("number", "class", "unit", "dataset", "probe", "layer")}}
            for each in classes
        ],
        "photographs": [each.noted() for each in photographs],
        "occlusions": [
            {name: each[name] for name in ("number", "photographs", "row", "dataset", "probe", "layer")} for each in occluded
        ],
        "matches": [],
        "pages": [name for name, page in rooms.items() if page],
        "cite": _citation(places.given["title"]),
        "links": _links(places),
    }


def _asked(noted: Sequence[Mapping]) -> str:
    """How much was explained and drawn, in a sentence."""
    explained = [each for each in noted if each["explained"]]
    drawn = [each for each in noted if each["recipes"]]
    if not noted:
        return "No layer was explained or drawn: this study asks other things of networks and data."
    parts = []
    if explained:
        filters, networks = sum(each["filters"] for each in explained), len({each["network"] for each in explained})
        parts.append(f"{filters:,} filters in {_count(len(explained), 'layer')} of {_count(networks, 'network')} were explained in words")
    if drawn:
        parts.append(f"{_count(len(drawn), 'layer')} {'were' if len(drawn) > 1 else 'was'} drawn")
    return f"{'; '.join(parts) or 'Photographs were looked at, no filter was explained'}."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _verdict(given: Mapping, names: pd.DataFrame, counts: Mapping[str, int], own: Mapping) -> list[str]:
    """Of one layer: how many names can be believed, beside what chance makes; recall beside its nulls; known answers."""
    live = sum(count for status, count in counts.items() if status != "dead")
    title = given["heading"]
    if own["filter_claims"] is None:
        said = f"{title}: no masks, so nothing could be tested; {counts.get('untested', 0)} of {live} live filters have an untested name"
        reference = int(names["reference_status"].isin(BELIEVED).sum())
        if names["reference_status"].notna().any():
            said += f", {reference} of which are supported on {given['reference']}"
        sentences = [f"{said}."]
    else:
        claims = own["filter_claims"]
        believed = counts.get("proved", 0) + counts.get("supported", 0)
        said = f"{title}: {believed} of {live} live filters have a supported name, {counts.get('proved', 0)} of them proved"
        if claims["told"].all():
            lent = int(claims["lent"].sum())
            if lent:
                said += f"; of {lent} names lent from other filters, {int(claims['lent_supported'].sum())} would be called supported"
        else:
            said += "; there are too few decoys to tell which names are supported"
        sentences = [f"{said}."]
    if own["scores"] is not None:
        sentences += _recall(title, own["scores"])
    if own["known_answers"] is not None:
        known = own["known_answers"]
        sentences.append(f"{title}: {int(known['passed'].sum())} of {len(known)} filters whose right name is known got it.")
    return sentences


def _recall(title: str, scores: pd.DataFrame) -> list[str]:
    """Recall of the words beside the best row that is no ceiling, in a sentence; none where it was not measured."""
    rows = scores.loc[(scores[list(_HEADLINE)] == pd.Series(_HEADLINE)).all(axis=1) & scores["value"].notna()]
    rows = rows.set_index("row")
    if WORDS not in rows.index:
        return []
    others = rows.drop(index=[each for each in (WORDS, CEILING) if each in rows.index])
    said = f"{title}: recall@5 is {_interval(rows.loc[WORDS])}"
    if len(others):
        best = others["value"].idxmax()
        said += f", beside {_interval(others.loc[best])} of {ROW_NAMES.get(best, best)}, the best null or rival"
    return [f"{said}."]


def _interval(row: pd.Series) -> str:
    value = f"{row['value']:.3f}"
    return value if pd.isna(row["low"]) else f"{value} [{row['low']:.3f}, {row['high']:.3f}]"


def _warnings(places: Places, given: Mapping, names: pd.DataFrame, scores: pd.DataFrame | None) -> list[str]:
    """What must be known before a layer's names are believed."""
    found = list(name_remarks(names))
    for name, remark in (("thresholds", threshold_remarks), ("top_images", mining_remarks)):
        table = places.table(given["tables"], name)
        found += remark(table) if table is not None and len(table) else []
    if scores is not None:
        found.append(leaders(scores))
        found += _why_rivals_win(places, given, scores)
    return found


def _why_rivals_win(places: Places, given: Mapping, scores: pd.DataFrame) -> list[str]:
    """Why Network Dissection may win: it knows the few tokens that are asked for, and nothing else."""
    rows = scores[(scores["metric"] == RECALL) & (scores["candidates"] == "vocabulary") & scores["value"].notna()]
    wide = rows.pivot(index="k", columns="row", values="value")
    if WORDS not in wide or "dissection" not in wide or not (wide["dissection"] > wide[WORDS]).any():
        return []
    categories = places.table(given["tables"], "categories")
    if categories is None:
        return []
    tokens = len({token for each in categories["tokens"] for token in each})
    return [
        f"Network Dissection can say nothing but the {tokens} tokens of the categories, which are all that is asked for; "
        "the words are looked for in the whole vocabulary. Where the tokens are few, that alone may make it win."
    ]


def _known(number: int, table: pd.DataFrame, file: str) -> dict:
    """Filters whose right name is known, and what came out."""
    rows = [
        [row.filter, list(row.right), list(row.found), bool(row.passed), row.detects] for row in table.itertuples()
    ]
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
        f"Filter atlas of “{title}”, made with Filterscope {number} (Filterscope developers). Cite the works whose methods "
        "were used, too: CITATION.cff names them."
    )
    bibtex = f"@software{{filterscope,\n  author = {{{{Filterscope developers}}}},\n  title = {{Filterscope}},\n  version = {{{number}}}\n}}"
    return {"text": text, "bibtex": bibtex}


def _plain(column: pd.Series) -> list:
    values = column.astype(object)
    return values.where(values.notna(), None).tolist()
