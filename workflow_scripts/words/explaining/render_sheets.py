"""Render the sheets of a probe's best filters."""

from functools import partial

from filterscope import job, tables
from filterscope.activations.again import pictures_again, reading_again
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.probing import ProbeSettings, look
from filterscope.data.networks import building
from filterscope.words.sheet_index import Listed, index_page
from filterscope.words.sheets import chosen_filters, first_words, remarks_of, sheet, top_images, views


def render_sheets(
    path_to_images,
    path_to_top_images,
    path_to_thresholds,
    path_to_weights,
    paths_to_maps,
    path_to_image_words,
    path_to_words,
    path_to_names,
    path_to_claims,
    path_to_sheets,
    folder,
    probe: ProbeSettings,
    activations: ExtractionSettings,
    best,
    also,
    images_per_sheet,
    name,
    path_to_causes=None,
):
    """path_to_claims and path_to_causes are None where there are no masks; name: whose filters, for the heading."""
    device = job.device()
    words = tables.read(path_to_words, "filter_words").to_pandas()
    claims = tables.read(path_to_claims, "filter_claims").to_pandas() if path_to_claims else None
    causes = tables.read(path_to_causes, "filter_causes").to_pandas() if path_to_causes else None
    filters = chosen_filters(words, claims, best, also)
    names = tables.read(path_to_names, "filter_names").to_pandas()
    thresholds = tables.read(path_to_thresholds, "thresholds").to_pandas()
    mined = tables.read(path_to_top_images, "top_images").to_pandas()
    top = mined[mined["filter"].isin(filters) & (mined["rank"] < images_per_sheet) & (mined["maximum"] > 0)]
    said = first_words(tables.read(path_to_image_words, "image_words").to_pandas(), filters)
    images = tables.read(path_to_images, "images").to_pandas()
    images = images[images["image_id"].isin(top["image_id"])]
    load = partial(building.load, probe.network, path_to_weights)
    with reading_again(probe, paths_to_maps, images["image_id"], load, device) as reader:
        pictures = pictures_again(reader, folder, images, None, probe, shown=True)
        seen = views(look(pictures, activations), reader, probe.inputs, top, device)
    target, listed = job.empty_folder(path_to_sheets), []
    for number in job.progress(filters, len(filters), "sheets"):
        row, shown = names.set_index("filter").loc[number], top_images(top[top["filter"] == number], seen, said)
        figure = sheet(
            f"{name}   filter {number}",
            row,
            words[words["filter"] == number],
            None if claims is None else claims.set_index("filter").loc[number],
            shown,
            remarks_of(number, names, thresholds, mined),
            None if causes is None else causes.set_index("filter").loc[number],
        )
        figure.savefig(target / f"filter_{number:04d}.png")
        listed.append(Listed.of(row, [each.heatmap for each in shown]))
    (target / "filters.html").write_text(index_page(name, listed), encoding="utf-8")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    render_sheets(
        path_to_images=snakemake.input.images,
        path_to_top_images=snakemake.input.top_images,
        path_to_thresholds=snakemake.input.thresholds,
        path_to_weights=snakemake.input.weights,
        paths_to_maps=list(snakemake.input.maps),
        path_to_image_words=snakemake.input.by_image,
        path_to_words=snakemake.input.words,
        path_to_names=snakemake.input.names,
        path_to_claims=snakemake.input.get("claims") or None,
        path_to_causes=snakemake.input.get("causes") or None,
        path_to_sheets=snakemake.output.sheets,
        folder=snakemake.input.pictures,
        probe=ProbeSettings.from_mapping(snakemake.params.probe),
        activations=ExtractionSettings(**snakemake.params.activations, workers=snakemake.threads),
        best=snakemake.params.sheets["filters"],
        also=snakemake.params.sheets["also"],
        images_per_sheet=snakemake.params.sheets["images"],
        name=f"{snakemake.wildcards.probe} on {snakemake.wildcards.dataset}",
    )
