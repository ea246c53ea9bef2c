"""The network that is trained: one of ActCooLR's by name, or any that a function of the user's returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import nn

from filterscope import provenance
from filterscope.temperature import networks


@dataclass(frozen=True)
class Choice:
    """Either `architecture`, a name of `networks.NETWORKS`, or `factory`, "module:function" or "file.py:function"."""

    architecture: str | None = None
    factory: str | None = None
    arguments: Mapping = field(default_factory=dict)

    def __post_init__(self):
        if (self.architecture is None) == (self.factory is None):
            raise ValueError(f"a network needs either an architecture or a factory, not {self}")

    @property
    def definition(self) -> tuple[str, str | None]:
        """The choice in writing, and a digest of the factory's file where it is one: what its networks depend on."""
        file = provenance.factory_file(self.factory) if self.factory else None
        return repr(self), provenance.contents(file) if file else None


def build(choice: Choice, shape: tuple[int, ...], classes: int, seed: int) -> nn.Module:
    """The network in train mode, with weights of its own for the seed.

    shape: of a sample, [C, H, W] or, for a factory, [d]. Raises ValueError for unknown names, for pictures that are not
    square, and for a network without a weight to train.
    """
    if choice.factory is not None:
        from filterscope.data.networks import building as built_networks  # which only factories need

        settings = built_networks.NetworkSettings(source="factory", factory=choice.factory, arguments=choice.arguments)
        network = built_networks.build(settings, seed).requires_grad_(True).train()
    else:
        if len(shape) != 3 or shape[1] != shape[2]:
            raise ValueError(f"samples are {list(shape)}, {choice.architecture} needs square pictures [C, S, S]")
        network = networks.build(choice.architecture, classes, shape[0], shape[1], seed)
    if not any(True for _ in network.parameters()):
        raise ValueError(f"the network of {choice.factory} has no weights to train")
    return network
