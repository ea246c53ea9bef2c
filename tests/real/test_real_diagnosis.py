"""Complexity of real labelled pictures, and of two classes of photographs, beside what was published."""

from __future__ import annotations

import numpy as np
import pytest

from filterscope.data.samples import sources
from filterscope.data.samples.labelled_samples import stratified
from filterscope.diagnosis.complexity.growth import CurveSettings, capacity_curve, summarised
from filterscope.diagnosis.complexity.separability import SeparabilitySettings, separability, shuffled_null
from filterscope.diagnosis.complexity.tsne import tsne

pytestmark = [pytest.mark.real, pytest.mark.slow]

SETS = ("mnist", "fashion_mnist", "cifar10")
PLAIN = SeparabilitySettings(per_class=100, window=False)  # thousands of dimensions have no useful volume


@pytest.fixture(scope="module")
def slices(labelled):
    """3,000 training pictures of every set."""

    def read(name):
        return sources.read(name, labelled(name), {"train": 3000, "test": 10}, seed=0).part("train")

    return {name: read(name) for name in SETS}


@pytest.mark.parametrize(("name", "published"), [("mnist", 7840), ("cifar10", 30720)])
def test_published_capacity_is_what_a_thousand_pictures_need_whatever_their_labels(slices, name, published):
    """Debugger, table 1: 7840 and 30720 bits, own labels and shuffled ones alike; others for fewer and more."""
    samples = slices[name]
    curve = CurveSettings((100, 1000), 5)
    rows = summarised(capacity_curve(samples.values, samples.labels, curve, 0), "bits", []).set_index("count")
    assert rows.loc[1000, "value"] == rows.loc[1000, "null"] == published
    assert rows.loc[100, "value"] < published < rows.loc[3000, "value"]


def test_sets_are_as_hard_as_everybody_knows(slices):
    """MNIST below Fashion-MNIST below CIFAR-10, all below shuffled labels; so in raw values and in t-SNE's plane."""
    found, plane = {}, {}
    for name, samples in slices.items():
        points, chance = samples.values.reshape(len(samples), -1), np.random.default_rng(0)
        found[name] = separability(points, samples.labels, PLAIN, chance).csg
        null = [each.csg for each in shuffled_null(points, samples.labels, PLAIN, chance, 5)]
        assert found[name] < min(null), name
        rows = stratified(samples.labels, 600, np.random.default_rng(1))
        places = tsne(points[rows], 0)
        plane[name] = separability(places, samples.labels[rows], SeparabilitySettings(), chance).csg
    assert found["mnist"] < found["fashion_mnist"] < found["cifar10"]
    assert plane["mnist"] < plane["fashion_mnist"] < plane["cifar10"]


def test_two_classes_of_photographs_give_seefoods_value(realdata, tmp_path):
    """Bell peppers and theatres for hot dogs and the rest: 200 photographs of 32 px need 21,504 bits, as published."""
    for name in ("n07720875", "n03032252"):
        (tmp_path / name).mkdir()
        for path in (realdata / "imagenet/facets" / name).glob("*/*"):
            (tmp_path / name / f"{path.parent.name}_{path.name}").symlink_to(path)
    samples = sources.read("folder", tmp_path, {"train": None, "test": None}, seed=0, size=32, test=0.0).part("train")
    assert samples.shape == (3, 32, 32)
    curve = CurveSettings((200,), 5)
    rows = summarised(capacity_curve(samples.values, samples.labels, curve, 0), "bits", []).set_index("count")
    assert rows.loc[200, "value"] == rows.loc[200, "null"] == 21504
