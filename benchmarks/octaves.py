"""One unit batch of ten pictures by `octaves`, table `mean`, against the same loop one at a time with scikit-image.

    octaves.py [shorten [threads]]    divides the steps (10 by default; 1 for the whole table); threads: 2 by default

The reference makes one picture after the other and denoises it by scikit-image's `denoise_tv_bregman`, everything
else is the same. Both are started from the same images and compared at the end. On a CUDA device ours runs there,
the reference's network too, its denoiser on the CPU as it must.
"""

from __future__ import annotations

import sys
import time

import torch
from material import real_folder
from skimage.restoration import denoise_tv_bregman
from torch import Tensor

from filterscope.activations.probing import ProbeSettings, reading
from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.data.networks import building
from filterscope.data.networks.settings import NetworkSettings
from filterscope.pictures.recipes import octaves
from filterscope.pictures.recipes.ascent import Chance
from filterscope.pictures.recipes.objectives import Goal, Target
from filterscope.pictures.recipes.octaves import Octaves
from filterscope.pictures.recipes.upscale import Upscale

PICTURES = 10
UNIT = 340  # zebra
SIDE = 227  # px


class Once(Goal):
    """A lone picture is shown to the network once, as a loop over pictures would; ours is shown twice, see `Goal`."""

    def _shown(self, pixels: Tensor) -> Tensor:
        return pixels


def one_at_a_time(pictures: Tensor, weight: float, passes: int) -> Tensor:
    """scikit-image's denoiser, with the signature of ours."""
    done = [
        denoise_tv_bregman(
            each.permute(1, 2, 0).contiguous().cpu().numpy(),
            weight=weight,
            max_num_iter=100,
            eps=1e-3,
            channel_axis=-1,
        )
        for each in pictures
    ]
    return torch.stack([torch.from_numpy(each).permute(2, 0, 1) for each in done]).to(pictures)


def main() -> None:
    """Print seconds and ratios."""
    threads = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    recipe = Octaves("mean", shorten=int(sys.argv[1]) if len(sys.argv) > 1 else 10)
    weights = str(real_folder() / "weights/squeezenet1_1.pth")
    settings = {"source": "checkpoint", "architecture": "squeezenet1_1", "file": weights}
    settings["input"] = {"resize": SIDE, "crop": SIDE}
    probe = ProbeSettings(NetworkSettings.from_mapping(settings), "classifier.1")
    starts = _starts()
    with reading(probe, building.prepare(probe.network, 0), device) as reader:
        goal = Goal(reader, probe.inputs, [Target(UNIT)] * PICTURES, device)
        recipe.maximise(goal.part(slice(0, 1)), Chance([0], device), starts[:1])  # warm up
        ours, batch = _timed(lambda: recipe.maximise(goal, Chance(range(PICTURES), device), starts).pictures, device)
        ours_denoise, octaves.denoise = octaves.denoise, one_at_a_time
        reference, single = _timed(
            lambda: torch.cat(
                [
                    recipe.maximise(
                        Once(reader, probe.inputs, [Target(UNIT)], device),
                        Chance([index], device),
                        starts[index : index + 1],
                    ).pictures
                    for index in range(PICTURES)
                ]
            ),
            device,
        )
        octaves.denoise = ours_denoise
        print(f"{recipe.total_steps} steps, {PICTURES} pictures, SqueezeNet at {SIDE} px, {device}, {threads} threads")
        print(f"ours, one batch: {ours:.1f} s; one at a time with scikit-image: {reference:.1f} s")
        whole = ours * Octaves().total_steps / recipe.total_steps
        print(f"ratio: {reference / ours:.1f} x; the whole table would take ours about {whole:.0f} s")
        difference = (batch - single).abs()
        print(f"mean difference of the pictures {float(difference.mean()):.4f} of the pixel range")
        _upscale(goal, device)


def _upscale(goal: Goal, device: torch.device) -> None:
    """Sixteen filters by `upscale` against sixteen times one."""
    recipe, many = Upscale(), 16
    wide = Goal(goal.reader, goal.inputs, [Target(number) for number in range(many)], device)
    alone = Once(goal.reader, goal.inputs, [Target(0)], device)
    one, _ = _timed(lambda: recipe.maximise(alone, Chance([0], device)), device)
    all_, _ = _timed(lambda: recipe.maximise(wide, Chance(range(many), device)), device)
    print(f"upscale, {many} filters: {all_:.1f} s, one filter {one:.2f} s: {all_ / one:.1f} times one")


def _starts() -> Tensor:
    """Mean images of 15 photographs each, [PICTURES, 3, SIDE, SIDE], 0 to 1."""
    paths = sorted((real_folder() / "coco/val2017").glob("*.jpg"))[: 15 * PICTURES]
    geometry = Geometry(SIDE, SIDE)
    views = torch.stack([geometry.picture(read_image(path)) for path in paths]).float() / 255
    return views.view(PICTURES, -1, 3, SIDE, SIDE).mean(1)


def _timed(work, device: torch.device):
    started = time.perf_counter()
    done = work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started, done


if __name__ == "__main__":
    sys.exit(main())
