"""Draw the filters that photographs excite most."""

import shutil
from pathlib import Path

from filterscope import job, tables
from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.data.networks import InputSettings
from filterscope.pictures.choices import names_of
from filterscope.pictures.figures import strongest_bars


def render_strongest_filters(path_to_table, path_to_images, path_to_names, path_to_figures, folder, annotated, inputs):
    """One figure per photograph; path_to_names is None where nothing was explained."""
    table = tables.read(path_to_table, "strongest_filters").to_pandas()
    images = tables.read(path_to_images, "images").to_pandas().set_index("image_id")
    names = names_of(tables.read(path_to_names, "filter_names").to_pandas() if path_to_names else None)
    geometry, target = Geometry(inputs.resize, inputs.crop), Path(path_to_figures)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for image_id, rows in table.groupby("image_id", sort=False):
        path = images.loc[image_id, "path"]
        view = geometry.picture(read_image(f"{folder}/{path}", apply_exif=not annotated)).permute(1, 2, 0).numpy()
        strongest_bars(view, rows, path, names).savefig(target / f"image_{image_id}.png")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_strongest_filters(
        path_to_table=snakemake.input.table,
        path_to_images=snakemake.input.images,
        path_to_names=snakemake.input.get("names") or None,
        path_to_figures=snakemake.output.figures,
        folder=snakemake.input.folder,
        annotated=snakemake.params.annotated,
        inputs=InputSettings(**snakemake.params.inputs),
    )
