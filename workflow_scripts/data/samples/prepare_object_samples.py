"""Prepare labelled samples from a reference dataset: its objects, cropped."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from filterscope import job, tables
from filterscope.data.samples import object_crops, repeats
from filterscope.data.samples.labelled_samples import write_samples

COLUMNS = ["image_id", "category", "tokens", "x", "y", "w", "h"]


def prepare_object_samples(
    path_to_images: str | Path,
    path_to_annotations: str | Path,
    path_to_pictures: str | Path,
    path_to_samples: str | Path,
    settings: Mapping,
    seed: int,
    name: str,
    paths_to_repeats: Sequence[str | Path] = (),
) -> None:
    """Cut out the objects; `settings` are those of an entry of `samples`, without its source and dataset.

    paths_to_repeats: Parquet and CSV files of the table of samples that come more than once.
    """
    settings = dict(settings)
    limits = settings.pop("limit")
    images = tables.read(path_to_images, "images").to_pandas()
    annotations = tables.read(path_to_annotations, "annotations").select(COLUMNS).to_pandas()
    samples = object_crops.read_crops(images, annotations, path_to_pictures, **settings)
    samples = samples.limited(limits, job.derived_seed(seed, "prepare_samples", name))
    write_samples(samples, path_to_samples)
    repeats.write(repeats.of_samples(samples), paths_to_repeats, len(samples), "samples")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    prepare_object_samples(
        path_to_images=snakemake.input.images,
        path_to_annotations=snakemake.input.annotations,
        path_to_pictures=snakemake.input.pictures,
        path_to_samples=snakemake.output.samples,
        settings=snakemake.params.samples,
        seed=snakemake.params.seed,
        name=snakemake.wildcards.samples,
        paths_to_repeats=(snakemake.output.repeats, snakemake.output.repeats_csv),
    )
