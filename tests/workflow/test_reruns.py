"""The embedded study, finished: nothing is done twice, and a change reruns exactly what depends on it."""

from __future__ import annotations

import copy
import json

import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.timeout(3300)]


@pytest.fixture(scope="module")
def copied_study(finished_study, tmp_path_factory):
    """A copy of the study, whose program is edited."""
    return finished_study.copied(tmp_path_factory.mktemp("copied"))


def planned_with(study, module, added):
    """Rules that a run would start if this text stood at the end of a module; afterwards the module is as it was."""
    path = study.workflow / "workflow_scripts/filterscope" / module
    before = path.read_text()
    path.write_text(before + added)
    try:
        return set(study.planned())
    finally:
        path.write_text(before)


@pytest.mark.parametrize(
    ("change", "must", "must_not"),
    [
        (
            ("resampling", "iterations", 3),
            {"resample_samples", "score_resampling", "render_resampling"},
            {"train_scaled_networks"},
        ),
        (("resampling", "confidence", 0.9), {"tabulate_resampling", "render_resampling"}, {"score_resampling"}),
        (("robustness", "images", 20), {"attack_network", "search_capacity"}, {"train_scaled_networks"}),
        (("robustness", "search", "sparse"), {"search_capacity", "render_robustness"}, {"attack_network"}),
        (("robustness", "loss", 0.05), {"tabulate_robustness", "search_capacity"}, {"attack_network"}),
        (("fit", "tolerance", 3.0), {"tabulate_fit"}, {"measure_complexity", "measure_capacity"}),
        (("capacity", "batch_norm", "counted"), {"measure_capacity", "tabulate_fit"}, {"measure_complexity"}),
        (("complexity", "draws", 5), {"measure_complexity", "tabulate_fit"}, {"measure_capacity", "prepare_samples"}),
    ],
)
def test_a_changed_parameter_of_the_diagnosis_reruns_what_depends_on_it(finished_study, change, must, must_not):
    part, key, value = change
    config = copy.deepcopy(finished_study.config)
    config["diagnosis"][part][key] = value
    planned = set(finished_study.planned(config=config))
    assert must <= planned
    assert not must_not & planned


def test_a_second_run_has_nothing_to_do(finished_study):
    assert "Nothing to be done" in finished_study.run()


def test_forcing_a_rule_reruns_what_follows_it_only(finished_study):
    planned = finished_study.planned("--forcerun", "train_explainer")
    assert {"train_explainer", "explain_filters", "score_words", "tabulate_words", "render_sheets"} <= set(planned)
    assert not {"extract_activations", "dissect_filters", "prepare_scenes", "train_null_explainer"} & set(planned)


def test_a_room_can_be_asked_for_alone(finished_study):
    assert "Nothing to be done" in finished_study.run("activations")


def test_a_schedule_of_its_own_reruns_its_trainings_alone(finished_study):
    config = copy.deepcopy(finished_study.config)
    config["temperature"]["schedules"]["constant"]["learning_rate"] = 0.07
    planned = finished_study.planned(config=config)
    assert (planned["tune_schedule"], planned["train_with_schedule"]) == (1, 1)
    assert "analyse_learning_rates" not in planned


@pytest.mark.parametrize(
    ("change", "must", "must_not"),
    [
        (("words", "printed", 5), {"explain_filters", "tabulate_words"}, {"extract_activations", "train_explainer"}),
        (
            ("training", "margin", 0.5),
            {"train_explainer", "explain_filters"},
            {"extract_activations", "dissect_filters"},
        ),
        (("facetting", "seeds", 3), {"embed_facets", "draw_facets"}, {"maximise_activations", "train_scenes_network"}),
        (("criteria", "resamples", 400), {"score_pictures", "render_criteria"}, {"render_facets", "embed_facets"}),
        (("occlusion", "fill", "mean"), {"measure_occlusion"}, {"maximise_activations", "find_strongest_filters"}),
        (("sheets", "images", 3), {"render_sheets"}, {"explain_filters", "score_words"}),
        (("proofs", "places", 2), {"measure_causes", "tabulate_words"}, {"score_words", "name_pictures"}),
        (
            ("proofs", "picture_words", 5),
            {"name_pictures", "tabulate_words"},
            {"measure_causes", "maximise_activations"},
        ),
        (("activations", "masks", "nearest"), {"extract_activations", "train_explainer"}, {"prepare_scenes"}),
        (("scores", "confidence", 0.9), {"score_words", "tabulate_scores"}, {"explain_filters", "train_explainer"}),
    ],
)
def test_a_changed_parameter_reruns_exactly_what_depends_on_it(finished_study, change, must, must_not):
    section, key, value = change
    config = copy.deepcopy(finished_study.config)
    config[section][key] = value
    planned = set(finished_study.planned(config=config))
    assert must <= planned
    assert not must_not & planned


@pytest.mark.parametrize(
    ("module", "must", "must_not"),
    [
        (
            "words/explaining/voting.py",
            {"explain_filters", "tabulate_words"},
            {"train_explainer", "extract_activations"},
        ),
        (
            "words/explaining/losses.py",
            {"train_explainer", "train_null_explainer"},
            {"extract_activations", "dissect_filters"},
        ),
        (
            "pictures/recipes/maco.py",
            {"maximise_activations", "render_pictures"},
            {"measure_occlusion", "extract_activations"},
        ),
        (
            "pictures/recipes/vital.py",
            {"maximise_activations", "render_facets", "score_pictures"},
            {"embed_facets", "extract_activations"},
        ),
        (
            "pictures/facets/clustering.py",
            {"embed_facets", "average_facets", "render_facets", "draw_facets"},
            {"maximise_activations", "train_scenes_network"},
        ),
        (
            "temperature/figures.py",
            {"render_temperatures", "render_courses", "render_ranges", "render_errors"},
            {"train_with_schedule", "tabulate_duel"},
        ),
        ("temperature/duel.py", {"tabulate_duel", "tabulate_training"}, {"train_with_schedule", "tune_schedule"}),
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
        ),
        ("data/samples/planes.py", {"prepare_samples"}, {"prepare_scenes"}),
        ("pictures/facets/figures.py", {"draw_facets"}, {"embed_facets", "render_facets"}),
        ("pictures/quality/criteria.py", {"score_pictures", "render_criteria"}, {"embed_facets", "render_facets"}),
        ("pictures/occlusion.py", {"measure_occlusion", "render_occlusion"}, {"maximise_activations"}),
        ("diagnosis/figures.py", {"render_complexity", "render_capacity"}, {"measure_complexity", "tabulate_fit"}),
        (
            "diagnosis/robustness/sparse_attack.py",
            {"attack_network", "search_capacity"},
            {"train_scaled_networks", "score_resampling"},
        ),
        ("diagnosis/resampling/tomek_links.py", {"resample_samples", "score_resampling"}, {"attack_network"}),
        ("diagnosis/resampling/figures.py", {"render_resampling"}, {"tabulate_resampling"}),
        ("diagnosis/complexity/tsne.py", {"measure_complexity"}, {"measure_capacity", "render_capacity"}),
        ("words/sheets.py", {"render_sheets"}, {"explain_filters", "score_words", "train_explainer"}),
        ("data/scenes/dataset.py", {"prepare_scenes", "extract_activations"}, {"prepare_coco"}),
    ],
)
def test_an_edited_module_reruns_exactly_what_imports_it(copied_study, module, must, must_not):
    planned = planned_with(copied_study, module, "\n\nADDED = 1\n")
    assert must <= planned
    assert not must_not & planned


def test_a_comment_in_a_module_reruns_nothing(copied_study):
    assert not planned_with(copied_study, "words/explaining/voting.py", "\n# a remark\n")


def test_the_report_shows_summary_figures_and_sheets(finished_study):
    finished_study.run("--report", "report.html")
    text = (finished_study.directory / "report.html").read_text(errors="replace")
    results = [json.dumps(name).strip('"') for name in ("summary.html", "scores.png", "training.png", "filter_")]
    for name in [*results, "what the study found", "Every score stands beside its nulls"]:
        assert name in text
