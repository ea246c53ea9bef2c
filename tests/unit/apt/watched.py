"""Small networks and batches that the tests of the monitor watch."""

import itertools

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
