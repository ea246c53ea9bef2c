"""Draw what covering parts of photographs does to their strongest filters."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from filterscope import job, tables
from filterscope.data.networks.settings import input_of
from filterscope.pictures.figures import occlusion_page
from filterscope.pictures.photographs import Photographs

MOST = 18  # covered parts on a page; of more, those that cost most of the filters


def render_occlusion(path_to_table, path_to_importances, path_to_images, path_to_figures, folder, inputs):
    """One figure per photograph."""
    table = tables.read(path_to_table, "occlusions").to_pandas()
    importances = tables.read(path_to_importances, "importances")
    maps = dict(zip(importances["image_id"].to_pylist(), tables.matrix(importances["weaker"]), strict=True))
    photographs = Photographs.of(folder, tables.read(path_to_images, "images").to_pandas(), inputs)
    target = Path(path_to_figures)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for image_id, rows in table.groupby("image_id", sort=False):
        view = photographs.view(image_id)
        parts = rows[(rows["number"] > 0) & rows["path"].notna()]
        parts = parts.sort_values(["overlap", "number"]).head(MOST).sort_values("number")
        covered = [np.asarray(Image.open(Path(path_to_table).parent / each)) for each in parts["path"]]
        shown = rows.loc[[rows.index[0], *parts.index]]
        importance = maps[image_id].reshape(view.shape[:2])
        figure = occlusion_page(photographs.paths[image_id], view, covered, shown, importance)
        figure.savefig(target / f"image_{image_id}.png")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_occlusion(
        path_to_table=snakemake.input.table,
        path_to_importances=snakemake.input.importances,
        path_to_images=snakemake.input.images,
        path_to_figures=snakemake.output.figures,
        folder=snakemake.input.folder,
        inputs=input_of(snakemake.params.inputs),
    )
