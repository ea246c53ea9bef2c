"""Which network's pictures of classes does another network recognise? Recipe `vital` on Imagenette's ten classes.

    drawing.py [drawer] [judge] [steps] [seeds] [folder]     squeezenet resnet50 64 0,1,2

drawer, judge: squeezenet, mobilenet or resnet50. One picture a class and seed from the mean of the 15 photographs
whose codes are nearest to the class's mean, beside the same from noise and `plain`. folder: where pictures and their
scores are kept, if anywhere. Told are the shares of pictures whose class is the judge's first, or among its first
five, activations over that of the class's best photograph, and the five criteria, paired by class and seed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from material import NETWORKS, real_folder
from PIL import Image

from filterscope import job
from filterscope.activations.probing import ProbeSettings, reading
from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.data.networks import building
from filterscope.data.networks.settings import NetworkSettings
from filterscope.pictures.facets.codes import coding
from filterscope.pictures.files import MEAN, NOISE
from filterscope.pictures.photographs import mean_image
from filterscope.pictures.picture_tables import pixels
from filterscope.pictures.quality import judging, scoring, validation
from filterscope.pictures.quality.criteria import CRITERIA, Picture, norms_of
from filterscope.pictures.quality.gallery import group_of
from filterscope.pictures.quality.validation import MEANS, PHOTOGRAPHS, Comparison, CriteriaSettings
from filterscope.pictures.recipes.objectives import Goal, Target
from filterscope.pictures.recipes.registry import maximise, recipe
from filterscope.pictures.recipes.stages import staged

OUTPUTS = {"squeezenet": "classifier.1", "mobilenet": "classifier.1", "resnet50": "fc"}
NEAREST, APART = 15, 5  # photographs of a facet; of every so many one is scored, and another says what is natural
PLAIN_STEPS, CPU = 24, torch.device("cpu")
FROM_MEAN, FROM_NOISE, PLAIN = group_of("vital", MEAN), group_of("vital", NOISE), group_of("plain", NOISE)


def probe_of(name: str, real: Path, inputs: dict) -> ProbeSettings:
    """The output units of a network."""
    entry, file, _ = NETWORKS[name]
    settings = NetworkSettings.from_mapping({**entry, "file": str(real / "weights" / file), "input": inputs})
    return ProbeSettings(settings, OUTPUTS[name])


def views_of_classes(real: Path, probe: ProbeSettings) -> dict[int, torch.Tensor]:
    """The network's views of every class's photographs, uint8 [n, 3, S, S], by output unit."""
    names = [line.split()[0] for line in (real / "imagenet/synset_words.txt").read_text().splitlines()]
    geometry = Geometry(probe.inputs.resize, probe.inputs.crop)
    return {
        names.index(folder.name): torch.stack([geometry.picture(read_image(each)) for each in sorted(folder.iterdir())])
        for folder in sorted((real / "imagenet/imagenette_val500").iterdir())
    }


def drawn(probe: ProbeSettings, views: dict[int, torch.Tensor], steps: int, seeds: list[int]) -> list[tuple]:
    """Rows (group, unit, ratio, pixels uint8 [S, S, 3]) of the photographs, their means and all pictures."""
    network = building.prepare(probe.network, 0).eval().requires_grad_(False)
    with staged(probe, network, CPU) as reader:
        with coding(network, reader, probe.inputs, CPU) as code:
            seen = {unit: code(shown) for unit, shown in views.items()}
        best, near = {}, []
        for unit, (codes, activations) in seen.items():
            best[unit] = activations[:, unit].max().item()
            near.append(views[unit][(codes - codes.mean(0)).norm(dim=1).argsort()[:NEAREST]])
        means = torch.stack([torch.from_numpy(mean_image(each.numpy())) for each in near]).float() / 255
        rows = [
            (PHOTOGRAPHS, unit, seen[unit][1][place, unit].item() / best[unit], views[unit][place])
            for unit in views
            for place in range(0, len(views[unit]), APART)
        ]
        rows = [(group, unit, ratio, shown.permute(1, 2, 0).numpy()) for group, unit, ratio, shown in rows]
        rows += [(MEANS, unit, np.nan, each) for unit, each in zip(views, pixels(means), strict=True)]
        goal = Goal(reader, probe.inputs, [Target(unit) for unit in views], CPU, near)
        vital, plain = recipe({"method": "vital", "steps": steps}), recipe({"method": "plain", "steps": PLAIN_STEPS})
        for seed in seeds:
            for group, how, starts in ((FROM_MEAN, vital, means), (FROM_NOISE, vital, None), (PLAIN, plain, None)):
                began, own = time.process_time(), [1000 * seed + place for place in range(len(goal))]
                done = maximise(goal, how, own, starts)
                ratios = [value / best[unit] for unit, value in zip(views, done.activation.tolist(), strict=True)]
                rows += zip([group] * len(goal), views, ratios, pixels(done.optimised.pictures), strict=True)
                print(f"seed {seed}, {group}: {time.process_time() - began:.0f} s of CPU", flush=True)
    return rows


def scores(rows: list[tuple], views: dict[int, torch.Tensor], judge: ProbeSettings) -> pd.DataFrame:
    """The rows' criteria and the judge's ranks of the right class. What is natural other photographs say."""
    natural = [each.permute(1, 2, 0).numpy() for shown in views.values() for each in shown[APART // 2 :: APART]]
    shown = pd.DataFrame([row[:3] for row in rows], columns=["group", "unit", "ratio"])
    pictures = [np.asarray(Image.fromarray(row[3]).resize(natural[0].shape[:2])) for row in rows]
    with reading(judge, building.prepare(judge.network, 0).eval(), CPU) as reader:
        answers = judging.evidence(pictures, reader, judge.inputs, CPU, 32)
    return scoring.scored(shown, dict(enumerate(pictures)), norms_of([Picture.of(each) for each in natural]), answers)


def main(drawer="squeezenet", judge="resnet50", steps="64", seeds="0,1,2", folder=None) -> None:
    torch.set_num_threads(1)
    real, numbers = real_folder(), [int(each) for each in seeds.split(",")]
    probe = probe_of(drawer, real, {"resize": 183, "crop": 160})
    views = views_of_classes(real, probe)
    rows = drawn(probe, views, int(steps), numbers)
    found = scores(rows, views, probe_of(judge, real, {"resize": 183, "crop": 160}))
    if folder:
        target = job.empty_folder(folder)
        found.to_csv(target / "scores.csv", index=False)
        for number, (group, unit, _, picture) in enumerate(rows):
            Image.fromarray(picture).save(target / f"{number:03d}_{group.replace(' ', '_')}_{unit}.png")
    groups = {
        name: {
            **{each: own[each].to_numpy(float) for each in (*CRITERIA, "ratio")},
            **{f"first {top}": (own["judge_rank"] <= top).to_numpy(float) for top in scoring.TOPS},
        }
        for name, own in found.groupby("group", sort=False)
    }
    settings = CriteriaSettings()
    print(f"{drawer} draws, {judge} judges, {steps} steps, seeds {seeds}")
    print(validation.means(groups, settings, 0).round(2).to_string())
    paired = [Comparison(FROM_MEAN, PLAIN, paired=True), Comparison(FROM_MEAN, FROM_NOISE, paired=True)]
    compared = validation.validate(groups, CRITERIA, [*validation.ranking([PLAIN]), *paired], settings, 0)
    print(compared[["criterion", "first", "second", "better", "low", "high"]].round(2).to_string())


if __name__ == "__main__":
    main(*sys.argv[1:])
