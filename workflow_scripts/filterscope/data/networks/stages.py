"""The layers of a network that are usually asked for: the ends of its stages."""

from __future__ import annotations

from torch import nn

from filterscope.data.networks.layers import LayerCall, list_layers
from filterscope.data.networks.passes import Size

QUARTERS = 4  # layers of a network whose maps all have one size: the ends of its quarters
POOLING = ("Pool", "Identity", "Flatten", "Dropout")  # kinds of layers that end no stage where there are others


def stage_ends(network: nn.Module, input_size: Size = 224) -> list[str]:
    """Names of the layers at the ends of a network's stages, in the order of the forward pass; at least one.

    A stage is what lies between two changes of the maps' size: of the modules in the network's trunk that put out maps
    of one size, its end is the last (`layer1` to `layer4` of a ResNet; the ReLUs before the poolings of a VGG). A
    network whose maps all have one size, as a ViT, has the ends of its quarters. Every name can be read with call -1.
    input_size: of the pictures, px. Raises LayerError where the network cannot take them, or no layer has maps.
    """
    return ends_among(network, list_layers(network, input_size))


def ends_among(network: nn.Module, layers: list[LayerCall]) -> list[str]:
    """The same of the layers that `list_layers` gave of this network."""
    last = {each.layer: each for each in layers}  # of several uses the last
    order = {name: place for place, name in enumerate(last)}
    sizes = {name: (each.height, each.width) for name, each in last.items() if each.height * each.width > 1}
    if not sizes:
        return list(last)[-1:]
    node, name = network, ""
    while True:
        children = sorted((each for each in _children(node, name, sizes) if each in sizes), key=order.get)
        containers = [each for each in children if any(network.get_submodule(each).children())]
        inner = _trunk(network, containers or _holders(node, name, sizes), sizes)
        if inner is not None and (not containers or _sizes_in(network, inner, sizes) > 1):
            node, name = network.get_submodule(inner), inner
            continue
        if len({sizes[each] for each in containers}) > 1:
            return _last_of_each_size(containers, sizes)
        blocks = [each for each in containers if _alike(network, each, containers)]
        if len(blocks) >= QUARTERS:
            return [blocks[(part + 1) * len(blocks) // QUARTERS - 1] for part in range(QUARTERS)]
        if inner is not None and _sizes_in(network, inner, sizes):
            node, name = network.get_submodule(inner), inner
            continue
        working = [each for each in children if not any(part in last[each].kind for part in POOLING)]
        return _last_of_each_size(working or children or list(sizes), sizes)


def _trunk(network: nn.Module, names: list[str], sizes: dict[str, tuple[int, int]]) -> str | None:
    """The module that has most of the weights of these modules, None where none has."""
    weights = {each: sum(part.numel() for part in network.get_submodule(each).parameters()) for each in names}
    heaviest = max(weights, key=weights.get, default=None)
    return heaviest if heaviest is not None and 2 * weights[heaviest] >= sum(weights.values()) else None


def _sizes_in(network: nn.Module, name: str, sizes: dict[str, tuple[int, int]]) -> int:
    """How many sizes of maps the children of a module put out, or of its heaviest child if they put out none."""
    node = network.get_submodule(name)
    found = {sizes[each] for each in _children(node, name, sizes) if each in sizes}
    if not found:
        inner = _trunk(network, _holders(node, name, sizes), sizes)
        return _sizes_in(network, inner, sizes) if inner is not None else 0
    return len(found)


def _holders(node: nn.Module, name: str, sizes: dict[str, tuple[int, int]]) -> list[str]:
    """Children with something in them that puts out maps."""
    names = [f"{name}.{each}".lstrip(".") for each, _ in node.named_children()]
    return [each for each in names if any(other.startswith(f"{each}.") for other in sizes)]


def _children(node: nn.Module, name: str, sizes: dict[str, tuple[int, int]]) -> list[str]:
    """Dotted names of a module's children, in the place of those that put out no maps what they hold."""
    found = []
    for each, child in node.named_children():
        path = f"{name}.{each}".lstrip(".")
        holds = path not in sizes and any(other.startswith(f"{path}.") for other in sizes)
        found += _children(child, path, sizes) if holds else [path]
    return found


def _alike(network: nn.Module, name: str, others: list[str]) -> bool:
    """Whether most of its neighbours are modules of its kind."""
    kind = type(network.get_submodule(name))
    return sum(type(network.get_submodule(each)) is kind for each in others) > len(others) / 2


def _last_of_each_size(names: list[str], sizes: dict[str, tuple[int, int]]) -> list[str]:
    ends = {sizes[name]: name for name in names}
    return sorted(ends.values(), key=names.index)
