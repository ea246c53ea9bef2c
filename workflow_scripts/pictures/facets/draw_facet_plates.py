"""Draw every class's map with its facets around it, and the images nearest to each facet's centre."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from filterscope import job, tables
from filterscope.data.networks.settings import InputSettings, input_of
from filterscope.pictures.facets.plates import contact_sheet, facet_plate
from filterscope.pictures.files import MEAN
from filterscope.pictures.photographs import Photographs


def draw_facet_plates(
    path_to_facets, path_to_table, path_to_images, path_to_plates, folder, inputs: InputSettings, nearest
):
    """path_to_table: of the facets' pictures, which lie beside it; nearest: images of a facet that are shown."""
    facets = tables.read(path_to_facets, "facets").to_pandas()
    made = tables.read(path_to_table, "facet_pictures").to_pandas()
    photographs = Photographs.of(folder, tables.read(path_to_images, "images").to_pandas(), inputs)
    target, beside = job.empty_folder(path_to_plates), Path(path_to_table).parent
    for unit, rows in facets.groupby("unit"):
        name = rows["class"].iloc[0]
        own = made[(made["unit"] == unit) & (made["start"] == MEAN)].sort_values("facet")
        pictures = {
            row.facet: None if pd.isna(row.path) else np.asarray(Image.open(beside / row.path))
            for row in own.itertuples()
        }
        title = f"{name}: {len(rows)} images, {len(pictures)} facets of unit {unit}"
        facet_plate(title, rows, pictures).savefig(target / f"plate_{unit:04d}.png")
        title = f"{name}: the images nearest to the centre of each facet"
        contact_sheet(title, rows, nearest, photographs.view).savefig(target / f"contacts_{unit:04d}.png")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    draw_facet_plates(
        path_to_facets=snakemake.input.facets,
        path_to_table=snakemake.input.table,
        path_to_images=snakemake.input.images,
        path_to_plates=snakemake.output.plates,
        folder=snakemake.input.folder,
        inputs=input_of(snakemake.params.inputs),
        nearest=snakemake.params.nearest,
    )
