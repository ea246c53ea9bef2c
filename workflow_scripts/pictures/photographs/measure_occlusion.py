"""Measure what covering parts of photographs does to their strongest filters."""

from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image

from filterscope import job, tables
from filterscope.activations.probing import ProbeSettings, reading
from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.data.networks import building
from filterscope.pictures import occlusion
from filterscope.pictures.choices import chosen_images
from filterscope.pictures.occlusion import OcclusionSettings
from filterscope.pictures.occlusion_text import occlusion_text
from filterscope.pictures.photographs import warn_of_small
from filterscope.pictures.strongest import mean_activations


def measure_occlusion(
    path_to_images,
    path_to_annotations,
    path_to_weights,
    path_to_table,
    path_to_csv,
    path_to_text,
    path_to_importances,
    path_to_covered,
    folder,
    probe: ProbeSettings,
    images,
    cover,
    settings: OcclusionSettings,
    batch_size,
    seed,
):
    """path_to_annotations: None for a plain folder; path_to_covered: folder of the covered views. images: numbers or
    paths; cover: "objects" (annotated masks), "grid", rectangles, or named ones for each photograph."""
    device = job.device()
    chosen = chosen_images(tables.read(path_to_images, "images").to_pandas(), images)
    warn_of_small(chosen, probe.inputs)
    annotations = tables.read(path_to_annotations, "annotations").to_pandas() if path_to_annotations else None
    geometry, target = Geometry(probe.inputs.resize, probe.inputs.crop), job.empty_folder(path_to_covered)
    rows, maps, numbers = [], [], (settings.filters, settings.rectangles)
    with reading(probe, building.load(probe.network, path_to_weights), device) as reader:
        look = partial(mean_activations, reader=reader, inputs=probe.inputs, device=device, batch_size=batch_size)
        for image in job.progress(list(chosen.itertuples()), len(chosen), "photographs"):
            photograph = read_image(f"{folder}/{image.path}", image.turned)
            view, own = geometry.picture(photograph), job.derived_seed(seed, "occlusion", int(image.image_id))
            parts = occlusion.parts(cover, view, photograph.shape[1:], image, annotations, geometry, settings)
            found = list(occlusion.measure(view, parts, look, *numbers, np.random.default_rng(own)))
            for row, each in zip(occlusion.rows(image.image_id, found), found, strict=True):
                file = f"{target.name}/image_{image.image_id}_{row['number']:02d}.png"
                rows.append(row | {"path": None if cover == "grid" else file})
                if cover != "grid":
                    Image.fromarray(each.view.permute(1, 2, 0).numpy()).save(target.parent / file)
            maps.append([each.ravel() for each in occlusion.importance(view, look, settings)])
    for path in (path_to_table, path_to_csv):
        tables.write(pa.Table.from_pylist(rows), "occlusions", path)
    title = f"What covering parts of photographs takes from the strongest filters of {probe.layer}"
    names = dict(zip(chosen["image_id"], chosen["path"], strict=True))
    with tables.replacing(path_to_text) as temporary:
        temporary.write_text(occlusion_text(title, pd.DataFrame(rows), names), encoding="utf-8")
    lost, weaker = (tables.vectors(np.stack(each)) for each in zip(*maps, strict=True))
    tables.write({"image_id": chosen["image_id"], "lost": lost, "weaker": weaker}, "importances", path_to_importances)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    measure_occlusion(
        path_to_images=snakemake.input.images,
        path_to_annotations=snakemake.input.get("annotations") or None,
        path_to_weights=snakemake.input.weights,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        path_to_text=snakemake.output.text,
        path_to_importances=snakemake.output.importances,
        path_to_covered=snakemake.output.covered,
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        **snakemake.params.entry,
        settings=OcclusionSettings(**snakemake.params.occlusion),
        batch_size=snakemake.params.batch_size,
        seed=snakemake.params.seed,
    )
