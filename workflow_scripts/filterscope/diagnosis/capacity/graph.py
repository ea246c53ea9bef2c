"""The graph of a network: its layers and operations, how many outputs each has, and what they read.

torch.fx reads the graph of most networks without running them. Where control flow depends on the data it cannot, and
one forward pass is watched instead: every module's call and every function of torch that is called outside one.
Either way a module of torch.nn is one node, and modules of the user's own are looked into.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.fx.passes.shape_prop import ShapeProp
from torch.nn.modules.batchnorm import _BatchNorm

from filterscope.data.networks.layers import evaluating
from filterscope.diagnosis.capacity.graph_nodes import CONCATENATIONS, Node, Recorder, is_layer, shape_of
from filterscope.diagnosis.capacity.hooked_graph import watched
from filterscope.diagnosis.labelled import DiagnosisError

# What networks raise where they are run or read in a way that they do not take.
REFUSALS = (RuntimeError, ValueError, TypeError, AssertionError, IndexError)


@dataclass(frozen=True)
class Traced:
    """The nodes in the order of the forward pass, and how they were found: "graph" (torch.fx) or "run"."""

    nodes: tuple[Node, ...]
    found_by: str


def trace(network: nn.Module, shape: tuple[int, ...]) -> Traced:
    """The nodes that the network's output needs, for one sample of this shape.

    The network is read in eval mode, without gradients, and left as it was. Raises DiagnosisError where it cannot
    take such a sample, saying what it said, and where its output does not depend on the sample.
    """
    tensors = [*network.parameters(), *network.buffers()]
    sample = torch.zeros(1, *shape, device=tensors[0].device if tensors else "cpu")
    if tensors and tensors[0].is_floating_point():
        sample = sample.to(tensors[0].dtype)
    with evaluating(network), torch.no_grad():
        graph, reason = _symbolic(network)
        try:
            recorder = _of_graph(graph, sample) if graph is not None else watched(network, sample)
        except REFUSALS as error:
            raise DiagnosisError(f"the network cannot take a sample of shape {list(shape)}: {error}{reason}") from error
    nodes = recorder.needed()
    if not nodes:
        raise DiagnosisError("the network's output does not depend on its input: there is no layer to measure")
    return Traced(nodes, "run" if graph is None else "graph")


class _Tracer(torch.fx.Tracer):
    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return is_layer(module)


def _symbolic(network: nn.Module) -> tuple[torch.fx.GraphModule | None, str]:
    """The network's graph, or None and why torch.fx cannot read it."""
    try:
        graph = _Tracer().trace(network)
    except (torch.fx.proxy.TraceError, *REFUSALS, AttributeError, KeyError) as error:
        return None, f" (torch.fx cannot read it either: {error})"
    return torch.fx.GraphModule(network, graph), ""


def _of_graph(graph: torch.fx.GraphModule, sample: Tensor) -> Recorder:
    recorder, results = Recorder(), _Results(graph)
    results.propagate(sample)
    modules = dict(graph.named_modules(remove_duplicate=False))
    for node in graph.graph.nodes:
        inputs, shape = node.all_input_nodes, results.shapes.get(node)
        if node.op == "placeholder":
            if not recorder.made_by:  # further arguments have defaults
                recorder.made_by[node] = -1
        elif node.op == "get_attr":
            own = [results.parameters[node]] if node in results.parameters else []
            recorder.add(node, node.name, "parameter", [], own, shape)
        elif node.op == "call_module":
            module = modules[node.target]
            recorder.add(
                node,
                node.target,
                type(module).__name__,
                inputs,
                list(module.parameters()),
                shape,
                batch_norm=isinstance(module, _BatchNorm),
            )
        elif node.op in ("call_function", "call_method"):
            kind = node.target if isinstance(node.target, str) else node.target.__name__
            recorder.add(node, node.name, kind, inputs, [], shape, concatenates=kind in CONCATENATIONS)
        else:
            recorder.ends_with(inputs)
    return recorder


class _Results(ShapeProp):
    """Runs the graph on one sample and keeps the shapes of what its nodes put out, and its parameters."""

    def __init__(self, graph: torch.fx.GraphModule):
        super().__init__(graph)
        self.shapes: dict[torch.fx.Node, tuple[int, ...] | None] = {}
        self.parameters: dict[torch.fx.Node, nn.Parameter] = {}

    def run_node(self, node: torch.fx.Node):
        output = super().run_node(node)
        self.shapes[node] = shape_of(output)
        if isinstance(output, nn.Parameter):
            self.parameters[node] = output
        return output
