"""Networks are described, built, loaded and initialised as the config says; mistakes are named."""

import logging
import urllib.error

import pytest
import torch
import torchvision
import yaml
from torch import nn

from filterscope.data.networks import building
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import REQUIRED, InputSettings, NetworkError, NetworkSettings
from filterscope.data.networks.weights import write_weights

FACTORY = """
import torch
from torch import nn

class Scaled(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        self.scale = nn.Parameter(torch.arange(2.0 * width).view(width, 2))  # no layer knows how to reset it

    def forward(self, images):
        return self.body(images) * self.scale.sum()

def trained(width=4):
    network = Scaled(width)
    torch.nn.init.constant_(network.body[0].weight, 0.5)
    network.body[1].running_mean.fill_(3)
    return network

def drawn(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 1))

def number():
    return 7

def scripted():
    return torch.jit.script(Scaled(4))

def compiled():
    return torch.compile(trained())

def nested():
    return nn.Sequential(torch.compile(trained()), nn.Sequential(nn.DataParallel(nn.Conv2d(4, 2, 1))))

def in_place():
    network = nn.Sequential(trained(), nn.Conv2d(4, 2, 1))
    network[0].compile()
    return network

def parallel():
    return nn.DataParallel(trained())

class Stubborn(nn.Linear):
    def reset_parameters(self):
        self.weight.data = torch.eye(2)

def stubborn():
    return nn.Sequential(Stubborn(2, 2, bias=False))
"""


@pytest.fixture
def factory(tmp_path):
    (tmp_path / "own.py").write_text(FACTORY)
    return lambda name="trained", **others: NetworkSettings(
        "factory", factory=f"{tmp_path / 'own.py'}:{name}", **others
    )


def torchvision_settings(architecture="resnet18", **others):
    return NetworkSettings("torchvision", architecture=architecture, **others)


def same(first, second):
    first, second = first.state_dict(), second.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


# --- settings ---


def test_settings_come_from_an_entry_of_the_config():
    entry = {"source": "scenes_cnn", "dataset": "scenes", "epochs": 3, "learning_rate": 0.1, "batch_size": 8}
    settings = NetworkSettings.from_mapping({**entry, "input": {"resize": 96, "crop": 64, "std": [1, 1, 1]}})
    assert settings.input == InputSettings(96, 64, std=(1.0, 1.0, 1.0))
    assert settings.input.mean == (0.485, 0.456, 0.406)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"source": "torchvision", "architecure": "resnet18"},
            "'architecure' is not a key.*mean architecture",
        ),
        ({"source": "torchhub"}, "source is 'torchhub', should be one of torchvision, checkpoint"),
        ({"source": "checkpoint", "architecture": "resnet18"}, "file is missing"),
        ({"source": "planted", "input": {"size": 3}}, r"input\.size is not known"),
        (
            {"source": "planted", "input": {"resize": 64, "crop": 96}},
            r"crop is 96 px, should be from 1 to .*64 px",
        ),
        ({"source": "planted", "input": {"std": [1, 1, 0]}}, r"input\.std is \[1\.0, 1\.0, 0\.0\]"),
    ],
)
def test_wrong_settings_name_the_key(entry, message):
    with pytest.raises(NetworkError, match=message):
        NetworkSettings.from_mapping(entry)


def test_every_key_that_the_config_allows_is_understood(repository):
    schema = yaml.safe_load((repository / "rules" / "config.schema.yaml").read_text())
    kinds = schema["$defs"]["networks"]
    assert set(kinds) == set(building.BUILDERS)
    for source, kind in kinds.items():
        entry = {key: rules.get("default", "a:b") for key, rules in kind["properties"].items()}
        entry |= {"source": source, "input": schema["$defs"]["input"]["default"]}
        settings = NetworkSettings.from_mapping(entry)
        assert settings.input == InputSettings()


# --- building ---


def test_a_network_is_frozen_in_eval_mode_and_leaves_the_random_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    network = building.build(torchvision_settings())
    assert torch.equal(torch.rand(3), expected)
    assert not any(module.training for module in network.modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_names_that_are_not_there_get_the_nearest_right_ones(factory, tmp_path):
    with pytest.raises(NetworkError, match=r"'resnet81' is no architecture.*resnet18"):
        building.build(torchvision_settings("resnet81"))
    with pytest.raises(NetworkError, match="no weights 'IMAGENET1K_V3' of resnet50; there are IMAGENET1K_V1"):
        building.build(torchvision_settings("resnet50", weights="IMAGENET1K_V3"))
    with pytest.raises(NetworkError, match="no function 'traind'; did you mean trained"):
        building.build(factory("traind"))
    with pytest.raises(NetworkError, match="returned a int"):
        building.build(factory("number"))
    with pytest.raises(NetworkError, match=r"cannot be called with \{'depth': 3\}"):
        building.build(factory(arguments={"depth": 3}))
    with pytest.raises(NetworkError, match=r"absent\.py: there is no such file"):
        building.build(NetworkSettings("factory", factory=f"{tmp_path}/absent.py:trained"))
    with pytest.raises(NetworkError, match=r"module 'absent_module' of the factory cannot be imported"):
        building.build(NetworkSettings("factory", factory="absent_module:trained"))
    with pytest.raises(NetworkError, match="no module 'feature'; did you mean features"):
        building.build(torchvision_settings("squeezenet1_1", part="feature"))


def test_factories_are_functions_of_modules_or_of_files(factory):
    network = building.build(factory(arguments={"width": 6}))
    assert network.body[0].out_channels == 6
    by_name = NetworkSettings("factory", factory="torchvision.models:squeezenet1_1", arguments={"num_classes": 3})
    assert building.build(by_name)(torch.zeros(1, 3, 64, 64)).shape == (1, 3)


def test_a_part_keeps_its_name():
    whole = building.build(torchvision_settings("squeezenet1_1"))
    part = building.build(torchvision_settings("squeezenet1_1", part="features"))
    assert set(part.state_dict()) == {key for key in whole.state_dict() if key.startswith("features.")}
    assert torch.equal(part.get_submodule("features.3.squeeze").weight, whole.features[3].squeeze.weight)
    images = torch.rand(1, 3, 64, 64)
    assert torch.equal(part(images), whole.features(images))


def test_networks_do_without_auxiliary_heads_and_accept_weights_that_have_them(tmp_path):
    full = torchvision.models.googlenet(weights=None, aux_logits=True, init_weights=False)
    torch.save(full.state_dict(), tmp_path / "full.pth")
    settings = NetworkSettings("checkpoint", architecture="googlenet", file=str(tmp_path / "full.pth"))
    network = building.prepare(settings, seed=0)
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(network(images), full.eval()(images))
    for architecture in ("googlenet", "inception_v3"):
        network = building.build(torchvision_settings(architecture, weights="DEFAULT"))
        assert not [name for name, _ in network.named_modules() if name.lower().startswith("aux")]
        # ImageNet's weights expect the input transformation that torchvision switches on with them.
        assert network.transform_input


def test_no_backbone_is_downloaded_for_a_segmentation_network(monkeypatch):
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *_, **__: pytest.fail("a download was tried"))
    network = building.build(torchvision_settings("lraspp_mobilenet_v3_large", weights="DEFAULT"))
    assert network.classifier.low_classifier.out_channels == 21  # as many classes as the weights have


# --- weights ---


def test_weights_written_are_the_weights_read_and_the_same_bytes(tmp_path):
    settings = torchvision_settings("squeezenet1_1")
    network = building.prepare(settings, seed=3)
    for name in ("a.pt", "b.pt"):
        write_weights(network, tmp_path / name)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()
    loaded = building.load(settings, tmp_path / "a.pt")
    assert same(loaded, network)
    assert not any(module.training for module in loaded.modules())
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    with pytest.raises(NetworkError, match=r"a\.pt: does not fit.*looks like the architecture squeezenet1_1"):
        building.load(torchvision_settings("resnet18"), tmp_path / "a.pt")


def test_a_checkpoint_with_prefix_and_part_is_prepared(tmp_path):
    own = torchvision.models.squeezenet1_1()
    wrapped = {f"module.net.{key}": value.half() for key, value in own.state_dict().items()}
    torch.save({"state_dict": wrapped}, tmp_path / "own.pth")
    names = {"architecture": "squeezenet1_1", "file": str(tmp_path / "own.pth")}
    settings = NetworkSettings("checkpoint", prefix="net", part="features", **names)
    network = building.prepare(settings, seed=0)
    assert set(network.state_dict()) == {key for key in own.state_dict() if key.startswith("features.")}
    assert torch.equal(network.get_submodule("features.0").weight, own.features[0].weight.half().float())


def test_a_factory_keeps_its_own_weights(factory):
    assert building.prepare(factory(), seed=0).body[0].weight.eq(0.5).all()


def test_torchvision_weights_come_from_the_cache_and_say_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    settings = torchvision_settings("squeezenet1_1", weights="SqueezeNet1_1_Weights.IMAGENET1K_V1")
    own = building.build(settings, seed=9)
    file = cache / "squeezenet1_1-b8a52dc0.pth"
    torch.save(own.state_dict(), file)
    assert same(building.prepare(settings, seed=0), own)

    file.write_bytes(b"<html>")
    with pytest.raises(NetworkError, match=rf"{file.name} is cut off or not the official file; delete it"):
        building.fetch_weights(settings)

    def unreachable(*_, **__):
        raise urllib.error.URLError("no route to host")

    file.unlink()
    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    with pytest.raises(NetworkError, match=rf"cannot be downloaded .*no route to host.*put the file at {file}"):
        building.fetch_weights(settings)


# --- random networks ---


def test_initialising_is_seeded_and_leaves_the_random_state_alone(factory):
    for settings in (torchvision_settings("squeezenet1_1", weights="DEFAULT"), factory()):
        torch.manual_seed(5)
        expected = torch.rand(3)
        torch.manual_seed(5)
        first = building.initialise(settings, seed=1)
        assert torch.equal(torch.rand(3), expected)
        assert same(first, building.initialise(settings, seed=1))
        assert not same(first, building.initialise(settings, seed=2))


def test_a_scripted_network_is_refused_with_what_to_return(factory):
    with pytest.raises(
        NetworkError, match=r"own\.py:scripted returned a scripted network.*that it was scripted or traced"
    ):
        building.build(factory("scripted"))


@pytest.mark.parametrize("wrapper", ["compiled", "parallel"])
def test_wrappers_of_torch_are_taken_off(factory, wrapper, tmp_path, caplog):
    with caplog.at_level(logging.INFO, "filterscope"):
        network = building.build(factory(wrapper))
    assert "what it wraps is used" in caplog.text
    assert [name for name, _ in network.named_children()] == ["body"]
    write_weights(network, tmp_path / "weights.pt")
    again = building.load(factory(wrapper), tmp_path / "weights.pt")
    assert again.body[1].running_mean.eq(3).all()


@pytest.mark.parametrize("name", ["nested", "in_place"])
def test_layers_inside_compiled_modules_are_read(factory, name):
    network = building.build(factory(name))
    images = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    expected = network[0].body(images)
    with torch.no_grad(), Reader(network, "0.body.2", input_size=8) as reader:
        assert torch.equal(reader(images), expected)


def test_nothing_that_a_factory_has_learnt_survives(factory):
    trained, random = building.build(factory()), building.initialise(factory(), seed=1)
    assert not random.body[0].weight.eq(0.5).any()
    assert random.body[1].running_mean.eq(0).all()
    assert not torch.equal(random.scale, trained.scale)
    assert torch.equal(random.scale.flatten().sort().values, trained.scale.flatten().sort().values)


def test_the_null_is_not_what_a_factory_draws_by_a_seed_of_its_own(factory):
    """Seeds that people write: the study's, its neighbours, the usual ones."""
    null = building.initialise(factory("drawn", arguments={"seed": 3}), seed=3)
    for own in (0, 1, 2, 3, 4, 5, 42, 1234):
        assert not same(null, building.build(factory("drawn", arguments={"seed": own})))


def test_a_factory_whose_weights_cannot_be_drawn_again_is_refused(factory):
    with pytest.raises(NetworkError, match=r"1 parameters.*cannot be drawn at random, 0\.weight first"):
        building.initialise(factory("stubborn"), seed=1)


# --- input ---


def test_normalising_is_what_torchvision_does():
    images = torch.randint(0, 256, (2, 3, 5, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    before, inputs = images.clone(), InputSettings(mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7))
    expected = torchvision.transforms.functional.normalize(images / 255, inputs.mean, inputs.std)
    torch.testing.assert_close(building.normalise(images, inputs), expected)
    assert torch.equal(images, before)
    with pytest.raises(ValueError, match=r"images are torch\.float32 \[2, 3, 5, 7\], should be uint8"):
        building.normalise(images / 255, inputs)


def test_the_embedded_networks_are_known():
    assert isinstance(building.build(NetworkSettings("planted")).get_submodule("detectors"), nn.Module)
    assert isinstance(building.build(NetworkSettings("scenes_cnn")).get_submodule("features"), nn.Module)


def test_every_source_has_what_builds_it():
    assert list(building.BUILDERS) == list(REQUIRED)
