"""`filterscope init` writes a study that is right, for every kind of network, or says what is not."""

import os

import pytest
import torch
import torchvision
import yaml

from filterscope.__main__ import main
from filterscope.commands import networks, studies, workflow

SCENES = ("--photos", "album", "--teacher", "scenes")


def written(*arguments, out="my.yaml"):
    """The study that a command writes, as it is merged and checked."""
    assert main(["init", *arguments, "--out", out]) == 0
    study = studies.read(out)
    assert study.mistakes == []
    return study


def test_a_factory_becomes_a_study_that_can_be_run_as_it_is(here, capsys):
    study = written("own.py:build", "--size", "32", *SCENES)
    assert study.config["networks"]["own"]["factory"] == f"{here}/own.py:build"
    assert study.config["networks"]["own"]["input"]["crop"] == 32
    assert study.config["probes"]["deep"]["layer"] == "3"  # the last ReLU, not the pooling after it
    assert study.config["datasets"]["album"]["folder"] == str(here / "album")
    assert [each["dataset"] for each in study.config["explanations"]] == ["scenes", "album"]
    said = capsys.readouterr().out
    assert "layer 3, 8 filters of 8 x 8 cells, the end of its last stage; 3 photographs" in said
    assert "filterscope check my.yaml" in said


def test_the_ends_of_stages_are_proposed_and_read_together_where_they_are_wanted(here, capsys):
    study = written("resnet18", *SCENES)
    assert study.config["probes"]["deep"]["layer"] == "layer4"
    said = (here / "my.yaml").read_text()
    assert "# Its stages end in layer1, layer2, layer3, layer4: `layers: blocks` in the place" in said
    (here / "my.yaml").unlink()
    capsys.readouterr()
    study = written("resnet18", *SCENES, "--layer", "blocks")
    assert {name for name in study.config["probes"] if name.startswith("deep")} >= {"deep.layer3", "deep.layer4"}
    assert "the ends of its stages, layers layer1," in capsys.readouterr().out
    assert "Its stages end" not in (here / "my.yaml").read_text()


def test_a_study_is_commented_and_leaves_no_part_behind(here):
    written("own.py:build", "--size", "32", "--photos", "album")
    text = (here / "my.yaml").read_text()
    assert "#     filterscope run my.yaml" in text
    assert "# Whose filters are named: layer 3, 8 filters" in text
    assert "null downloads it (20 GB)" in text
    assert sorted(each.name for each in here.iterdir()) == ["album", "my.yaml", "own.py"]


def test_real_words_come_from_coco_and_glove_where_they_lie(here):
    (here / "coco").mkdir()
    (here / "glove.zip").touch()
    study = written("own.py:build", "--size", "32", "--photos", "album", "--coco", "coco", "--glove", "glove.zip")
    assert study.config["datasets"]["coco"]["folder"] == str(here / "coco")
    assert study.config["vocabularies"]["glove"]["file"] == str(here / "glove.zip")
    assert study.config["training"]["vocabulary_negatives"] == 1024
    assert study.config["datasets"]["album"]["reference"] == "coco"
    assert "null downloads" not in (here / "my.yaml").read_text()


def test_a_torchvision_network_has_its_weights_own_input(here):
    study = written("efficientnet_b1", *SCENES)
    network = study.config["networks"]["efficientnet_b1"]
    transforms = torchvision.models.EfficientNet_B1_Weights.DEFAULT.transforms()
    assert (network["input"]["resize"], network["input"]["crop"]) == (
        transforms.resize_size[0],
        transforms.crop_size[0],
    )
    assert network["weights"] == "DEFAULT"
    assert study.config["probes"]["deep"]["layer"] == "features.8"


@pytest.mark.parametrize(
    ("file", "prefix", "classes"), [("mine.pt", "module.", 1000), ("squeezenet1_1-own.pth", "", 7)]
)
def test_a_checkpoint_is_recognised_by_tensors_or_name_and_its_head_counted(here, file, prefix, classes):
    network = torchvision.models.squeezenet1_1(num_classes=classes)
    torch.save({f"{prefix}{key}": value for key, value in network.state_dict().items()}, file)
    study = written(file, *SCENES)
    (entry,) = (study.config["networks"][name] for name in study.own["networks"])
    assert entry["architecture"].startswith("squeezenet1_")
    assert entry["file"] == str(here / file)
    assert entry["arguments"] == ({} if classes == 1000 else {"num_classes": 7})


def test_a_prototxt_takes_the_caffemodel_beside_it(here, capsys):
    (here / "deploy.prototxt").write_text(
        'input: "data" input_dim: 1 input_dim: 3 input_dim: 40 input_dim: 40\n'
        'layer { name: "conv" type: "Convolution" bottom: "data" top: "c" '
        "convolution_param { num_output: 4 kernel_size: 3 } }\n"
    )
    assert main(["init", "deploy.prototxt", *SCENES]) == 2
    assert "needs a caffemodel, and none lies beside it; name it with --weights FILE" in capsys.readouterr().err
    (here / "net.caffemodel").touch()
    study = written("deploy.prototxt", "--size", "40", *SCENES)
    assert study.config["networks"]["deploy"]["caffemodel"] == str(here / "net.caffemodel")
    assert study.config["probes"]["deep"]["layer"] == "conv"


def test_prefixes_name_sources_where_the_schema_has_them(here, monkeypatch, capsys):
    schema = here / "schema.yaml"
    known = {"timm": {"properties": {"source": {}, "name": {}}}, "huggingface": {"properties": {"model": {}}}}
    schema.write_text(yaml.safe_dump({"$defs": {"networks": known}}))
    monkeypatch.setattr(workflow, "path_to_schema", lambda: schema)
    options = {"weights": None, "architecture": None, "size": None}
    of = lambda network: networks.entry_of(type("Options", (), {**options, "network": network}))  # noqa: E731
    assert of("timm:convnext_tiny") == {"source": "timm", "name": "convnext_tiny"}
    assert of("hf:facebook/dinov2-small") == {"source": "huggingface", "model": "facebook/dinov2-small"}
    schema.write_text(yaml.safe_dump({"$defs": {"networks": {}}}))
    assert main(["init", "timm:convnext_tiny", *SCENES]) == 2
    assert "this version reads no networks of source 'timm'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("network", "name"),
    [
        ("resnet50", "resnet50"),
        ("my-network.py:build", "my_network"),
        ("folder/weights.pth.tar", "weights"),
        ("package.module:build", "module"),
        ("timm:vit_tiny.augreg", "vit_tiny_augreg"),
        ("hf:facebook/dinov2-small", "dinov2_small"),
        ("nets/deploy.prototxt", "deploy"),
        ("3d.pt", "network_3d"),
    ],
)
def test_what_the_network_is_called(network, name):
    assert networks.name_of(network) == name


@pytest.mark.parametrize("folder", ["my, photos", "it's: [odd]", "# one", "ümläute 写真"])
def test_odd_names_of_folders_and_titles_are_written_as_they_are(here, folder):
    (here / "album").rename(here / folder)
    title = f"'{folder}': *all*"
    arguments = ("--photos", folder, "--teacher", "scenes", "--title", title)
    study = written("own.py:build", "--size", "32", *arguments, out="odd name.yaml")
    assert study.config["datasets"]["album"]["folder"] == str(here / folder)
    assert study.config["title"] == title
    assert "filterscope run 'odd name.yaml'" in (here / "odd name.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("own.py:build", "--photos", "albun"), "--photos albun: is not there; should be a folder"),
        (("own.py:build", "--photos", "own.py"), "--photos own.py: is a file; should be a folder"),
        (("own.py:build", "--photos", "empty"), "no picture in it or below"),
        (("squeezenet1_2", "--photos", "album"), "did you mean squeezenet1_"),
        (("timm:", "--photos", "album"), "timm: names no network; should be as timm:NAME"),
        (("gone.pt", "--photos", "album"), "gone.pt: there is no such file"),
        (("gone.py:build", "--photos", "album"), "gone.py: there is no such file"),
        (("own.py:biuld", "--photos", "album"), "has no function 'biuld'; did you mean build"),
        (("own.py:broken", "--photos", "album"), "the network cannot be built (KeyError: 'no such thing')"),
        (("own.py:build", "--photos", "album", "--size", "32", "--layer", "33"), "has no layer '33'"),
        (("own.py:build", "--photos", "album", "--coco", "nowhere"), "--coco nowhere: is not there"),
        (("own.py:build", "--photos", "album", "--weights", "none.pt"), "--weights none.pt: there is no such file"),
        (("own.py:build", "--photos", "album", "--size", "32", "--out", "no/my.yaml"), "there is no folder no"),
        (("own.py:build", "--photos", "{x}", "--size", "32"), "Snakemake reads {...} as a wildcard"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(here, capsys, arguments, said):
    (here / "empty").mkdir()
    os.symlink(here / "album", here / "{x}")
    before = sorted(here.iterdir())
    assert main(["init", *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert said in error
    assert [each for each in sorted(here.iterdir()) if each.name != "__pycache__"] == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(here, capsys):
    (here / "album").chmod(0)
    try:
        assert main(["init", "own.py:build", *SCENES]) == 2
    finally:
        (here / "album").chmod(0o755)
    assert "--photos album: this user may not read it" in capsys.readouterr().err


def test_a_study_that_is_there_is_kept_unless_forced(here, capsys):
    (here / "my.yaml").write_text("title: mine\n")
    assert main(["init", "own.py:build", "--size", "32", *SCENES]) == 2
    assert "my.yaml is there already; --force writes over it" in capsys.readouterr().err
    assert (here / "my.yaml").read_text() == "title: mine\n"
    written("own.py:build", "--size", "32", "--force", *SCENES)
