"""The embedded study, finished: nothing is done twice, and a change reruns exactly what depends on it."""

from __future__ import annotations

import copy
import functools
import json

import pandas as pd
import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.timeout(3300)]


@pytest.fixture(scope="module")
def copied_study(finished_study, tmp_path_factory):
    """A copy of the study, whose program is edited."""
    return finished_study.copied(tmp_path_factory.mktemp("copied"))


def planned_with(study, added, *modules):
    """Rules that a run would start if this text stood at the end of modules; afterwards they are as they were."""
    paths = [study.workflow / "workflow_scripts/filterscope" / module for module in modules]
    before = {path: path.read_text() for path in paths}
    for path, text in before.items():
        path.write_text(text + added)
    try:
        return set(study.planned())
    finally:
        for path, text in before.items():
            path.write_text(text)


def test_a_second_run_has_nothing_to_do(finished_study):
    assert "Nothing to be done" in finished_study.run()


def test_forcing_a_rule_reruns_what_follows_it_only(finished_study):
    planned = finished_study.planned("--forcerun", "train_explainer")
    assert {"train_explainer", "explain_filters", "score_words", "tabulate_words", "render_sheets"} <= set(planned)
    assert not {"extract_activations", "dissect_filters", "prepare_scenes"} & set(planned)


def test_a_room_can_be_asked_for_alone(finished_study):
    assert "Nothing to be done" in finished_study.run("activations")


# What changes, by its place in the config, what must be planned then and what must not. Changes of one plan are in
# parts of the study that do not read each other: what one must rerun no other does, and none reruns what another must
# not.
CHANGES = [
    [
        (("words", "printed", 5), {"explain_filters", "tabulate_words"}, {"extract_activations", "train_explainer"}),
        (
            ("diagnosis", "resampling", "iterations", 3),
            {"resample_samples", "score_resampling", "render_resampling"},
            {"train_scaled_networks"},
        ),
        (
            ("diagnosis", "robustness", "images", 20),
            {"attack_network", "search_capacity"},
            {"train_scaled_networks"},
        ),
        (
            ("diagnosis", "fit", "tolerance", 3.0),
            {"tabulate_fit"},
            {"measure_complexity", "measure_capacity"},
        ),
    ],
    [
        (
            ("training", "margin", 0.5),
            {"train_explainer", "explain_filters"},
            {"extract_activations", "dissect_filters"},
        ),
        (
            ("diagnosis", "resampling", "confidence", 0.9),
            {"tabulate_resampling", "render_resampling"},
            {"score_resampling"},
        ),
        (
            ("diagnosis", "robustness", "search", "sparse"),
            {"search_capacity", "render_robustness"},
            {"attack_network"},
        ),
        (
            ("diagnosis", "capacity", "batch_norm", "counted"),
            {"measure_capacity", "tabulate_fit"},
            {"measure_complexity"},
        ),
    ],
    [
        (("activations", "masks", "nearest"), {"extract_activations", "train_explainer"}, {"prepare_scenes"}),
        (
            ("diagnosis", "robustness", "loss", 0.05),
            {"tabulate_robustness", "search_capacity"},
            {"attack_network"},
        ),
        (
            ("diagnosis", "complexity", "draws", 5),
            {"measure_complexity", "tabulate_fit"},
            {"measure_capacity", "prepare_samples"},
        ),
    ],
    [
        (("scores", "confidence", 0.9), {"score_words", "tabulate_scores"}, {"explain_filters", "train_explainer"}),
        (
            ("facetting", "seeds", 3),
            {"embed_facets", "draw_facets"},
            {"maximise_activations", "train_scenes_network"},
        ),
    ],
    [
        (("proofs", "places", 2), {"measure_causes", "tabulate_words"}, {"score_words", "name_pictures"}),
        (("occlusion", "fill", "mean"), {"measure_occlusion"}, {"maximise_activations", "find_strongest_filters"}),
    ],
    [
        (
            ("proofs", "picture_words", 5),
            {"name_pictures", "tabulate_words"},
            {"measure_causes", "maximise_activations"},
        ),
        (
            ("temperature", "schedules", "constant", "learning_rate", 0.07),
            {"tune_schedule", "train_with_schedule"},
            {"analyse_learning_rates"},
        ),
    ],
    [
        (("sheets", "images", 3), {"render_sheets"}, {"explain_filters", "score_words"}),
        (("criteria", "resamples", 400), {"score_pictures", "render_criteria"}, {"render_facets", "embed_facets"}),
    ],
]
# How often a rule is planned, where not every one of its jobs may be: a schedule reruns its own trainings alone.
ONCE = ("tune_schedule", "train_with_schedule")


def check_plan(planned, changes):
    """Whether all that must be planned is, and nothing that must not be."""
    for change, must, must_not in changes:
        assert must <= set(planned), change
        assert not must_not & set(planned), change


@pytest.mark.parametrize("changes", CHANGES)
def test_a_changed_parameter_reruns_exactly_what_depends_on_it(finished_study, changes):
    config = copy.deepcopy(finished_study.config)
    for (*sections, key, value), _, _ in changes:
        functools.reduce(dict.__getitem__, sections, config)[key] = value
    planned = finished_study.planned(config=config)
    check_plan(planned, changes)
    assert all(planned[rule] == 1 for rule in ONCE if rule in planned)


# The same of modules whose code is edited.
MODULES = [
    [
        (
            "words/explaining/voting.py",
            {"explain_filters", "tabulate_words"},
            {"train_explainer", "extract_activations"},
        ),
        ("pictures/quality/criteria.py", {"score_pictures", "render_criteria"}, {"embed_facets", "render_facets"}),
        (
            "temperature/figures.py",
            {"render_temperatures", "render_courses", "render_ranges", "render_errors"},
            {"train_with_schedule", "tabulate_duel"},
        ),
        (
            "diagnosis/figures.py",
            {"render_complexity", "render_capacity"},
            {"measure_complexity", "tabulate_fit"},
        ),
        ("diagnosis/resampling/tomek_links.py", {"resample_samples", "score_resampling"}, {"attack_network"}),
    ],
    [
        (
            "words/explaining/losses.py",
            {"train_explainer"},
            {"extract_activations", "dissect_filters"},
        ),
        (
            "pictures/recipes/vital.py",
            {"maximise_activations", "render_facets", "score_pictures"},
            {"embed_facets", "extract_activations"},
        ),
        ("temperature/duel.py", {"tabulate_duel", "tabulate_training"}, {"train_with_schedule", "tune_schedule"}),
        (
            "diagnosis/robustness/sparse_attack.py",
            {"attack_network", "search_capacity"},
            {"train_scaled_networks", "score_resampling"},
        ),
        ("diagnosis/resampling/figures.py", {"render_resampling"}, {"tabulate_resampling"}),
    ],
    [
        ("words/sheets.py", {"render_sheets"}, {"explain_filters", "score_words", "train_explainer"}),
        ("pictures/facets/figures.py", {"draw_facets"}, {"embed_facets", "render_facets"}),
        ("pictures/occlusion.py", {"measure_occlusion", "render_occlusion"}, {"maximise_activations"}),
        ("diagnosis/complexity/tsne.py", {"measure_complexity"}, {"measure_capacity", "render_capacity"}),
    ],
    [
        (
            "pictures/recipes/maco.py",
            {"maximise_activations", "render_pictures"},
            {"measure_occlusion", "extract_activations"},
        ),
        ("data/samples/planes.py", {"prepare_samples"}, {"prepare_scenes"}),
    ],
    [
        (
            "pictures/facets/clustering.py",
            {"embed_facets", "average_facets", "render_facets", "draw_facets"},
            {"maximise_activations", "train_scenes_network"},
        )
    ],
    [
        (
            "apt/scheduling.py",
            {
                "tune_schedule",
                "train_with_schedule",
                "analyse_learning_rates",
                "train_explainer",
                "train_scenes_network",
            },
            {"prepare_samples", "plant_scenes_network"},
        )
    ],
    [("data/scenes/dataset.py", {"prepare_scenes", "extract_activations"}, {"prepare_coco"})],
]


@pytest.mark.parametrize("changes", MODULES)
def test_an_edited_module_reruns_exactly_what_imports_it(copied_study, changes):
    modules = [module for module, _, _ in changes]
    check_plan(planned_with(copied_study, "\n\nADDED = 1\n", *modules), changes)


def test_a_comment_in_a_module_reruns_nothing(copied_study):
    assert not planned_with(copied_study, "\n# a remark\n", "words/explaining/voting.py")


ALL = '"filter": "(all, with pictures)"'  # first among a layer's sheets: one page of all of them


def test_the_report_shows_summary_figures_and_sheets(finished_study):
    finished_study.run("--report", "report.html")
    text = (finished_study.directory / "report.html").read_text(errors="replace")
    results = [json.dumps(name).strip('"') for name in ("summary.html", "scores.png", "training.png", "filter_")]
    for name in [*results, "what the study found", "Every score stands beside its nulls", "words, in full", ALL]:
        assert name in text
    for sheet in sorted(finished_study.directory.glob("results/words/*/*/*/sheets/filter_*.png")):
        number = int(sheet.stem.removeprefix("filter_"))
        names = pd.read_parquet(sheet.parents[1] / "filter_names.parquet").set_index("filter")
        called = [names.at[number, "name"], names.at[number, "status"]]
        assert f'"filter": "{number:04d} {", ".join(each for each in called if each)}"' in text
