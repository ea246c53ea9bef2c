"""The pages of a study's summary: what a person reads first, and an appendix for each room, made from its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from filterscope import tables
from filterscope.activations.remarks import mining_remarks, threshold_remarks
from filterscope.data.networks.settings import input_of
from filterscope.report import front
from filterscope.report.atlas.views import View
from filterscope.report.attachments import figures_at, findings, shows_samples
from filterscope.report.measurements import diagnosis_section, temperature_section
from filterscope.report.pictures import pictures_section, pictures_verdict
from filterscope.report.summary import FIRST, ShownFigure, ShownFilter, explanation_section
from filterscope.report.thumbnails import strips
from filterscope.report.verdict import Explained, best_named, layer_warnings, rooms_verdict, spread, verdict
from filterscope.words.explaining.novelty import share_of_new
from filterscope.words.explaining.targets import token_list
from filterscope.words.naming import name_remarks

# What an explanation's section is made from, by the section's parameter.
OF_EXPLANATION = {
    "words": "filter_words",
    "names": "filter_names",
    "claims": "filter_claims",
    "scores": "scores",
    "known": "known_answers",
    "sanity": "sanity",
    "causes": "filter_causes",
}
# What the remarks on an explanation are made from, and by what.
REMARKED = {"thresholds": threshold_remarks, "top_images": mining_remarks, "filter_names": name_remarks}
SAID = ["candidates", "rank", "word"]  # columns of `image_words`, which may be large
ATLAS = "atlas/index.html"
BACK = ShownFigure("The page that is read first", "../summary.html", None)
OF_FACETS = {"summary": "facet_summary", "criteria": "criteria", "validation": "criteria_validation"}
# Appendices in their order: title, what is in it.
APPENDICES = {
    "words": ("Words", "names, scores beside nulls and rivals, sanity tests, layer by layer"),
    "pictures": ("Pictures", "what optimised pictures reach, facets of classes, criteria"),
    "diagnosis": ("Data and networks", "whether networks fit, resampling, robustness"),
    "temperature": ("Schedules of the learning rate", "which has the least test error, at what cost"),
}
SHOWN, GALLERY = 8, 12  # filters on the first page, and of each layer in the appendix
WORDS_SHOWN = 3  # of a filter, beside its name
CAUTIONS = 4  # warnings on the first page; the atlas has all
TABLES = 6  # layers whose tables are linked from it


def _read(path, name):
    return tables.read(path, name).to_pandas() if path else None


def of_explanation(heading: str, paths: Mapping, networks: Mapping, page: Path, pixels: bool) -> tuple:
    """The explanation's section of the appendix, what the verdict is made from, the filters that are shown first, and
    warnings. networks: the config's entries, by name."""
    found = {parameter: _read(paths[name], name) for parameter, name in OF_EXPLANATION.items()}
    remarked = {name: _read(paths[name], name) for name in REMARKED}
    remarks = [sentence for name, remark in REMARKED.items() for sentence in remark(remarked[name])]
    tokens = token_list(_read(paths["categories"], "categories"), supervised_only=False)
    new = share_of_new(tables.batches(paths["image_words"], "image_words", SAID, 100_000), tokens, FIRST)
    shown = _shown(paths, networks, found["names"], remarked["top_images"], page, pixels)
    gallery = [replace(each, link=f"../{each.link}") for each in shown]
    section = explanation_section(heading, **found, remarks=remarks, new=new, gallery=gallery)
    with tables.opened(paths["vocabulary"], "vocabulary") as vocabulary:
        words = vocabulary.metadata.num_rows
    explained = Explained(found["names"], found["claims"], found["scores"], found["known"], len(set(tokens)), words)
    warnings = layer_warnings(found["names"], remarked["thresholds"], None)
    return section, explained, shown, warnings


def _shown(paths: Mapping, networks: Mapping, names, top, page: Path, pixels: bool):
    """The filters of a layer whose names are most certain, with what excites them where photographs may be shown."""
    chosen = best_named(names, GALLERY)
    made = {}
    if pixels and chosen:
        seen = input_of(networks[paths["network"]])
        images, view = _read(paths["images"], "images"), View(seen.resize, seen.crop)
        made = strips(chosen, top, images, Path(paths["folder"]), view, Path(paths["heatmaps"]))
    own = names.set_index("filter")
    sheets = Path(paths["sheets"])
    return [
        ShownFilter(
            number,
            own.at[number, "name"],
            own.at[number, "status"],
            ", ".join(own.at[number, "words"].split(", ")[:WORDS_SHOWN]),
            paths["probe"],
            f"{ATLAS}#/filter/{paths['layer']}/{number}",
            front.seen_from(page, sheet) if (sheet := sheets / f"filter_{number:04d}.png").is_file() else None,
            made.get(number),
        )
        for number in chosen
    ]


def first_page(
    title: str,
    explanations: Mapping,
    found: Sequence[tuple],
    drawn: Sequence[str],
    diagnosis: Mapping,
    temperature: Mapping,
    page: Path,
) -> front.FrontPage:
    """The page without its list of places, which depends on the kind of file.

    found: what `of_explanation` gave for each; drawn: sentences on pictures; diagnosis, temperature: paths of tables;
    page: the folder it lies in.
    """
    explained = [each for _, each, *_ in found]
    galleries = [shown for _, _, shown, _ in found]
    first = spread([range(len(shown)) for shown in galleries], SHOWN)
    layers = [
        front.layer_line(given["probe"], f"{ATLAS}#/layer/{given['layer']}", each)
        for given, each in zip(explanations.values(), explained, strict=True)
    ]
    asked_of = {name: diagnosis[name] for name in ("fit", "resampling", "robustness_trends")} | {
        "duel": temperature["duel"]
    }
    rooms = {"pictures": drawn} if drawn else {}
    rooms |= rooms_verdict({name: _read(path, name) for name, path in asked_of.items()})
    warned = [
        f"{given['probe']}: {warning}"
        for given, (*_, warnings) in zip(explanations.values(), found, strict=True)
        for warning in warnings
    ]
    said = verdict(explained)
    return front.FrontPage(
        title=title,
        atlas=ATLAS,
        verdict=said or [line for lines in rooms.values() for line in lines[:1]],
        shown=[galleries[layer][place] for layer, place in first],
        cautions=[
            *warned[:CAUTIONS],
            *([f"{len(warned) - CAUTIONS} more: see the atlas."] if warned[CAUTIONS:] else []),
        ],
        layers=layers,
        tables=[link for given in [*explanations.values()][:TABLES] for link in _tables(given, page)],
        rooms=[front.Asked(APPENDICES[room][0], lines) for room, lines in rooms.items()],
    )


def _tables(given: Mapping, page: Path):
    """Links to the tables that a layer's numbers come from, in the form that a person opens."""
    named = {"filter_names": "names", "filter_claims": "claims", "scores": "scores"}
    there = {name: given[name] for name in named if given[name]}
    return [
        front.Link(f"{given['probe']}: {named[name]}", front.seen_from(page, Path(path).with_suffix(".csv")))
        for name, path in there.items()
    ]


def places(made: Sequence[str], page: Path, appendix: Path, ending: str) -> list[front.Link]:
    """Where everything else is. made: rooms that have an appendix; ending: of its file."""
    links = [
        front.Link(
            f"{APPENDICES[room][0]}, in full", front.seen_from(page, appendix / f"{room}.{ending}"), APPENDICES[room][1]
        )
        for room in made
    ]
    if (page.parent / "README.md").is_file():  # of the repository, not where studies of one's own lie
        links.append(front.Link("All files", "../README.md", "what each is and what its columns mean"))
    return links


def of_pictures(heading: str, given: Mapping, page: Path, pixels: bool):
    """The appendix's section on a probe's pictures, facets and senses, and its sentences for the first page. given:
    paths; pixels: with photographs."""
    recipes, words = (
        {recipe: _read(path, name) for recipe, path in given[key].items()}
        for key, name in (("recipes", "pictures"), ("words", "picture_words"))
    )
    facets = given["facets"] or dict.fromkeys(OF_FACETS)
    found = {parameter: _read(facets[parameter], name) for parameter, name in OF_FACETS.items()}
    figures = figures_at([*given["figures"], *(given["photographed"] if pixels else [])], page)
    senses = _read(given["senses"], "senses")
    section = pictures_section(
        heading, recipes, **found, judge=given["judge"], figures=figures, words=words, senses=senses
    )
    return section, pictures_verdict(given["probe"], recipes, found["criteria"], found["validation"], senses)


def of_diagnosis(given: Mapping, page: Path, pixels: bool) -> list:
    """The appendix's section on data and networks, if there is anything to say."""
    fit = _read(given["fit"], "fit")
    found = [item for path in given["texts"] for item in findings(Path(path).read_text(encoding="utf-8"))]
    figures = figures_at(given["figures"], page, shown=lambda path: pixels or not shows_samples(path))
    return [diagnosis_section(fit, found, figures)] if fit is not None or found or figures else []


def of_temperature(given: Mapping, page: Path) -> list:
    """The appendix's section on schedules, if some were compared."""
    duel = _read(given["duel"], "duel")
    return [] if duel is None else [temperature_section(duel, figures_at(given["figures"], page))]
