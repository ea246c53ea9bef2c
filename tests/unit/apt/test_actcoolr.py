"""ActCooLR and its dynamic variant as schedulers of PyTorch (ActCooLR, D and H)."""

import io
import json
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from filterscope.apt.actcoolr import ActCooLR, DynamicActCooLR
from filterscope.apt.model import ModelWarning, adapted_rate, quantile, to_probability
from filterscope.apt.monitor import TemperatureMonitor
from filterscope.apt.readings import Reading

OPTIMISERS = {
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9),
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.01),
    "rmsprop": lambda groups: torch.optim.RMSprop(groups, lr=0.01),
    "tensor learning rate": lambda groups: torch.optim.SGD(groups, lr=torch.tensor(0.1)),
}


def optimiser_of(*rates):
    parameters = [nn.Parameter(torch.zeros(1)) for _ in rates]
    return torch.optim.SGD(
        [{"params": [each], "lr": rate} for each, rate in zip(parameters, rates, strict=True)], lr=1.0
    )


def at(*temperatures, positions=2**20):
    """A reading of layers with these temperatures."""
    return Reading.of([round(positions * 2.0**-each) for each in temperatures], [positions] * len(temperatures))


def stepped(schedule, reading=None):
    schedule.optimizer.step()
    schedule.step(reading)
    return schedule.get_last_lr()[0]


def acting(optimiser=None, **settings):
    chosen = {"total_steps": 1000, "sigma": 1.0, "initial_temperature": 2.0, "every": 10, "guarded": False}
    chosen |= settings
    return ActCooLR(optimiser or optimiser_of(0.1), **chosen)


def test_the_computed_rate_is_reached_evenly_at_the_next_measurement():
    schedule = acting()
    rates = [stepped(schedule, at(1.0))] + [stepped(schedule) for _ in range(9)]
    assert rates[-1] == pytest.approx(0.196303, rel=5e-6)
    assert np.diff([0.1, *rates]) == pytest.approx(np.full(10, (0.196303 - 0.1) / 10), rel=1e-4)


def test_the_listing_covers_a_fifth_of_the_way():
    schedule = acting(interpolation="listing")
    rates = [stepped(schedule, at(1.0))] + [stepped(schedule) for _ in range(9)]
    assert (rates[-1] - 0.1) / (0.196303 - 0.1) == pytest.approx(19 / 100, rel=1e-4)
    assert (rates[0] - 0.1) / (0.196303 - 0.1) == pytest.approx(1 / 10, rel=1e-4)


def test_the_temperature_is_a_mean_over_layers_and_then_a_probability():
    """Layers of 1 and 3 bits: .75 for ActCooLR, .6875 for the dynamic variant (ActCooLR, D)."""
    reading = at(1.0, 3.0)
    assert to_probability(reading.mean) == pytest.approx(0.75)
    assert reading.mean_probability() == pytest.approx(0.6875)
    schedule = acting(initial_temperature=3.0, every=1)
    assert stepped(schedule, reading) == pytest.approx(adapted_rate(0.1, 1.0, 2.0, 3.0), rel=1e-6)


def dynamic(optimiser=None, **settings):
    chosen = {"total_steps": 1000, "initial_temperature": float(-np.log2(0.2)), "every": 10, "guarded": False}
    chosen |= settings
    return DynamicActCooLR(optimiser or optimiser_of(0.1), **chosen)


def test_the_dynamic_variant_moves_by_the_difference_of_probabilities():
    """P = .6, C = .8, rate .05: .1 becomes .12, and the gradient is applied again in every step (ActCooLR, D)."""
    schedule = dynamic()
    reading = Reading.of([400000], [1000000])
    assert [stepped(schedule, reading), *(stepped(schedule) for _ in range(2))] == pytest.approx([0.12, 0.14, 0.16])
    too_hot = Reading.of([1000], [1000000])
    rates = [stepped(schedule, too_hot), *(stepped(schedule) for _ in range(9))]
    assert rates[0] < 0.16
    assert rates[-1] == 0.0  # never below
    assert stepped(schedule, reading) > 0


def test_a_layer_without_unchanged_patterns_is_capped():
    reading = Reading.of([0], [100])
    assert reading.mean == pytest.approx(7.6439, abs=5e-5)
    assert np.isfinite(stepped(acting(), reading))
    cold = acting(every=1)
    with pytest.warns(ModelWarning, match="no activation pattern changed"):
        rate = stepped(cold, Reading.of([100, 300], [100, 300]))
    assert rate == pytest.approx(0.1 * np.exp(quantile(2.0) - quantile(float(-np.log2(1 - 0.5 / 400)))), rel=1e-6)


def test_the_target_falls_and_the_schedule_ends():
    schedule = acting(total_steps=20, every=5, initial_temperature=3.03, exponent=2.0)
    targets, rates = [], []
    for step in range(20):
        rate = stepped(schedule, at(1.0) if step % 5 == 0 else None)
        targets.append(schedule.target)
        rates.append(rate)
    assert targets[::5] == pytest.approx([3.03, 1.7044, 0.7575, 0.1894], abs=5e-5)
    assert rate < max(rates)
    with pytest.raises(ValueError, match="called 21 times, total_steps is 20"):
        stepped(schedule)


def test_bounds_hold_for_both_variants():
    for schedule in (acting(bounds=(0.05, 0.15), every=1), dynamic(bounds=(0.05, 0.15))):
        hot, cold = Reading.of([1], [10**6]), Reading.of([10**6 - 1], [10**6])
        assert [stepped(schedule, cold) for _ in range(20)][-1] == 0.15
        assert [stepped(schedule, hot) for _ in range(20)][-1] == 0.05


def test_groups_keep_their_proportions():
    schedule = acting(optimiser_of(0.1, 0.4, 0.02))
    for _ in range(7):
        stepped(schedule, at(1.0))
    first, *others = schedule.get_last_lr()
    assert first != 0.1
    assert others == pytest.approx([4 * first, 0.2 * first])
    assert [group["lr"] for group in schedule.optimizer.param_groups] == schedule.get_last_lr()


def test_the_initial_rate_may_be_the_models():
    schedule = acting(optimiser_of(7.0, 14.0), sigma=1.5, mu=-2.0, initial_temperature=3.03)
    expected = np.exp(-2.0 + 1.5 * quantile(3.03))
    assert [group["lr"] for group in schedule.optimizer.param_groups] == pytest.approx([expected, 2 * expected])


def test_it_is_a_scheduler_of_pytorch():
    schedule = acting(optimiser_of(0.1))
    assert isinstance(schedule, torch.optim.lr_scheduler.LRScheduler)
    assert schedule.get_last_lr() == [0.1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stepped(schedule)
    schedule = acting(optimiser_of(0.1))
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        schedule.step()


def test_it_follows_another_scheduler_in_pytorchs_sequence():
    """Three steps of warm-up; then its own first learning rate, and from there on what is measured."""
    optimiser, monitor = optimiser_of(0.1), SimpleNamespace(every=2, reading=None)
    warm_up = torch.optim.lr_scheduler.LinearLR(optimiser, 0.25, total_iters=3)
    schedule = acting(optimiser, monitor=monitor, every=2)
    sequence = torch.optim.lr_scheduler.SequentialLR(optimiser, [warm_up, schedule], [3])
    rates = [sequence.get_last_lr()[0]]
    for step in range(5):
        monitor.reading = at(1.0) if step == 3 else None
        optimiser.step()
        sequence.step()
        rates.append(sequence.get_last_lr()[0])
    aim = adapted_rate(0.1, 1.0, 1.0, 2.0)
    assert rates == pytest.approx([0.025, 0.05, 0.075, 0.1, (0.1 + aim) / 2, aim], rel=1e-5)


# Resuming


def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 16), nn.ReLU(inplace=True), nn.Linear(16, 3)
        )


class Training:
    """A training whose batches depend on the step only; saves and loads everything through torch.save."""

    STEPS = 23

    def __init__(self, kind, optimiser):
        self.network = network()
        first, *others = self.network.parameters()
        self.optimiser = OPTIMISERS[optimiser]([{"params": [first]}, {"params": others, "lr": 0.05}])
        self.monitor = TemperatureMonitor(self.network, every=4)
        guarded = kind.startswith("guarded")
        common = {"total_steps": self.STEPS, "initial_temperature": 2.0, "bounds": (1e-6, 5.0), "guarded": guarded}
        self.schedule = (
            ActCooLR(self.optimiser, self.monitor, sigma=1.2, **common)
            if kind.endswith("actcoolr")
            else DynamicActCooLR(self.optimiser, self.monitor, temperature_rate=0.002, **common)
        )
        self.parts = (self.network, self.optimiser, self.monitor, self.schedule)

    def run(self, first, last):
        rates = []
        with self.monitor:
            for step in range(first, last):
                chance = torch.Generator().manual_seed(step)
                inputs, targets = torch.randn(20, 8, generator=chance), torch.randint(3, (20,), generator=chance)
                with torch.random.fork_rng(devices=[]), self.monitor.step():
                    torch.manual_seed(step)
                    self.optimiser.zero_grad()
                    loss = functional.cross_entropy(self.network(inputs), targets)
                    loss.backward()
                    self.optimiser.step()
                self.schedule.step(loss=loss)
                rates.append(self.schedule.get_last_lr())
        return rates

    def save(self):
        file = io.BytesIO()
        torch.save([each.state_dict() for each in self.parts], file)
        file.seek(0)
        return file

    def load(self, file, order):
        states = torch.load(file, weights_only=True)
        for index in order:
            self.parts[index].load_state_dict(states[index])


@pytest.mark.filterwarnings("ignore:no activation pattern changed")
@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("kind", ["actcoolr", "dynamic", "guarded actcoolr"])
def test_a_resumed_training_has_the_same_learning_rates(kind, optimiser):
    whole = Training(kind, optimiser)
    undisturbed = whole.run(0, Training.STEPS)
    assert len({float(rates[0]) for rates in undisturbed}) > (3 if kind.startswith("guarded") else 15)
    for killed, order in ((1, (0, 1, 2, 3)), (8, (3, 2, 1, 0)), (10, (0, 3, 1, 2)), (22, (0, 1, 2, 3))):
        before = Training(kind, optimiser)
        before.run(0, killed)
        after = Training(kind, optimiser)
        after.load(before.save(), order)
        assert after.run(killed, Training.STEPS) == undisturbed[killed:]
        assert after.schedule.held == whole.schedule.held
        assert all(
            torch.equal(one, two)
            for one, two in zip(whole.network.parameters(), after.network.parameters(), strict=True)
        )


def test_the_state_is_plain_numbers():
    schedule = acting(optimiser_of(0.1, 0.2))
    stepped(schedule, at(1.0))
    other = acting(optimiser_of(3.0, 4.0))
    other.load_state_dict(json.loads(json.dumps(schedule.state_dict())))
    assert other.get_last_lr() == schedule.get_last_lr()
    assert [group["lr"] for group in other.optimizer.param_groups] == schedule.get_last_lr()


def one_cycle():
    return torch.optim.lr_scheduler.OneCycleLR(optimiser_of(0.1), 1.0, total_steps=1000)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (lambda: dynamic(initial_temperature=2.0).state_dict(), "schedule is 'DynamicActCooLR', should be 'ActCooLR'"),
        (lambda: one_cycle().state_dict(), "schedule is missing, should be 'ActCooLR'"),
        (lambda: acting(total_steps=500).state_dict(), "total_steps is 500, should be 1000"),
        (lambda: acting(sigma=1.1).state_dict(), "sigma is 1.1, should be 1.0"),
        (lambda: acting(exponent=2.0).state_dict(), "exponent is 2.0, should be 1.0"),
        (lambda: acting(every=5).state_dict(), "every is 5, should be 10"),
        (lambda: acting(link="e").state_dict(), "link is 'e', should be '2'"),
        (lambda: acting(optimiser_of(0.1, 0.2)).state_dict(), "2 parameter groups, the optimiser has 1"),
        (lambda: {k: v for k, v in acting().state_dict().items() if k != "slope"}, "slope is missing"),
    ],
)
def test_the_state_of_another_schedule_is_told(state, told):
    schedule = acting()
    with pytest.raises(ValueError, match=f"the state is of another schedule: .*{told}"):
        schedule.load_state_dict(state())
    assert schedule.last_epoch == 0


# Bad input


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"initial_temperature": 60.0}, "target temperature too high"),
        ({"initial_temperature": -1.0}, "initial_temperature is -1.0"),
        ({"exponent": 0.0}, "exponent is 0.0"),
        ({"exponent": -1.0}, "exponent is -1.0"),
        ({"sigma": 0.0}, "sigma is 0.0"),
        ({"sigma": float("nan")}, "sigma is nan"),
        ({"mu": float("nan")}, "mu is nan"),
        ({"total_steps": 0}, "total_steps is 0"),
        ({"every": 0}, "every is 0"),
        ({"bounds": (1.0, 0.5)}, "bounds are 1.0 and 0.5"),
        ({"bounds": (-1.0, 0.5)}, "bounds are -1.0 and 0.5"),
        ({"interpolation": "cubic"}, "interpolation is 'cubic', should be one of even, listing"),
        ({"link": "10"}, "link is '10'"),
        ({"optimiser": optimiser_of(0.1, 0.0)}, "learning rate of parameter group 1 is 0.0"),
        ({"monitor": SimpleNamespace(every=7, reading=None)}, "every is 10, but the monitor measures every 7"),
    ],
)
def test_wrong_settings_are_told(settings, told):
    with pytest.raises(ValueError, match=told):
        acting(**settings)


def test_a_negative_temperature_rate_is_told():
    with pytest.raises(ValueError, match=r"temperature_rate is -0\.1"):
        dynamic(temperature_rate=-0.1)


def test_a_target_beyond_what_a_batch_can_show_warns():
    with pytest.warns(ModelWarning, match=r"initial_temperature is 7, but no batch of this size can be hotter than 6"):
        stepped(acting(initial_temperature=7.0), Reading.of([16], [32]))


@pytest.mark.parametrize("build", [acting, dynamic])
def test_a_network_in_which_nothing_changes_warns_once(build):
    """A dead one reads 0 for ever, and so every schedule that heats it makes it worse."""
    schedule, dead = build(every=1), Reading.of([50, 50], [50, 50])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stepped(schedule, at(1.0, 1.0))
    with pytest.warns(ModelWarning, match="no activation pattern changed in step 2 at a learning rate of"):
        stepped(schedule, dead)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stepped(schedule, dead)
    stepped(schedule, at(1.0, 1.0))
    with pytest.warns(ModelWarning, match="in step 5"):
        stepped(schedule, dead)
