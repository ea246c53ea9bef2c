"""Draw the map of every class's images and the sheet of its facets."""

from pathlib import Path

from filterscope import job, tables
from filterscope.data.networks.settings import input_of
from filterscope.pictures.facets.figures import facet_card, facet_map, facet_names
from filterscope.pictures.figures import sheet
from filterscope.pictures.photographs import Photographs


def draw_facets(
    path_to_facets,
    path_to_summary,
    path_to_table,
    path_to_words,
    path_to_images,
    path_to_figures,
    folder,
    inputs,
):
    """path_to_table: of the facets' pictures, which lie beside it; path_to_words: None where nothing was explained."""
    facets = tables.read(path_to_facets, "facets").to_pandas()
    summary = tables.read(path_to_summary, "facet_summary").to_pandas()
    made = tables.read(path_to_table, "facet_pictures").to_pandas()
    names = facet_names(tables.read(path_to_words, "facet_words").to_pandas()) if path_to_words else {}
    photographs = Photographs.of(folder, tables.read(path_to_images, "images").to_pandas(), inputs)
    target, beside = job.empty_folder(path_to_figures), Path(path_to_table).parent
    pictures = dict(list(made.groupby(["unit", "facet"], sort=False)))
    for unit, rows in facets.groupby("unit"):
        own = summary[summary["unit"] == unit].sort_values("facet")
        title = f"{own['class'].iloc[0]}: {len(own)} facets of unit {unit}"
        facet_map(title, rows, own, photographs.view).savefig(target / f"map_{unit:04d}.png")
        cards = [
            facet_card(row, names.get((unit, row.facet)), pictures[unit, row.facet], photographs.view, beside)
            for row in own.itertuples()
        ]
        shown = f"{title}: nearest image, mean image, picture,\neach with the unit's activation"
        sheet(shown, cards).savefig(target / f"sheet_{unit:04d}.png")


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
        inputs=input_of(snakemake.params.inputs),
    )
