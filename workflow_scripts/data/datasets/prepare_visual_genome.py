"""Prepare a Visual Genome folder: its tables, what every pass left, and what was left out."""

from collections.abc import Mapping
from pathlib import Path

from filterscope import job, tables
from filterscope.data.datasets.visual_genome import VisualGenomeSettings, read_visual_genome


def prepare_visual_genome(
    path_to_folder: str | Path,
    path_to_vocabulary: str | Path,
    paths: Mapping[str, str | Path],
    settings: VisualGenomeSettings,
    max_bad_fraction: float,
    seed: int,
    threads: int = 1,
) -> None:
    """Read the folder and write its tables; nothing is written if it holds more mistakes than allowed.

    paths: of images, annotations, categories and rejected; of passes and findings, and as passes_csv and
    findings_csv of the same as CSV.
    """
    words = frozenset(tables.column([path_to_vocabulary], "vocabulary", "word").tolist())
    found = read_visual_genome(path_to_folder, words, settings, max_bad_fraction, seed, threads)
    with tables.Writer("annotations", paths["annotations"]) as writer:
        for part in found.annotations():
            writer.add(part)
    tables.write(found.images, "images", paths["images"])
    tables.write(found.categories, "categories", paths["categories"])
    tables.write(found.rejected, "rejected", paths["rejected"])
    passes = {column: [row[column] for row in found.passes] for column in tables.SCHEMAS["passes"].names}
    for name, data in (("passes", passes), ("findings", found.findings)):
        tables.write(data, name, paths[name])
        tables.write(data, name, paths[f"{name}_csv"])


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    prepare_visual_genome(
        path_to_folder=snakemake.input.folder,
        path_to_vocabulary=snakemake.input.vocabulary,
        paths=dict(snakemake.output.items()),
        settings=VisualGenomeSettings.from_mapping(snakemake.params.visual_genome),
        max_bad_fraction=snakemake.params.max_bad_fraction,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
