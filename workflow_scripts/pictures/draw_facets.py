"""Draw the map of every class's images and the sheet of its facets."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from filterscope import job, tables
from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.data.networks import InputSettings
from filterscope.pictures.facet_figures import facet_map
from filterscope.pictures.figures import Card, Shown, sheet

WORDS = 3  # of a facet, in its title


def draw_facets(
    path_to_facets,
    path_to_summary,
    path_to_table,
    path_to_words,
    path_to_images,
    path_to_figures,
    folder,
    annotated,
    inputs,
):
    """path_to_table: of the facets' pictures, which lie beside it; path_to_words: None where nothing was explained."""
    facets = tables.read(path_to_facets, "facets").to_pandas()
    summary = tables.read(path_to_summary, "facet_summary").to_pandas()
    made = tables.read(path_to_table, "facet_pictures").to_pandas().set_index(["unit", "facet"])
    paths = tables.read(path_to_images, "images").to_pandas().set_index("image_id")["path"]
    names = _names(tables.read(path_to_words, "facet_words").to_pandas()) if path_to_words else {}
    geometry, beside = Geometry(inputs.resize, inputs.crop), Path(path_to_table).parent

    def view(image_id) -> np.ndarray:
        photograph = read_image(f"{folder}/{paths[image_id]}", apply_exif=not annotated)
        return geometry.picture(photograph).permute(1, 2, 0).numpy()

    target = Path(path_to_figures)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for unit, rows in facets.groupby("unit"):
        own = summary[summary["unit"] == unit].sort_values("facet")
        title = f"{own['class'].iloc[0]}: {len(own)} facets of unit {unit}"
        facet_map(title, rows, own, view).savefig(target / f"map_{unit:04d}.png")
        cards = [
            _card(row, names.get((unit, row.facet)), made.loc[unit, row.facet], view, beside)
            for row in own.itertuples()
        ]
        sheet(f"{title}: nearest image, mean image, picture", cards).savefig(target / f"sheet_{unit:04d}.png")


def _names(words) -> dict[tuple[int, int], str]:
    """The first words of every facet that has some, by unit and facet."""
    first = words[words["rank"] < WORDS].sort_values("rank")
    return {key: " ".join(rows["word"]) for key, rows in first.groupby(["unit", "facet"])}


def _card(row, name, picture, view, beside) -> Card:
    pixels = None if pd.isna(picture["path"]) else np.asarray(Image.open(beside / picture["path"]))
    stopped = "  (stopped)" if picture["status"] == "stopped" else ""
    shown = [
        Shown(view(picture["nearest_image_id"]), f"nearest  {_number(picture['nearest_image'])}"),
        Shown(
            np.asarray(Image.open(beside / picture["mean_path"])),
            f"mean of {row.averaged}  {_number(picture['mean_activation'])}",
        ),
        Shown(pixels, f"{picture['recipe']}  {_number(picture['activation'])}{stopped}"),
    ]
    title = f"facet {row.facet}   {row.members} images{', too few' if row.small else ''}"
    return Card(f"{title}: {name}" if name else title, shown)


def _number(value) -> str:
    return "" if pd.isna(value) else f"{value:.3g}"


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    draw_facets(
        path_to_facets=snakemake.input.facets,
        path_to_summary=snakemake.input.summary,
        path_to_table=snakemake.input.table,
        path_to_words=snakemake.input.get("words") or None,
        path_to_images=snakemake.input.images,
        path_to_figures=snakemake.output.figures,
        folder=snakemake.input.folder,
        annotated=snakemake.params.annotated,
        inputs=InputSettings(**snakemake.params.inputs),
    )
