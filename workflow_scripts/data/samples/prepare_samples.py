"""Prepare labelled samples: one table, whatever they are read from."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from filterscope import job, tables
from filterscope.data.rejection import Rejections
from filterscope.data.samples import repeats, sources
from filterscope.data.samples.labelled_samples import write_samples


def prepare_samples(
    path_to_samples: str | Path,
    settings: Mapping,
    seed: int,
    name: str,
    path_to_source: str | Path | None = None,
    path_to_rejected: str | Path | None = None,
    paths_to_repeats: Sequence[str | Path] = (),
) -> None:
    """Read, draw or generate the samples that an entry of the config's `samples` describes.

    path_to_source: file or folder that they are read from, None for generated and packaged ones. path_to_rejected:
    table of the pictures that were left out. paths_to_repeats: Parquet and CSV files of the table of samples that come
    more than once. Nothing is written if more pictures are unusable than the settings allow.
    """
    settings = dict(settings)
    limits = settings.pop("limit")
    own = job.derived_seed(seed, "prepare_samples", name)
    rejections = Rejections(settings.pop("max_bad_fraction", 0))  # of class folders; the others take all or nothing
    samples = sources.read(path=path_to_source, limits=limits, seed=own, rejections=rejections, **settings)
    write_samples(samples, path_to_samples)
    if path_to_rejected is not None:
        tables.write(rejections.table(), "rejected", path_to_rejected)
    repeats.write(repeats.of_samples(samples), paths_to_repeats, len(samples), "samples")
    counts = ", ".join(f"{(samples.split == split).sum()} {split}" for split in ("train", "test"))
    job.LOGGER.info("%s samples of %s, %d classes", counts, list(samples.shape), len(samples.classes))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    prepare_samples(
        path_to_samples=snakemake.output.samples,
        settings=snakemake.params.samples,
        seed=snakemake.params.seed,
        name=snakemake.wildcards.samples,
        path_to_source=snakemake.input.get("source"),
        path_to_rejected=snakemake.output.rejected,
        paths_to_repeats=(snakemake.output.repeats, snakemake.output.repeats_csv),
    )
