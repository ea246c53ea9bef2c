"""Codes of pictures: what a network holds of them just before its output units (MFV, 3.2.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from filterscope.data.networks.building import normalise
from filterscope.data.networks.layers import LayerError, Reader, find_layer
from filterscope.data.networks.settings import InputSettings

WEIGHTED = (nn.Conv2d, nn.Linear)

# Pictures uint8 [B, 3, crop, crop] to codes [B, d] and the means of the probe's maps [B, units].
Coder = Callable[[Tensor], tuple[Tensor, Tensor]]


@contextmanager
def coding(
    network: nn.Module, reader: Reader, inputs: InputSettings, device: torch.device, layer: str | None = None
) -> Iterator[Coder]:
    """Codes and activations of pictures from one forward pass.

    layer: whose output is the code; None for the penultimate vector, the input of the last convolution or linear layer
    that the reader's layer needs: fc7 after its ReLU in AlexNet, CaffeNet and VGG, the pooled maps of ResNet and
    GoogLeNet. Codes of maps are means over positions (SqueezeNet). Raises LayerError where the layer is not there, or
    is not used before the reader's.
    """
    if layer is None:
        module = _last_weighted(network, reader, torch.zeros(1, 3, inputs.crop, inputs.crop, device=device))
    else:
        module = find_layer(network, layer)
    caught: list[Tensor] = []

    def keep_input(_, given):
        caught[:] = [_pooled(given[0], last=isinstance(module, nn.Linear))]

    def keep_output(_, __, output):
        caught[:] = [_pooled(output, last=isinstance(module, nn.Linear))]

    if layer is None:
        handle = module.register_forward_pre_hook(keep_input)
    else:
        handle = module.register_forward_hook(keep_output, prepend=True)  # before the reader's own, which ends the pass

    def codes(pictures: Tensor) -> tuple[Tensor, Tensor]:
        caught.clear()
        with torch.inference_mode():
            maps = reader(normalise(pictures.to(device), inputs)).float()
            if not caught:
                raise LayerError(f"layer {layer!r} is not used before layer {reader.layer!r}: it gives no codes")
            return caught.pop(), maps.mean((2, 3))

    try:
        yield codes
    finally:
        handle.remove()


def _last_weighted(network: nn.Module, reader: Reader, black: Tensor) -> nn.Module:
    """The last convolution or linear layer whose use begins before the reader's layer has put out its maps."""
    used: list[nn.Module] = []
    modules = [module for module in network.modules() if isinstance(module, WEIGHTED)]
    handles = [module.register_forward_pre_hook(lambda module, _: used.append(module)) for module in modules]
    try:
        with torch.inference_mode():
            reader(black)
    finally:
        for handle in handles:
            handle.remove()
    if not used:
        raise LayerError(f"no convolution or linear layer comes before layer {reader.layer!r}: name a layer of codes")
    return used[-1]


def _pooled(values: Tensor, last: bool) -> Tensor:
    """[B, d] float32 of vectors, of maps [B, d, h, w], or of [B, ..., d] where the channels come last."""
    values = values.float()
    if values.ndim > 2:
        values = values.flatten(1, -2).mean(1) if last else values.flatten(2).mean(2)
    return values.clone()
