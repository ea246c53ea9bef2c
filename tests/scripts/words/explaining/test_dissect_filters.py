"""dissect_filters: on training images, the token that overlaps a filter's region best."""

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as coco_mask

from filterscope import tables
from filterscope.data.networks import building


def test_equals_counting_pixels(study):
    """Regions upsampled and masks at 32 px, all 16 training images at once."""
    network = building.load(study.probe().network, study.weights)
    annotations = study.table("annotations")
    thresholds = torch.tensor(study.table("thresholds")["threshold"], dtype=torch.float32)
    regions, masks = [], {name: [] for name in ("red", "green", "blue")}
    for number in range(16):
        pixels = np.asarray(Image.open(study.pictures / f"{number}.png")).transpose(2, 0, 1)
        maps = network(torch.from_numpy(pixels[None].astype(np.float32) / 255))
        larger = torch.nn.functional.interpolate(maps, size=(32, 32), mode="bilinear", align_corners=False)[0]
        regions.append((larger > thresholds[:, None, None]).numpy())
        for name, own in masks.items():
            mask = np.zeros((64, 64), bool)
            for each in annotations[(annotations["image_id"] == number) & (annotations["category"] == name)]["mask"]:
                mask |= coco_mask.decode({"size": [64, 64], "counts": each}).astype(bool)
            own.append(mask[1::2, 1::2])
    regions = np.stack(regions)
    found = study.table("overlaps").set_index(["filter", "token"])["iou"]
    for number in range(5):
        for name, own in masks.items():
            shared = (regions[:, number] & np.stack(own)).sum()
            union = (regions[:, number] | np.stack(own)).sum()
            assert found[number, name] == pytest.approx(shared / union, abs=1e-4)


def test_colour_filters_get_their_colour(study):
    best = study.table("overlaps").query("rank == 0").set_index("filter")["token"]
    assert (best[0], best[1]) == ("red", "blue")


def test_keeps_so_many_tokens_best_first(study, tmp_path):
    study.dissect(path_to_overlaps=tmp_path / "two.parquet", kept=2)
    two = tables.read(tmp_path / "two.parquet", "overlaps").to_pandas()
    whole = study.table("overlaps")
    assert two.to_dict() == whole[whole["rank"] < 2].reset_index(drop=True).to_dict()
    assert (whole.groupby("filter")["iou"].diff().dropna() <= 0).all()
