"""Summarise the study: what a person reads first, on one page, and everything in full in appendices."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from filterscope import job, tables
from filterscope.activations.remarks import mining_remarks, threshold_remarks
from filterscope.data.networks.settings import input_of
from filterscope.report import front
from filterscope.report.atlas.views import View
from filterscope.report.attachments import figures_at, findings, shows_samples
from filterscope.report.measurements import diagnosis_section, temperature_section
from filterscope.report.pictures import pictures_section
from filterscope.report.summary import FIRST, ShownFigure, ShownFilter, as_html, as_text, explanation_section
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


def summarise_study(
    explanations, pictures, diagnosis, temperature, path_to_text, path_to_html, path_to_appendix, title, pixels=True
):
    """explanations: by heading, the paths of an explanation's tables, by table, None for what is absent, and what its
    filters are shown by: `layer`, its number in the atlas, `probe`, its name, `folder` of the photographs, `view`, the
    entry of the network, `sheets`, the folder of the sheets.

    pictures: by heading, tables of `pictures` and of `picture_words` by recipe, the paths of OF_FACETS (or None), the
    judge, the table `senses` (or None), figures or folders of them, and as `photographed` those on which photographs
    are seen; diagnosis: the tables `fit`, `resampling` and `robustness_trends` (or None), texts with a finding in every
    item, figures; temperature: the table `duel` (or None), figures. path_to_appendix: a folder for a page per room;
    pixels: whether photographs may be shown, on any of the pages.
    """
    page, appendix = Path(path_to_text).parent, Path(path_to_appendix)
    found = [_explanation(*each, page, pixels) for each in explanations.items()]
    sections = {
        "words": [section for section, *_ in found],
        "pictures": [_pictures(*each, appendix, pixels) for each in pictures.items()],
        "diagnosis": _diagnosis(diagnosis, appendix, pixels),
        "temperature": _temperature(temperature, appendix),
    }
    made = [room for room in APPENDICES if sections[room]]
    shutil.rmtree(appendix, ignore_errors=True)
    appendix.mkdir(parents=True)
    for room in made:
        heading = f"{title}: {APPENDICES[room][0]}"
        _write(appendix / f"{room}.md", as_text(heading, sections[room], replace(BACK, link="../summary.md")))
        _write(appendix / f"{room}.html", as_html(heading, sections[room], BACK))
    first = _front(title, explanations, found, diagnosis, temperature, page)
    for path, ending, render in ((path_to_text, "md", front.front_text), (path_to_html, "html", front.front_html)):
        first.places = _places(made, page, appendix, ending)
        _write(path, render(first))
    job.LOGGER.info("the summary is in %s", path_to_text)


def _write(path, text):
    with tables.replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _read(path, name):
    return tables.read(path, name).to_pandas() if path else None


def _explanation(heading, paths: Mapping, page: Path, pixels: bool):
    """The explanation's section of the appendix, what the verdict is made from, the filters that are shown first, and
    warnings."""
    found = {parameter: _read(paths[name], name) for parameter, name in OF_EXPLANATION.items()}
    remarked = {name: _read(paths[name], name) for name in REMARKED}
    remarks = [sentence for name, remark in REMARKED.items() for sentence in remark(remarked[name])]
    tokens = token_list(_read(paths["categories"], "categories"), supervised_only=False)
    new = share_of_new(tables.batches(paths["image_words"], "image_words", SAID, 100_000), tokens, FIRST)
    shown = _shown(paths, found["names"], remarked["top_images"], page, pixels)
    gallery = [replace(each, link=f"../{each.link}") for each in shown]
    section = explanation_section(heading, **found, remarks=remarks, new=new, gallery=gallery)
    with tables.opened(paths["vocabulary"], "vocabulary") as vocabulary:
        words = vocabulary.metadata.num_rows
    explained = Explained(found["names"], found["claims"], found["scores"], found["known"], len(set(tokens)), words)
    warnings = layer_warnings(found["names"], remarked["thresholds"], None)
    return section, explained, shown, warnings


def _shown(paths: Mapping, names, top, page: Path, pixels: bool):
    """The filters of a layer whose names are most certain, with what excites them where photographs may be shown."""
    chosen = best_named(names, GALLERY)
    made = {}
    if pixels and chosen:
        seen = input_of(paths["view"])
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


def _front(title, explanations: Mapping, found, diagnosis: Mapping, temperature: Mapping, page: Path):
    """The page without its list of places, which depends on the kind of file."""
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
    rooms = rooms_verdict({name: _read(path, name) for name, path in asked_of.items()})
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


def _places(made, page: Path, appendix: Path, ending: str):
    """Where everything else is."""
    links = [
        front.Link(
            f"{APPENDICES[room][0]}, in full", front.seen_from(page, appendix / f"{room}.{ending}"), APPENDICES[room][1]
        )
        for room in made
    ]
    if (page.parent / "README.md").is_file():  # of the repository, not where studies of one's own lie
        links.append(front.Link("All files", "../README.md", "what each is and what its columns mean"))
    return links


def _pictures(heading, given: Mapping, page: Path, pixels: bool):
    recipes, words = (
        {recipe: _read(path, name) for recipe, path in given[key].items()}
        for key, name in (("recipes", "pictures"), ("words", "picture_words"))
    )
    facets = given["facets"] or dict.fromkeys(OF_FACETS)
    found = {parameter: _read(facets[parameter], name) for parameter, name in OF_FACETS.items()}
    figures = figures_at([*given["figures"], *(given["photographed"] if pixels else [])], page)
    senses = _read(given["senses"], "senses")
    return pictures_section(
        heading, recipes, **found, judge=given["judge"], figures=figures, words=words, senses=senses
    )


def _diagnosis(given: Mapping, page: Path, pixels: bool):
    fit = _read(given["fit"], "fit")
    found = [item for path in given["texts"] for item in findings(Path(path).read_text(encoding="utf-8"))]
    figures = figures_at(given["figures"], page, shown=lambda path: pixels or not shows_samples(path))
    return [diagnosis_section(fit, found, figures)] if fit is not None or found or figures else []


def _temperature(given: Mapping, page: Path):
    duel = _read(given["duel"], "duel")
    return [] if duel is None else [temperature_section(duel, figures_at(given["figures"], page))]


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    summarise_study(
        explanations=job.located(snakemake.params.explanations, snakemake.input),
        pictures=job.located(snakemake.params.pictures, snakemake.input),
        diagnosis=job.located(snakemake.params.diagnosis, snakemake.input),
        temperature=job.located(snakemake.params.temperature, snakemake.input),
        path_to_text=snakemake.output.text,
        path_to_html=snakemake.output.html,
        path_to_appendix=snakemake.output.appendix,
        title=snakemake.params.title,
        pixels=snakemake.params.pixels,
    )
