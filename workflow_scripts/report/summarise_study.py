"""Summarise the study: what a person reads first."""

from filterscope import job, tables
from filterscope.report.summary import as_html, as_text, explanation_section


def summarise_study(explanations, path_to_text, path_to_html, title):
    """explanations: by heading, the paths of SCHEMAS in its order; None for what is absent."""
    sections = []
    for heading, paths in explanations.items():
        found = {
            name: tables.read(path, schema).to_pandas() if path else None
            for (name, schema), path in zip(SCHEMAS.items(), paths, strict=True)
        }
        sections.append(explanation_section(heading, **found))
    for path, text in ((path_to_text, as_text(title, sections)), (path_to_html, as_html(title, sections))):
        with tables.replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    job.LOGGER.info("the summary is in %s", path_to_text)


SCHEMAS = {
    "words": "filter_words",
    "claims": "filter_claims",
    "scores": "scores",
    "known": "known_answers",
    "sanity": "sanity",
}


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    summarise_study(
        explanations=snakemake.params.explanations,
        path_to_text=snakemake.output.text,
        path_to_html=snakemake.output.html,
        title=snakemake.params.title,
    )
