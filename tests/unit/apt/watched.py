"""Small networks, batches and optimisers that the tests of the monitor watch."""

import itertools
import random

import numpy as np
import torch
from torch import nn


def seeded(build):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build()


def pictures(count=4, channels=3, side=32, seed=0):
    return torch.randn(count, channels, side, side, generator=torch.Generator().manual_seed(seed))


def mlp(*activations):
    chosen = activations or (nn.ReLU(), nn.ReLU())

    def build():
        layers = itertools.chain(*((nn.Linear(8, 8), each) for each in chosen))
        return nn.Sequential(*layers, nn.Linear(8, 3))

    return seeded(build)


def vectors(count=32, seed=0):
    return torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))


def shake(network, amount=0.1):
    """A change of all weights."""
    chance = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(amount * torch.randn(parameter.shape, generator=chance))


def touch(network):
    """A step that changes nothing: all parameters are written with what they hold."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1)


def hooks(network):
    count = sum(len(each._forward_hooks) + len(each._forward_pre_hooks) for each in network.modules())
    return count + torch._C._len_torch_function_stack()


def sgd(network, rate=0.1):
    return torch.optim.SGD(network.parameters(), lr=rate)


def loss_of(network, batch=None):
    return network(vectors() if batch is None else batch).square().mean()


def _hidden():
    generator = np.random.default_rng(3)
    return lambda shape: generator.normal(size=shape)


class Noise(nn.Module):
    """Adds noise from somewhere, and counts its passes."""

    def __init__(self, source):
        super().__init__()
        self.body, self.source, self.passes, self.seen = mlp(), source, 0, []
        self.own = {
            "torch's own": torch.Generator().manual_seed(1),
            "NumPy's own": np.random.default_rng(1),
            "old NumPy's own": np.random.RandomState(1),
            "Python's own": [random.Random(1)],
        }
        self.hidden = _hidden()

    def forward(self, inputs):
        self.passes += 1
        self.seen.append(len(inputs))
        shape = tuple(inputs.shape)
        noise = {
            "torch": lambda: torch.randn(shape),
            "NumPy": lambda: np.random.normal(size=shape),  # noqa: NPY002 - as networks do
            "Python": lambda: np.array([[random.gauss(0, 1) for _ in range(shape[1])] for _ in range(shape[0])]),
            "torch's own": lambda: torch.randn(shape, generator=self.own["torch's own"]),
            "NumPy's own": lambda: self.own["NumPy's own"].normal(size=shape),
            "old NumPy's own": lambda: self.own["old NumPy's own"].normal(size=shape),
            "Python's own": lambda: np.array(
                [[self.own["Python's own"][0].gauss(0, 1) for _ in range(shape[1])] for _ in range(shape[0])]
            ),
            "hidden": lambda: self.hidden(shape),
        }[self.source]()
        return self.body(inputs + torch.as_tensor(noise, dtype=torch.float32))
