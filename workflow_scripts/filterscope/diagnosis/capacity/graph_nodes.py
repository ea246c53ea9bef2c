"""What the graph of a network is made of: layers and operations, and how they are noted down in the forward pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

CONCATENATIONS = ("cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack")


@dataclass(frozen=True)
class Node:
    """A layer or operation that depends on the network's input.

    shape: of its output without the batch. sources: places, among all nodes, of those that it reads. reads_input:
    whether it reads the network's input, perhaps beside them.
    """

    name: str
    kind: str
    parameters: int
    shape: tuple[int, ...]
    sources: tuple[int, ...] = ()
    reads_input: bool = False
    concatenates: bool = False
    batch_norm: bool = False

    @property
    def outputs(self) -> int:
        """Values that one sample has here."""
        total = 1
        for length in self.shape:
            total *= length
        return total


def is_layer(module: nn.Module) -> bool:
    """Whether a module is one node: those of torch.nn, but for the containers."""
    containers = (nn.Sequential, nn.TransformerEncoder, nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
    return module.__module__.startswith("torch.nn") and not isinstance(module, containers)


class Recorder:
    """Nodes as they are met. A value is known by its key: the place of the node that made it, -1 for the network's
    input, and parameters that have not reached a node yet for what was computed from parameters alone."""

    def __init__(self) -> None:
        self.nodes: list[tuple[Node, dict[int, int]]] = []  # with the sizes of their parameters, by identity
        self.made_by: dict[object, int] = {}
        self.carried: dict[object, dict[int, int]] = {}  # of constants: sizes of their parameters, by identity
        self.output: set[int] = set()

    def add(self, key, name: str, kind: str, inputs: Sequence, own: Sequence[Tensor], shape, **more) -> None:
        """One call: its inputs by key, the parameters that it owns, and the shape of what it put out, if it has one."""
        places = [self.made_by[each] for each in inputs if each in self.made_by]
        sizes = {id(parameter): parameter.numel() for parameter in own}
        for each in inputs:
            sizes |= self.carried.get(each, {})
        if not places:
            self.carried[key] = sizes
            return
        if shape is None:
            return  # a number, such as a size
        sources = tuple(dict.fromkeys(place for place in places if place >= 0))
        self.nodes.append((Node(name, kind, 0, shape, sources, -1 in places, **more), sizes))
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


def shape_of(output) -> tuple[int, ...] | None:
    """Shape without the batch, of the first tensor in what a call returned; None where there is none.

    The batch is one sample: a first axis that is longer is none of the batch's (windows of Swin, places first).
    """
    if isinstance(output, Tensor):
        return tuple(output.shape[1:] if output.ndim and output.shape[0] == 1 else output.shape)
    if isinstance(output, dict):
        output = list(output.values())
    if isinstance(output, (tuple, list)):
        return next((shape for shape in map(shape_of, output) if shape is not None), None)
    return None


def tensors(value) -> Iterator[Tensor]:
    """Every tensor in nested tuples, lists and mappings."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from tensors(each)
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from tensors(each)
