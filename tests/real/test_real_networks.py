"""Real ImageNet weights come in by every way there is, and see what is in real photographs."""

import os
from pathlib import Path

import pytest
import torch

from data.networks.prepare_network import prepare_network
from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.data.networks import building
from filterscope.data.networks.layers import Reader

pytestmark = pytest.mark.real
FACTORY = f"{Path(__file__).with_name('factories.py')}:resnet50_stride_in_1x1"
PICTURES_PER_CLASS = 5


def entries(realdata):
    """The four networks as the config describes them."""
    files = {path.name.split(".")[0]: str(path) for path in (realdata / "weights").iterdir()}
    # The pictures are 224 px already, and only their middle would be left of them after the usual 256.
    common = {"input": {"resize": 224, "crop": 224}}
    squeezenet = {"source": "checkpoint", "architecture": "squeezenet1_1", "file": files["squeezenet1_1"]}
    alexnet = {"source": "checkpoint", "architecture": "alexnet", "file": files["alexnet_features"]}
    return {
        "mobilenet": {"source": "torchvision", "architecture": "mobilenet_v2", "weights": "IMAGENET1K_V1", **common},
        "squeezenet": {**squeezenet, **common},
        "resnet50": {"source": "factory", "factory": FACTORY, "file": files["resnet50_stride_in_1x1"], **common},
        "alexnet": {**alexnet, "part": "features", **common},
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
    geometry = Geometry(224, 224)
    pictures, classes = [], []
    for folder in folders:
        for path in sorted(folder.iterdir())[:PICTURES_PER_CLASS]:
            pictures.append(geometry.picture(read_image(path)))
            classes.append(numbers[folder.name])
    return torch.stack(pictures), torch.tensor(classes)


@pytest.fixture
def offline(torch_home, monkeypatch):
    """Torchvision finds its cache, and nothing else."""

    def refuse(url, *_, **__):
        raise AssertionError(f"a download of {url} was tried")

    monkeypatch.setenv("TORCH_HOME", str(torch_home))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)


@pytest.mark.parametrize(
    ("name", "layer", "filters", "side"),
    [
        ("mobilenet", "features", 1280, 7),
        ("squeezenet", "features", 512, 13),
        ("resnet50", "layer4", 2048, 7),
        ("alexnet", "features", 256, 6),
    ],
)
def test_weights_come_in_and_a_layer_is_read(name, layer, filters, side, realdata, offline, photographs, tmp_path):
    entry = entries(realdata)[name]
    prepare_network(tmp_path / "weights.pt", entry, seed=0)
    settings = building.NetworkSettings.from_mapping(entry)
    network = building.load(settings, tmp_path / "weights.pt")
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    images = building.normalise(photographs[0][::5], settings.input)
    with torch.inference_mode(), Reader(network, layer, input_size=settings.input.crop) as reader:
        assert (reader.filters, reader.height, reader.width) == (filters, side, side)
        maps = reader(images)
    assert maps.shape == (10, filters, side, side)
    assert maps.ge(0).all()  # all four end in a ReLU
    # Filters that have learnt see different things in different pictures.
    assert maps.amax((2, 3)).std(0).gt(0).float().mean() > 0.9


@pytest.mark.parametrize("name", ["mobilenet", "squeezenet", "resnet50"])
def test_networks_know_what_is_in_the_photographs(name, realdata, offline, photographs):
    settings = building.NetworkSettings.from_mapping(entries(realdata)[name])
    pictures, classes = photographs
    network = building.prepare(settings, seed=0)
    with torch.inference_mode():
        logits = [network(building.normalise(batch, settings.input)) for batch in pictures.split(10)]
    of_ten = torch.cat(logits)[:, classes.unique()].argmax(1)  # which of the ten classes that are shown
    assert classes.unique()[of_ten].eq(classes).float().mean() >= 0.85
    assert torch.cat(logits).argmax(1).eq(classes).float().mean() >= 0.45  # of all thousand


def test_a_checkpoint_of_another_architecture_is_recognised(realdata, tmp_path):
    entry = {**entries(realdata)["squeezenet"], "architecture": "resnet18"}
    with pytest.raises(building.NetworkError, match=r"missing keys.*looks like the architecture squeezenet1_1"):
        prepare_network(tmp_path / "weights.pt", entry, seed=0)
    entry = {**entries(realdata)["alexnet"], "part": None}
    with pytest.raises(building.NetworkError, match=r"6 missing keys.*holds only features: set part"):
        prepare_network(tmp_path / "weights.pt", entry, seed=0)
    assert not (tmp_path / "weights.pt").exists()
