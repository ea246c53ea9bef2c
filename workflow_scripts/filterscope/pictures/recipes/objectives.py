"""What a picture is made to excite: a filter everywhere, at one position, or an output unit (Amirli, 2.1; MFV, 3.2.1).

Normalisation is part of what is differentiated, so pictures, steps and clipping keep their meaning in pixels and
the network's standard deviations enter through the gradient (MFV, 4.5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from filterscope.data.networks.layers import LayerError, Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.pictures.recipes.redirection import Redirecting
from filterscope.pictures.recipes.stages import Staged

CENTRE = "centre"


@dataclass(frozen=True)
class Target:
    """A filter, and where in its map: everywhere (None), at the centre, or at (row, column).

    Rows and columns count the cells of the map of a picture of the network's own input size; for pictures of
    another size the cell at the same share of the map is taken. An output unit has one cell only.
    """

    filter: int
    position: tuple[int, int] | str | None = None


@dataclass
class Slope:
    """Values [B], gradients [B, ...], and which pictures had none but by redirected ReLUs [B]."""

    values: Tensor
    gradient: Tensor
    silent: Tensor


class Goal:
    """Activations of targets in a network, one target per picture, as functions of pixels.

    photographs: of every target, uint8 [m, 3, S, S], for recipes that compare their pictures with some.
    Raises ValueError for a filter or position that the layer does not have, with the range it has.
    """

    def __init__(
        self,
        reader: Reader | Staged,
        inputs: InputSettings,
        targets: Sequence[Target],
        device: torch.device,
        photographs: Sequence[Tensor] | None = None,
    ):
        for target in targets:
            _check(target, reader)
        if photographs is not None and len(photographs) != len(targets):
            raise ValueError(f"there are photographs for {len(photographs)} of {len(targets)} targets")
        self.reader, self.inputs, self.targets, self.device = reader, inputs, tuple(targets), device
        self.photographs = photographs
        self._filters = torch.tensor([target.filter for target in targets], device=device)
        self._mean = torch.tensor(inputs.mean, device=device).view(3, 1, 1)
        self._std = torch.tensor(inputs.std, device=device).view(3, 1, 1)

    def __len__(self) -> int:
        return len(self.targets)

    def part(self, which: slice) -> Goal:
        """The same for some of the targets."""
        photographs = None if self.photographs is None else self.photographs[which]
        return Goal(self.reader, self.inputs, self.targets[which], self.device, photographs)

    @property
    def side(self) -> int:
        """Side of the network's input, px."""
        return self.inputs.crop

    def normalised(self, pixels: Tensor) -> Tensor:
        """Pixels 0 to 1 in the units of the network's input: (pixel - mean) / std, [..., 3, h, w]."""
        return (pixels - self._mean) / self._std

    def pixels(self, units: Tensor) -> Tensor:
        """What `normalised` was given."""
        return units * self._std + self._mean

    def values(self, pixels: Tensor, probabilities: bool = False) -> Tensor:
        """How strongly each picture excites its target.

        pixels: float [B * k, 3, h, w], 0 to 1, k views of each of the B pictures, those of one picture together.
        probabilities: logarithms of the softmax over the layer's filters instead of activations (logits).
        Returns [B], means over the views.
        """
        return self.of_maps(self.read(pixels), probabilities)

    def of_maps(self, maps: Tensor, probabilities: bool = False) -> Tensor:
        """The same of the layer's maps [B * k, d, h, w]."""
        views = len(maps) // len(self)
        filters = self._filters.repeat_interleave(views)
        if probabilities:
            # The gradient of the logarithm has the direction of the probability's, which underflows.
            maps = torch.log_softmax(maps, 1)
        own = maps[torch.arange(len(maps), device=maps.device), filters]  # [B * k, h, w]
        cells = [self._value(own[index * views : (index + 1) * views], target) for index, target in self._numbered()]
        return torch.stack(cells)

    def read(self, pixels: Tensor) -> Tensor:
        """Activation maps float32 [B, d, h, w] of pixels 0 to 1."""
        return self._read(pixels, self.reader)

    def stages(self, pixels: Tensor) -> list[Tensor]:
        """The same of the ends of the stages before the layer, where the reader has them, and at last of the layer."""
        stages = getattr(self.reader, "stages", None)
        return self._read(pixels, stages) if stages else [self.read(pixels)]

    def _read(self, pixels: Tensor, reader):
        shown = self._shown(pixels)
        normalised = self.normalised(shown).contiguous(memory_format=torch.channels_last)
        try:
            found = reader(normalised)
            if isinstance(found, list):
                return [each.float()[: len(pixels)] for each in found]
            return found.float()[: len(pixels)]
        except (RuntimeError, LayerError) as error:
            size = " x ".join(map(str, pixels.shape[2:]))
            raise ValueError(
                f"layer {self.reader.layer} cannot be read from pictures of {size} px ({error}); recipes octaves, "
                f"fourier, maco and vital show the network pictures of its input size, {self.side} px"
            ) from error

    def _shown(self, pixels: Tensor) -> Tensor:
        """A lone picture twice: convolutions add up in another order for one, which an ascent would blow up."""
        return pixels.repeat(2, 1, 1, 1) if len(pixels) == 1 else pixels

    def gradient(
        self, parameters: Tensor, pixels: Callable[[Tensor], Tensor] | None = None, probabilities: bool = False
    ) -> Slope:
        """Values and their gradient with respect to the parameters of each picture [B, ...].

        pixels: makes parameters into views as `values` takes them; None where they are pixels themselves. Where a
        filter is silent, so that its picture has no gradient, that of redirected ReLUs is given.
        """
        values, gradient = self._differentiated(parameters, pixels, probabilities)
        silent = (gradient.flatten(1) == 0).all(1)
        if bool(silent.any()):
            with Redirecting():
                _, helped = self._differentiated(parameters, pixels, probabilities)
            gradient = torch.where(silent.view(-1, *[1] * (gradient.ndim - 1)), helped, gradient)
        return Slope(values, gradient, silent)

    def _differentiated(self, parameters: Tensor, pixels, probabilities: bool) -> tuple[Tensor, Tensor]:
        leaf = parameters.detach().requires_grad_(True)
        with torch.enable_grad():
            values = self.values(pixels(leaf) if pixels else leaf, probabilities)
            (gradient,) = torch.autograd.grad(values.sum(), leaf)
        return values.detach(), gradient

    def _numbered(self):
        return enumerate(self.targets)

    def _value(self, own: Tensor, target: Target) -> Tensor:
        if target.position is None:
            return own.mean()
        height, width = own.shape[1:]
        if target.position == CENTRE:
            return own[:, height // 2, width // 2].mean()
        row, column = target.position
        return own[:, row * height // self.reader.height, column * width // self.reader.width].mean()


def _check(target: Target, reader: Reader) -> None:
    if not 0 <= target.filter < reader.filters:
        raise ValueError(
            f"filter {target.filter} is not in layer {reader.layer}: its filters are 0 to {reader.filters - 1}"
        )
    if target.position is None or target.position == CENTRE:
        return
    row, column = target.position
    if not (0 <= row < reader.height and 0 <= column < reader.width):
        raise ValueError(
            f"position {target.position} is not in the maps of layer {reader.layer}: rows are 0 to "
            f"{reader.height - 1}, columns 0 to {reader.width - 1}"
        )
