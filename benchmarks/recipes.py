"""What do recipes cost for a step, one picture and sixteen, and what do they reach, beside a kept library?

    recipes.py [steps [px]]           32 steps by default for what is reached, 160 px

`fourier` and `maco` stand beside those of Horama, the toolbox of MaCo's authors, which is not one of this project's
packages: put `horama` and `einops` (from PyPI, without their dependencies) on PYTHONPATH, or there are no lines of it.
The unit is the same, so are the network (SqueezeNet) and the number of steps; a step of ours and of Horama's is divided
by its views; what is reached is told of the finished pictures at the network's input size, for both by our reader. CPU
seconds of one thread.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
import torch
from material import NETWORKS, real_folder
from torch import Tensor

from filterscope.activations.probing import ProbeSettings
from filterscope.data.networks import building
from filterscope.data.networks.settings import NetworkSettings
from filterscope.pictures.recipes import spectra
from filterscope.pictures.recipes.objectives import Goal, Target
from filterscope.pictures.recipes.registry import RECIPES, maximise, reached, recipe
from filterscope.pictures.recipes.stages import staged

UNIT = 340  # zebra
MANY, FEW = 16, 3  # pictures of a batch; steps that are timed
CROPS = 2  # views a step, by which Horama's step is divided; it takes no fewer
SETTINGS = {
    "fourier": {"method": "fourier"},
    "maco": {"method": "maco"},
    "vital": {"method": "vital"},
    "octaves": {"method": "octaves", "shorten": 40},
}


def timed(work: Callable):
    """CPU seconds, and what the work gives."""
    started = time.process_time()
    done = work()
    return time.process_time() - started, done


def ours(goal: Goal, name: str, steps: int) -> Tensor:
    """Activations of as many pictures as the goal has targets."""
    entry = SETTINGS[name] | ({} if name == "octaves" else {"steps": steps})
    return maximise(goal, recipe(entry), list(range(len(goal)))).activation


def horama_of(name: str, goal: Goal, side: int) -> Callable[[int], Tensor] | None:
    """A function that makes one picture by Horama in so many steps and gives its activation; None where it is not."""
    try:
        import horama
    except ImportError:
        return None
    inputs = goal.inputs
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (inputs.mean, inputs.std))

    def objective(images: Tensor) -> Tensor:
        return goal.reader((images - mean) / std)[:, UNIT].mean()

    def make(steps: int) -> Tensor:
        sizes = {"total_steps": steps, "model_input_size": side, "image_size": round(1.5 * side), "device": "cpu"}
        sizes |= {"crops_per_iteration": CROPS, "values_range": (0, 1)}
        sizes |= {"box_size": (0.5, 0.95), "noise": 0.05}  # as ours, of `maco`; its own are for pictures of 1,280 px
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            # It would fetch ImageNet's spectrum; ours goes where it looks for that first.
            np.save("spectrum_decorrelated.npy", spectra.typical_magnitudes(sizes["image_size"]).numpy())
            picture, _ = getattr(horama, name)(objective, **sizes)
        return reached(goal, picture[None].detach().clamp(0, 1), 1)

    return make


def main() -> None:
    """Print CPU seconds a step and ratios."""
    torch.set_num_threads(1)
    steps, side = (int(sys.argv[place]) if len(sys.argv) > place else usual for place, usual in ((1, 32), (2, 160)))
    entry, file, _ = NETWORKS["squeezenet"]
    entry = {**entry, "file": str(real_folder() / "weights" / file), "input": {"resize": side, "crop": side}}
    probe = ProbeSettings(NetworkSettings.from_mapping(entry), "classifier.1")
    network = building.prepare(probe.network, 0).eval().requires_grad_(False)
    with staged(probe, network, torch.device("cpu")) as reader:
        photographs = [torch.randint(0, 256, (4, 3, side, side), dtype=torch.uint8)]
        one = Goal(reader, probe.inputs, [Target(UNIT)], torch.device("cpu"), photographs)
        many = Goal(reader, probe.inputs, [Target(UNIT)] * MANY, torch.device("cpu"), photographs * MANY)
        theirs = {name: horama_of(name, one, side) for name in RECIPES if name in ("fourier", "maco")}
        for name in SETTINGS:
            count = recipe(SETTINGS[name]).total_steps if name == "octaves" else FEW
            alone, _ = timed(lambda name=name: ours(one, name, FEW))
            batch, _ = timed(lambda name=name: ours(many, name, FEW))
            said = f"{name}: a step of one {alone / count:.2f} s, of {MANY} {batch / count:.2f} s"
            print(f"{said}, {batch / alone:.1f} times one", flush=True)
            if theirs.get(name):
                other, _ = timed(lambda name=name: theirs[name](FEW))
                views = getattr(recipe(SETTINGS[name]), "crops", 1)
                print(f"  Horama: by view {other / alone * views / CROPS:.2f} times ours", flush=True)
                mine, found = ours(one, name, steps).item(), theirs[name](steps).item()
                print(f"  after {steps} steps: ours {mine:.1f}, Horama {found:.1f}", flush=True)


if __name__ == "__main__":
    main()
