"""Capacity of a network in bits, by four rules (Debugger, 3.2).

1. A neuron puts out at most one bit. 2. It holds as many bits as it has parameters. 3. Neurons side by side add up.
4. A layer holds no more than the layers before it let through. So a layer holds min(parameters, what reaches it), lets
through min(outputs, what reaches it), and the network holds the sum. What reaches a layer is the maximum over the
layers before it (their outputs are added up or compete), or their sum where they are concatenated. Nothing limits the
network's input, nor what has only been reshaped or rescaled of it: there no neuron has put out a bit yet.

The printed algorithm differs in two places: a layer's outputs are the sum of its shape, where their number is
the product, and one running minimum is taken over all layers in their order, across branches. Both are computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd
from torch import nn

from filterscope.diagnosis.capacity.graph import trace
from filterscope.diagnosis.capacity.graph_nodes import Node
from filterscope.diagnosis.labelled import DiagnosisError

BATCH_NORMS = ("folded", "counted")


@dataclass(frozen=True)
class LayerCapacity:
    """One layer or operation. reaching and passing: bits that reach it and that it lets through, None where nothing
    limits them; printed: by the algorithm as it is printed."""

    name: str
    kind: str
    parameters: int
    outputs: int
    reaching: int | None
    capacity: int
    passing: int | None
    printed: int


@dataclass(frozen=True)
class NetworkCapacity:
    """All layers in the order of the forward pass; how they were found ("graph" or "run"); parameters: of the network,
    those of folded batch norms among them."""

    layers: tuple[LayerCapacity, ...]
    found_by: str
    parameters: int

    @property
    def bits(self) -> int:
        """What the network holds."""
        return sum(layer.capacity for layer in self.layers)

    @property
    def printed(self) -> int:
        """What the algorithm as it is printed says."""
        return sum(layer.printed for layer in self.layers)


def network_capacity(network: nn.Module, shape: Sequence[int], batch_norm: str = "folded") -> NetworkCapacity:
    """Capacity of a network whose input is one sample of this shape, (C, H, W) or (d,).

    batch_norm: "folded" into the layer before it, where it holds nothing of its own, or "counted". A module that is
    used several times holds its parameters once. The network's mode, hooks and parameters stay as they are; its
    parameters may be on the meta device. Raises DiagnosisError as `trace` does.
    """
    if batch_norm not in BATCH_NORMS:
        raise DiagnosisError(f"batch_norm is {batch_norm!r}, should be one of {', '.join(BATCH_NORMS)}")
    traced = trace(network, tuple(shape))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return NetworkCapacity(capacities(traced.nodes, batch_norm == "folded"), traced.found_by, parameters)


def capacities(nodes: Sequence[Node], folded: bool = True) -> tuple[LayerCapacity, ...]:
    """The four rules over nodes in the order of the forward pass; folded: batch norms hold nothing."""
    passing: list[float] = []
    printed_passing: list[float] = []
    bottleneck, layers = math.inf, []
    for node in nodes:
        parameters = 0 if folded and node.batch_norm else node.parameters
        unlimited = [math.inf] if node.reads_input else []
        before = [passing[source] for source in node.sources] + unlimited
        reaching = sum(before) if node.concatenates else max(before)
        untouched = math.isinf(reaching) and not parameters
        passing.append(math.inf if untouched else min(node.outputs, reaching))
        # The printed algorithm: the largest of the layers before it, and one bottleneck for all that come after.
        printed_reaching = max([printed_passing[source] for source in node.sources] + unlimited)
        bottleneck = min(bottleneck, sum(node.shape))
        printed_passing.append(bottleneck)
        layers.append(
            LayerCapacity(
                name=node.name,
                kind=node.kind,
                parameters=parameters,
                outputs=node.outputs,
                reaching=None if math.isinf(reaching) else int(reaching),
                capacity=int(min(parameters, reaching)),
                passing=None if untouched else int(passing[-1]),
                printed=int(min(parameters, printed_reaching)),
            )
        )
    return tuple(layers)


def layer_rows(found: NetworkCapacity) -> pd.DataFrame:
    """The layers as rows of the table `layer_capacities`."""
    rows = pd.DataFrame([asdict(layer) for layer in found.layers]).rename(columns={"name": "layer"})
    unlimited = {column: rows[column].astype("Int64") for column in ("reaching", "passing")}
    return rows.assign(number=range(len(rows)), **unlimited)
