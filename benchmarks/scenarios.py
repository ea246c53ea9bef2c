"""Do spike, group and flat tell photographs from what is none, and a trained network from an untrained one?

    FILTERSCOPE_REALDATA=... scenarios.py [network] [split] [photographs]

network: squeezenet, mobilenet or resnet50; split: of COCO's photographs, train is what the statistic was chosen on.
By the trained network photographs, the same with shuffled pixels and squares, noise and single colours; by one that was
never trained photographs.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable

import numpy as np
import torch
import torchvision
from material import NETWORKS, real_folder

from filterscope.activations.probing import ProbeSettings, reading
from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.data.networks import building
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import NetworkSettings
from filterscope.pictures.strongest import Scenarios, mean_activations, scenario, scrambled

SEED, BATCH = 7, 10
UNTRAINED = {"squeezenet": "squeezenet1_1", "mobilenet": "mobilenet_v2", "resnet50": "resnet50"}
KINDS: dict[str, Callable] = {
    "photographs": lambda view, chance: view,
    "shuffled pixels": lambda view, chance: view.flatten(1)[:, chance.permutation(view[0].numel())].view(view.shape),
    "shuffled squares": lambda view, chance: scrambled(view, 1, chance)[0],
    "noise": lambda view, chance: torch.from_numpy(chance.integers(0, 256, tuple(view.shape), dtype=np.uint8)),
    "one colour": lambda view, chance: torch.from_numpy(chance.integers(0, 256, (3, 1, 1), dtype=np.uint8)).repeat(
        1, *view.shape[1:]
    ),
}


def words(views: list[torch.Tensor], kind: str, reader: Reader, inputs) -> Counter:
    """How often each word is said of views uint8 [3, S, S] that were made into a kind of picture."""
    found, settings = Counter(), Scenarios()
    for number, view in enumerate(views):
        chance = np.random.default_rng([SEED, number])
        shown = KINDS[kind](view, chance)
        every = torch.cat([shown[None], scrambled(shown, settings.views, chance)])
        means = mean_activations(every, reader, inputs, torch.device("cpu"), BATCH)
        found[scenario(means[0], means[1:], settings)] += 1
    return found


def main(name: str = "squeezenet", split: str = "val", count: int = 20) -> None:
    torch.set_num_threads(1)
    entry, file, layer = NETWORKS[name]
    real = real_folder()
    probe = ProbeSettings(NetworkSettings.from_mapping({**entry, "file": str(real / "weights" / file)}), layer)
    paths = sorted((real / f"coco/{split}2017").glob("*.jpg"))
    some = np.random.default_rng(SEED).permutation(len(paths))[:count]
    geometry = Geometry(probe.inputs.resize, probe.inputs.crop)
    views = [geometry.picture(read_image(paths[number], False)) for number in some]
    network = building.prepare(probe.network, 0).eval().requires_grad_(False)
    with reading(probe, network, torch.device("cpu")) as reader:
        for kind in KINDS:
            print(f"{name}, {kind}: {dict(words(views, kind, reader, probe.inputs))}", flush=True)
    torch.manual_seed(SEED)
    network = torchvision.models.get_model(UNTRAINED[name], weights=None).eval().requires_grad_(False)
    with reading(probe, network, torch.device("cpu")) as reader:
        print(f"{name}, never trained, photographs: {dict(words(views, 'photographs', reader, probe.inputs))}")


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:4]))
