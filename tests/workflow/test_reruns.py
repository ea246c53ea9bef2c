"""The embedded study, finished: nothing is done twice, and a change reruns exactly what depends on it."""

from __future__ import annotations

import copy
import json
from itertools import zip_longest

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
    assert not {"extract_activations", "dissect_filters", "prepare_scenes", "train_null_explainer"} & set(planned)


def test_a_room_can_be_asked_for_alone(finished_study):
    assert "Nothing to be done" in finished_study.run("activations")


def test_a_schedule_of_its_own_reruns_its_trainings_alone(finished_study):
    config = copy.deepcopy(finished_study.config)
    config["temperature"]["schedules"]["constant"]["learning_rate"] = 0.07
    planned = finished_study.planned(config=config)
    assert (planned["tune_schedule"], planned["train_with_schedule"]) == (1, 1)
    assert "analyse_learning_rates" not in planned


# By room, what changes, what must be planned and what must not. The diagnosis shares no file with words, pictures and
# temperature: a change here and one there are planned together, and neither reruns what the other must not.
CHANGES = [
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
]
CHANGES_OF_DIAGNOSIS = [
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
]


@pytest.mark.parametrize(("of_words", "of_diagnosis"), zip_longest(CHANGES, CHANGES_OF_DIAGNOSIS))
def test_a_changed_parameter_reruns_exactly_what_depends_on_it(finished_study, of_words, of_diagnosis):
    config = copy.deepcopy(finished_study.config)
    for case, sections in ((of_words, config), (of_diagnosis, config["diagnosis"])):
        if case:
            (section, key, value), _, _ = case
            sections[section][key] = value
    planned = set(finished_study.planned(config=config))
    for _, must, must_not in filter(None, (of_words, of_diagnosis)):
        assert must <= planned
        assert not must_not & planned


MODULES = [
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
    ("words/sheets.py", {"render_sheets"}, {"explain_filters", "score_words", "train_explainer"}),
    ("data/scenes/dataset.py", {"prepare_scenes", "extract_activations"}, {"prepare_coco"}),
]
MODULES_OF_DIAGNOSIS = [
    ("diagnosis/figures.py", {"render_complexity", "render_capacity"}, {"measure_complexity", "tabulate_fit"}),
    (
        "diagnosis/robustness/sparse_attack.py",
        {"attack_network", "search_capacity"},
        {"train_scaled_networks", "score_resampling"},
    ),
    ("diagnosis/resampling/tomek_links.py", {"resample_samples", "score_resampling"}, {"attack_network"}),
    ("diagnosis/resampling/figures.py", {"render_resampling"}, {"tabulate_resampling"}),
    ("diagnosis/complexity/tsne.py", {"measure_complexity"}, {"measure_capacity", "render_capacity"}),
]


@pytest.mark.parametrize(("of_words", "of_diagnosis"), zip_longest(MODULES, MODULES_OF_DIAGNOSIS))
def test_an_edited_module_reruns_exactly_what_imports_it(copied_study, of_words, of_diagnosis):
    cases = list(filter(None, (of_words, of_diagnosis)))
    planned = planned_with(copied_study, "\n\nADDED = 1\n", *(module for module, _, _ in cases))
    for _, must, must_not in cases:
        assert must <= planned
        assert not must_not & planned


def test_a_comment_in_a_module_reruns_nothing(copied_study):
    assert not planned_with(copied_study, "\n# a remark\n", "words/explaining/voting.py")


def test_the_report_shows_summary_figures_and_sheets(finished_study):
    finished_study.run("--report", "report.html")
    text = (finished_study.directory / "report.html").read_text(errors="replace")
    results = [json.dumps(name).strip('"') for name in ("summary.html", "scores.png", "training.png", "filter_")]
    for name in [*results, "what the study found", "Every score stands beside its nulls", "words, in full"]:
        assert name in text
    for sheet in sorted(finished_study.directory.glob("results/words/*/*/*/sheets/filter_*.png")):
        number = int(sheet.stem.removeprefix("filter_"))
        names = pd.read_parquet(sheet.parents[1] / "filter_names.parquet").set_index("filter")
        called = [names.at[number, "name"], names.at[number, "status"]]
        assert f'"filter": "{number:04d} {", ".join(each for each in called if each)}"' in text
