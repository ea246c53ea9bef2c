"""Errors have intervals, comparisons are paired, three seeds decide, published numbers stay as printed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from filterscope import tables
from filterscope.temperature import courses, duel, figures

ERRORS = {"constant": [9.0, 9.4, 9.2], "one_cycle": [7.0, 7.5, 7.1], "actcoolr": [7.2, 7.1, 7.4]}


def results(errors=None, network="resnet18", samples="cifar10") -> pd.DataFrame:
    lines = [
        {
            "network": network,
            "samples": samples,
            "schedule": schedule,
            "method": schedule,
            "seed": seed,
            "status": "finished",
            "epochs": 25,
            "steps": 100,
            "settings": "{}",
            "sigma": None,
            "mu": None,
            "val_accuracy": 0.9,
            "test_error": error,
            "test_loss": 0.3,
            "passes": 330 if schedule == "actcoolr" else 300,
        }
        for schedule, values in (errors or ERRORS).items()
        for seed, error in enumerate(values)
    ]
    return pd.DataFrame(lines)


@pytest.fixture(scope="module")
def published(repository):
    return duel.read_published(repository / "studies" / "published_training.csv")


def test_published_numbers_are_as_printed(published):
    errors = published[published["table"] == 2].set_index(["experiment", "method"])["printed"]
    assert errors["resnet18_cifar10_25"].to_dict() == {"one_cycle": "7.53", "actcoolr": "8.11"}
    assert errors["pyramidnet110_cifar10_50"].to_dict() == {"one_cycle": "5.04", "actcoolr": "6.17"}
    assert len(errors) == 8
    assert (published.loc[published["table"] == 3, "printed"] == "").all()


def test_intervals_are_students():
    low, high = duel.interval(np.array([1.0, 2.0, 3.0]), 0.95)
    assert (low, high) == (pytest.approx(2 - 4.302653 / np.sqrt(3)), pytest.approx(2 + 4.302653 / np.sqrt(3)))
    assert duel.interval(np.array([1.0]), 0.95) == (None, None)


def test_seeds_that_agree_have_no_interval_and_decide_nothing():
    """Two of 449 test pictures at every seed, in whatever way the errors are rounded."""
    errors = np.array([3.1, 2.4, 2.9])
    same = results({"constant": list(errors), "cosine": list(errors - 200 / 449)})
    assert duel.interval(np.array([2.0, 2.0, 2.0]), 0.95) == (None, None)
    pairs = tables.checked(duel.pairs_table(same, {}), "duel_pairs").to_pandas()
    assert pairs["difference"].abs().tolist() == pytest.approx([200 / 449] * 2)
    assert pairs[["low", "high"]].isna().all(axis=None)
    assert set(pairs["outcome"]) == {"undecided"}


def test_ours_beside_theirs(published):
    table = duel.training_table(results(), published, {("resnet18", "cifar10"): "resnet18_cifar10_25"})
    tables.checked(table, "training_table")
    here = table[table["samples"] == "cifar10"].set_index(["source", "method"])
    assert here.loc[("ActCooLR", "one_cycle"), ["printed", "test_error"]].tolist() == ["7.53", 7.53]
    ours = here.loc[("Filterscope", "one_cycle")]
    assert ours["test_error"] == pytest.approx(7.2)
    assert ours["low"] < 7.2 < ours["high"]
    assert ours["status"] == "measured"
    elsewhere = table[table["status"].str.contains("not run here")]
    assert "resnet18_cifar10_25" not in set(elsewhere["experiment"])
    assert elsewhere.loc[elsewhere["printed"] == "", "test_error"].isna().all()


def test_few_seeds_are_called_few(published):
    table = duel.training_table(results({"constant": [5.0], "cosine": [4.0, 3.0]}), published, {})
    ours = table[table["source"] == "Filterscope"].set_index("schedule")
    assert ours["status"].unique().tolist() == ["measured, fewer than 3 seeds"]
    assert ours[["low", "high"]].isna().all(axis=None), "as the figure's caption says"


def test_wins_are_paired_by_seed_and_need_three():
    pairs = duel.pairs_table(results(), {})
    tables.checked(pairs, "duel_pairs")
    outcome = pairs.set_index(["schedule", "rival"])["outcome"]
    assert outcome[("one_cycle", "constant")] == "win"
    assert outcome[("constant", "one_cycle")] == "loss"
    assert outcome[("one_cycle", "actcoolr")] == outcome[("actcoolr", "one_cycle")] == "undecided"
    # Errors that differ by seed far more than by schedule: only pairing sees the difference.
    paired = duel.pairs_table(results({"constant": [5.0, 9.0, 20.0], "cosine": [4.0, 8.1, 19.0]}), {})
    assert paired.set_index("schedule")["outcome"].to_dict() == {"constant": "loss", "cosine": "win"}
    two = duel.pairs_table(results({"constant": [9.0, 9.0], "cosine": [1.0, 1.1]}), {})
    assert set(two["outcome"]) == {"undecided"}


def test_the_duel_counts_wins_and_cost():
    trials = {("resnet18", "cifar10", schedule): 4 for schedule in ERRORS}
    table = duel.duel_table(results(), duel.pairs_table(results(), trials), trials)
    tables.checked(table, "duel")
    lines = table.set_index("schedule")
    assert lines.loc["constant", ["wins", "losses", "undecided", "rank"]].tolist() == [0, 2, 0, 3]
    assert lines.loc["one_cycle", ["wins", "losses", "undecided", "rank"]].tolist() == [1, 0, 1, 1]
    assert lines["cost"].to_dict() == pytest.approx({"constant": 1.0, "one_cycle": 1.0, "actcoolr": 1.1})
    assert lines.loc["one_cycle", "tuned_cost"] == pytest.approx(5.0)


def test_a_training_that_diverged_early_is_not_the_cheapest():
    table = results()
    broken = (table["schedule"] == "constant") & (table["seed"] == 0)
    table.loc[broken, ["status", "passes", "test_error"]] = ["diverged", 30, 90.0]
    costs = duel.duel_table(table, duel.pairs_table(table, {}), {}).set_index("schedule")["cost"]
    assert costs.to_dict() == pytest.approx({"constant": 0.7, "one_cycle": 1.0, "actcoolr": 1.1})
    table["status"] = "diverged"
    assert duel.duel_table(table, duel.pairs_table(table, {}), {})["cost"].gt(0).all()


def test_intervals_of_errors_end_at_0_and_100_percent(published):
    table = duel.training_table(results({"constant": [10.0, 90.0, 90.0], "cosine": [0.1, 0.2, 3.0]}), published, {})
    ours = table[table["source"] == "Filterscope"].set_index("schedule")
    assert ours.loc["constant", ["low", "high"]].tolist() == [0, 100]
    assert ours.loc["cosine", "low"] == 0


def test_pairs_of_unequal_tuning_budgets_are_marked_and_not_counted():
    trials = {("resnet18", "cifar10", "one_cycle"): 4}
    pairs = tables.checked(duel.pairs_table(results(), trials), "duel_pairs").to_pandas()
    budget = pairs.set_index(["schedule", "rival"])["budget"]
    assert budget[("one_cycle", "constant")] == budget[("constant", "one_cycle")] == "unequal"
    assert budget[("actcoolr", "constant")] == "equal"
    table = tables.checked(duel.duel_table(results(), pairs, trials), "duel").to_pandas().set_index("schedule")
    counts = table[["wins", "losses", "undecided", "unequal"]]
    assert counts.loc["one_cycle"].tolist() == [0, 0, 0, 2]
    assert counts.loc["constant"].tolist() == [0, 1, 0, 1]
    assert counts.loc["actcoolr"].tolist() == [1, 0, 0, 1]


def test_several_duels_get_a_total():
    both = pd.concat([results(), results(network="convnet", samples="digits")], ignore_index=True)
    table = duel.duel_table(both, duel.pairs_table(both, {}), {})
    tables.checked(table, "duel")
    total = table[table["network"] == "all"].set_index("schedule")
    assert total.loc["constant", ["wins", "losses", "seeds"]].tolist() == [0, 4, 6]


def temperatures(steps, layers) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"step": step, "place": place, "layer": f"relu{place}", "call": 0, "temperature": float(step + place)}
            for step in steps
            for place in range(layers)
        ]
    )


def test_courses_are_means_over_stretches():
    heat = courses.heat_table(temperatures(range(0, 100, 10), 3), "constant", most=5)
    tables.checked(heat, "temperature_courses")
    assert heat["step"].unique().tolist() == [0, 20, 40, 60, 80]
    assert heat[heat["place"] == 2]["temperature"].tolist() == [7.0, 27.0, 47.0, 67.0, 87.0]
    steps = pd.DataFrame({"step": range(100), "learning_rate": np.arange(100.0), "loss": 1.0})
    history = pd.DataFrame({"epoch": [1, 2], "step": [50, 100], "val_accuracy": [0.5, 0.75]})
    lines = courses.course_table(history, steps, temperatures(range(0, 100, 10), 3), "constant", most=4)
    tables.checked(lines, "courses")
    assert lines[lines["quantity"] == "learning_rate"]["value"].tolist() == [12.0, 37.0, 62.0, 87.0]
    assert lines[lines["quantity"] == "val_accuracy"][["step", "value"]].to_numpy().tolist() == [[50, 0.5], [100, 0.75]]
    assert lines[lines["quantity"] == "temperature"]["value"].iloc[0] == pytest.approx((0 + 10 + 20) / 3 + 1)


def drawn(figure) -> np.ndarray:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def test_a_training_that_ended_early_is_seen_to():
    heat = pd.concat(
        [
            courses.heat_table(temperatures(range(0, 100, 10), 4), "whole"),
            courses.heat_table(temperatures(range(0, 50, 10), 4), "half"),
        ]
    )
    whole, half = figures.heatmaps(heat, "net on data").axes[:2]
    assert whole.get_xlim() == half.get_xlim() == (0, 100)
    assert half.collections[0].get_datalim(half.transData).x1 == 50


def test_figures_show_what_they_are_given(published):
    heat = pd.concat([courses.heat_table(temperatures(range(0, 50, 10), 4), name) for name in "abcdef"])
    assert drawn(figures.heatmaps(heat, "net on data")).std() > 5
    assert drawn(figures.heatmaps(heat.assign(temperature=0.0), "cold")).std() > 5
    single = courses.heat_table(temperatures([0], 1), "a")
    assert drawn(figures.heatmaps(single, "one")).std() > 5
    table = duel.training_table(results(), published, {("resnet18", "cifar10"): "resnet18_cifar10_25"})
    figure = figures.error_intervals(tables.checked(table, "training_table").to_pandas())
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["constant", "actcoolr, published", "one_cycle, published", "actcoolr", "one_cycle"]
    points = pd.DataFrame(
        {"moment": 0.5, "layers": "all layers", "learning_rate": [0.1, 1.0], "probability": [0.2, 0.7]}
    )
    fits = pd.DataFrame({"moment": [0.5], "layers": ["all layers"], "sigma": [None], "mu": [None]})
    figure = figures.range_panels(points.assign(fitted=None), fits, "no fit")
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == "after 50%: no fit"
    assert drawn(figure).std() > 5
