"""The graph of a network: its layers and operations, how many outputs each has, and what they read.

torch.fx reads the graph of most networks without running them. Where control flow depends on the data it cannot, and
one forward pass is watched instead: every module's call and every function of torch that is called outside one.
Either way a module of torch.nn is one node, and modules of the user's own are looked into.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.fx.passes.shape_prop import ShapeProp
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode, resolve_name

from filterscope.diagnosis.labelled import DiagnosisError

CONCATENATIONS = ("cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack")


@dataclass(frozen=True)
class Node:
    """A layer or operation that depends on the network's input.

    shape: of its output without the batch. sources: places, among all nodes, of those that it reads; none where it
    reads the network's input only.
    """

    name: str
    kind: str
    parameters: int
    shape: tuple[int, ...]
    sources: tuple[int, ...] = ()
    concatenates: bool = False
    batch_norm: bool = False

    @property
    def outputs(self) -> int:
        """Values that one sample has here."""
        total = 1
        for length in self.shape:
            total *= length
        return total


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
    with _evaluating(network), torch.no_grad():
        graph, reason = _symbolic(network)
        try:
            recorder = _of_graph(graph, sample) if graph is not None else _of_run(network, sample)
        except (RuntimeError, ValueError, TypeError, AssertionError, IndexError, NotImplementedError) as error:
            raise DiagnosisError(f"the network cannot take a sample of shape {list(shape)}: {error}{reason}") from error
    nodes = recorder.needed()
    if not nodes:
        raise DiagnosisError("the network's output does not depend on its input: there is no layer to measure")
    return Traced(nodes, "run" if graph is None else "graph")


@contextlib.contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _is_layer(module: nn.Module) -> bool:
    """Whether a module is one node: those of torch.nn, but for the containers."""
    containers = (nn.Sequential, nn.TransformerEncoder, nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
    return module.__module__.startswith("torch.nn") and not isinstance(module, containers)


class _Recorder:
    """Nodes as they are met. A value is known by its key: the place of the node that made it, -1 for the network's
    input, and parameters that have not reached a node yet for what was computed from parameters alone."""

    def __init__(self) -> None:
        self.nodes: list[tuple[Node, dict[int, int]]] = []  # with the sizes of their parameters, by identity
        self.made_by: dict[object, int] = {}
        self.carried: dict[object, dict[int, int]] = {}  # of constants: sizes of their parameters, by identity
        self.output: set[int] = set()

    def add(self, key, name: str, kind: str, inputs: Sequence, own: Sequence[Tensor], output, **more) -> None:
        """One call: its inputs by key, the parameters that it owns, and what it put out."""
        places = [self.made_by[each] for each in inputs if each in self.made_by]
        sizes = {id(parameter): parameter.numel() for parameter in own}
        for each in inputs:
            sizes |= self.carried.get(each, {})
        if not places:
            self.carried[key] = sizes
            return
        shape = _shape(output)
        if shape is None:
            return  # a number, such as a size
        sources = tuple(dict.fromkeys(place for place in places if place >= 0))
        self.nodes.append((Node(name, kind, 0, shape, sources, **more), sizes))
        self.made_by[key] = len(self.nodes) - 1

    def ends_with(self, keys: Sequence) -> None:
        """What the network puts out."""
        self.output = {self.made_by[key] for key in keys if self.made_by.get(key, -1) >= 0}

    def needed(self) -> tuple[Node, ...]:
        """The nodes that the output depends on, their places counted anew; the first that uses a parameter holds it."""
        wanted: set[int] = set()
        waiting = list(self.output)
        while waiting:
            place = waiting.pop()
            if place not in wanted:
                wanted.add(place)
                waiting += self.nodes[place][0].sources
        places = {old: new for new, old in enumerate(sorted(wanted))}
        held: set[int] = set()
        found = []
        for old in places:
            node, sizes = self.nodes[old]
            parameters = sum(size for identity, size in sizes.items() if identity not in held)
            held |= set(sizes)
            sources = tuple(places[source] for source in node.sources)
            found.append(replace(node, parameters=parameters, sources=sources))
        return tuple(found)


def _shape(output) -> tuple[int, ...] | None:
    """Shape without the batch, of the first tensor in what a call returned; None where there is none.

    The batch is one sample: a first axis that is longer is none of the batch's (windows of Swin, places first).
    """
    if isinstance(output, Tensor):
        return tuple(output.shape[1:] if output.ndim and output.shape[0] == 1 else output.shape)
    if isinstance(output, dict):
        output = list(output.values())
    if isinstance(output, (tuple, list)):
        return next((shape for shape in map(_shape, output) if shape is not None), None)
    return None


# --- by torch.fx ----------------------------------------------------------------------------------------


class _Tracer(torch.fx.Tracer):
    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return _is_layer(module)


def _symbolic(network: nn.Module) -> tuple[torch.fx.GraphModule | None, str]:
    """The network's graph, or None and why torch.fx cannot read it."""
    try:
        graph = _Tracer().trace(network)
    except (torch.fx.proxy.TraceError, RuntimeError, TypeError, ValueError, AttributeError, AssertionError) as error:
        return None, f" (torch.fx cannot read it either: {error})"
    return torch.fx.GraphModule(network, graph), ""


def _of_graph(graph: torch.fx.GraphModule, sample: Tensor) -> _Recorder:
    recorder, results = _Recorder(), _Results(graph)
    results.propagate(sample)
    modules = dict(graph.named_modules(remove_duplicate=False))
    for node in graph.graph.nodes:
        inputs, output = node.all_input_nodes, results.seen.get(node)
        if node.op == "placeholder":
            if not recorder.made_by:  # further arguments have defaults
                recorder.made_by[node] = -1
        elif node.op == "get_attr":
            own = [output] if isinstance(output, nn.Parameter) else []
            recorder.add(node, node.name, "parameter", [], own, output)
        elif node.op == "call_module":
            module = modules[node.target]
            recorder.add(
                node,
                node.target,
                type(module).__name__,
                inputs,
                list(module.parameters()),
                output,
                batch_norm=isinstance(module, _BatchNorm),
            )
        elif node.op in ("call_function", "call_method"):
            kind = node.target if isinstance(node.target, str) else node.target.__name__
            recorder.add(node, node.name, kind, inputs, [], output, concatenates=kind in CONCATENATIONS)
        else:
            recorder.ends_with(inputs)
    return recorder


class _Results(ShapeProp):
    """Runs the graph and keeps what every node put out. Shapes are all that matters, so memory is that of the
    activations of one sample."""

    def __init__(self, graph: torch.fx.GraphModule):
        super().__init__(graph)
        self.seen: dict[torch.fx.Node, object] = {}

    def run_node(self, node: torch.fx.Node):
        self.seen[node] = super().run_node(node)
        return self.seen[node]


# --- by watching a forward pass -------------------------------------------------------------------------


def _of_run(network: nn.Module, sample: Tensor) -> _Recorder:
    recorder = _Recorder()
    watch = _Watch(recorder, network)
    recorder.made_by[watch.key(sample)] = -1
    with watch.hooked(), watch:
        output = network(sample)
    recorder.ends_with([watch.key(each) for each in _tensors(output)])
    return recorder


class _Watch(TorchFunctionMode):
    """Hands every call of a layer, and every function of torch outside layers, to the recorder."""

    def __init__(self, recorder: _Recorder, network: nn.Module):
        super().__init__()
        self.recorder = recorder
        self.names = {module: name for name, module in network.named_modules()}
        self.inside = 0  # layers that are being called
        self.kept: dict[int, Tensor] = {}  # so that no other tensor takes the identity of one that is gone
        self.calls = 0

    def key(self, tensor: Tensor) -> int:
        self.kept[id(tensor)] = tensor
        return id(tensor)

    @contextlib.contextmanager
    def hooked(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for module in self.names:
                if _is_layer(module):
                    stack.callback(module.register_forward_pre_hook(self._enter).remove)
                    stack.callback(module.register_forward_hook(self._leave, with_kwargs=True).remove)
            yield

    def _enter(self, module, _) -> None:
        self.inside += 1

    def _leave(self, module, given, named, output) -> None:
        self.inside -= 1
        if not self.inside:
            own = list(module.parameters())
            more = {"batch_norm": isinstance(module, _BatchNorm)}
            self._record(self.names[module], type(module).__name__, (given, named), own, output, **more)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        output = function(*args, **(kwargs or {}))
        if not self.inside and any(True for _ in _tensors(output)):
            kind = (resolve_name(function) or getattr(function, "__name__", "function")).split(".")[-1]
            self.calls += 1
            own = [each for each in _tensors((args, kwargs)) if isinstance(each, nn.Parameter)]
            more = {"concatenates": kind in CONCATENATIONS}
            self._record(f"{kind}_{self.calls}", kind, (args, kwargs), own, output, **more)
        return output

    def _record(self, name, kind, given, own, output, **more) -> None:
        inputs = [self.key(each) for each in _tensors(given)]
        outputs = [self.key(each) for each in _tensors(output)]
        if not outputs:
            return
        before = len(self.recorder.nodes)
        self.recorder.add(outputs[0], name, kind, inputs, own, output, **more)
        for other in outputs[1:]:  # of several outputs all come from the one node
            if len(self.recorder.nodes) > before:
                self.recorder.made_by[other] = self.recorder.made_by[outputs[0]]


def _tensors(value) -> Iterator[Tensor]:
    """Every tensor in nested tuples, lists and mappings."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _tensors(each)
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _tensors(each)
