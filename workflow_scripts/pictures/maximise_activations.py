"""Maximise the activations of a probe's filters: one picture for each."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from filterscope import job, tables
from filterscope.activations.probing import ProbeSettings, reading
from filterscope.data import networks
from filterscope.pictures.ascent import DEAD
from filterscope.pictures.choices import best_images, chosen_targets
from filterscope.pictures.objectives import Goal
from filterscope.pictures.recipes import maximise, recipe


def maximise_activations(
    path_to_weights,
    paths_to_image_activations,
    path_to_table,
    path_to_csv,
    path_to_pictures,
    probe: ProbeSettings,
    name,
    settings,
    filters,
    position,
    batch_size,
    seed,
):
    """name and settings: of the recipe; filters: numbers or "all"; position: None, "centre" or (row, column)."""
    device, made = job.device(), recipe(settings)
    seen = tables.read(paths_to_image_activations, "image_activations")
    best = best_images(seen["image_id"].to_numpy(), tables.matrix(seen["mean" if position is None else "maximum"]))
    with reading(probe, networks.load(probe.network, path_to_weights), device) as reader:
        targets = chosen_targets(filters, position, reader.filters)
        goal = Goal(reader, probe.inputs, targets, device)
        seeds = [job.derived_seed(seed, "picture", name, target.filter) for target in targets]
        total = made.total_steps * -(-len(targets) // batch_size)
        bar = job.progress(range(total), total, f"steps of {name}")
        done = maximise(goal, made, seeds, chunk=batch_size, report=lambda step: next(bar))
        bar.close()
    folder = Path(path_to_pictures)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pixels = (done.optimised.pictures * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    rows = []
    for index, target in enumerate(targets):
        status, note = done.optimised.status[index], done.optimised.notes[index]
        if note:
            job.LOGGER.warning("filter %d of %s: %s (%s)", target.filter, probe.layer, status, note)
        shown = status != DEAD
        path = f"filter_{target.filter:04d}.png"
        if shown:
            Image.fromarray(pixels[index]).save(folder / path)
        activation, real = float(done.activation[index]), float(best.activations[target.filter])
        rows.append(
            {
                "filter": target.filter,
                "number": 0,
                "recipe": name,
                "status": status,
                "note": note,
                "path": f"{folder.name}/{path}" if shown else None,
                "size": pixels.shape[1] if shown else None,
                "reached": _finite(done.optimised.history[-1, index]) if shown else None,
                "activation": _finite(activation) if shown else None,
                "best_image_id": int(best.image_ids[target.filter]),
                "best_image": real,
                "ratio": _finite(activation / real) if shown and activation > 0 and real > 0 else None,
            }
        )
    table = pa.Table.from_pylist(rows)
    for path in (path_to_table, path_to_csv):
        tables.write(table, "pictures", path)


def _finite(value) -> float | None:
    return float(value) if np.isfinite(float(value)) else None


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    maximise_activations(
        path_to_weights=snakemake.input.weights,
        paths_to_image_activations=list(snakemake.input.image_activations),
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        path_to_pictures=snakemake.output.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        name=snakemake.wildcards.recipe,
        settings=snakemake.params.recipe,
        filters=snakemake.params.entry["filters"],
        position=snakemake.params.entry["position"],
        batch_size=snakemake.params.batch_size,
        seed=snakemake.params.seed,
    )
