"""The last layer of a network: which filters of the layer before it speak for which class, by its weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from filterscope.data.networks.layers import LayerError, Reader, evaluating, find_layer
from filterscope.data.networks.layouts import MOST_EXTRA
from filterscope.data.networks.passes import tensor_at, tensors_in
from filterscope.data.networks.settings import TRAINED, NetworkSettings

CLASS_TOKENS = 2  # first tokens that a head may take alone: of the class, and of the distillation
FOR, AGAINST = 5, 3  # classes of a filter that are told: those of the largest weights, and of the least


def head_weights(network: nn.Module, layer: str, size: int) -> Tensor | None:
    """Weights [units, filters] of the network's last linear layer, where it takes this layer's maps or what is read
    of them.

    Seen in a forward pass of noise of size x size px: the last linear module or 1 x 1 convolution gets exactly the maps
    of the layer's last use, their means, or, of tokens, those of the class or the mean of all; and it has as many units
    as the network has outputs. Channels may come first or last. A layer norm may lie between (ViT, Swin, ConvNeXt):
    then weights are those of the filters before it, up to a positive factor of each picture and place, by which it
    divides. None otherwise, as where another layer lies between.
    """
    output, answer, passed = _noise_passed(network, layer, size)
    if output is not None and not isinstance(output, Tensor):  # which of its tensors is read, watching tells
        try:
            output = tensor_at(output, Reader(network, layer, input_size=size).layout.path)
        except LayerError:
            return None
    heads = [each for each in passed if _is_linear(each[0])]
    if not heads or output is None or answer is None or answer.ndim < 2:
        return None
    head, given, _ = heads[-1]
    weights = head.weight.detach().flatten(1).float()
    if len(weights) not in (answer.shape[1], answer.shape[-1]):
        return None
    if _among(given, _taken(output)):
        return weights
    for norm, before, after in reversed(passed):
        if isinstance(norm, nn.LayerNorm) and _among(given, _taken(after)) and _among(before, _taken(output)):
            return _before(norm, weights)
    return None


def _noise_passed(
    network: nn.Module, layer: str, size: int
) -> tuple[object, Tensor | None, list[tuple[nn.Module, Tensor, Tensor]]]:
    """What a layer's last use puts out for noise of size x size px, what the network answers, and the linear layers and
    norms of the pass, with what they took and put out."""
    seen: dict[str, object] = {}
    passed: list[tuple[nn.Module, Tensor, Tensor]] = []

    def note_output(module, given, output):
        # A copy: what follows may work in place.
        seen["output"] = tree_map_only(Tensor, lambda tensor: tensor.detach().clone(), output)

    def note_passed(module, given, output):
        passed.append((module, given[0].detach().clone(), output.detach().clone()))

    watched = [find_layer(network, layer).register_forward_hook(note_output)]
    noted = (each for each in network.modules() if _is_linear(each) or isinstance(each, nn.LayerNorm))
    watched += [each.register_forward_hook(note_passed) for each in noted]
    parameter = next(network.parameters(), torch.zeros(()))
    noise = torch.randn((2, 3, size, size), generator=torch.Generator().manual_seed(0))
    try:
        with evaluating(network), torch.no_grad():
            answer = network(noise.to(parameter.device, parameter.dtype))
    finally:
        for hook in watched:
            hook.remove()
    return seen.get("output"), next((tensor for _, tensor in tensors_in(answer)), None), passed


def _before(norm: nn.LayerNorm, weights: Tensor) -> Tensor | None:
    """Weights of what a norm over filters takes, up to what it divides by, from weights of what it puts out."""
    if weights.shape[1:] != tuple(norm.normalized_shape):
        return None
    scaled = weights if norm.weight is None else weights * norm.weight.detach().float()
    return scaled - scaled.mean(1, keepdim=True)


def _among(given: Tensor, taken: Iterator[Tensor]) -> bool:
    return any(given.shape == each.shape and torch.allclose(given, each, rtol=1e-3, atol=1e-5) for each in taken)


def _taken(output: Tensor) -> Iterator[Tensor]:
    """What a head may take of an output: all of it, its mean over places, a token that stands for the picture."""
    yield output
    if output.ndim == 4:
        yield output.mean((2, 3))
        yield output.mean((1, 2))
    if output.ndim == 3:
        yield output.mean(1)
        yield from (output[:, place] for place in range(min(CLASS_TOKENS, output.shape[1])))
        yield from (output[:, first:].mean(1) for first in range(1, MOST_EXTRA + 1) if first < output.shape[1])
        yield output.mean(2)


def _is_linear(module: nn.Module) -> bool:
    if isinstance(module, nn.Conv2d):
        return module.kernel_size == (1, 1) and module.groups == 1
    return isinstance(module, nn.Linear)


def class_names(settings: NetworkSettings) -> Sequence[str] | None:
    """What the network's outputs are called, where its source tells."""
    if settings.source in TRAINED:
        from filterscope.data.scenes.words import SHAPES

        return SHAPES
    if settings.source == "torchvision" and settings.weights:
        from torchvision.models import get_model_weights  # torchvision takes seconds to load

        return get_model_weights(settings.architecture)[settings.weights.rpartition(".")[2]].meta.get("categories")
    return None


def feeds_table(weights: Tensor | None, names: Sequence[str] | None) -> pa.Table:
    """The table `feeds` from weights [units, filters]; no rows where there are none. names: of the units."""
    count = 0 if weights is None else weights.shape[1]
    values = np.zeros((0, 0), np.float32) if weights is None else np.ascontiguousarray(weights.T.cpu().numpy())
    units = np.argsort(-values, axis=1, kind="stable")
    if units.shape[1] > FOR + AGAINST:
        units = np.concatenate([units[:, :FOR], units[:, -AGAINST:]], 1)
    chosen = np.take_along_axis(values, units, 1) if count else values
    called = [names[unit] if names is not None and unit < len(names) else None for unit in units.reshape(-1).tolist()]
    ranks = units.shape[1]
    columns = {
        "filter": pa.array(np.repeat(np.arange(count), ranks), pa.int64()),
        "rank": pa.array(np.tile(np.arange(ranks), count), pa.int64()),
        "unit": pa.array(units.reshape(-1), pa.int64()),
        "class": pa.array(called, pa.string()),
        "weight": pa.array(chosen.reshape(-1).astype(np.float64), pa.float64()),
    }
    return pa.table(columns)
