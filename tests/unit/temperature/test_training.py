"""A training is the same however often it is interrupted, whatever its schedule; tuning and moments leave no trace."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from filterscope.apt import scheduling
from filterscope.apt.learning_rates import RATES, learning_rate_range
from filterscope.apt.scheduling import METHODS, ScheduleSettings
from filterscope.data.samples.labelled_samples import SamplesError, split_off
from filterscope.resumption import Checkpoint as AnyCheckpoint
from filterscope.temperature import material, moments, training, tuning
from filterscope.temperature.state import Checkpoint
from filterscope.temperature.training import ScheduledTrainingSettings

SETTINGS = ScheduledTrainingSettings(epochs=3, batch_size=8, weight_decay=1e-4, every=2, analysed=64, validation=0.2)
MILD = {"learning_rate": 0.05, "initial_temperature": 1.0, "temperature_rate": 0.01}


@pytest.fixture(scope="module")
def data():
    """Pictures of 4 x 4 px, whose bright half tells their class."""
    generator = np.random.default_rng(0)
    labels = np.arange(60) % 3
    values = generator.integers(0, 120, (60, 1, 4, 4)).astype(np.uint8)
    for row, label in enumerate(labels):
        values[row, 0, label : label + 2] += 120
    return material.prepare(split_off(values, labels.astype(np.int64), ("a", "b", "c"), 0.2, 0), 0.2, 0)


class Net(nn.Module):
    """With batch norm and dropout, so that there is something to get wrong."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6)
        self.drop, self.out = nn.Dropout(0.2), nn.Linear(24, 3)

    def forward(self, pictures):
        maps = torch.relu(self.norm(self.conv(pictures)))
        return self.out(torch.relu(self.drop(maps.flatten(1))))


def built() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return Net()


def schedule(method: str) -> ScheduleSettings:
    return ScheduleSettings(method, **MILD)


def same(one, two) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))


def test_splits_are_cut_by_class_and_normalised(data):
    assert [len(split) for split in (data.train, data.validation, data.test)] == [38, 10, 12]
    assert (torch.bincount(data.validation.labels) >= 3).all()
    assert [len(each) for each in data.learnt] == [38, 38, 10, 10], "the test split decides no training"
    values = data.normalised(data.train.values)
    assert values.mean().abs() < 1e-5
    assert values.std() == pytest.approx(1, abs=1e-2)
    samples = split_off(np.ones((30, 2), np.float32), np.arange(30) % 3, ("a", "b", "c"), 0.0, 0)
    vectors = material.prepare(samples, 0.2, 0)
    assert not vectors.normalised(vectors.train.values).any(), "a value that never changes stays 0"
    assert vectors.test is None
    with pytest.raises(SamplesError, match=r"validation is 0\.01, which is 0 of 30 training samples; 3 classes"):
        material.prepare(samples, 0.01, 0)


@pytest.mark.filterwarnings("ignore::filterscope.apt.model.ModelWarning")
@pytest.mark.parametrize("method", METHODS)
def test_an_interrupted_training_ends_like_an_undisturbed_one(data, method, tmp_path):
    whole = training.train(built(), data, schedule(method), SETTINGS, seed=5)
    checkpoint = Checkpoint(tmp_path / "c", "digest", interval=0)

    def until_second(state):
        checkpoint.save(state)
        if state.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train(built(), data, schedule(method), SETTINGS, seed=5, save=until_second)
    torch.manual_seed(99)
    resumed = training.train(built(), data, schedule(method), SETTINGS, seed=5, resume=checkpoint.load())
    assert same(whole.network, resumed.network)
    for name in ("history", "steps", "temperatures"):
        assert getattr(whole, name).equals(getattr(resumed, name)), name
    assert whole.status == "finished"
    assert len(whole.steps) == 12
    assert whole.steps["learning_rate"].ge(0).all()
    assert sorted(whole.temperatures["step"].unique()) == [0, 2, 4, 6, 8, 10]
    assert not whole.network.training


def test_the_checkpoint_of_another_kind_is_not_taken_up(data, tmp_path):
    class Other(AnyCheckpoint):
        kind = training.ScheduledTrainingSettings

    kept = []
    training.train(built(), data, schedule("constant"), SETTINGS, seed=5, save=kept.append)
    Checkpoint(tmp_path / "c", "digest", interval=0).save(kept[0])
    assert Other(tmp_path / "c", "digest").load() is None
    assert Checkpoint(tmp_path / "c", "another").load() is None


def test_schedules_of_a_seed_begin_alike_and_torchs_stream_is_left_alone(data):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, second = (
        training.train(built(), data, schedule(method), SETTINGS, seed=5) for method in ("constant", "cosine")
    )
    assert torch.equal(before, torch.get_rng_state())
    assert first.steps["loss"].iloc[0] == second.steps["loss"].iloc[0]
    other = training.train(built(), data, schedule("constant"), SETTINGS, seed=6)
    assert first.steps["loss"].iloc[0] != other.steps["loss"].iloc[0]


def test_measuring_changes_no_training(data):
    often, seldom = (
        training.train(built(), data, schedule("one_cycle"), replace(SETTINGS, every=every), seed=5)
        for every in (1, 12)
    )
    assert same(often.network, seldom.network)
    assert len(often.temperatures) == 12 * 2
    assert often.times["overhead"] is None


class Queue:
    """A device that works later: its clock runs only while somebody waits for it."""

    def __init__(self):
        self.seconds, self.waiting = 0.0, 0

    def wait(self, *_):
        self.seconds, self.waiting = self.seconds + self.waiting, 0


def test_the_overhead_is_that_of_measuring_on_a_device_that_works_later_too(data, monkeypatch):
    """A second for every forward pass. Seven steps, four of them measured by one pass more, the first by two."""
    queue, network, note = Queue(), built(), training.RunState.note
    network.register_forward_pre_hook(lambda *_: setattr(queue, "waiting", queue.waiting + 1))
    monkeypatch.setattr(training.time, "perf_counter", lambda: queue.seconds)
    monkeypatch.setattr(training, "_settle", queue.wait)
    monkeypatch.setattr(training.RunState, "note", lambda *given: queue.wait() or note(*given))
    settings = replace(SETTINGS, epochs=1, batch_size=5)
    times = training.train(network, data, schedule("constant"), settings, seed=5).times
    assert (times["steps"], times["measured"], times["seconds"]) == (7, 4, 12)
    assert times["overhead"] == pytest.approx(5 / 7)


def test_gpus_are_waited_for_before_a_measurement(monkeypatch):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    for device in (torch.device("cpu"), torch.device("cuda", 0)):
        training._settle(device)
    assert waited == [torch.device("cuda", 0)]


@pytest.mark.parametrize(
    ("method", "rates"),
    [
        ("constant", [0.05] * 12),
        ("step", [0.05] * 6 + [0.005] * 3 + [0.0005] * 3),
        ("cosine", [0.05 * (1 + np.cos(np.pi * step / 12)) / 2 for step in range(12)]),
    ],
)
def test_learning_rates_of_schedules(data, method, rates):
    trained = training.train(built(), data, schedule(method), SETTINGS, seed=5)
    assert trained.steps["learning_rate"].tolist() == pytest.approx(rates)


def test_learning_rates_of_cycles_and_warm_up(data):
    settings = replace(SETTINGS, epochs=6)
    one = ScheduleSettings("one_cycle", learning_rate=0.1, peak=0.25, initial=0.1)
    rates = training.train(built(), data, one, settings, seed=5).steps["learning_rate"]
    assert rates.iloc[0] == pytest.approx(0.01)
    assert (rates.max(), rates.idxmax()) == (pytest.approx(0.1), 5)
    cyclic = ScheduleSettings("cyclic", learning_rate=0.1, lowest=0.1, cycles=2)
    rates = training.train(built(), data, cyclic, settings, seed=5).steps["learning_rate"].tolist()
    assert [rates[step] for step in (0, 6, 12, 18)] == pytest.approx([0.01, 0.1, 0.01, 0.1])
    free = ScheduleSettings("schedule_free", learning_rate=0.1, warm_up=0.5)
    rates = training.train(built(), data, free, settings, seed=5).steps["learning_rate"].tolist()
    assert rates[:3] == pytest.approx([0.1 / 12, 0.2 / 12, 0.3 / 12])
    assert rates[-1] == pytest.approx(0.1)


def test_a_range_test_picks_the_learning_rate_of_its_temperature(data):
    trained = training.train(built(), data, ScheduleSettings("range_test", temperature=1.0), SETTINGS, seed=5)
    assert trained.steps["learning_rate"].iloc[0] == pytest.approx(np.exp(trained.fit.mu)), (
        "1 bit: half of the patterns"
    )


def test_a_diverging_training_stops_and_says_so(data):
    trained = training.train(built(), data, ScheduleSettings("constant", learning_rate=1e38), SETTINGS, seed=5)
    assert trained.status == "diverged"
    assert len(trained.steps) < 12
    assert trained.steps["loss"].isna().any() or trained.history["train_loss"].isna().any() or len(trained.steps) == 1
    assert np.isfinite(trained.temperatures["temperature"]).all()
    assert len(trained.history) == 1


def test_what_held_the_learning_rate_back_is_told(data):
    trained = training.train(built(), data, ScheduleSettings("constant", learning_rate=0.01), SETTINGS, seed=5)
    trained = replace(trained, running=SimpleNamespace(held={"dying fast": 3}))
    results = pd.DataFrame([{"steps": 12, "test_error": 8.333}])
    assert training.in_words(trained, results) == [
        "the learning rate was held back 3 times: dying fast",
        "finished after 12 steps, test error 8.33 %",
    ]


@pytest.mark.parametrize("method", ["actcoolr", "dynamic_actcoolr"])
def test_too_high_a_target_is_refused(data, method):
    with pytest.raises(ValueError, match="target temperature too high"):
        training.train(built(), data, ScheduleSettings(method, initial_temperature=2000.0), SETTINGS, seed=5)


def test_fewer_samples_than_a_batch_are_refused(data):
    told = "batch_size is 39, but only 38 samples are trained on; should be at most 38"
    with pytest.raises(ValueError, match=told):
        training.train(built(), data, schedule("constant"), replace(SETTINGS, batch_size=39), seed=5)
    with pytest.raises(ValueError, match=f"none of 2 trials of constant finished: {told}"):
        tuning.tune(built, data, schedule("constant"), SEARCH, replace(SETTINGS, batch_size=39), trials=2, seed=1)
    trained = training.train(built(), data, schedule("constant"), replace(SETTINGS, batch_size=38), seed=5)
    assert len(trained.steps) == 3


def test_unknown_schedules_and_settings_are_refused():
    with pytest.raises(ValueError, match="method is 'cosin', should be one of constant, step"):
        ScheduleSettings("cosin")
    with pytest.raises(ValueError, match="a schedule has no 'lr'; it may have begin, bounds, cycles"):
        ScheduleSettings.from_mapping({"method": "constant", "lr": 0.1})
    plain = ScheduleSettings("constant", learning_rate=0.2, peak=0.5).plain()
    assert plain == {"method": "constant", "learning_rate": 0.2, "momentum": 0.9}


def test_passes_count_what_a_schedule_needs():
    assert training.passes(ScheduleSettings("constant"), 1000, 100, 0) == 3000
    assert training.passes(ScheduleSettings("dynamic_actcoolr"), 1000, 100, 0) == 3100
    assert training.passes(ScheduleSettings("actcoolr"), 1000, 100, 263) == 3000 + 100 + 263


def test_passes_count_the_analysis_before_with_what_it_was_widened_by(data, monkeypatch):
    """All but the last of 38 samples are compared, five batches of 8."""
    settings, ranged = replace(SETTINGS, analysed=37), ScheduleSettings("range_test")
    monkeypatch.setattr(scheduling, "learning_rate_range", partial(learning_rate_range, rates=RATES[18:]))
    trained = training.train(built(), data, ranged, settings, seed=5)
    gradients = trained.running.analysis.gradients
    assert gradients > 1, "these learning rates are all too high"
    forward = 5 * (7 + 6 * (gradients - 1) + gradients)
    assert training.result(trained, ranged, settings, data)["passes"] == 3 * 12 + 3 * gradients + forward + 1, (
        "one more to see that the network does the same twice"
    )


SEARCH = {"learning_rate": [0.001, 1.0], "momentum": [0.0, 0.95]}


def test_tuning_is_seeded_begins_with_the_config_and_keeps_the_best(data):
    tables = [tuning.tune(built, data, schedule("cosine"), SEARCH, SETTINGS, trials=4, seed=seed) for seed in (1, 1, 2)]
    assert tables[0].equals(tables[1])
    assert tables[0]["settings"].iloc[1] != tables[2]["settings"].iloc[1]
    assert json.loads(tables[0]["settings"].iloc[0])["learning_rate"] == 0.05
    (best,) = np.flatnonzero(tables[0]["chosen"])
    assert tables[0]["val_accuracy"].iloc[best] == tables[0]["val_accuracy"].max()
    found = scheduling.chosen(tables[0], schedule("cosine"))
    assert found.plain() == json.loads(tables[0]["settings"].iloc[best])


def test_tuning_never_looks_at_the_test_split(data):
    hidden = replace(data, test=None)
    first, second = (
        tuning.tune(built, each, schedule("constant"), SEARCH, SETTINGS, trials=2, seed=1) for each in (data, hidden)
    )
    assert first.equals(second)


def test_drawn_settings_lie_in_their_ranges():
    generator = np.random.default_rng(0)
    drawn = [tuning.draw({**SEARCH, "exponent": [0.5, 8.0]}, generator) for _ in range(400)]
    rates = np.array([each["learning_rate"] for each in drawn])
    assert 0.001 <= rates.min() < 0.0015
    assert 0.7 < rates.max() <= 1.0
    assert np.median(rates) == pytest.approx(np.sqrt(0.001), rel=0.35), "evenly in the logarithm"
    assert np.median([each["momentum"] for each in drawn]) == pytest.approx(0.475, abs=0.06)
    for wrong in ({"learning_rate": [0.0, 1.0]}, {"momentum": [0.9, 0.1]}):
        with pytest.raises(ValueError, match=r"search\.\w+ is \["):
            tuning.draw(wrong, generator)


def test_trials_that_fail_lose_and_all_failing_is_an_error(data):
    search = {"initial_temperature": [1000.0, 2000.0]}
    table = tuning.tune(built, data, schedule("dynamic_actcoolr"), search, SETTINGS, trials=3, seed=1)
    assert table["status"].tolist() == ["finished", "failed", "failed"]
    assert table["chosen"].tolist() == [True, False, False]
    assert "target temperature too high" in table["note"].iloc[1]
    hot = ScheduleSettings("dynamic_actcoolr", initial_temperature=2000.0)
    with pytest.raises(ValueError, match="none of 2 trials of dynamic_actcoolr finished: initial_temperature is"):
        tuning.tune(built, data, hot, search, SETTINGS, trials=2, seed=1)


def test_analyses_at_moments_do_not_disturb_the_training(data):
    plain = training.train(built(), data, schedule("one_cycle"), SETTINGS, seed=5)
    network = built()
    points, fits = moments.analyse_moments(network, data, schedule("one_cycle"), SETTINGS, [0.0, 0.5, 1.0], seed=5)
    assert same(plain.network, network)
    assert fits["step"].tolist() == [0, 0, 6, 6, 12, 12]
    assert set(fits["layers"]) == {"all layers", "last layer"}
    assert points["probability"].between(0, 1).all()
    at_start = points[(points["step"] == 0) & (points["layers"] == "all layers")]
    assert at_start["probability"].iloc[-1] > 0.8 > 0.2 > at_start["probability"].iloc[0]


def test_analyses_at_moments_go_beyond_the_grid_where_the_curve_does(data):
    """Weights a thousand times as small, and a step as large as before: nearly every pattern changes in it."""
    network = built()
    with torch.no_grad():
        network.conv.weight.mul_(1e-3)
    points, fits = moments.analyse_moments(network, data, schedule("constant"), SETTINGS, [0.0], seed=5)
    rates = points.loc[points["layers"] == "all layers", "learning_rate"]
    assert rates.min() < 0.9 * RATES[0]
    assert rates.max() == pytest.approx(RATES[-1])
    shown = points[points["layers"] == "all layers"]
    assert shown["probability"].iloc[0] < 0.2 < 0.8 < shown["probability"].iloc[-1]
    assert fits["sigma"].notna().all()


def test_a_moment_that_is_never_reached_is_named(data):
    wild = ScheduleSettings("constant", learning_rate=1e38)
    with pytest.raises(ValueError, match="the training diverged before the moments 1"):
        moments.analyse_moments(built(), data, wild, SETTINGS, [0.0, 1.0], seed=5)
