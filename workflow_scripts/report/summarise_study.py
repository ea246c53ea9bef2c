"""Summarise the study: what a person reads first."""

import os
from pathlib import Path

from filterscope import job, tables
from filterscope.activations.remarks import mining_remarks, threshold_remarks
from filterscope.report.measurements import diagnosis_section, temperature_section
from filterscope.report.pictures import pictures_section
from filterscope.report.summary import FIRST, Shown, as_html, as_text, explanation_section
from filterscope.words.explaining.novelty import share_of_new
from filterscope.words.explaining.targets import token_list
from filterscope.words.naming import name_remarks

SCHEMAS = {
    "words": "filter_words",
    "claims": "filter_claims",
    "scores": "scores",
    "known": "known_answers",
    "sanity": "sanity",
    "causes": "filter_causes",
}
# What the remarks on an explanation are made from, and by what.
REMARKED = {"thresholds": threshold_remarks, "top_images": mining_remarks, "filter_names": name_remarks}
SAID = ("candidates", "rank", "word")  # columns of `image_words`, which may be large
OF_FACETS = {"summary": "facet_summary", "criteria": "criteria", "validation": "criteria_validation"}
EMBEDDED = 2  # figures of a folder that stand on the page; the others are linked


def summarise_study(explanations, pictures, diagnosis, temperature, path_to_text, path_to_html, title):
    """explanations: by heading, the paths of SCHEMAS in its order, None for what is absent, then those of REMARKED,
    words by image and the categories that make words known.

    pictures: by heading, tables of `pictures` and of `picture_words` by recipe, the paths of OF_FACETS (or None), the
    judge, and figures or folders of them; diagnosis: the table `fit` (or None), texts with a finding in every item,
    figures; temperature: the table `duel` (or None), figures.
    """
    sections, page = [], Path(path_to_text).parent
    for heading, (*paths, path_to_image_words, path_to_categories) in explanations.items():
        found = {
            name: tables.read(path, schema).to_pandas() if path else None
            for (name, schema), path in zip(SCHEMAS.items(), paths[: len(SCHEMAS)], strict=True)
        }
        remarked = {
            schema: tables.read(path, schema).to_pandas()
            for schema, path in zip(REMARKED, paths[len(SCHEMAS) :], strict=True)
        }
        remarks = [sentence for schema, table in remarked.items() for sentence in REMARKED[schema](table)]
        tokens = token_list(tables.read(path_to_categories, "categories").to_pandas(), supervised_only=False)
        new = share_of_new(tables.batches(path_to_image_words, "image_words", [*SAID], 100_000), tokens, FIRST)
        names = remarked["filter_names"]
        sections.append(explanation_section(heading, **found, names=names, remarks=remarks, new=new))
    for heading, given in pictures.items():
        recipes = {name: tables.read(path, "pictures").to_pandas() for name, path in given["recipes"].items()}
        facets = given["facets"] or dict.fromkeys(OF_FACETS)
        found = {name: path and tables.read(path, OF_FACETS[name]).to_pandas() for name, path in facets.items()}
        figures = _figures(given["figures"], page)
        words = {name: tables.read(path, "picture_words").to_pandas() for name, path in given["words"].items()}
        sections.append(pictures_section(heading, recipes, **found, judge=given["judge"], figures=figures, words=words))
    fit = diagnosis["fit"] and tables.read(diagnosis["fit"], "fit").to_pandas()
    findings = [item for path in diagnosis["texts"] for item in _items(Path(path).read_text(encoding="utf-8"))]
    if fit is not None or findings or diagnosis["figures"]:
        sections.append(diagnosis_section(fit, findings, _figures(diagnosis["figures"], page)))
    if temperature["duel"]:
        duel = tables.read(temperature["duel"], "duel").to_pandas()
        sections.append(temperature_section(duel, _figures(temperature["figures"], page)))
    for path, text in ((path_to_text, as_text(title, sections)), (path_to_html, as_html(title, sections))):
        with tables.replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    job.LOGGER.info("the summary is in %s", path_to_text)


def _items(text) -> list[str]:
    return [line.removeprefix("- ") for line in text.splitlines() if line.startswith("- ")]


def _figures(paths, page) -> list[Shown]:
    return [each for path in paths for each in _figures_of(Path(path), page)]


def _figures_of(path, page) -> list[Shown]:
    files = sorted(path.glob("sheet_*.png")) or sorted(path.glob("*.png")) if path.is_dir() else [path]
    links = [Path(os.path.relpath(each, page)).as_posix() for each in files]
    pngs = [each.read_bytes() if place < EMBEDDED else None for place, each in enumerate(files)]
    names = [f"{path.name}: {each.stem}" if path.is_dir() else each.stem for each in files]
    return [Shown(*each) for each in zip(names, links, pngs, strict=True)]


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    summarise_study(
        explanations=snakemake.params.explanations,
        pictures=snakemake.params.pictures,
        diagnosis=snakemake.params.diagnosis,
        temperature=snakemake.params.temperature,
        path_to_text=snakemake.output.text,
        path_to_html=snakemake.output.html,
        title=snakemake.params.title,
    )
