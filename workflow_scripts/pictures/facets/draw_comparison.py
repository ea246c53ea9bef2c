"""Draw what all networks made of a dataset's classes: their criteria, and a sheet per class with a row per network."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from filterscope import job, tables
from filterscope.pictures.files import MEAN
from filterscope.pictures.quality.comparison_figures import class_sheet, network_dots


def draw_comparison(path_to_criteria, paths_to_pictures, path_to_figure, path_to_sheets):
    """paths_to_pictures: tables `facet_pictures` by probe, whose files lie beside them."""
    network_dots(tables.read(path_to_criteria, "network_criteria").to_pandas()).savefig(path_to_figure)
    made = {
        probe: tables.read(path, "facet_pictures").to_pandas().assign(beside=Path(path).parent)
        for probe, path in paths_to_pictures.items()
    }
    target = job.empty_folder(path_to_sheets)
    names = list(dict.fromkeys(name for table in made.values() for name in table["class"]))
    for number, name in enumerate(names):
        rows = {
            probe: _row(table[(table["class"] == name) & (table["start"] == MEAN)]) for probe, table in made.items()
        }
        shown = {probe: row for probe, row in rows.items() if row}
        class_sheet(f"{name}: a picture of each facet, by network", shown).savefig(target / f"class_{number:03d}.png")


def _row(own: pd.DataFrame) -> list[tuple[str, np.ndarray | None]]:
    """Captions and pictures of one network's facets."""
    shown = []
    for row in own.sort_values("facet").itertuples():
        pixels = None if pd.isna(row.path) else np.asarray(Image.open(row.beside / row.path))
        ratio = "" if pd.isna(row.ratio) else f"  {row.ratio:.2f} × best"
        shown.append((f"facet {row.facet}{ratio}", pixels))
    return shown


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    draw_comparison(
        path_to_criteria=snakemake.input.criteria,
        paths_to_pictures=dict(zip(snakemake.params.probes, snakemake.input.tables, strict=True)),
        path_to_figure=snakemake.output.figure,
        path_to_sheets=snakemake.output.sheets,
    )
