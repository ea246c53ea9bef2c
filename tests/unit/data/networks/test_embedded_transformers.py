"""The ViT and the ConvNeXt of scenes: read in their layouts, class units that are evidence, and what they can learn."""

import itertools

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from filterscope.data.networks import building, embedded_training
from filterscope.data.networks.embedded_training import (
    EmbeddedTrainingSettings,
    ScenePictures,
    train_scenes_network,
)
from filterscope.data.networks.embedded_transformers import GAIN, positions
from filterscope.data.networks.heads import class_names, head_weights
from filterscope.data.networks.layers import Reader, survey
from filterscope.data.networks.layout_kinds import FIRST, LAST, TOKENS
from filterscope.data.networks.settings import InputSettings, NetworkSettings
from filterscope.data.networks.stages import stage_ends
from filterscope.data.scenes import dataset
from filterscope.data.scenes.words import SHAPES

SIDE = 48
INPUTS = InputSettings(SIDE, SIDE)
KINDS = ("scenes_vit", "scenes_convnext")


def built(source):
    return building.build(NetworkSettings(source), seed=1)


def pictures(count):
    return torch.randn(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def put_out(network, layer, images):
    kept = []
    handle = network.get_submodule(layer).register_forward_hook(lambda module, given, output: kept.append(output))
    with torch.no_grad():
        network(images)
    handle.remove()
    return kept[-1]


@pytest.mark.parametrize(
    ("source", "layer", "kind", "filters", "side"),
    [
        ("scenes_vit", "patches", FIRST, 64, 6),
        ("scenes_vit", "blocks.1.attention", TOKENS, 64, 6),
        ("scenes_vit", "blocks.2.mlp.1", TOKENS, 128, 6),
        ("scenes_vit", "blocks.3", TOKENS, 64, 6),
        ("scenes_vit", "classifier", TOKENS, len(SHAPES), 6),
        ("scenes_convnext", "features.0.1.depthwise", FIRST, 32, 12),
        ("scenes_convnext", "features.0", LAST, 32, 12),
        ("scenes_convnext", "features.1.2.mlp.1", LAST, 192, 6),
        ("scenes_convnext", "classifier", LAST, len(SHAPES), 6),
    ],
)
def test_layers_are_read_in_their_layouts_as_a_hook_sees_them(source, layer, kind, filters, side):
    network, images = built(source), pictures(2)
    with torch.no_grad(), Reader(network, layer, input_size=SIDE) as reader:
        maps = reader(images)
    assert (reader.layout.kind, *maps.shape) == (kind, 2, filters, side, side)
    output = put_out(network, layer, images)
    if kind == TOKENS:
        expected = output[:, 1:].transpose(1, 2).unflatten(2, (side, side))  # the class token stands for no place
    else:
        expected = output if kind == FIRST else output.permute(0, 3, 1, 2)
    assert torch.equal(maps, expected)


@pytest.mark.parametrize("source", KINDS)
def test_nothing_is_left_out_and_stages_end_where_they_do(source):
    network = built(source)
    assert survey(network, SIDE).left_out == []
    ends = {"scenes_vit": [f"blocks.{block}" for block in range(4)], "scenes_convnext": ["features.0", "features.1"]}
    assert stage_ends(network, SIDE) == ends[source]


@pytest.mark.parametrize("source", KINDS)
def test_a_logit_is_the_mean_of_its_evidence_for_pictures_of_any_size(source):
    network = built(source)
    for side in (SIDE, 64):
        images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            logits = network(images)
            with Reader(network, "classifier", input_size=side) as reader:
                evidence = reader(images)
        assert evidence.min() >= 0
        torch.testing.assert_close(logits, GAIN * evidence.mean((2, 3)))
    assert class_names(NetworkSettings(source)) == SHAPES


@pytest.mark.parametrize(("source", "last"), [("scenes_vit", "blocks.3"), ("scenes_convnext", "features")])
def test_the_last_features_feed_the_classes_by_the_slopes_of_their_evidence(source, last):
    """Of logits by what the norm puts out, where every unit has evidence; before the norm up to its factor."""
    network = built(source).eval()
    torch.nn.init.constant_(network.classifier[0].bias, 10.0)
    weights = head_weights(network, "norm", SIDE)
    kept = []
    handle = network.norm.register_forward_hook(lambda module, given, output: kept.append(output))
    logits = network(pictures(1).requires_grad_())[0]
    handle.remove()
    for unit in (0, 5):
        (slope,) = torch.autograd.grad(logits[unit], kept[0], retain_graph=True)
        slope = slope.flatten(1, -2)[0, 1:]  # the first token of the ViT is no place
        torch.testing.assert_close(slope * 36 / GAIN, weights[unit].expand_as(slope), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(head_weights(network, last, SIDE), weights - weights.mean(1, keepdim=True))


def test_every_place_has_a_position_of_its_own():
    found = positions(16, 5, 7).flatten(1).T
    assert found.shape == (35, 16)
    assert torch.cdist(found, found).add(torch.eye(35)).min() > 0.1
    assert torch.equal(positions(16, 5, 7)[:8, :, 0], positions(16, 5, 7)[:8, :, 6])  # rows alone
    assert torch.equal(positions(16, 5, 7)[8:, 0], positions(16, 5, 7)[8:, 4])  # columns alone


@pytest.mark.parametrize("source", KINDS)
def test_class_units_tell_the_pictures_of_their_class(source, monkeypatch):
    """Of so few that they are learnt by heart, as they are; by the means of their maps, beside units never trained."""
    monkeypatch.setattr(embedded_training, "VARIED", ())
    known = [SHAPES.index(shape) for shape in ("cross", "ring", "triangle")]
    drawn = (dataset.draw(2, index, SIDE, (1, 1)) for index in itertools.count())
    drawn = list(itertools.islice((each for each in drawn if SHAPES.index(each.main.shape) in known), 48))
    images = torch.from_numpy(np.stack([each.image for each in drawn])).permute(0, 3, 1, 2).contiguous()
    labels = torch.tensor([SHAPES.index(each.main.shape) for each in drawn])
    few = ScenePictures(images, labels)
    network, _ = train_scenes_network(few, few, EmbeddedTrainingSettings(20, 0.004, 8), INPUTS, seed=1, source=source)

    def areas(network):
        with torch.no_grad(), Reader(network, "classifier", input_size=SIDE) as reader:
            means = reader(building.normalise(images, INPUTS)).mean((2, 3))
        return [roc_auc_score(labels == unit, means[:, unit]) for unit in known]

    assert min(areas(network)) > 0.85
    assert np.mean(areas(built(source))) < 0.75


@pytest.mark.parametrize("source", KINDS)
def test_they_learn_shapes_the_same_way_every_time(source):
    drawn = [dataset.draw(2, index, SIDE, (1, 1)) for index in range(64)]
    images = torch.from_numpy(np.stack([each.image for each in drawn])).permute(0, 3, 1, 2).contiguous()
    few = ScenePictures(images, torch.tensor([SHAPES.index(each.main.shape) for each in drawn]))
    settings = EmbeddedTrainingSettings(8, 0.003, 8)
    (network, history), (again, _) = (
        train_scenes_network(few, few, settings, INPUTS, seed=1, source=source) for _ in range(2)
    )
    assert history["train_loss"].iloc[-1] < 0.95 * history["train_loss"].iloc[0]
    assert history["val_accuracy"].max() > 0.2  # chance is 0.125
    for one, other in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
