"""Optimisers that leave PyTorch's compiler alone compute what PyTorch's do, and torch.compile works beside them."""

import os
import re
import subprocess
import sys
import textwrap

import dadaptation
import pytest
import schedulefree
import torch
from torch import nn
from torch.nn import functional
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.optimizer import register_optimizer_step_post_hook

from filterscope import eager_optimisers
from filterscope.eager_optimisers import eager

KINDS = {
    "sgd": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 1e-3, "nesterov": True}),
    "adam": (torch.optim.Adam, {"lr": 0.01}),
    "adamw": (torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
    "amsgrad": (torch.optim.AdamW, {"lr": 0.01, "amsgrad": True, "foreach": True}),
    "dadapt_adam": (dadaptation.DAdaptAdam, {"lr": 1.0}),
    "free_sgd": (schedulefree.SGDScheduleFree, {"lr": 0.1, "momentum": 0.9, "warmup_steps": 3}),
    "free_adamw": (schedulefree.AdamWScheduleFree, {"lr": 0.01, "warmup_steps": 3}),
}


def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


def made(kind, settings, model):
    """An optimiser that is ready to train, which Schedule-Free must be told."""
    optimiser = kind(model.parameters(), **settings)
    if hasattr(optimiser, "train"):
        optimiser.train()
    return optimiser


def steps(model, optimiser, count=7, first=0, closure=False):
    """Train for so many steps; the batch of every step is drawn by its number."""
    for step in range(first, first + count):
        chance = torch.Generator().manual_seed(step)
        values, labels = torch.randn(16, 6, generator=chance), torch.randint(3, (16,), generator=chance)

        def loss(values=values, labels=labels):
            optimiser.zero_grad(set_to_none=True)
            found = functional.cross_entropy(model(values), labels)
            found.backward()
            return found

        if closure:
            optimiser.step(loss)
        else:
            loss()
            optimiser.step()


def same(one, other):
    """Whether two nested states hold the same bits."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def trained(kind, settings, **how):
    model = network()
    optimiser = made(kind, settings, model)
    steps(model, optimiser, **how)
    return model.state_dict(), optimiser.state_dict()


@pytest.mark.parametrize("name", KINDS)
def test_steps_are_the_same_to_the_bit(name):
    kind, settings = KINDS[name]
    assert same(trained(eager(kind), settings), trained(kind, settings))


@pytest.mark.parametrize("name", ["sgd", "adamw", "free_sgd"])
def test_closures_have_gradients(name):
    kind, settings = KINDS[name]
    assert same(trained(eager(kind), settings, closure=True), trained(kind, settings, closure=True))


@pytest.mark.parametrize("name", KINDS)
def test_a_state_goes_from_one_to_the_other_and_on(name):
    """So that a checkpoint of the one is taken up by the other."""
    kind, settings = KINDS[name]
    whole, state = trained(kind, settings, count=9)
    for first, second in ((kind, eager(kind)), (eager(kind), kind)):
        weights, half = trained(first, settings, count=4)
        model = network()
        model.load_state_dict(weights)
        optimiser = made(second, settings, model)
        optimiser.load_state_dict(half)
        steps(model, optimiser, count=5, first=4)
        assert same((model.state_dict(), optimiser.state_dict()), (whole, state))


def test_schedules_steer_them():
    rates = []
    for kind in (torch.optim.AdamW, eager_optimisers.AdamW):
        model = network()
        optimiser = kind(model.parameters(), lr=0.01)
        schedule = OneCycleLR(optimiser, 0.01, total_steps=6)
        for step in range(5):
            steps(model, optimiser, 1, step)
            schedule.step()
        rates.append((optimiser.param_groups[0]["lr"], model.state_dict()))
    assert same(*rates)


def test_hooks_are_called_once_per_step():
    """The monitor of temperatures is told of steps by PyTorch's hooks; a kind that has been used before is not hooked
    twice.
    """
    trained(*KINDS["sgd"])
    own, all_of_them = [], []
    model = network()
    optimiser = eager.__wrapped__(torch.optim.SGD)(model.parameters(), lr=0.1)
    optimiser.register_step_post_hook(lambda *told: own.append(told))
    handle = register_optimizer_step_post_hook(lambda *told: all_of_them.append(told))
    try:
        steps(model, optimiser, 3)
    finally:
        handle.remove()
    assert len(own) == len(all_of_them) == 3


def test_a_kind_is_made_once_and_is_one_of_pytorchs():
    assert eager(torch.optim.SGD) is eager_optimisers.SGD
    assert issubclass(eager_optimisers.AdamW, torch.optim.AdamW)
    assert eager_optimisers.AdamW.__name__ == "AdamW"
    assert "AdamW (" in repr(eager_optimisers.AdamW(network().parameters()))


def test_pytorchs_own_classes_keep_their_shields():
    assert torch.optim.Optimizer.zero_grad is not eager_optimisers.SGD.zero_grad
    assert hasattr(torch.optim.Optimizer.zero_grad, "__wrapped__")
    assert "step" not in vars(torch.optim.AdamW) or torch.optim.AdamW.step is not eager_optimisers.AdamW.step


def test_steps_that_keep_gradients_are_refused():
    optimiser = eager_optimisers.SGD(network().parameters(), lr=0.1, differentiable=True)
    with pytest.raises(ValueError, match=r"SGD: differentiable=True needs the optimiser of torch\.optim"):
        optimiser.step()


def run(program, repository):
    """What a program prints that a fresh Python runs, with the library at hand."""
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": str(repository / "workflow_scripts"), "OMP_NUM_THREADS": "1"},
        cwd=repository,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout.split()


@pytest.mark.slow
def test_the_compiler_is_loaded_when_somebody_compiles_and_works(repository):
    """After trainings without it: a compiled network, trained by either kind, ends as one that is not compiled."""
    program = """
        import sys
        import dadaptation, schedulefree, torch
        from torch.nn import functional
        from filterscope.eager_optimisers import SGD, AdamW, eager

        def trained(kind, wrap=lambda network: network, **settings):
            torch.manual_seed(0)
            network = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
            called, optimiser = wrap(network), kind(network.parameters(), **settings)
            optimiser.load_state_dict(optimiser.state_dict())
            if hasattr(optimiser, "train"):
                optimiser.train()
            for step in range(5):
                optimiser.zero_grad()
                functional.cross_entropy(called(torch.ones(8, 4) * step), torch.arange(8) % 3).backward()
                optimiser.step()
            return [each.detach().clone() for each in network.parameters()]

        eager_kinds = (SGD, AdamW, eager(dadaptation.DAdaptAdam), eager(schedulefree.SGDScheduleFree))
        plain = [trained(kind, lr=0.1) for kind in eager_kinds]
        print("torch._dynamo" in sys.modules)

        graphs = []
        def backend(graph, inputs):
            graphs.append(graph)
            return graph.forward

        compiled = [trained(kind, lambda net: torch.compile(net, backend=backend), lr=0.1) for kind in eager_kinds]
        print("torch._dynamo" in sys.modules, len(graphs) > 0)
        print(all(torch.equal(a, b) for one, other in zip(plain, compiled) for a, b in zip(one, other)))

        before = len(graphs)
        torch.compiler.reset()
        theirs = trained(torch.optim.SGD, lambda net: torch.compile(net, backend=backend), lr=0.1)
        print(len(graphs) > before, all(torch.equal(a, b) for a, b in zip(theirs, plain[0])))

        # Whole training steps, compiled: PyTorch's optimisers still have their shields.
        def whole(kind):
            torch.manual_seed(0)
            network = torch.nn.Linear(4, 3)
            optimiser = kind(network.parameters(), lr=0.1)
            step = torch.compile(optimiser.step, backend="eager")
            for number in range(3):
                optimiser.zero_grad()
                network(torch.ones(2, 4) * number).square().sum().backward()
                step()
            return [each.detach().clone() for each in network.parameters()]

        print(all(torch.allclose(a, b) for a, b in zip(whole(torch.optim.SGD), whole(SGD))))
    """
    assert run(program, repository) == ["False", "True", "True", "True", "True", "True", "True"]


@pytest.mark.slow
def test_no_training_loads_the_compiler(repository):
    """Those of data sets, scaled networks and explainers, and every schedule with its range analysis."""
    program = """
        import sys, warnings
        from functools import partial
        import numpy as np, torch
        from torch import nn
        from torch.nn import functional
        from filterscope.apt import scheduling
        from filterscope.apt.learning_rates import measure_range
        from filterscope.data.samples.labelled_samples import split_off
        from filterscope.diagnosis.complexity.autoencoder import AutoencoderSettings, encode
        from filterscope.diagnosis.scaled.settings import ScaledTrainingSettings
        from filterscope.diagnosis.scaled.training import train as train_scaled
        from filterscope.temperature import material, training
        from tests.unit.words.explaining import learning

        warnings.simplefilter("ignore")
        said = lambda: print("torch._dynamo" in sys.modules)
        chance = np.random.default_rng(0)
        values, labels = chance.random((24, 1, 4, 4), np.float32), np.arange(24) % 3
        build = lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))

        encode(values.reshape(24, 16), AutoencoderSettings(codes=2, epochs=1), 0)
        train_scaled(build, values, labels, ScaledTrainingSettings(1, 8, 0.01, 0.0), 0)
        said()
        loss = functional.cross_entropy
        measure_range(build(), loss, torch.from_numpy(values), torch.from_numpy(labels))
        said()
        data = material.prepare(split_off((255 * values).astype(np.uint8), labels, ("a", "b", "c"), 0.2, 0), 0.2, 0)
        settings = training.ScheduledTrainingSettings(1, 8, 0.0, every=1, analysed=16, validation=0.2)
        mild = {"learning_rate": 0.05, "initial_temperature": 1.0, "temperature_rate": 0.01}
        for method in scheduling.METHODS:
            training.train(build(), data, scheduling.ScheduleSettings(method, **mild), settings, 0)
        said()
        for each in learning.SETTINGS.values():
            learning.trained(each)
        said()
    """
    assert run(program, repository) == ["False"] * 4


def test_no_other_module_makes_an_optimiser_of_pytorchs(repository):
    """Their first one would load the compiler for a job that compiles nothing."""
    makes = re.compile(r"\b(optim|schedulefree|dadaptation)\.[A-Z]\w+\(")
    imports = re.compile(r"from torch\.optim import (.+)")
    wrong = []
    for path in sorted((repository / "workflow_scripts").rglob("*.py")):
        if path.name == "eager_optimisers.py":
            continue
        code = re.sub(r'"""(?s:.)*?"""', "", path.read_text())
        names = {name.strip() for line in imports.findall(code) for name in line.split(",")}
        if makes.search(code) or names - {"Optimizer", "lr_scheduler"}:
            wrong.append(str(path.relative_to(repository)))
    assert wrong == []
