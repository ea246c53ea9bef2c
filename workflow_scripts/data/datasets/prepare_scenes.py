"""Draw the scenes of the embedded study and write their tables."""

import shutil
from pathlib import Path

from filterscope import job, tables
from filterscope.data.scenes import dataset


def prepare_scenes(
    path_to_images, path_to_annotations, path_to_categories, path_to_rejected, path_to_pictures, settings, seed
):
    """Training pictures first, then those for validation; the folder appears when all are drawn."""
    folder = Path(path_to_pictures)
    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)  # of a run that was killed
    temporary.mkdir(parents=True)
    seed = job.derived_seed(seed, "prepare_scenes")
    images, annotations = [], []
    try:
        for index in job.progress(range(settings.train + settings.val), title="drawing scenes"):
            scene = dataset.draw(seed, index, settings.size, settings.objects)
            file = dataset.encode(scene.image)
            (temporary / dataset.file_name(index)).write_bytes(file)
            images.append(dataset.image_row(index, scene.image, file, settings.train))
            annotations += dataset.annotation_rows(index, scene, first=len(annotations))
        tables.write(dataset.table(images), "images", path_to_images)
        tables.write(dataset.table(annotations), "annotations", path_to_annotations)
        tables.write(dataset.categories_table(images, annotations), "categories", path_to_categories)
        tables.write({"item": [], "reason": []}, "rejected", path_to_rejected)
        shutil.rmtree(folder, ignore_errors=True)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    job.LOGGER.info("%d pictures of %d objects", len(images), len(annotations))


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    prepare_scenes(
        path_to_images=snakemake.output.images,
        path_to_annotations=snakemake.output.annotations,
        path_to_categories=snakemake.output.categories,
        path_to_rejected=snakemake.output.rejected,
        path_to_pictures=snakemake.output.pictures,
        settings=dataset.ScenesSettings(**snakemake.params.scenes),
        seed=snakemake.params.seed,
    )
