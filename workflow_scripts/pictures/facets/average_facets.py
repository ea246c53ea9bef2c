"""Average the images nearest to the centre of every facet."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from filterscope import job, tables
from filterscope.data.networks.settings import InputSettings, input_of
from filterscope.pictures.files import file_of
from filterscope.pictures.photographs import Photographs, mean_image


def average_facets(path_to_facets, path_to_images, path_to_means, folder, inputs: InputSettings, nearest):
    """One PNG per facet, as the network would be shown it; nearest: images that are averaged, at most."""
    table = tables.read(path_to_facets, "facets").to_pandas()
    photographs = Photographs.of(folder, tables.read(path_to_images, "images").to_pandas(), inputs)
    target = Path(path_to_means)
    means = {}
    near = table[table["rank"] < nearest].sort_values(["unit", "facet", "rank"])
    for (unit, facet), rows in near.groupby(["unit", "facet"]):
        pictures = np.stack([photographs.view(each) for each in rows["image_id"]])
        means[file_of(unit, facet)] = mean_image(pictures).round().astype(np.uint8)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name, pixels in means.items():
        Image.fromarray(pixels).save(target / name)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    average_facets(
        path_to_facets=snakemake.input.facets,
        path_to_images=snakemake.input.images,
        path_to_means=snakemake.output.means,
        folder=snakemake.input.pictures,
        inputs=input_of(snakemake.params.inputs),
        nearest=snakemake.params.nearest,
    )
