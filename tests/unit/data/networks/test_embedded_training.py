"""The embedded CNN: learns the main object's shape, the same way every time."""

import hashlib
import itertools

import numpy as np
import pandas as pd
import pytest
import torch

from filterscope import tables
from filterscope.apt.scheduling import ScheduleSettings
from filterscope.apt.steering import Steering
from filterscope.data.networks import embedded_training
from filterscope.data.networks.embedded import build_scenes_cnn
from filterscope.data.networks.embedded_training import (
    EmbeddedTrainingSettings,
    ScenePictures,
    main_shapes,
    train_scenes_network,
)
from filterscope.data.networks.settings import InputSettings
from filterscope.data.scenes import dataset
from filterscope.data.scenes.words import SHAPES

INPUTS = InputSettings(48, 48)


def pictures(count: int, first: int = 0) -> ScenePictures:
    drawn = [dataset.draw(2, index, 48, (1, 1)) for index in range(first, first + count)]
    images = torch.from_numpy(np.stack([each.image for each in drawn])).permute(0, 3, 1, 2).contiguous()
    return ScenePictures(images, torch.tensor([SHAPES.index(each.main.shape) for each in drawn]))


@pytest.fixture(scope="module")
def trained():
    before = torch.random.get_rng_state()
    same = pictures(96)  # so few pictures can be learnt by heart, not generalised from
    result = train_scenes_network(same, same, EmbeddedTrainingSettings(10, 0.006, 16), INPUTS, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    return result


def digest(network) -> str:
    state = b"".join(value.numpy().tobytes() for value in network.state_dict().values())
    return hashlib.sha256(state).hexdigest()


def test_loss_falls_and_accuracy_rises(trained):
    network, history = trained
    tables.checked(history, "network_history")
    assert list(history["epoch"]) == list(range(1, 11))
    assert history["train_loss"].iloc[-1] < 0.75 * history["train_loss"].iloc[0]
    assert history["val_accuracy"].max() > 0.35  # chance is 0.125
    assert not network.training


def test_the_best_epoch_is_kept(trained):
    network, history = trained
    assert history["best"].sum() == 1
    kept = history[history["best"]].iloc[0]
    assert kept["val_accuracy"] == history["val_accuracy"].max()
    val = pictures(96)
    with torch.no_grad():
        normalised = embedded_training.normalise(val.pictures, INPUTS)
        accuracy = (network(normalised).argmax(1) == val.labels).double().mean().item()
    assert accuracy == pytest.approx(kept["val_accuracy"])


def test_the_same_seed_trains_the_same_network():
    settings = EmbeddedTrainingSettings(1, 0.01, 8)
    one, again, other = (
        digest(train_scenes_network(pictures(24), pictures(8, 24), settings, INPUTS, seed)[0]) for seed in (1, 1, 2)
    )
    assert one == again != other


def test_maps_are_fine_and_rectified_and_logits_are_their_means():
    network = build_scenes_cnn().eval()
    pictures = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        maps = network.features(pictures)
        evidence = network.classifier(maps)
        logits = network(pictures)
    assert maps.shape == (2, 64, 12, 12)
    assert evidence.shape == (2, len(SHAPES), 12, 12)
    assert min(maps.min(), evidence.min()) >= 0
    torch.testing.assert_close(logits, evidence.mean((2, 3)))


def test_the_label_is_the_shape_of_the_largest_object():
    annotations = pd.DataFrame(
        {
            "image_id": [7, 7, 3, 7],
            "tokens": [["red", "plain", "ring"], ["blue", "dotted", "star"], ["pink", "plain", "heart"], ["red"]],
            "area": [50.0, 80.0, 10.0, 5.0],
        }
    )
    assert main_shapes(annotations).to_dict() == {3: SHAPES.index("heart"), 7: SHAPES.index("star")}
    annotations.loc[3, "area"] = 90.0
    with pytest.raises(ValueError, match=r"image 7: its largest object has tokens \['red'\]"):
        main_shapes(annotations)


def test_every_output_has_the_name_of_its_shape():
    rows = tables.checked(embedded_training.unit_words(), "known_words").to_pylist()
    assert [row["words"][0] for row in rows] == list(SHAPES)
    assert {row["detects"] for row in rows} == {"shape"}


def test_smoothed_labels_leave_a_loss_that_no_network_is_below():
    labels = torch.arange(len(SHAPES))
    sure = torch.full((len(SHAPES), len(SHAPES)), embedded_training._LABEL_SMOOTHING / len(SHAPES))
    sure += (1 - embedded_training._LABEL_SMOOTHING) * torch.eye(len(SHAPES))
    assert embedded_training._loss(sure.log(), labels).item() == pytest.approx(embedded_training._least_loss())


def test_varied_pictures_are_moved_mirrored_and_their_colours_exchanged():
    """What was at a place is found again, near it or near its mirror image, in any order of the channels."""
    side, count, middle = 32, 400, (12, 20)
    one = torch.zeros(3, side, side, dtype=torch.uint8)
    one[:, *middle] = torch.tensor([50, 100, 200], dtype=torch.uint8)
    shown = one.expand(count, -1, -1, -1)
    generator = torch.Generator().manual_seed(0)
    varied = embedded_training._varied(shown, generator)
    assert (varied.shape, varied.dtype) == (shown.shape, torch.uint8)
    assert torch.equal(shown[0], one)
    places = [each.any(0).nonzero() for each in varied]
    assert {len(each) for each in places} == {1}
    rows, columns = torch.cat(places).T.tolist()
    assert set(rows) == set(range(10, 15))  # two px of 32 to either side
    assert set(columns) == {*range(18, 23), *range(9, 14)}
    values = [tuple(each[:, row, column].tolist()) for each, row, column in zip(varied, rows, columns, strict=True)]
    assert set(values) == set(itertools.permutations((50, 100, 200)))
    again = embedded_training._varied(shown, torch.Generator().manual_seed(0))
    assert torch.equal(varied, again)
    one[:] = torch.arange(3, dtype=torch.uint8)[:, None, None]
    assert embedded_training._varied(shown, generator).flatten(2).float().std(2).max() == 0  # the border goes on


@pytest.mark.parametrize("source", ["scenes_cnn", "scenes_vit", "scenes_convnext"])
def test_only_networks_that_need_it_are_shown_varied_pictures(source, monkeypatch):
    seen = []
    varied = embedded_training._varied
    monkeypatch.setattr(embedded_training, "_varied", lambda *given: seen.append(1) or varied(*given))
    train_scenes_network(pictures(4), pictures(2), EmbeddedTrainingSettings(1, 0.01, 4), INPUTS, 0, source=source)
    assert bool(seen) == (source != "scenes_cnn")


@pytest.mark.filterwarnings("ignore::filterscope.apt.model.ModelWarning")
def test_a_schedule_that_follows_temperatures_knows_the_losses(monkeypatch):
    """A CNN that knows its pictures by heart does not change any more, and that is no reason to heat it."""
    begun = []

    class Kept(Steering):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            begun.append(self)

    monkeypatch.setattr(embedded_training, "Steering", Kept)
    steering = {"method": "actcoolr", "learning_rate": 0.01, "initial_temperature": 3.0, "sigma": 1.15}
    settings = EmbeddedTrainingSettings(80, 0.01, 8, steering=ScheduleSettings.from_mapping(steering))
    few = pictures(8)
    _, history = train_scenes_network(few, few, settings, INPUTS, seed=1)
    assert begun[0].held["fitted"] >= 1, history["train_loss"].iloc[-1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ((torch.zeros(2, 3, 8, 8), torch.zeros(2, dtype=torch.int64)), "should be uint8"),
        ((torch.zeros(2, 3, 8, 8, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64)), r"2 pictures have labels"),
        ((torch.zeros(1, 3, 8, 8, dtype=torch.uint8), torch.tensor([8])), "labels go from 8 to 8"),
        ((torch.zeros(0, 3, 8, 8, dtype=torch.uint8), torch.zeros(0, dtype=torch.int64)), "no pictures"),
    ],
)
def test_pictures_without_right_labels_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        ScenePictures(*wrong)


def test_one_picture_is_too_few():
    with pytest.raises(ValueError, match="too few"):
        train_scenes_network(pictures(1), pictures(2), EmbeddedTrainingSettings(1, 0.01, 8), INPUTS, seed=0)
