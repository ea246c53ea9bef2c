"""The range analysis (ActCooLR, C) measures what an optimiser would do at each rate, and puts everything back."""

import copy
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import schedulefree
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from filterscope.apt.learning_rates import RATES, learning_rate_range, measure_range
from filterscope.apt.model import ModelWarning
from filterscope.apt.monitor import TemperatureMonitor
from filterscope.temperature.networks import build

# As printed (ActCooLR, table 1).
TABLE_1 = """
0.000630957344480193	0.001039122303835169	0.001711328304161781	0.002818382931264452
0.004641588833612777	0.007644222742526002	0.012589254117941668	0.02073321573485954
0.034145488738336005	0.05623413251903491	0.09261187281287937	0.15252229565390182
0.25118864315095796	0.4136820402388507	0.6812920690579608	1.122018454301963
1.8478497974222907	3.043219887107722	5.011872336272725	8.25404185268019
13.593563908785269	22.38721138568338	36.869450645195734	60.72021956909884
100.0
"""
FEW = (0.01, 0.1, 1.0)
OPTIMISERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.05),
    "nesterov": lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.05, amsgrad=True),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=0.05),
    "rmsprop": lambda parameters: torch.optim.RMSprop(parameters, lr=0.05, momentum=0.5),
    "schedule-free": lambda parameters: schedulefree.SGDScheduleFree(parameters, lr=0.05),
}


def test_the_grid_is_table_1():
    printed = np.array(TABLE_1.split(), np.float64)
    assert len(printed) == 25
    assert pytest.approx(printed, rel=1e-15) == RATES


def digits(count=256, first=0):
    data = load_digits()
    part = slice(first, first + count)
    return torch.tensor(data.images[part] / 16, dtype=torch.float32), torch.tensor(data.target[part])


def mlp(seed=0, dropout=0.0, norm=False):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Dropout(dropout), nn.Linear(128, 64)]
        return nn.Sequential(*layers, nn.BatchNorm1d(64) if norm else nn.Identity(), nn.ReLU(), nn.Linear(64, 10))


def train(network, optimiser, steps=3):
    for step in range(steps):
        inputs, targets = digits(64, 64 * step % 1280)
        optimiser.zero_grad()
        functional.cross_entropy(network(inputs), targets).backward()
        optimiser.step()


def prepared(name, **arguments):
    """A network with its optimiser in the middle of a training."""
    network = mlp(**arguments)
    body, head = list(network[:4].parameters()), list(network[4:].parameters())
    optimiser = OPTIMISERS[name]([{"params": body}, {"params": head, "lr": 0.1}])
    if hasattr(optimiser, "train"):
        optimiser.train()
    train(network, optimiser)
    return network, optimiser


def everything(network, optimiser):
    """All that must not change: values, and which objects hold them."""
    gradients = [None if each.grad is None else each.grad.clone() for each in network.parameters()]
    state = copy.deepcopy(optimiser.state_dict())
    identities = [id(each) for each in [optimiser.state, *optimiser.param_groups, *network.parameters()]]
    identities += [id(each.grad) for each in network.parameters()]
    modes = [module.training for module in network.modules()]
    return [copy.deepcopy(network.state_dict()), gradients, state, identities, modes, torch.get_rng_state()]


def equal(one, two):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, two)
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(equal(one[key], two[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(two) and all(equal(*each) for each in zip(one, two, strict=True))
    return one == two


@pytest.mark.parametrize("name", OPTIMISERS)
def test_everything_is_restored_bit_for_bit(name):
    network, optimiser = prepared(name, dropout=0.3, norm=True)
    network[3].eval()
    before = everything(network, optimiser)
    analysis = measure_range(network, functional.cross_entropy, *digits(), optimiser, FEW)
    assert analysis.mean[0] < analysis.mean[2]
    assert equal(everything(network, optimiser), before)
    with pytest.raises(ValueError, match="flat"):
        learning_rate_range(network, functional.cross_entropy, *digits(), optimiser, (1e-9, 1e-8, 1e-7))
    assert equal(everything(network, optimiser), before)

    def interrupted(outputs, targets):
        functional.cross_entropy(outputs, targets).backward()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_range(network, interrupted, *digits(), optimiser, FEW)
    assert equal(everything(network, optimiser), before)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_temperatures_are_those_of_real_steps(name):
    """Each learning rate equals a step of a copy, measured by the monitor; the groups keep their proportion."""
    inputs, targets = digits()
    network, optimiser = prepared(name)
    analysis = measure_range(network, functional.cross_entropy, inputs, targets, optimiser, FEW)
    for rate, same in zip(FEW, analysis.same, strict=True):
        its_network, its_optimiser = copy.deepcopy((network, optimiser))
        for group, proportion in zip(its_optimiser.param_groups, (1, 2), strict=True):
            group["lr"] = rate * proportion
        with TemperatureMonitor(its_network) as monitor, monitor.step():
            its_optimiser.zero_grad()
            functional.cross_entropy(its_network(inputs), targets).backward()
            its_optimiser.step()
        assert monitor.reading.same.tolist() == same.tolist()
        assert monitor.reading.calls == analysis.calls


class Counted(nn.Module):
    """Counts forward passes."""

    def __init__(self, network):
        super().__init__()
        self.network, self.tally = network, SimpleNamespace(passes=0)  # a number of its own would be put back

    @property
    def passes(self):
        return self.tally.passes

    @passes.setter
    def passes(self, count):
        self.tally.passes = count

    def forward(self, inputs):
        self.passes += 1
        return self.network(inputs)


def test_one_backward_pass_and_one_forward_pass_per_learning_rate():
    network, losses = Counted(mlp()), []

    def loss(outputs, targets):
        value = functional.cross_entropy(outputs, targets)
        value.register_hook(lambda gradient: losses.append(gradient))
        return value

    learning_rate_range(network, loss, *digits())
    assert len(losses) == 1
    # For the gradient, to see that the network does the same twice, for the patterns before, and after each step.
    assert network.passes == 1 + 1 + 1 + 25


def test_passes_are_counted_with_what_a_grid_was_widened_by():
    network, batches = Counted(mlp()), digits(256)[0].split(64)
    data = digits(64)
    for rates, gradients in ((RATES, 1), (RATES[18:], 3)):
        network.passes = 0
        analysis = learning_rate_range(
            network, functional.cross_entropy, *data, rates=rates, samples=batches, widen=True
        )
        assert analysis.gradients == gradients
        assert analysis.passes(4) == network.passes + 2 * gradients


def test_patterns_may_be_compared_on_more_samples():
    inputs, targets = digits(64)
    more = digits(192, 64)[0]
    network = mlp()

    def measured(samples):
        return measure_range(network, functional.cross_entropy, inputs, targets, rates=FEW, samples=samples)

    parts, whole = measured([more[:50], more[50:]]), measured([more])
    assert parts.same.tolist() == whole.same.tolist()
    assert parts.positions.tolist() == whole.positions.tolist() == [192, 192]
    assert measured(None).same.tolist() == measured([inputs]).same.tolist() != whole.same.tolist()
    with pytest.raises(ValueError, match="samples is empty"):
        measured([])


def test_the_table_has_a_line_per_rate_and_activation():
    analysis = measure_range(mlp(), functional.cross_entropy, *digits(), rates=FEW)
    table = analysis.table()
    assert table["learning_rate"].tolist() == np.repeat(FEW, 2).tolist()
    assert table["layer"].tolist() == ["2", "6"] * 3
    assert table["temperature"].to_numpy().reshape(3, 2) == pytest.approx(analysis.temperatures)
    assert table.groupby("learning_rate")["temperature"].mean().to_numpy() == pytest.approx(analysis.mean)


def test_sigma_is_constant_while_digits_are_learnt():
    """A small perceptron on the digits: the curve rises and fits, sigma stays and mu falls."""
    network = mlp()
    inputs, targets = digits(1024)
    fits = []
    for steps in (0, 200):
        train(network, torch.optim.SGD(network.parameters(), lr=0.1), steps)
        analysis = learning_rate_range(network, functional.cross_entropy, inputs, targets)
        assert (np.diff(analysis.mean) > -0.05).all()
        fits.append(analysis.fit)
    first, later = fits
    assert first.sigma == pytest.approx(1.13, abs=0.1)
    assert later.sigma == pytest.approx(first.sigma, rel=0.2)
    assert later.mu < first.mu - 0.3
    assert max(first.residual, later.residual) < 0.04
    assert all(not each.notes for each in fits)
    assert not later.drift(first)


@pytest.mark.parametrize("part", [slice(18, 25), slice(0, 5)], ids=["too high", "too low"])
def test_a_grid_is_widened_until_the_curve_is_on_it(part):
    """In the grid's own steps, so what is measured lies on Table 1 again; the fit becomes that of the whole table."""
    network, data = mlp(), digits()
    narrow = RATES[part]
    with pytest.raises(ValueError, match=r"flat|jumps"):
        learning_rate_range(network, functional.cross_entropy, *data, rates=narrow)
    widened = learning_rate_range(network, functional.cross_entropy, *data, rates=narrow, widen=True)
    whole = learning_rate_range(network, functional.cross_entropy, *data, widen=True)
    assert pytest.approx(RATES) == whole.rates
    assert len(widened.rates) < 25
    shared = np.isclose(whole.rates[:, None], widened.rates).any(1)
    assert shared.sum() == len(widened.rates)
    assert np.abs(whole.mean[shared] - widened.mean).max() < 0.05  # rates differ in their last digit
    assert widened.fit.sigma == pytest.approx(whole.fit.sigma, rel=0.2)


def test_samples_that_can_be_read_only_once_are_widened_too():
    """Whatever is given by place rather than by name."""
    inputs, targets = digits()
    given = (functional.cross_entropy, inputs, targets, None, RATES[18:])
    batches = inputs.split(100)
    once = learning_rate_range(mlp(), *given, iter(batches), widen=True)
    often = learning_rate_range(mlp(), *given, batches, widen=True)
    assert len(once.rates) > 7
    assert once.same.tolist() == often.same.tolist()


def test_a_network_may_write_into_its_batch():
    class Halving(nn.Module):
        def __init__(self, inplace):
            super().__init__()
            self.body, self.inplace = mlp(), inplace

        def forward(self, inputs):
            return self.body(inputs.mul_(0.5) if self.inplace else inputs * 0.5)

    inputs, targets = digits()
    before = inputs.clone()
    one, two = (
        measure_range(Halving(inplace), functional.cross_entropy, inputs, targets, rates=FEW)
        for inplace in (True, False)
    )
    assert torch.equal(inputs, before)
    assert one.same.tolist() == two.same.tolist()


def test_analyses_of_different_samples_do_not_join():
    one, two = (measure_range(mlp(), functional.cross_entropy, *digits(count), rates=FEW) for count in (32, 64))
    with pytest.raises(ValueError, match="do not join"):
        one.joined(two)


def test_learning_rates_that_diverge_are_left_out():
    class Exploding(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = mlp()

        def forward(self, inputs):
            hidden = self.body[:5](inputs)
            grown = hidden * torch.where(hidden.abs().amax() > 10, torch.nan, 1.0)
            return self.body[5:](grown)

    network = Exploding()
    with pytest.warns(ModelWarning, match="gives NaN after a step at .*100: these learning rates are left out"):
        analysis = measure_range(network, functional.cross_entropy, *digits())
    assert 100.0 in analysis.diverged
    assert 3 < len(analysis.rates) < 25
    assert np.isfinite(analysis.temperatures).all()
    assert analysis.fit.points == len(analysis.rates)
    low = analysis.rates[analysis.mean < 0.5]
    widened = learning_rate_range(network, functional.cross_entropy, *digits(), rates=low, widen=True)
    assert low.max() < widened.rates.max() < min(analysis.diverged) * 1.01
    with torch.no_grad():
        network.body[1].bias += 1e4
    told = pytest.raises(ValueError, match="NaN in the activations at every learning rate")
    with told:
        measure_range(network, lambda outputs, targets: outputs.nan_to_num().sum(), *digits())


def test_learning_rates_beyond_which_all_diverge_are_told_and_counted():
    class Fragile(Counted):
        farthest = None

        def forward(self, inputs):
            moved = (self.network[1].weight.detach() - self.start).abs().amax()
            return super().forward(inputs * torch.where(moved > self.farthest, torch.nan, 1.0))

    network, data = Fragile(mlp()), digits()
    network.start, network.farthest = network.network[1].weight.detach().clone(), torch.tensor(torch.inf)
    functional.cross_entropy(network(data[0]), data[1]).backward()
    network.farthest = network.network[1].weight.grad.abs().amax() * RATES[5] * 1.01
    network.zero_grad()
    network.passes = 0
    analysis = measure_range(network, functional.cross_entropy, *data, rates=RATES[:6], widen=True)
    assert analysis.rates.tolist() == RATES[:6].tolist()
    assert analysis.diverged == pytest.approx(RATES[6:12])
    assert analysis.passes(1) == network.passes + 2 * 2


def test_a_classifier_that_starts_at_zero_is_told():
    """Fixup's first step changes the last layer only, so no pattern changes."""
    inputs = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match=r"flat: .* is 0 to 0 .* \(Fixup\)"):
        learning_rate_range(
            build("resnet32_fixup", 10, 3, 8, 0), functional.cross_entropy, inputs, torch.arange(4), rates=FEW
        )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"rates": (0.1, 1.0)}, "at least 3 learning rates"),
        ({"rates": (0.0, 0.1, 1.0)}, "rates has 0, should be learning rates above 0"),
        ({"rates": (0.1, 0.1, 1.0)}, "should rise"),
        ({"network": nn.Sequential(nn.Flatten(), nn.Linear(64, 10))}, "no measurable activation"),
        ({"activations": ("relu7",)}, "activations has 'relu7', should be of relu"),
        ({"loss": lambda outputs, targets: outputs.sum() * torch.nan}, "the loss is nan"),
        ({"optimiser": torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)}, "no parameter of the optimiser"),
        ({"optimiser": torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.0)}, "group 0 is 0.0, should be above 0"),
    ],
)
def test_bad_input_is_told(changed, told):
    inputs, targets = digits()
    settings = {"network": mlp(), "loss": functional.cross_entropy, "inputs": inputs, "targets": targets, "rates": FEW}
    with pytest.raises(ValueError, match=told), warnings.catch_warnings():
        warnings.simplefilter("error")
        learning_rate_range(**{**settings, **changed})
