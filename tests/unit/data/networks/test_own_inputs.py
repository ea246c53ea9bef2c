"""What a study does not say of a network's input, the weights' own transforms say."""

import json
import logging

import pytest
import torch
from torch import nn

from filterscope.data.networks import building
from filterscope.data.networks.own_inputs import of_preprocessor, of_timm_config
from filterscope.data.networks.settings import InputSettings, NetworkError, NetworkSettings, input_of

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def torchvision_input(architecture, weights=None, **given):
    return input_of({"source": "torchvision", "architecture": architecture, "weights": weights, "input": given})


@pytest.mark.parametrize(
    ("architecture", "weights", "expected"),
    [
        ("resnet50", "IMAGENET1K_V1", InputSettings()),
        ("resnet50", "IMAGENET1K_V2", InputSettings(232, 224)),
        ("efficientnet_v2_l", "DEFAULT", InputSettings(480, 480, (0.5,) * 3, (0.5,) * 3)),
        ("vgg16", "IMAGENET1K_FEATURES", InputSettings(256, 224, (0.48235, 0.45882, 0.40784), (1 / 255,) * 3)),
        ("deeplabv3_resnet50", "DEFAULT", InputSettings(520, 520)),
        ("fasterrcnn_resnet50_fpn", "DEFAULT", InputSettings(256, 224, (0,) * 3, (1,) * 3)),
        ("retinanet_resnet50_fpn", None, InputSettings(256, 224, (0,) * 3, (1,) * 3)),
        ("resnet18", None, InputSettings()),
    ],
)
def test_weights_of_torchvision_say_their_own(architecture, weights, expected):
    found = torchvision_input(architecture, weights)
    assert (found.resize, found.crop) == (expected.resize, expected.crop)
    assert found.mean == pytest.approx(expected.mean, abs=1e-5)
    assert found.std == pytest.approx(expected.std, abs=1e-5)


def test_the_study_goes_before_and_what_was_taken_is_told(caplog):
    with caplog.at_level(logging.INFO, "filterscope"):
        found = torchvision_input("efficientnet_v2_l", "DEFAULT", resize=300, mean=[0.1, 0.2, 0.3], std=None)
    assert (found.resize, found.crop, found.mean, found.std) == (300, 300, (0.1, 0.2, 0.3), (0.5,) * 3)
    assert "pictures as EfficientNet_V2_L_Weights.IMAGENET1K_V1 says" in caplog.text
    assert "resize 480, crop 480, mean 0.5, 0.5, 0.5" in caplog.text
    assert torchvision_input("resnet50", "DEFAULT", crop=320).resize == 320


def test_a_file_of_published_weights_is_known_by_its_name(caplog):
    entry = {"source": "checkpoint", "architecture": "efficientnet_v2_l", "input": {}}
    assert input_of({**entry, "file": "/data/efficientnet_v2_l-59c71312.pth"}).crop == 480
    with caplog.at_level(logging.INFO, "filterscope"):
        assert input_of({**entry, "file": "/data/own.pth"}) == InputSettings()
    assert "nothing is known of its input; pictures are ImageNet's usual ones" in caplog.text


@pytest.mark.parametrize(
    ("config", "size", "expected"),
    [
        ({"input_size": (3, 224, 224), "crop_pct": 0.9, **IMAGENET}, None, (248, 224)),
        ({"input_size": (3, 448, 448), "crop_pct": 1.0, "mean": (0.5,) * 3, "std": (0.5,) * 3}, None, (448, 448)),
        ({"input_size": (3, 224, 224), "crop_pct": 1.0, **IMAGENET}, 160, (160, 160)),
    ],
)
def test_the_config_of_timm_is_read(config, size, expected):
    found = of_timm_config(config, size)
    assert (found["resize"], found["crop"], found["mean"]) == (*expected, config["mean"])


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            {"size": {"height": 224, "width": 224}, "image_mean": [0.5] * 3, "image_std": [0.25] * 3},
            {"resize": 224, "crop": 224, "mean": (0.5,) * 3, "std": (0.25,) * 3},
        ),
        (
            {"size": {"shortest_edge": 256}, "crop_size": {"height": 224, "width": 224}, "do_normalize": False},
            {"resize": 256, "crop": 224, "mean": (0.0,) * 3, "std": (1.0,) * 3},
        ),
        ({"size": {"shortest_edge": 224}, "crop_pct": 0.875}, {"resize": 256, "crop": 224}),
        ({"size": 224, "rescale_factor": 1 / 127.5, "rescale_offset": True}, {"mean": (0.5,) * 3, "std": (0.5,) * 3}),
    ],
)
def test_a_preprocessor_of_hugging_face_is_read(config, expected):
    found = of_preprocessor(json.loads(json.dumps(config)))
    for key, value in expected.items():
        assert found[key] == pytest.approx(value), key


def test_one_mean_and_one_deviation_show_a_network_grey_pictures(tmp_path):
    (tmp_path / "own.py").write_text(
        "from torch import nn\ndef grey():\n    return nn.Sequential(nn.Conv2d(1, 2, 3))\n", encoding="utf-8"
    )
    entry = {"source": "factory", "factory": f"{tmp_path}/own.py:grey", "input": {"mean": [0.2], "std": [0.5]}}
    settings = NetworkSettings.from_mapping(entry)
    network = building.build(settings)
    pixels = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    grey = (pixels / 255 * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True)
    expected = nn.functional.conv2d((grey - 0.2) / 0.5, network[0].weight, network[0].bias)
    torch.testing.assert_close(network(building.normalise(pixels, settings.input)), expected)


def test_numbers_that_do_not_fit_each_other_are_refused():
    with pytest.raises(NetworkError, match=r"input\.mean and input\.std are of different lengths"):
        torchvision_input("resnet18", None, mean=[0.5])
    with pytest.raises(NetworkError, match=r"input\.mean is \[0\.5, 0\.5\], should be three numbers.*grey pictures"):
        torchvision_input("resnet18", None, mean=[0.5, 0.5], std=[0.5, 0.5])
