"""A network that dies or diverges holds the learning rate back; the published way does not."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import torch
from tests.unit.apt.watched import mlp, touch, vectors
from torch import nn

from filterscope.apt import patterns
from filterscope.apt.actcoolr import ActCooLR, DynamicActCooLR
from filterscope.apt.guard import CUT, CUTS, FALL, FITTED, RISE, Guard
from filterscope.apt.model import ModelWarning
from filterscope.apt.monitor import TemperatureMonitor
from filterscope.apt.readings import Reading

UNITS = 100


def reading(*layers):
    """Layers by (temperature, silent units)."""
    count = 2**20
    same = [round(count * 2.0**-temperature) for temperature, _ in layers]
    return Reading.of(same, [count] * len(layers), silent=[each for _, each in layers], units=[UNITS] * len(layers))


HEALTHY = reading((1.0, 5), (1.0, 5))


def test_silent_units_are_those_that_nothing_turns_on():
    values = torch.tensor([[[-1.0, 2.0], [-1.0, -2.0], [0.0, 0.0]], [[-3.0, -1.0], [-1.0, -0.5], [0.0, 0.0]]])
    assert patterns.silent(values).tolist() == [False, True, True]
    assert patterns.silent(values.movedim(1, 2), channel_axis=-1).tolist() == [False, True, True]
    assert patterns.silent(values, (-1.5, 1.0)).tolist() == [False, False, False]
    assert patterns.silent(torch.full((2, 3), torch.nan)).tolist() == [True] * 3
    with pytest.raises(ValueError, match=r"values has shape \[3\]"):
        patterns.silent(torch.zeros(3))


def test_the_monitor_counts_them_after_the_step():
    network = mlp()
    with TemperatureMonitor(network) as monitor, monitor.step():
        network(vectors())
        with torch.no_grad():
            network[0].bias.fill_(-100.0)
    assert monitor.reading.counts.units == (8, 8)
    assert monitor.reading.silence[0] == 1
    assert monitor.reading.silence[1] < 1
    assert monitor.reading.dead.tolist() == [True, False]
    assert [str(call) for call in monitor.reading.living().calls] == ["3:0"]
    both = monitor.reading.counts + monitor.reading.counts
    assert both.silent.tolist() == monitor.reading.counts.silent.tolist()


def test_dead_layers_leave_the_mean():
    half_dead = reading((2.0, 5), (0.0, 100), (1.0, 94))
    assert half_dead.mean == pytest.approx(1.0, rel=1e-4)
    assert half_dead.living().mean == pytest.approx(1.5, rel=1e-4)
    for unchanged in (HEALTHY, reading((0.0, 100), (0.0, 100))):
        assert unchanged.living() is unchanged, "where all are dead there is no other"


def begun(*losses):
    """A guard that has looked at a healthy network once, with these losses after it."""
    guard = Guard()
    guard.note(1.0)
    guard.allowed(0.1, 0.1, HEALTHY)
    for loss in losses:
        guard.note(loss)
    return guard


@pytest.mark.parametrize(
    ("losses", "now", "allowed", "reason"),
    [
        ((1.0,), HEALTHY, 0.14, None),
        ((0.5,), HEALTHY, 0.14, None),
        ((1.03,), HEALTHY, 0.1, "loss"),
        ((torch.tensor(1.2), 1.2), HEALTHY, 0.1 / CUT, "loss lost"),
        ((float("nan"),), HEALTHY, 0.1 / CUT, "loss lost"),
        ((1.0,), reading((1.0, 10), (1.0, 10)), 0.1, "dying"),
        ((1.0,), reading((1.0, 5), (1.0, 30)), 0.1 / CUT, "dying fast"),
    ],
)
def test_harm_holds_the_learning_rate(losses, now, allowed, reason):
    guard = begun(*losses)
    assert guard.allowed(0.1, 0.14, now)[0] == pytest.approx(allowed)
    assert dict(guard.held) == ({reason: 1} if reason else {})
    guard = begun(*losses)
    assert guard.allowed(0.1, 0.03, now)[0] == pytest.approx(0.03), "it may fall further than the guard wants"


def test_a_loss_that_lost_most_of_what_it_had_gained_cuts_though_it_does_not_rise_any_more():
    guard = begun(0.2)
    guard.allowed(0.1, 0.1, HEALTHY)
    for loss in (0.7, 0.7):
        guard.note(loss)
        assert guard.allowed(0.1, 0.2, HEALTHY)[0] == pytest.approx(0.1 / CUT)


def test_what_was_lost_for_good_is_not_halved_for_ever():
    """No learning rate wakes the dead: at most so many cuts, then it stays, until the loss is back."""
    guard = begun(0.2)
    guard.allowed(0.1, 0.1, HEALTHY)
    rate = 0.1
    for _ in range(60):
        guard.note(1.0)
        rate, _ = guard.allowed(rate, 1.0, HEALTHY)
    assert rate == pytest.approx(0.1 / CUT**CUTS)
    guard.note(0.2)
    assert guard.allowed(rate, 1.0, HEALTHY)[0] == pytest.approx(rate * RISE), "it is back"
    guard.note(1.0)
    assert guard.allowed(rate, 1.0, HEALTHY)[0] == pytest.approx(rate / CUT), "and lost again"


def test_where_nearly_no_loss_is_left_cold_is_no_reason_to_rise():
    guard = begun(0.9 * FITTED)
    assert guard.allowed(0.1, 0.14, reading((0.0, 5), (0.0, 5)))[0] == 0.1
    assert dict(guard.held) == {"fitted": 1}
    guard.note(1.1 * FITTED)
    assert guard.allowed(0.1, 0.05, HEALTHY)[0] == pytest.approx(0.05), "it may fall"


@pytest.mark.parametrize("losses", [(-0.1, -0.5, -0.9), (0.5, -0.2, -0.6)])
def test_a_loss_that_is_or_becomes_negative_is_never_fitted(losses):
    """Log-likelihoods, cosines of SimSiam, Wasserstein distances: 0 is not where they end."""
    guard = Guard()
    for loss in losses:
        guard.note(loss)
        allowed, _ = guard.allowed(0.1, 0.14, HEALTHY)
    assert allowed == pytest.approx(0.14)
    assert dict(guard.held) == {"first": 1}


@pytest.mark.parametrize("silent", [(2, 4), (2, 2, 4), (2, 4, 4), (2, 2, 2, 4, 4)])
def test_units_that_come_back_do_not_take_the_learning_rate_away(silent):
    """A few units of a small layer are in no picture of one batch and in some of the next."""
    guard, rate, rates = Guard(), 0.1, []
    for step in range(120):
        now = Reading.of([2**19], [2**20], silent=[silent[step % len(silent)]], units=[16])
        rate, _ = guard.allowed(rate, min(0.1, rate * RISE), now)
        rates.append(rate)
    assert max(rates[-10:]) > 0.1 / CUT
    assert min(rates) > 0.1 / CUT**2


def test_a_layer_that_goes_on_dying_in_waves_is_answered_every_time():
    guard, rate = begun(), 0.1
    for wave, silent in enumerate((5, 25, 25, 45, 65, 65, 65, 85)):
        rate, _ = guard.allowed(rate, 1.0, reading((1.0, 5), (1.0, silent)))
        assert guard.held["dying fast"] == (0, 1, 1, 2, 3, 3, 3, 4)[wave]


def test_one_measurement_changes_the_learning_rate_within_bounds():
    guard = begun()
    assert guard.allowed(0.1, 50.0, HEALTHY)[0] == pytest.approx(0.1 * RISE)
    assert guard.allowed(0.1, 1e-9, HEALTHY)[0] == pytest.approx(0.1 / FALL)
    assert dict(guard.held) == {"steep": 1}


def test_a_layer_that_died_is_told_once_and_holds_the_learning_rate_until_it_works_again():
    guard, dead = begun(), reading((1.0, 5), (0.0, 100))
    allowed, told = guard.allowed(0.1, 0.2, dead)
    assert allowed == pytest.approx(0.1 / CUT)
    assert "layer1:0 died (nothing in the batch turns its units on)" in told
    for _ in range(20):
        allowed, told = guard.allowed(0.1, 0.2, dead)
        assert told is None
        assert allowed <= 0.1
    assert allowed == 0.1, "it is cut once"
    assert guard.held["dead"] > 3
    assert guard.allowed(0.1, 0.14, HEALTHY) == (0.14, None)
    born = Guard()
    assert born.allowed(0.1, 0.2, dead) == (0.1, None), "the first measurement raises nothing"
    for _ in range(3):
        assert born.allowed(0.1, 0.15, dead) == (pytest.approx(0.15), None), (
            "one that never worked is left out, and no harm"
        )


@pytest.mark.parametrize("build", [ActCooLR, DynamicActCooLR])
@pytest.mark.parametrize("guarded", [True, False])
def test_a_dying_network_reads_as_cold_and_only_the_published_way_heats_it(build, guarded):
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    settings = {"total_steps": 500, "initial_temperature": 3.03, "every": 1, "guarded": guarded}
    schedule = build(optimiser, **settings, **({"sigma": 1.2} if build is ActCooLR else {}))
    rates = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)
        for step in range(400):
            optimiser.step()
            dead = min(100, 5 + step)
            schedule.step(reading((3.0 * (1 - dead / 100), dead), (3.0 * (1 - dead / 100), dead)), loss=2.3)
            rates.append(schedule.get_last_lr()[0])
    if guarded:
        assert max(rates) < 10
        assert rates[-1] <= max(rates[:100])
        assert schedule.held["dead"] > 200
    else:
        assert rates[-1] > (90 if build is ActCooLR else 10)
        assert schedule.held == {}


def test_a_tiny_first_learning_rate_rises_though_nothing_changes_yet():
    """Nothing is dead: cold is cold. Figure 5 begins at 1e-5."""
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1e-5)
    schedule = ActCooLR(optimiser, total_steps=1000, sigma=1.2, initial_temperature=3.03, every=10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)
        for step in range(300):
            optimiser.step()
            schedule.step(reading((0.0, 5)) if step % 10 == 0 else None, loss=2.3)
    assert schedule.get_last_lr()[0] > 0.1


@pytest.mark.parametrize("aim", [0.3, 3.0], ids=["colder than a cut", "hotter"])
@pytest.mark.parametrize("interpolation", ["even", "listing"])
def test_a_cut_is_done_in_full_before_the_next_measurement(interpolation, aim):
    """And where the training is killed on the way."""

    def begun():
        optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
        settings = {"total_steps": 100, "sigma": 1.0, "initial_temperature": aim, "every": 10}
        return ActCooLR(optimiser, **settings, interpolation=interpolation)

    def steps(schedule, loss, measured=None, count=10):
        for step in range(count):
            schedule.optimizer.step()
            schedule.step(measured if step == 0 else None, loss=loss)
        return schedule.get_last_lr()[0]

    schedule = begun()
    before = steps(schedule, 1.0, HEALTHY)
    steps(schedule, 2.0, reading((1.0, 5), (1.0, 60)), 4)
    resumed = begun()
    resumed.load_state_dict(json.loads(json.dumps(schedule.state_dict())))
    after = steps(resumed, 2.0, count=6)
    assert after <= 1.0001 * before / CUT


def test_the_state_of_a_guard_is_plain_and_goes_on():
    guard, other = begun(torch.tensor(0.9), 0.8), Guard()
    other.load_state_dict(json.loads(json.dumps(guard.state_dict())))
    now = reading((1.0, 30), (0.0, 100))
    assert other.allowed(0.1, 0.2, now) == guard.allowed(0.1, 0.2, now)
    assert other.state_dict() == guard.state_dict()
    assert np.isfinite(other.state_dict()["best"])


def test_a_live_network_without_losses_is_left_alone():
    network = mlp()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01)
    with TemperatureMonitor(network) as monitor:
        schedule = ActCooLR(optimiser, monitor, total_steps=10, sigma=1.0, initial_temperature=0.2)
        for _ in range(5):
            with monitor.step():
                network(vectors())
                touch(network)
                optimiser.step()
            schedule.step()
    assert set(schedule.held) <= {"first", "steep"}
