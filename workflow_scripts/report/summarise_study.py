"""Summarise the study: what a person reads first."""

from collections.abc import Mapping
from pathlib import Path

from filterscope import job, tables
from filterscope.activations.remarks import mining_remarks, threshold_remarks
from filterscope.report.attachments import figures_at, findings
from filterscope.report.measurements import diagnosis_section, temperature_section
from filterscope.report.pictures import pictures_section
from filterscope.report.summary import FIRST, ShownFigure, as_html, as_text, explanation_section
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
# What is read instead, by most.
ATLAS = ShownFigure("The atlas: all of this in a browser, every filter with its images", "atlas/index.html", None)
OF_FACETS = {"summary": "facet_summary", "criteria": "criteria", "validation": "criteria_validation"}


def summarise_study(explanations, pictures, diagnosis, temperature, path_to_text, path_to_html, title):
    """explanations: by heading, the paths of an explanation's tables, by table, None for what is absent.

    pictures: by heading, tables of `pictures` and of `picture_words` by recipe, the paths of OF_FACETS (or None), the
    judge, the table `senses` (or None), figures or folders of them; diagnosis: the table `fit` (or None), texts with
    a finding in every item, figures; temperature: the table `duel` (or None), figures.
    """
    page = Path(path_to_text).parent
    sections = [_explanation(*each) for each in explanations.items()]
    sections += [_pictures(*each, page) for each in pictures.items()]
    fit = _read(diagnosis["fit"], "fit")
    found = [item for path in diagnosis["texts"] for item in findings(Path(path).read_text(encoding="utf-8"))]
    if fit is not None or found or diagnosis["figures"]:
        sections.append(diagnosis_section(fit, found, figures_at(diagnosis["figures"], page)))
    if temperature["duel"]:
        duel = _read(temperature["duel"], "duel")
        sections.append(temperature_section(duel, figures_at(temperature["figures"], page)))
    made = {path_to_text: as_text(title, sections, ATLAS), path_to_html: as_html(title, sections, ATLAS)}
    for path, text in made.items():
        with tables.replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    job.LOGGER.info("the summary is in %s", path_to_text)


def _read(path, name):
    return tables.read(path, name).to_pandas() if path else None


def _explanation(heading, paths: Mapping):
    found = {parameter: _read(paths[name], name) for parameter, name in OF_EXPLANATION.items()}
    remarks = [sentence for name, remark in REMARKED.items() for sentence in remark(_read(paths[name], name))]
    tokens = token_list(_read(paths["categories"], "categories"), supervised_only=False)
    new = share_of_new(tables.batches(paths["image_words"], "image_words", SAID, 100_000), tokens, FIRST)
    return explanation_section(heading, **found, remarks=remarks, new=new)


def _pictures(heading, given: Mapping, page: Path):
    recipes, words = (
        {recipe: _read(path, name) for recipe, path in given[key].items()}
        for key, name in (("recipes", "pictures"), ("words", "picture_words"))
    )
    facets = given["facets"] or dict.fromkeys(OF_FACETS)
    found = {parameter: _read(facets[parameter], name) for parameter, name in OF_FACETS.items()}
    figures = figures_at(given["figures"], page)
    senses = _read(given["senses"], "senses")
    return pictures_section(
        heading, recipes, **found, judge=given["judge"], figures=figures, words=words, senses=senses
    )


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
