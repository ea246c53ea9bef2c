"""Optimise a picture of every sense, beginning as the mean of its nearest images where the recipe takes a start."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from filterscope import job, tables
from filterscope.activations.probing import ProbeSettings, reading
from filterscope.data.networks import building
from filterscope.pictures.photographs import Beside, Photographs
from filterscope.pictures.picture_tables import save_pictures, sense_picture_rows
from filterscope.pictures.recipes.objectives import Goal, Target
from filterscope.pictures.recipes.registry import maximise, reached, recipe
from filterscope.pictures.recipes.stages import staged
from filterscope.pictures.senses.figures import mean_of_sense, windows_of


def render_senses(
    path_to_members,
    path_to_images,
    path_to_weights,
    path_to_table,
    path_to_csv,
    path_to_pictures,
    folder,
    probe: ProbeSettings,
    name,
    settings,
    share,
    nearest,
    batch_size,
    seed,
):
    """path_to_pictures: folder beside the table; name, settings: of the recipe; share: as draw_senses has it;
    nearest: images of a sense that are averaged, and that a recipe compares its picture with, as the network sees them;
    batch_size: pictures at a time."""
    members = tables.read(path_to_members, "sense_images").to_pandas()
    photographs = Photographs.of(folder, tables.read(path_to_images, "images").to_pandas(), probe.inputs)
    target, rows = job.empty_folder(path_to_pictures), []
    near = members[members["rank"] < nearest].sort_values(["filter", "sense", "rank"])
    groups = list(near.groupby(["filter", "sense"]))
    senses = {key: mean_of_sense(own, windows_of(photographs, share)) for key, own in groups}
    beside = Beside(photographs, [own["image_id"].tolist() for _, own in groups])
    if senses:
        rows = _made(senses, beside, path_to_weights, probe, name, settings, batch_size, seed, target)
    table = pd.DataFrame(rows, columns=[*tables.SCHEMAS["sense_pictures"].names])
    for path in (path_to_table, path_to_csv):
        tables.write(table, "sense_pictures", path)


def _made(senses, beside: Beside, path_to_weights, probe, name, settings, batch_size, seed, target: Path) -> list[dict]:
    """Pictures of senses, mean images by filter and sense, as rows of the table; beside: photographs of each."""
    made = recipe(settings)
    read = staged if made.compares else reading
    starts = torch.from_numpy(np.stack(list(senses.values()))).permute(0, 3, 1, 2).float() / 255
    with read(probe, building.load(probe.network, path_to_weights), job.device()) as reader:
        goal = Goal(reader, probe.inputs, [Target(number) for number, _ in senses], job.device(), beside)
        begun = reached(goal, starts, batch_size)
        seeds = [job.derived_seed(seed, "sense", name, *map(int, key)) for key in senses]
        with job.steps(made.total_steps * -(-len(senses) // batch_size), f"steps of {name}") as report:
            done = maximise(goal, made, seeds, starts, batch_size, report)
    rows = sense_picture_rows(name, [*senses], done, begun, target.name)
    save_pictures(rows, done.optimised.pictures, target.parent)
    return rows


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    render_senses(
        path_to_members=snakemake.input.members,
        path_to_images=snakemake.input.images,
        path_to_weights=snakemake.input.weights,
        path_to_table=snakemake.output.table,
        path_to_csv=snakemake.output.csv,
        path_to_pictures=snakemake.output.pictures,
        folder=snakemake.input.folder,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        name=snakemake.params.name,
        settings=snakemake.params.recipe,
        share=snakemake.params.share,
        nearest=snakemake.params.nearest,
        batch_size=snakemake.params.batch_size,
        seed=snakemake.params.seed,
    )
