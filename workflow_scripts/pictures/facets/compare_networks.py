"""Compare the pictures of all networks that drew a dataset's classes: criteria side by side, tests, a paragraph."""

from filterscope import job, tables
from filterscope.pictures.quality import comparison
from filterscope.pictures.quality.comparison import Drawn
from filterscope.pictures.quality.validation import CriteriaSettings


def compare_networks(
    paths_to_scores,
    paths_to_criteria,
    paths_to_validations,
    path_to_criteria,
    path_to_criteria_csv,
    path_to_tests,
    path_to_tests_csv,
    path_to_text,
    classes,
    groups,
    settings: CriteriaSettings,
    seed,
):
    """paths_to_scores, paths_to_criteria, paths_to_validations: tables by probe; classes: the units of its classes;
    groups: the name of its facets' pictures."""
    drawn = {
        probe: Drawn(
            tables.read(paths_to_scores[probe], "picture_scores").to_pandas(),
            tables.read(paths_to_criteria[probe], "criteria").to_pandas(),
            tables.read(paths_to_validations[probe], "criteria_validation").to_pandas(),
            {unit: name for name, unit in own.items()},
        )
        for probe, own in classes.items()
    }
    found = comparison.side_by_side(drawn)
    tested = comparison.tests(drawn, settings, job.derived_seed(seed, "comparison"))
    for path in (path_to_criteria, path_to_criteria_csv):
        tables.write(found, "network_criteria", path)
    for path in (path_to_tests, path_to_tests_csv):
        tables.write(tested, "network_tests", path)
    with tables.replacing(path_to_text) as temporary:
        temporary.write_text(f"{comparison.in_words(found, tested, groups)}\n", encoding="utf-8")


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    given, params = snakemake.input, snakemake.params
    names = list(params.classes)
    compare_networks(
        paths_to_scores=dict(zip(names, given.scores, strict=True)),
        paths_to_criteria=dict(zip(names, given.criteria, strict=True)),
        paths_to_validations=dict(zip(names, given.validations, strict=True)),
        path_to_criteria=snakemake.output.criteria,
        path_to_criteria_csv=snakemake.output.criteria_csv,
        path_to_tests=snakemake.output.tests,
        path_to_tests_csv=snakemake.output.tests_csv,
        path_to_text=snakemake.output.text,
        classes=params.classes,
        groups=params.groups,
        settings=CriteriaSettings(**params.criteria),
        seed=params.seed,
    )
