"""Do the five criteria hold on photographs and noise that played no part in their choice? COCO and MobileNetV2.

100 photographs against the norm of 100 others, means of 15 photographs of a category, and bare ascents of 12 units.
"""

from __future__ import annotations

import numpy as np
import torch
from material import real_folder

from filterscope.activations.probing import ProbeSettings, reading
from filterscope.data.datasets import coco
from filterscope.data.networks import building
from filterscope.pictures.photographs import Photographs
from filterscope.pictures.picture_tables import pixels
from filterscope.pictures.quality.criteria import CRITERIA, Picture, norms_of, scores
from filterscope.pictures.quality.validation import MEANS, PHOTOGRAPHS, CriteriaSettings, ranking, validate, verdicts
from filterscope.pictures.recipes.ascent import Chance
from filterscope.pictures.recipes.objectives import Goal, Target
from filterscope.pictures.recipes.plain import Plain

UNITS = (1, 100, 207, 340, 498, 620, 751, 945, 30, 150, 282, 400)
CATEGORIES, AVERAGED, STEPS, PLAIN = 16, 15, 24, "plain, from noise"


def main() -> None:
    torch.set_num_threads(1)
    real = real_folder()
    found = coco.read_coco(real / "coco", 0.0, 2)
    images, annotations = found.images.to_pandas(), found.annotations.to_pandas()
    weights = str(real / "weights/mobilenet_v2-b0353104.pth")
    entry = {"source": "checkpoint", "architecture": "mobilenet_v2", "file": weights}
    probe = ProbeSettings.from_mapping({"network": entry, "layer": "classifier.1"})
    photographs = Photographs.of(real / "coco", images, probe.inputs)
    train, val = (images[images["split"] == split]["image_id"] for split in ("train", "val"))
    of_category = annotations[annotations["image_id"].isin(train)].groupby("category")["image_id"].unique()
    largest = of_category.loc[of_category.map(len).sort_values(ascending=False, kind="stable").index[:CATEGORIES]]
    averages = [
        np.mean([photographs.view(each) for each in sorted(image_ids)[:AVERAGED]], 0).astype(np.uint8)
        for image_ids in largest
    ]
    cpu = torch.device("cpu")
    with reading(probe, building.prepare(probe.network, 0), cpu) as reader:
        goal = Goal(reader, probe.inputs, [Target(unit) for unit in UNITS], cpu)
        noise = pixels(Plain(steps=STEPS).maximise(goal, Chance(range(len(UNITS)), cpu)).pictures)
    norms = norms_of([Picture.of(photographs.view(each)) for each in train[:100]])
    shown = {PHOTOGRAPHS: [photographs.view(each) for each in val[:100]], MEANS: averages, PLAIN: noise}
    groups = {name: scores([Picture.of(each) for each in group], norms) for name, group in shown.items()}
    found = validate(groups, CRITERIA, ranking([PLAIN]), CriteriaSettings(), seed=0)
    print(found[["criterion", "first", "second", "first_n", "second_n", "better", "low", "high"]].round(2).to_string())
    print(verdicts(found).to_string())


if __name__ == "__main__":
    main()
