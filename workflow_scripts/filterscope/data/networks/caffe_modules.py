"""Torch modules that compute what Caffe's layers compute in its test phase."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from filterscope.data.networks.settings import NetworkError

Shape = tuple[int, ...]


def times(numbers: Sequence[int]) -> str:
    """A shape in words."""
    return " x ".join(map(str, numbers))


def pooled_size(size: int, kernel: int, stride: int, pad: int, clip: bool, ceil: bool = True) -> int:
    """How many windows Caffe's pooling puts side by side on `size` cells with `pad` cells on both sides.

    Rounded up: the last window may reach beyond the padding. clip: whether a last window that would start behind
    the map, in its padding, is left out; Caffe does so where either direction is padded.
    """
    steps = (size + 2 * pad - kernel) / stride
    count = (math.ceil(steps) if ceil else math.floor(steps)) + 1
    return count - 1 if clip and (count - 1) * stride >= size + pad else count


class Pooling(nn.Module):
    """Maximum or average of windows, rounded and divided as Caffe does.

    An average counts the padding, but not what a window reaches beyond it.
    """

    def __init__(self, average: bool, kernel: Sequence[int], stride: Sequence[int], pad: Sequence[int], ceil: bool):
        super().__init__()
        self.average, self.ceil = average, ceil
        self.kernel, self.stride, self.pad = tuple(kernel), tuple(stride), tuple(pad)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        sizes = maps.shape[2:]
        directions = list(zip(sizes, self.kernel, self.stride, self.pad, strict=True))
        counts = [pooled_size(*direction, any(self.pad), self.ceil) for direction in directions]
        if min(counts) < 1:
            raise NetworkError(f"a map of {times(sizes)} is smaller than the window {times(self.kernel)}")
        ends = []
        for count, (size, kernel, stride, pad) in zip(counts, directions, strict=True):
            last = (count - 1) * stride - pad
            if last >= size:
                raise NetworkError(f"the last window of {times(self.kernel)} starts behind the map of {times(sizes)}")
            ends.append(last + kernel - size)
        # As much behind the map as the last window needs: less than nothing where the windows leave cells out.
        (upper, left), (lower, right) = self.pad, ends
        if any((upper, left, lower, right)):
            maps = functional.pad(maps, (left, right, upper, lower), value=0.0 if self.average else -math.inf)
        if not self.average:
            return functional.max_pool2d(maps, self.kernel, self.stride)
        means = functional.avg_pool2d(maps, self.kernel, self.stride)
        if lower > upper or right > left:  # windows reach beyond the padding, which counts for nothing
            means = means * self._correction(counts, sizes).to(means)
        return means

    def _correction(self, counts: Sequence[int], sizes: Sequence[int]) -> torch.Tensor:
        """Size of every window by the size of what counts of it [h, w]."""
        ratios = []
        for count, size, kernel, stride, pad in zip(counts, sizes, self.kernel, self.stride, self.pad, strict=True):
            starts = torch.arange(count) * stride - pad
            ratios.append(kernel / ((starts + kernel).clamp(max=size + pad) - starts))
        return ratios[0][:, None] * ratios[1]

    def extra_repr(self) -> str:
        return f"{'average' if self.average else 'max'}, kernel={self.kernel}, stride={self.stride}, pad={self.pad}"


class GlobalPooling(nn.Module):
    """Maximum or average of whole maps."""

    def __init__(self, average: bool):
        super().__init__()
        self.average = average

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps.mean((2, 3), keepdim=True) if self.average else maps.amax((2, 3), keepdim=True)


class LRN(nn.Module):
    """Local response normalisation: over neighbouring channels, or over neighbours in the same map."""

    def __init__(self, size: int, alpha: float, beta: float, k: float, within: bool):
        super().__init__()
        self.size, self.alpha, self.beta, self.k, self.within = size, alpha, beta, k, within

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        squares, half = maps * maps, self.size // 2
        if self.within:
            mean = functional.avg_pool2d(squares, self.size, 1, half)
            return maps * (1 + self.alpha * mean).pow(-self.beta)  # here Caffe has 1, whatever k is
        squares = functional.pad(squares, (0, 0, 0, 0, half, half))
        total = sum(squares[:, i : i + maps.shape[1]] for i in range(self.size))
        return maps * (self.k + self.alpha / self.size * total).pow(-self.beta)


class InnerProduct(nn.Linear):
    """A fully connected layer: all that a picture has in this place becomes one vector."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        found = math.prod(values.shape[1:])
        if found != self.in_features:
            raise NetworkError(
                f"gets {found} values a picture ({times(values.shape[1:])}), has weights for {self.in_features}"
            )
        return super().forward(values.flatten(1))


class BatchNorm(nn.BatchNorm2d):
    """Normalisation by the means and variances of training, for maps and vectors; Scale is a layer of its own."""

    def __init__(self, channels: int, eps: float):
        super().__init__(channels, eps, affine=False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return functional.batch_norm(values, self.running_mean, self.running_var, eps=self.eps)


class Scale(nn.Module):
    """Every channel times a number, plus another."""

    def __init__(self, channels: int, bias: bool):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels)) if bias else None

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        shape = (-1, *[1] * (values.ndim - 2))
        values = values * self.weight.view(shape)
        return values if self.bias is None else values + self.bias.view(shape)


class Concat(nn.Module):
    """Channels of several maps, one behind the other."""

    def forward(self, *maps: torch.Tensor) -> torch.Tensor:
        return torch.cat(maps, 1)


class Eltwise(nn.Module):
    """Weighted sum, product or maximum of maps of the same shape."""

    def __init__(self, operation: int, coefficients: Sequence[float]):
        super().__init__()
        self.operation, self.coefficients = operation, tuple(coefficients)

    def forward(self, *maps: torch.Tensor) -> torch.Tensor:
        if len({each.shape for each in maps}) > 1:
            raise NetworkError(f"gets maps of different shapes: {', '.join(times(each.shape[1:]) for each in maps)}")
        if self.operation == 1:
            return sum(weight * each for weight, each in zip(self.coefficients, maps, strict=True))
        stacked = torch.stack(maps)
        return stacked.prod(0) if self.operation == 0 else stacked.amax(0)


class Split(nn.Module):
    """The same for several layers."""

    def __init__(self, copies: int):
        super().__init__()
        self.copies = copies

    def forward(self, maps: torch.Tensor) -> list[torch.Tensor]:
        return [maps] * self.copies
