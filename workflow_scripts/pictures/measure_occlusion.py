"""Measure what covering parts of photographs does to their strongest filters."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image
from pycocotools import mask as coco_mask

from filterscope import job, tables
from filterscope.activations.probing import ProbeSettings, reading
from filterscope.data import networks
from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.pictures import occlusion
from filterscope.pictures.choices import chosen_images
from filterscope.pictures.occlusion import OcclusionSettings, Rectangle
from filterscope.pictures.strongest import mean_activations


def measure_occlusion(
    path_to_images,
    path_to_annotations,
    path_to_weights,
    path_to_table,
    path_to_csv,
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
    """images: numbers or paths; cover: "objects" (annotated masks; path_to_annotations), "grid", or rectangles."""
    device, geometry = job.device(), Geometry(probe.inputs.resize, probe.inputs.crop)
    chosen = chosen_images(tables.read(path_to_images, "images").to_pandas(), images)
    annotations = tables.read(path_to_annotations, "annotations").to_pandas() if path_to_annotations else None
    rows, maps, target = [], [], Path(path_to_covered)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with reading(probe, networks.load(probe.network, path_to_weights), device) as reader:

        def look(views):
            return mean_activations(views, reader, probe.inputs, device, batch_size)

        for image in job.progress(list(chosen.itertuples()), len(chosen), "photographs"):
            photograph = read_image(f"{folder}/{image.path}", apply_exif=annotations is None)
            view, size = geometry.picture(photograph), tuple(photograph.shape[1:])
            if cover == "objects":
                own = annotations[annotations["image_id"] == image.image_id].sort_values("annotation_id")
                runs = [{"size": list(size), "counts": mask} for mask in own["mask"]]
                masks = coco_mask.decode(runs).transpose(2, 0, 1) if runs else np.zeros((0, *size))
                parts = occlusion.object_parts(masks.astype(bool), own["category"], geometry, settings.fill)
            elif cover == "grid":
                parts = occlusion.square_parts(probe.inputs.crop, settings)
            else:
                rectangles = [Rectangle(*each) for each in cover]
                parts = occlusion.rectangle_parts(rectangles, *size, geometry, settings.fill, image.path)
            chance = np.random.default_rng(job.derived_seed(seed, "occlusion", int(image.image_id)))
            whole = occlusion.whole_part(view, size, settings.fill)
            measured = list(
                occlusion.measure(view, [whole, *parts], look, settings.filters, settings.rectangles, chance)
            )
            rows += [row | {"path": None} for row in occlusion.rows(image.image_id, measured)]
            for number, each in enumerate(measured if cover != "grid" else [], start=0):
                path = f"image_{image.image_id}_{number:02d}.png"
                Image.fromarray(each.view.permute(1, 2, 0).numpy()).save(target / path)
                rows[number - len(measured)]["path"] = f"{target.name}/{path}"
            maps.append(occlusion.importance(view, look, settings))
    table = pa.Table.from_pylist(rows)
    for path in (path_to_table, path_to_csv):
        tables.write(table, "occlusions", path)
    flat = {name: np.stack([each[index].ravel() for each in maps]) for index, name in enumerate(("lost", "weaker"))}
    importances = {"image_id": chosen["image_id"].to_numpy()} | {k: tables.vectors(v) for k, v in flat.items()}
    tables.write(importances, "importances", path_to_importances)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    measure_occlusion(
        path_to_images=snakemake.input.images,
        path_to_annotations=snakemake.input.get("annotations") or None,
        path_to_weights=snakemake.input.weights,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        path_to_importances=snakemake.output.importances,
        path_to_covered=snakemake.output.covered,
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        images=snakemake.params.entry["images"],
        cover=snakemake.params.entry["cover"],
        settings=OcclusionSettings(**snakemake.params.occlusion),
        batch_size=snakemake.params.batch_size,
        seed=snakemake.params.seed,
    )
