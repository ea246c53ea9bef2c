"""Summarise the reproduction: the published tables beside ours, and what caused the published gap."""

from filterscope import job, tables
from filterscope.report.reproduction import reproduction_sections
from filterscope.report.summary import as_html, as_text


def summarise_reproduction(path_to_datasets, path_to_recall, paths_to_defects, path_to_text, path_to_html, title):
    """paths_to_defects: by heading, the experiment that the defects are compared with and their table."""
    defects = {
        heading: (experiment, tables.read(path, "defects").to_pandas())
        for heading, (experiment, path) in paths_to_defects.items()
    }
    sections = reproduction_sections(
        tables.read(path_to_datasets, "reproduced_datasets").to_pandas(),
        tables.read(path_to_recall, "reproduced_recall").to_pandas(),
        defects,
    )
    for path, text in ((path_to_text, as_text(title, sections)), (path_to_html, as_html(title, sections))):
        with tables.replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    summarise_reproduction(
        path_to_datasets=snakemake.input.datasets,
        path_to_recall=snakemake.input.recall,
        paths_to_defects=job.located(snakemake.params.defects, snakemake.input),
        path_to_text=snakemake.output.text,
        path_to_html=snakemake.output.html,
        title=f"{snakemake.params.title}: the reproduction",
    )
