"""Tabulate the reference datasets as they were published and as this study holds them."""

import io

from filterscope import job, tables
from filterscope.report.reproduction import Counted, dataset_table, read_published


def tabulate_datasets(published, paths_to_datasets, path_to_table, path_to_csv):
    """paths_to_datasets: by experiment, the dataset's `name` and its `images`, `annotations` and `categories`."""
    counted = {
        experiment: Counted(
            own["name"],
            tables.read(own["images"], "images").to_pandas(),
            tables.column([own["annotations"]], "annotations", "image_id"),
            tables.read(own["categories"], "categories").to_pandas(),
        )
        for experiment, own in paths_to_datasets.items()
    }
    table = dataset_table(read_published(published), counted)
    for path in (path_to_table, path_to_csv):
        tables.write(table, "reproduced_datasets", path)
    job.LOGGER.info("%d of %d datasets are in this study", len(counted), table["experiment"].nunique())


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    tabulate_datasets(
        published=io.StringIO(snakemake.params.published),
        paths_to_datasets=job.located(snakemake.params.datasets, snakemake.input),
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
    )
