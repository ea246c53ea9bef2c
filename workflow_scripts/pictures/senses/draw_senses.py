"""Draw sheets of filters' senses: those with most senses first, the clearest of them first."""

from pathlib import Path

from filterscope import job, tables
from filterscope.data.networks.settings import InputSettings, input_of
from filterscope.pictures.files import CHANCE
from filterscope.pictures.photographs import Photographs
from filterscope.pictures.senses.figures import sense_sheet, title_of, windows_of
from filterscope.pictures.senses.findings import UNTOLD, sense_names

WORDS = 3  # of a sense, in its title


def draw_senses(
    path_to_senses,
    path_to_members,
    path_to_words,
    path_to_pictures,
    path_to_images,
    path_to_figures,
    folder,
    inputs: InputSettings,
    share,
    nearest,
    drawn,
):
    """path_to_words, path_to_pictures: None where nothing names or draws them. share: of the view's side that is shown
    around the place where the filter is strongest; nearest: images that are averaged; drawn: sheets at most."""
    senses = tables.read(path_to_senses, "senses").to_pandas()
    members = tables.read(path_to_members, "sense_images").to_pandas()
    words = tables.read(path_to_words, "sense_words").to_pandas() if path_to_words else None
    pictures = tables.read(path_to_pictures, "sense_pictures").to_pandas() if path_to_pictures else None
    names = {} if words is None else sense_names(words, WORDS, CHANCE)
    photographs = Photographs.of(folder, tables.read(path_to_images, "images").to_pandas(), inputs)
    told = senses[senses["status"] != UNTOLD]
    order = told.sort_values(["senses", "likeness", "filter"], ascending=[False, True, True]).head(drawn)
    target, windows = job.empty_folder(path_to_figures), windows_of(photographs, share)
    beside = Path(path_to_pictures).parent if path_to_pictures else target
    for row in job.progress(list(order.itertuples()), len(order), "sheets"):
        own = members[members["filter"] == row.filter]
        figure = sense_sheet(title_of(row), own, names, pictures, windows, nearest, beside)
        figure.savefig(target / f"senses_{row.filter:04d}.png")
    left = len(senses) - len(order)
    job.LOGGER.info("%d sheets; %d filters have none, untold or beyond sensing.drawn", len(order), left)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    draw_senses(
        path_to_senses=snakemake.input.senses,
        path_to_members=snakemake.input.members,
        path_to_words=snakemake.input.get("words") or None,
        path_to_pictures=snakemake.input.get("made") or None,
        path_to_images=snakemake.input.images,
        path_to_figures=snakemake.output.figures,
        folder=snakemake.input.folder,
        inputs=input_of(snakemake.params.inputs),
        share=snakemake.params.share,
        nearest=snakemake.params.nearest,
        drawn=snakemake.params.drawn,
    )
