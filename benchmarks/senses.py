"""How many filters of ResNet-50 layer4, trained and never trained, have more than one sense, beside their nulls.

    FILTERSCOPE_REALDATA=... senses.py [filters] [split] [photographs]

split: val is scored, train is what the thresholds were chosen on: COCO's split, and of the classes of ImageNet (ten of
Imagenette, bell pepper, movie theater) every fourth photograph for train, the others for val. photographs: at most,
evenly from all. Sums of two filters are known to have two senses.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
import torchvision
from scipy.stats import binomtest

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
FEWEST = 24  # images in which both filters must fire: sensing.fewest
TRAINED = 4  # every so manieth photograph of ImageNet's classes is for training


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

    def of(self, number: int) -> np.ndarray:
        """Codes of a filter's images by its own attention."""
        return self.codes(self.maps[:, number], self.best(self.maxima[:, number]), [number])

    def together(self, number: int, other: int) -> torch.Tensor:
        """Those of a filter's images in which it and another fire."""
        images = self.best(self.maxima[:, number])
        return images[(self.maxima[images][:, [number, other]] > 0).all(1)]

    def others(self, filters: np.ndarray, whole: np.ndarray) -> dict[int, int]:
        """For each filter the next of those with one sense that fires in enough of its images, where there is one."""
        found = {}
        for place, number in enumerate(filters):
            fits = (each for each in np.roll(whole, -place - 1) if each != number)
            chosen = next((each for each in fits if len(self.together(number, each)) >= FEWEST), None)
            if chosen is not None:
                found[number] = chosen
        return found

    def shared(self, number: int, other: int, by: int) -> np.ndarray:
        """Codes of the images in which both filters fire, by the attention of one of them."""
        return self.codes(self.maps[:, by], self.together(number, other), [number, other])

    def of_sum(self, first: int, second: int) -> np.ndarray:
        """Codes of the sum of two filters, each over the maximum that 3 % of the photographs exceed."""
        summed = sum(self.maps[:, each] / self.maxima[:, each].quantile(0.97) for each in (first, second))
        return self.codes(summed, self.best(summed.amax((1, 2))), [first, second])


def photographs(real: Path, split: str, most: int) -> list[Path]:
    """The photographs of a split, at most so many."""
    classes = sorted(real.glob("imagenet/imagenette_val500/*/*")) + sorted(real.glob("imagenet/facets/*/*/*"))
    for_training = set(classes[::TRAINED])
    own = [each for each in classes if (each in for_training) == (split == "train")]
    found = sorted((real / f"coco/{split}2017").glob("*.jpg")) + own
    return found if len(found) <= most else [found[place * len(found) // most] for place in range(most)]


def told(name: str, filters: Iterable[int], codes: Callable[[int], np.ndarray]) -> list[bool]:
    """Print how many have more than one sense, with Wilson's 95 % interval; which they are."""
    found = [count_senses(codes(each), int(each)).count > 1 for each in filters]
    interval = binomtest(sum(found), len(found)).proportion_ci(method="wilson")
    print(f"{name}: {sum(found)} of {len(found)}, {100 * np.mean(found):.1f} %", end="")
    print(f" [{100 * interval.low:.1f}, {100 * interval.high:.1f}]", flush=True)
    return found


def all_told(name: str, world: World, filters: np.ndarray) -> None:
    """The filters of a network, both of their nulls, and sums of two. Other filters have one sense."""
    pairs = filters[: len(filters) // 2 * 2].reshape(-1, 2)
    several = told(f"{name}: filters", filters, world.of)
    other = world.others(filters, filters[~np.array(several)])
    told(f"{name}: codes shuffled among the images", filters, lambda each: shuffled(world.of(each), int(each)))
    asked = np.array([each for each in filters if each in other])
    shared = [len(world.together(each, other[each])) for each in asked]
    print(f"{name}: others fire in {min(shared)} to {max(shared)} of {world.images} images, mean {np.mean(shared):.0f}")
    several = told(f"{name}: images in which another fires", asked, lambda each: world.shared(each, other[each], each))
    by_others = told(
        f"{name}: by that one's attention", asked, lambda each: world.shared(each, other[each], other[each])
    )
    only, missed = (
        int(sum(a and not b for a, b in zip(*pair, strict=True)))
        for pair in ((several, by_others), (by_others, several))
    )
    p = binomtest(only, only + missed, alternative="greater").pvalue if only + missed else 1.0
    print(f"{name}: {only} filters by their own attention alone, {missed} by another's alone, p {p:.4f}", flush=True)
    told(f"{name}: sums of two filters", range(len(pairs)), lambda number: world.of_sum(*pairs[number].tolist()))


def main(filters: int = 512, split: str = "val", most: int = 10**9) -> None:
    real = Path(os.environ["FILTERSCOPE_REALDATA"])
    paths = photographs(real, split, most)
    order = np.random.default_rng(SEED).permutation(2048)
    print(f"{len(paths)} photographs of {split}, {int(SHARE * len(paths))} for each filter; more than one sense:")
    weights = {"trained": real / "weights/resnet50_stride_in_1x1.fp16.pth", "never trained": None}
    for name, file in weights.items():
        all_told(name, World(network(file), paths), order[:filters])


if __name__ == "__main__":
    given = sys.argv[1:]
    main(*map(int, given[:1]), *given[1:2], *map(int, given[2:3]))
