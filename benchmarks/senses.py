"""How many filters of ResNet-50 layer4 have more than one sense, beside nulls and sums of two filters.

    FILTERSCOPE_REALDATA=... senses.py [filters] [split] [photographs]

split: of COCO's photographs, val is scored, train is what the thresholds were chosen on. photographs: at most.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
import torchvision

from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.data.networks.building import normalise
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.pictures.senses.codes import image_codes
from filterscope.pictures.senses.counting import count_senses
from filterscope.pictures.senses.tables import shuffled

SHARE = 0.15  # of the photographs, for each filter: sensing.share
SEED = 7


def network(weights: Path | None) -> torch.nn.Module:
    """ResNet-50 as first published, with its strides in the 1 x 1 convolutions; without weights never trained."""
    torch.manual_seed(0)
    made = torchvision.models.resnet50(weights=None)
    for layer in (made.layer2, made.layer3, made.layer4):
        layer[0].conv1.stride, layer[0].conv2.stride = (2, 2), (1, 1)
    if weights:
        held = torch.load(weights, map_location="cpu", weights_only=True)
        made.load_state_dict({name: each.float() if each.is_floating_point() else each for name, each in held.items()})
    return made.eval()


class World:
    """Maps [n, d, h, w] of photographs in a network, their maxima [n, d] and codes of filters in them."""

    def __init__(self, made: torch.nn.Module, paths: list[Path]):
        inputs, parts = InputSettings(), []
        geometry = Geometry(inputs.resize, inputs.crop)
        with torch.inference_mode(), Reader(made, "layer4", input_size=inputs.crop) as reader:
            for start in range(0, len(paths), 16):
                views = [geometry.picture(read_image(path, False)) for path in paths[start : start + 16]]
                parts.append(reader(normalise(torch.stack(views), inputs)).float())
        self.maps = torch.cat(parts)
        self.maxima = self.maps.amax((2, 3))
        self.mean = self.maps.mean((0, 2, 3))
        self.deviation = self.maps.std((0, 2, 3)).clamp(min=1e-6)
        self.images = int(SHARE * len(paths))

    def best(self, strength: torch.Tensor) -> torch.Tensor:
        """The images with the largest maxima [n]."""
        return strength.argsort(descending=True, stable=True)[: self.images]

    def codes(self, fired: torch.Tensor, images: torch.Tensor, own: list[int]) -> np.ndarray:
        """Codes by maps [n, h, w] of a filter in some images; own: filters that are left out."""
        values = torch.stack([image_codes(self.maps[each], fired[each][None])[0] for each in images])
        values = (values - self.mean) / self.deviation
        values[:, own] = 0
        return values.numpy()

    def of(self, number: int, attended: int | None = None) -> np.ndarray:
        """Codes of a filter's images by its own attention, or by another filter's."""
        by = number if attended is None else attended
        return self.codes(self.maps[:, by], self.best(self.maxima[:, number]), [by])

    def of_sum(self, first: int, second: int) -> np.ndarray:
        """Codes of the sum of two filters, each over the maximum that 3 % of the photographs exceed."""
        summed = sum(self.maps[:, each] / self.maxima[:, each].quantile(0.97) for each in (first, second))
        return self.codes(summed, self.best(summed.amax((1, 2))), [first, second])


def told(name: str, filters: Iterable[int], codes: Callable[[int], np.ndarray]) -> None:
    """Print how many have more than one sense."""
    found = [count_senses(codes(each), int(each)).count for each in filters]
    print(f"{name}: {sum(each > 1 for each in found)} of {len(found)}", flush=True)


def main(filters: int = 512, split: str = "val", most: int = 10**9) -> None:
    real = Path(os.environ["FILTERSCOPE_REALDATA"])
    paths = sorted((real / f"coco/{split}2017").glob("*.jpg"))[:most]
    order = np.random.default_rng(SEED).permutation(2048)
    some, after = (
        order[:filters],
        dict(zip(order[:filters].tolist(), np.roll(order[:filters], 1).tolist(), strict=True)),
    )
    world = World(network(real / "weights/resnet50_stride_in_1x1.fp16.pth"), paths)
    print(f"{len(paths)} photographs of {split}, {world.images} for each filter; more than one sense:")
    told("filters", some, world.of)
    told("codes shuffled among the images", some, lambda each: shuffled(world.of(each), int(each)))
    told("attention of another filter", some, lambda each: world.of(each, after[int(each)]))
    pairs = order[: filters // 2 * 2].reshape(-1, 2)
    told("sums of two filters", range(len(pairs)), lambda number: world.of_sum(*pairs[number].tolist()))
    told("never-trained network", some, World(network(None), paths).of)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(*map(int, given[:1]), *given[1:2], *map(int, given[2:3]))
