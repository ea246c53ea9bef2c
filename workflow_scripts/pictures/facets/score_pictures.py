"""Score the pictures of a probe's classes by the five criteria, by what they reach and by what a judge sees in them."""

from pathlib import Path

from filterscope import job, tables
from filterscope.activations.probing import ProbeSettings, reading
from filterscope.data.networks import building
from filterscope.data.networks.settings import InputSettings, input_of
from filterscope.pictures.photographs import Photographs
from filterscope.pictures.quality import gallery, judging, scoring
from filterscope.pictures.quality.criteria import Picture, norms_of
from filterscope.pictures.quality.validation import CriteriaSettings


def score_pictures(
    path_to_facets,
    path_to_facet_pictures,
    path_to_images,
    paths_to_recipes,
    path_to_judge,
    path_to_scores,
    path_to_scores_csv,
    path_to_criteria,
    path_to_criteria_csv,
    path_to_validation,
    path_to_validation_csv,
    folder,
    inputs: InputSettings,
    recipe,
    plain,
    positioned,
    judge: ProbeSettings | None,
    settings: CriteriaSettings,
    batch_size,
    seed,
):
    """paths_to_recipes: tables of `pictures` by recipe; path_to_judge: weights of the judge, a probe, or None. recipe:
    of the facets; plain: names of those without regularisation; positioned: of those that aimed at one position."""
    facets = tables.read(path_to_facets, "facets").to_pandas()
    images, chance = tables.read(path_to_images, "images").to_pandas(), job.derived_seed(seed, "criteria")
    scored, norm = gallery.sampled(facets, images["image_id"].to_numpy(), settings.photographs, chance)
    made = {name: tables.read(path, "pictures").to_pandas() for name, path in paths_to_recipes.items()}
    of_facets = tables.read(path_to_facet_pictures, "facet_pictures").to_pandas()
    shown = gallery.gallery(scored, facets, of_facets, made, positioned)
    photographs = Photographs.of(folder, images, inputs)
    rows, beside = job.progress(gallery.present(shown), title="pictures"), Path(path_to_facet_pictures).parents[1]
    pixels = gallery.pixels_of(rows, beside, photographs.view, inputs.crop)
    norms, answers = norms_of([Picture.of(photographs.view(image_id)) for image_id in norm]), None
    if judge:
        with reading(judge, building.load(judge.network, path_to_judge), job.device()) as reader:
            answers = judging.evidence(list(pixels.values()), reader, judge.inputs, job.device(), batch_size)
    found = scoring.scored(shown, pixels, norms, answers)
    everything = scoring.tables_of(found, recipe, plain, answers, settings, job.derived_seed(seed, "intervals"))
    if wrong := scoring.blindness(everything["criteria"]):
        job.LOGGER.warning(wrong)
    for name, paths in {
        "picture_scores": (path_to_scores, path_to_scores_csv),
        "criteria": (path_to_criteria, path_to_criteria_csv),
        "criteria_validation": (path_to_validation, path_to_validation_csv),
    }.items():
        for path in paths:
            tables.write(everything[name], name, path)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    job.use_threads(snakemake.threads)
    given, params = snakemake.input, snakemake.params
    score_pictures(
        path_to_facets=given.facets,
        path_to_facet_pictures=given.table,
        path_to_images=given.images,
        paths_to_recipes=dict(zip(params.recipes, given.recipes, strict=True)),
        path_to_judge=given.get("judge"),
        path_to_scores=snakemake.output.scores,
        path_to_scores_csv=snakemake.output.scores_csv,
        path_to_criteria=snakemake.output.criteria,
        path_to_criteria_csv=snakemake.output.criteria_csv,
        path_to_validation=snakemake.output.validation,
        path_to_validation_csv=snakemake.output.validation_csv,
        folder=given.folder,
        inputs=input_of(params.inputs),
        recipe=params.recipe,
        plain=params.plain,
        positioned=params.positioned,
        judge=ProbeSettings.from_mapping(params.judge) if params.judge else None,
        settings=CriteriaSettings(**params.criteria),
        batch_size=params.batch_size,
        seed=params.seed,
    )
