"""Summarise the study: what a person reads first, on one page, and everything in full in appendices."""

import shutil
from dataclasses import replace
from pathlib import Path

from filterscope import job, tables
from filterscope.report import front, pages
from filterscope.report.summary import as_html, as_text


def summarise_study(
    explanations,
    networks,
    pictures,
    diagnosis,
    temperature,
    path_to_text,
    path_to_html,
    path_to_appendix,
    title,
    pixels=True,
):
    """explanations: by heading, the paths of an explanation's tables, by table, None for what is absent, and what its
    filters are shown by: `layer`, its number in the atlas, `probe`, its name, `folder` of the photographs, `network`,
    its name, `sheets`, the folder of the sheets. networks: the config's entries, by name.

    pictures: by heading, `probe`, its name, tables of `pictures` and of `picture_words` by recipe, the paths of
    pages.OF_FACETS (or None), the judge, the table `senses` (or None), figures or folders of them, and as
    `photographed` those on which photographs are seen; diagnosis: the tables `fit`, `resampling` and
    `robustness_trends` (or None), texts with a finding in every item, figures; temperature: the table `duel` (or None),
    figures. path_to_appendix: a folder for a page per room; pixels: whether photographs may be shown, on any of the
    pages.
    """
    page, appendix = Path(path_to_text).parent, Path(path_to_appendix)
    found = [pages.of_explanation(*each, networks, page, pixels) for each in explanations.items()]
    drawn = [pages.of_pictures(*each, appendix, pixels) for each in pictures.items()]
    sections = {
        "words": [section for section, *_ in found],
        "pictures": [section for section, _ in drawn],
        "diagnosis": pages.of_diagnosis(diagnosis, appendix, pixels),
        "temperature": pages.of_temperature(temperature, appendix),
    }
    made = [room for room in pages.APPENDICES if sections[room]]
    shutil.rmtree(appendix, ignore_errors=True)
    appendix.mkdir(parents=True)
    for room in made:
        heading = f"{title}: {pages.APPENDICES[room][0]}"
        _write(appendix / f"{room}.md", as_text(heading, sections[room], replace(pages.BACK, link="../summary.md")))
        _write(appendix / f"{room}.html", as_html(heading, sections[room], pages.BACK))
    told = [line for _, lines in drawn for line in lines]
    first = pages.first_page(title, explanations, found, told, diagnosis, temperature, page)
    for path, ending, render in ((path_to_text, "md", front.front_text), (path_to_html, "html", front.front_html)):
        first.places = pages.places(made, page, appendix, ending)
        _write(path, render(first))
    job.LOGGER.info("the summary is in %s", path_to_text)


def _write(path, text):
    with tables.replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    summarise_study(
        explanations=job.located(snakemake.params.explanations, snakemake.input),
        networks=snakemake.params.networks,
        pictures=job.located(snakemake.params.pictures, snakemake.input),
        diagnosis=job.located(snakemake.params.diagnosis, snakemake.input),
        temperature=job.located(snakemake.params.temperature, snakemake.input),
        path_to_text=snakemake.output.text,
        path_to_html=snakemake.output.html,
        path_to_appendix=snakemake.output.appendix,
        title=snakemake.params.title,
        pixels=snakemake.params.pixels,
    )
