"""The last layer of a network: which filters of the layer before it speak for which class, by its weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn

from filterscope.data.networks.layers import evaluating
from filterscope.data.networks.settings import NetworkSettings

FOR, AGAINST = 5, 3  # classes of a filter that are told: those of the largest weights, and of the least


def head_weights(network: nn.Module, layer: str, size: int) -> Tensor | None:
    """Weights [units, filters] of the network's last linear layer, where it takes this layer's maps or their means.

    Only maps [B, C, H, W] are followed into the head: of tokens and channels that come last, none.

    Seen in a forward pass of noise of size x size px: the last linear module or 1 x 1 convolution gets exactly the maps
    of the layer's last use, or their means, and has as many units as the network has outputs. None otherwise, as where
    another layer lies between.
    """
    seen: dict[str, Tensor] = {}
    last: list[tuple[nn.Module, Tensor]] = []

    def note_maps(module, given, output):
        seen["maps"] = output.detach().clone() if isinstance(output, Tensor) else torch.zeros(0)

    def note_head(module, given, output):
        last.append((module, given[0].detach().clone()))

    module = dict(network.named_modules(remove_duplicate=False))[layer]
    watched = [module.register_forward_hook(note_maps)]
    watched += [each.register_forward_hook(note_head) for each in network.modules() if _is_linear(each)]
    parameter = next(network.parameters(), torch.zeros(()))
    noise = torch.randn((2, 3, size, size), generator=torch.Generator().manual_seed(0))
    try:
        with evaluating(network), torch.no_grad():
            answer = network(noise.to(parameter.device, parameter.dtype))
    finally:
        for hook in watched:
            hook.remove()
    if not last or not isinstance(answer, Tensor) or seen["maps"].ndim != 4:
        return None
    head, given = last[-1]
    taken = seen["maps"] if given.ndim == 4 else seen["maps"].mean((2, 3))
    same = given.shape == taken.shape and torch.allclose(given, taken, rtol=1e-3, atol=1e-5)
    if not same or answer.ndim < 2 or answer.shape[1] != head.weight.shape[0]:
        return None
    return head.weight.detach().flatten(1).float()


def _is_linear(module: nn.Module) -> bool:
    if isinstance(module, nn.Conv2d):
        return module.kernel_size == (1, 1) and module.groups == 1
    return isinstance(module, nn.Linear)


def class_names(settings: NetworkSettings) -> Sequence[str] | None:
    """What the network's outputs are called, where its source tells."""
    if settings.source == "scenes_cnn":
        from filterscope.data.scenes.words import SHAPES

        return SHAPES
    if settings.source == "torchvision" and settings.weights:
        from torchvision.models import get_model_weights  # torchvision takes seconds to load

        return get_model_weights(settings.architecture)[settings.weights.rpartition(".")[2]].meta.get("categories")
    return None


def feeds_table(weights: Tensor | None, names: Sequence[str] | None) -> pa.Table:
    """The table `feeds` from weights [units, filters]; no rows where there are none. names: of the units."""
    lines = []
    for number, own in enumerate([] if weights is None else weights.T.cpu().numpy()):
        order = np.argsort(-own, kind="stable")
        chosen = order if len(order) <= FOR + AGAINST else np.r_[order[:FOR], order[-AGAINST:]]
        for rank, unit in enumerate(chosen.tolist()):
            called = names[unit] if names is not None and unit < len(names) else None
            lines.append((number, rank, unit, called, float(own[unit])))
    columns = list(zip(*lines, strict=True)) if lines else [[] for _ in range(5)]
    kinds = (pa.int64(), pa.int64(), pa.int64(), pa.string(), pa.float64())
    arrays = [pa.array(values, kind) for values, kind in zip(columns, kinds, strict=True)]
    return pa.table(arrays, names=["filter", "rank", "unit", "class", "weight"])
