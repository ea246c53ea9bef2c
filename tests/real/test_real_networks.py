"""Real ImageNet weights come in by every way there is, and see what is in real photographs."""

import os
from pathlib import Path

import pytest
import torch

from data.prepare_network import prepare_network
from filterscope.data import networks
from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.data.layers import Reader

pytestmark = pytest.mark.real
FACTORY = f"{Path(__file__).with_name('factories.py')}:resnet50_stride_in_1x1"
PICTURES_PER_CLASS = 5


def entries(realdata):
    """The four networks as the config describes them, and the layer and maps that the studies read."""
    weights = realdata / "weights"
    return {
        "mobilenet": (
            {"source": "torchvision", "architecture": "mobilenet_v2", "weights": "IMAGENET1K_V1"},
            ("features", 1280, 7),
        ),
        "squeezenet": (
            {
                "source": "checkpoint",
                "architecture": "squeezenet1_1",
                "file": str(weights / "squeezenet1_1.pth"),
            },
            ("features", 512, 13),
        ),
        "resnet50": (
            {
                "source": "factory",
                "factory": FACTORY,
                "file": str(weights / "resnet50_stride_in_1x1.fp16.pth"),
            },
            ("layer4", 2048, 7),
        ),
        "alexnet": (
            {
                "source": "checkpoint",
                "architecture": "alexnet",
                "file": str(weights / "alexnet_features.pth"),
                "part": "features",
            },
            ("features", 256, 6),
        ),
    }


@pytest.fixture(scope="module")
def torch_home(realdata, tmp_path_factory):
    """A cache of torchvision that holds MobileNetV2, as a link."""
    home = tmp_path_factory.mktemp("torch")
    cache = home / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    os.symlink(realdata / "weights" / "mobilenet_v2-b0353104.pth", cache / "mobilenet_v2-b0353104.pth")
    return home


@pytest.fixture(scope="module")
def photographs(realdata):
    """50 photographs of 10 classes [50, 3, 224, 224] uint8, and the number of the class of each."""
    names = (realdata / "imagenet" / "synset_words.txt").read_text().splitlines()
    numbers = {line.split()[0]: number for number, line in enumerate(names)}
    folders = sorted((realdata / "imagenet" / "imagenette_val500").iterdir())
    geometry = Geometry(256, 224)
    pictures, classes = [], []
    for folder in folders:
        for path in sorted(folder.iterdir())[:PICTURES_PER_CLASS]:
            pictures.append(geometry.picture(torch.as_tensor(read_image(path))))
            classes.append(numbers[folder.name])
    return torch.stack(pictures), torch.tensor(classes)


@pytest.mark.parametrize("name", ["mobilenet", "squeezenet", "resnet50", "alexnet"])
def test_the_weights_come_in_and_the_layer_is_read(
    name, realdata, torch_home, photographs, monkeypatch, tmp_path
):
    monkeypatch.setenv("TORCH_HOME", str(torch_home))
    monkeypatch.setattr(
        torch.hub, "download_url_to_file", lambda *_, **__: pytest.fail("a download was tried")
    )
    entry, (layer, filters, side) = entries(realdata)[name]
    prepare_network(tmp_path / "weights.pt", entry, seed=0)
    settings = networks.NetworkSettings.from_mapping(entry)
    network = networks.load(settings, tmp_path / "weights.pt")
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    images = networks.normalise(photographs[0], settings.input)
    with torch.inference_mode(), Reader(network, layer, input_size=settings.input.crop) as reader:
        assert (reader.filters, reader.height, reader.width) == (filters, side, side)
        maps = torch.cat([reader(batch) for batch in images.split(10)])
    assert maps.shape == (50, filters, side, side)
    assert maps.ge(0).all()  # all four end in a ReLU
    # Trained filters see different things in different pictures: hardly one says the same of all of them.
    assert maps.amax((2, 3)).std(0).gt(0).float().mean() > 0.95


@pytest.mark.parametrize(("name", "least"), [("mobilenet", 0.7), ("squeezenet", 0.7), ("resnet50", 0.85)])
def test_the_networks_know_what_is_in_the_photographs(
    name, least, realdata, torch_home, photographs, monkeypatch
):
    monkeypatch.setenv("TORCH_HOME", str(torch_home))
    settings = networks.NetworkSettings.from_mapping(entries(realdata)[name][0])
    pictures, classes = photographs
    with torch.inference_mode():
        network = networks.prepare(settings, seed=0)
        logits = torch.cat(
            [network(networks.normalise(batch, settings.input)) for batch in pictures.split(10)]
        )
        random = networks.initialise(settings, seed=0)
        guesses = torch.cat(
            [random(networks.normalise(batch, settings.input)) for batch in pictures.split(10)]
        )
    assert logits.argmax(1).eq(classes).float().mean() >= least
    assert guesses.argmax(1).eq(classes).float().mean() < 0.2


def test_a_checkpoint_of_another_architecture_is_recognised(realdata, tmp_path):
    entry = {**entries(realdata)["squeezenet"][0], "architecture": "resnet18"}
    with pytest.raises(
        networks.NetworkError, match="missing keys.*looks like the architecture squeezenet1_1"
    ):
        prepare_network(tmp_path / "weights.pt", entry, seed=0)
    entry = {**entries(realdata)["alexnet"][0], "part": None}
    with pytest.raises(networks.NetworkError, match="6 missing keys.*holds only features: set part"):
        prepare_network(tmp_path / "weights.pt", entry, seed=0)
    assert not (tmp_path / "weights.pt").exists()
