"""Render sheets of a probe's optimised pictures, beside the photographs that excite the filters most."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from filterscope import job, tables
from filterscope.data.networks.settings import input_of
from filterscope.pictures.choices import names_of
from filterscope.pictures.figures import Card, Shown, sheet
from filterscope.pictures.photographs import Photographs


def render_pictures(paths_to_tables, path_to_images, path_to_names, path_to_sheets, folder, inputs, title, per_sheet):
    """paths_to_tables: by recipe; path_to_names: table of the filters' names, or None; per_sheet: filters on a page."""
    made = {name: tables.read(path, "pictures").to_pandas() for name, path in paths_to_tables.items()}
    photographs = Photographs.of(folder, tables.read(path_to_images, "images").to_pandas(), inputs)
    names = names_of(tables.read(path_to_names, "filter_names").to_pandas() if path_to_names else None)
    together = pd.concat(made.values()).sort_values(["filter", "number"])
    cards = []
    for number, rows in together.groupby("filter"):
        first = rows.iloc[0]
        # Recipes with goals of their own (mean of the map, its centre) have best images of their own: one is shown.
        whose = f" for {first.recipe}" if rows["best_image_id"].nunique() > 1 else ""
        best = Shown(photographs.view(first.best_image_id), f"best image{whose}")
        optimised = [_shown(row, Path(paths_to_tables[row.recipe]).parent) for row in rows.itertuples()]
        cards.append(Card(f"{number}  {names.get(number, '')}".rstrip(), [best, *optimised]))
    target = Path(path_to_sheets)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for page, start in enumerate(range(0, len(cards), per_sheet), start=1):
        sheet(title, cards[start : start + per_sheet]).savefig(target / f"sheet_{page:03d}.png")


def _shown(row, folder) -> Shown:
    pixels = None if pd.isna(row.path) else np.asarray(Image.open(folder / row.path))
    if pd.isna(row.activation):
        return Shown(pixels, row.recipe)
    times = "" if pd.isna(row.ratio) else f" (× {row.ratio:.2g})"
    stopped = ", stopped" if row.status == "stopped" else ""
    return Shown(pixels, f"{row.recipe}  {row.activation:.3g}; image {row.best_image:.3g}{times}{stopped}")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    render_pictures(
        paths_to_tables=dict(zip(snakemake.params.recipes, snakemake.input.tables, strict=True)),
        path_to_images=snakemake.input.images,
        path_to_names=snakemake.input.get("names") or None,
        path_to_sheets=snakemake.output.sheets,
        folder=snakemake.input.folder,
        inputs=input_of(snakemake.params.inputs),
        title=f"{snakemake.wildcards.probe}, beside the images of {snakemake.wildcards.dataset} that excite it most",
        per_sheet=snakemake.params.per_sheet,
    )
