"""Optimise a picture of every facet, beginning as its mean image."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from PIL import Image

from filterscope import job, tables
from filterscope.activations.probing import ProbeSettings, reading
from filterscope.data import networks
from filterscope.pictures.ascent import DEAD, at_input_size
from filterscope.pictures.facets import file_of
from filterscope.pictures.objectives import Goal, Target
from filterscope.pictures.recipes import maximise, recipe


def render_facets(
    path_to_facets,
    path_to_means,
    path_to_weights,
    path_to_table,
    path_to_csv,
    path_to_pictures,
    probe: ProbeSettings,
    name,
    settings,
    batch_size,
    seed,
):
    """name and settings: of the recipe; all facets are one batch, of which batch_size are optimised at a time."""
    device, made = job.device(), recipe(settings)
    facets = list(tables.read(path_to_facets, "facets").to_pandas().groupby(["unit", "facet"]))
    starts = torch.stack([_start(Path(path_to_means) / file_of(*key)) for key, _ in facets])
    with reading(probe, networks.load(probe.network, path_to_weights), device) as reader:
        goal = Goal(reader, probe.inputs, [Target(unit) for (unit, _), _ in facets], device)
        seeds = [job.derived_seed(seed, "facet", name, *key) for key, _ in facets]
        total = made.total_steps * -(-len(facets) // batch_size)
        bar = job.progress(range(total), total, f"steps of {name}")
        done = maximise(goal, made, seeds, starts, chunk=batch_size, report=lambda step: next(bar))
        bar.close()
        parts = [slice(first, first + batch_size) for first in range(0, len(facets), batch_size)]
        begun = torch.cat([at_input_size(goal.part(part), starts[part].to(device)).cpu() for part in parts])
    folder = Path(path_to_pictures)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pixels = (done.optimised.pictures * 255).round().byte().permute(0, 2, 3, 1).numpy()
    rows = []
    for index, ((unit, facet), members) in enumerate(facets):
        status, note = done.optimised.status[index], done.optimised.notes[index]
        if note:
            job.LOGGER.warning("unit %d, facet %d: %s (%s)", unit, facet, status, note)
        shown, file = status != DEAD, file_of(unit, facet)
        if shown:
            Image.fromarray(pixels[index]).save(folder / file)
        nearest, best = members.loc[members["rank"].idxmin()], float(members["activation"].max())
        activation = float(done.activation[index])
        rows.append(
            {
                "unit": unit,
                "class": nearest["class"],
                "facet": facet,
                "recipe": name,
                "status": status,
                "note": note,
                "path": f"{folder.name}/{file}" if shown else None,
                "mean_path": f"{Path(path_to_means).name}/{file}",
                "activation": _finite(activation) if shown else None,
                "mean_activation": _finite(begun[index]),
                "nearest_image_id": int(nearest["image_id"]),
                "nearest_image": float(nearest["activation"]),
                "best_image": best,
                "ratio": _finite(activation / best) if shown and activation > 0 and best > 0 else None,
            }
        )
    for path in (path_to_table, path_to_csv):
        tables.write(pa.Table.from_pylist(rows), "facet_pictures", path)


def _start(path) -> torch.Tensor:
    """A mean image float32 [3, S, S], 0 to 1."""
    return torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1).float() / 255


def _finite(value) -> float | None:
    return float(value) if np.isfinite(float(value)) else None


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    render_facets(
        path_to_facets=snakemake.input.facets,
        path_to_means=snakemake.input.means,
        path_to_weights=snakemake.input.weights,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        path_to_pictures=snakemake.output.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        name=snakemake.params.name,
        settings=snakemake.params.recipe,
        batch_size=snakemake.params.batch_size,
        seed=snakemake.params.seed,
    )
