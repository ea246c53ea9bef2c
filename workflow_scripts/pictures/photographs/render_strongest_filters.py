"""Draw the filters that photographs excite most."""

import shutil
from pathlib import Path

from filterscope import job, tables
from filterscope.data.networks.settings import input_of
from filterscope.pictures.choices import names_of
from filterscope.pictures.figures import strongest_bars
from filterscope.pictures.photographs import Photographs


def render_strongest_filters(path_to_table, path_to_images, path_to_names, path_to_figures, folder, inputs):
    """One figure per photograph; path_to_names is None where nothing was explained."""
    table = tables.read(path_to_table, "strongest_filters").to_pandas()
    photographs = Photographs.of(folder, tables.read(path_to_images, "images").to_pandas(), inputs)
    names = names_of(tables.read(path_to_names, "filter_names").to_pandas() if path_to_names else None)
    target = Path(path_to_figures)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for image_id, rows in table.groupby("image_id", sort=False):
        view = photographs.view(image_id)
        strongest_bars(view, rows, photographs.paths[image_id], names).savefig(target / f"image_{image_id}.png")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_strongest_filters(
        path_to_table=snakemake.input.table,
        path_to_images=snakemake.input.images,
        path_to_names=snakemake.input.get("names") or None,
        path_to_figures=snakemake.output.figures,
        folder=snakemake.input.folder,
        inputs=input_of(snakemake.params.inputs),
    )
