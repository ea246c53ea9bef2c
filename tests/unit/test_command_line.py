"""`python -m filterscope layers` prints what a probe can read."""

import json
import subprocess
import sys

import pytest

from filterscope.__main__ import main


def printed(capsys, *arguments):
    assert main(["layers", *arguments]) == 0
    title, *rows = capsys.readouterr().out.splitlines()
    assert title.split() == ["layer", "call", "calls", "kind", "filters", "map", "end"]
    return [row.removesuffix("*").rstrip().split(maxsplit=5) for row in rows]


def test_layers_of_an_architecture_with_channels_and_map_sizes(capsys):
    rows = printed(capsys, "resnet18", "--size", "64")
    assert ["layer4", "0", "1", "Sequential", "512", "2 x 2"] in rows
    assert ["layer4.1.relu", "1", "2", "ReLU", "512", "2 x 2"] in rows
    assert len({row[0] for row in rows}) == len(rows)  # the last call of each
    every = printed(capsys, "resnet18", "--size", "64", "--calls", "all")
    assert ["layer4.1.relu", "0", "2", "ReLU", "512", "2 x 2"] in every
    assert len(every) - len(rows) == 8  # one ReLU of each block is used twice


def test_ends_of_stages_are_marked_and_what_is_left_out_is_told_with_the_reason(capsys):
    """Blocks of a Swin were left out without a word."""
    assert main(["layers", "swin_t", "--size", "64"]) == 0
    out, said = capsys.readouterr()
    marked = [line.split()[0] for line in out.splitlines() if line.endswith("*")]
    assert marked == ["features.1", "features.3", "features.5", "features.7"]
    assert "usually asked for: features.1, features.3, features.5, features.7" in said
    assert "cropped to 64; mean 0.485, 0.456, 0.406; std 0.229, 0.224, 0.225" in said
    assert main(["layers", "vit_b_32"]) == 0
    assert "1 tokens that stand for no place are dropped in" in capsys.readouterr().err


def test_everything_is_told_as_json(capsys):
    assert main(["layers", "timm:test_vit", "--size", "160", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ends"] == [each["layer"] for each in told["layers"] if each["end"]]
    block = next(each for each in told["layers"] if each["layer"] == told["ends"][-1])
    assert (block["layout"], block["dropped"], block["height"]) == ("tokens", 1, 10)
    assert {each["layer"] for each in told["left_out"]} >= {"blocks.0.attn.q_norm"}
    assert all(each["reason"] for each in told["left_out"])
    assert told["input"]["crop"] == 160


def test_layers_of_factories(capsys, tmp_path):
    (tmp_path / "own.py").write_text(
        "from torch import nn\ndef small():\n    return nn.Sequential(nn.Conv2d(3, 5, 3))\n"
    )
    assert printed(capsys, f"{tmp_path}/own.py:small", "--size", "10") == [["0", "0", "1", "Conv2d", "5", "8 x 8"]]
    assert printed(capsys, "torchvision.models:squeezenet1_1", "--size", "64")[0][0] == "features.0"


def test_layers_of_a_prototxt_at_its_own_size_or_another(capsys, tmp_path):
    text = 'input: "data" input_dim: 1 input_dim: 3 input_dim: 40 input_dim: 30\n'
    text += (
        'layer { name: "pool/1" type: "Pooling" bottom: "data" top: "p" pooling_param { kernel_size: 2 stride: 2 } }\n'
    )
    (tmp_path / "deploy.prototxt").write_text(text)
    rows = printed(capsys, f"{tmp_path}/deploy.prototxt")
    assert rows == [["data", "0", "1", "Pixels", "3", "40 x 30"], ["pool/1", "0", "1", "Pooling", "3", "20 x 15"]]
    assert printed(capsys, f"{tmp_path}/deploy.prototxt", "--size", "11")[1][5] == "6 x 6"
    (tmp_path / "deploy.prototxt").write_text('input: "data"\nlayer {')
    assert main(["layers", f"{tmp_path}/deploy.prototxt"]) == 2
    assert "deploy.prototxt, line 2: " in capsys.readouterr().err


def test_what_is_not_there_gets_the_nearest_names_and_status_2(capsys):
    assert main(["layers", "resnet19"]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert "'resnet19' is no architecture of torchvision; did you mean resnet18" in error
    with pytest.raises(SystemExit, match="2"):
        main(["layers", "resnet18", "--calls", "first"])


def test_it_is_a_command(repository):
    command = [sys.executable, "-m", "filterscope", "layers", "squeezenet1_1", "--size", "64"]
    done = subprocess.run(command, cwd=repository / "workflow_scripts", capture_output=True, text=True, check=True)
    assert "features.12" in done.stdout
