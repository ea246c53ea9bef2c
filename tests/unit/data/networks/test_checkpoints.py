"""Files of weights: only tensors are read, and what does not fit says why and what would help."""

import argparse
import io
import os
import pickle
import sys
import zipfile

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from filterscope.data.networks import architectures
from filterscope.data.networks.checkpoints import fit, read_checkpoint, without_prefix
from filterscope.data.networks.settings import NetworkError


class Trap:
    """A pickle that runs a command when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def small(classes=4):
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8, classes))


@pytest.mark.parametrize("save", ["zip", "legacy", "pickle"])
def test_a_pickle_with_code_is_refused_and_never_run(tmp_path, save):
    trap, path = {"weight": Trap(tmp_path / "sprung")}, tmp_path / "weights.pth"
    if save == "pickle":
        path.write_bytes(pickle.dumps(trap, protocol=4))
    else:
        torch.save(trap, path, _use_new_zipfile_serialization=save == "zip")
    with pytest.raises(NetworkError, match=r"weights\.pth: refused, because it holds code.*state_dict"):
        read_checkpoint(path)
    assert not (tmp_path / "sprung").exists()


def test_a_whole_pickled_network_is_refused_by_the_name_of_its_class(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "network.pth")
    with pytest.raises(NetworkError, match=r"holds code \(torch\.nn\.modules\.linear\.Linear\)"):
        read_checkpoint(tmp_path / "network.pth")


def test_a_file_that_is_absent_cut_off_or_a_web_page_says_so(tmp_path):
    path = tmp_path / "weights.pth"
    with pytest.raises(NetworkError, match=r"weights\.pth: there is no such file"):
        read_checkpoint(path)
    torch.save({"weight": torch.ones(1000)}, path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b""):
        path.write_bytes(content)
        with pytest.raises(NetworkError, match=rf"no readable weights: {len(content)} bytes.*fetch it again"):
            read_checkpoint(path)


def zipped(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


def arrays():
    buffer = io.BytesIO()
    np.savez(buffer, weight=np.ones(3))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("w.npz", arrays(), "NumPy arrays: where their names.*state_dict"),
        ("w.npy", b"\x93NUMPY\x01\x00v\x00{'descr': '<f4'}", "a NumPy array"),
        ("w.onnx", b"\x08\x07\x12\x07pytorch", "an ONNX network: its source is onnx"),
        ("w.h5", b"\x89HDF\r\n\x1a\n" + bytes(90), r"an HDF5 file \(Keras, MATLAB\)"),
        ("w.keras", zipped("metadata.json", "model.weights.h5"), "a Keras network"),
        (
            "model.safetensors.index.json",
            b'{"weight_map": {}}',
            "a JSON file, no weights: where it lists",
        ),
        ("w.zip", zipped("readme.txt", "net.pth"), "a zip archive of weights: unpack it"),
        ("w.pth", zipped("a.txt"), "a zip archive of a.txt"),
        ("w.pth", b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS.*`git lfs pull`"),
        ("w.pth", b"<html><body>404 Not Found</body></html>", "a web page, not the file"),
        ("w.pth.gz", b"\x1f\x8b\x08" + bytes(30), "compressed by gzip: unpack it"),
        ("w.pb", b"\n\x05\x08\x01", "a TensorFlow network"),
    ],
)
def test_weights_of_other_programs_are_told(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NetworkError, match=said) as caught:
        read_checkpoint(tmp_path / name)
    assert str(caught.value).endswith(
        "wanted are the weights of a PyTorch network, torch.save(network.state_dict(), file)"
    )
    assert "cut off" not in str(caught.value)


def test_the_usual_wrappers_are_opened_and_half_precision_becomes_single(tmp_path):
    state = {"weight": torch.ones(2, dtype=torch.float16), "steps": torch.tensor(3)}
    for wrapped in (state, {"state_dict": state}, {"epoch": 3, "model": {"state_dict": state}}):
        torch.save({**wrapped}, tmp_path / "weights.pth")
        read = read_checkpoint(tmp_path / "weights.pth")
        assert {key: value.dtype for key, value in read.items()} == {
            "weight": torch.float32,
            "steps": torch.int64,
        }
    # What torchvision's own training program saves.
    torch.save({"model": state, "args": argparse.Namespace(lr=0.1)}, tmp_path / "weights.pth")
    assert set(read_checkpoint(tmp_path / "weights.pth")) == set(state)
    torch.save({"lr": 0.1, "steps": 7}, tmp_path / "weights.pth")
    with pytest.raises(NetworkError, match="a mapping with the keys lr, steps, should be a state_dict"):
        read_checkpoint(tmp_path / "weights.pth")


@pytest.mark.parametrize("precision", [torch.float32, torch.float16, torch.bfloat16])
def test_safetensors_are_read_as_single_precision(tmp_path, precision):
    save = pytest.importorskip("safetensors.torch", reason="needs safetensors").save_file
    save({"weight": torch.arange(4, dtype=precision), "steps": torch.tensor(3)}, tmp_path / "w.safetensors")
    read = read_checkpoint(tmp_path / "w.safetensors")
    assert read["weight"].dtype == torch.float32
    assert read["weight"].tolist() == [0, 1, 2, 3]
    assert read["steps"] == 3


def test_safetensors_that_are_cut_off_or_cannot_be_read_say_so(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    path.write_bytes((60).to_bytes(8, "little") + b'{"weight":{"dtype":"F32"}}')
    with pytest.raises(NetworkError, match=r"w\.safetensors: a safetensors file, cut off or damaged .*fetch it"):
        read_checkpoint(path)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(NetworkError, match="a safetensors file, which needs a package: pip install safetensors"):
        read_checkpoint(path)


def test_a_checkpoint_of_lightning_is_read_by_its_prefix(tmp_path):
    """With what else it holds: callbacks, loops and parameters that only training has."""
    own = {f"model.{key}": value for key, value in small().state_dict().items()}
    saved = {
        "epoch": 3,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": {**own, "loss.weight": torch.ones(4)},
        "loops": {"fit_loop": {"state_dict": {}}},
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.5)}},
        "hyper_parameters": {"lr": 0.1},
    }
    torch.save(saved, tmp_path / "last.ckpt")
    with pytest.raises(NetworkError, match=r"It may fit with prefix: 'model\.'"):
        fit(small(), read_checkpoint(tmp_path / "last.ckpt"), "last.ckpt")
    target = small()
    fit(target, without_prefix(read_checkpoint(tmp_path / "last.ckpt"), "model", "last.ckpt"), "last.ckpt")
    assert torch.equal(target[0].weight, own["model.0.weight"])


def test_wrappers_of_compiled_parts_are_dropped_at_any_depth():
    state = {"_orig_mod.body._orig_mod.0.weight": torch.ones(1), "_orig_mod.head.weight": torch.ones(1)}
    assert set(without_prefix(state, "", "file")) == {"body.0.weight", "head.weight"}
    wrapped = {f"module.{key}": value for key, value in state.items()}
    assert set(without_prefix(wrapped, "", "file")) == {"body.0.weight", "head.weight"}


def test_prefixes_are_dropped_with_what_does_not_have_them():
    state = {"encoder.a.weight": torch.ones(1), "encoder.b": torch.ones(1), "head.weight": torch.ones(1)}
    for prefix in ("encoder", "encoder."):
        assert set(without_prefix(state, prefix, "file")) == {"a.weight", "b"}
    # torch's own wrappers, told or not, also around the prefix
    wrapped = {f"module.{key}": value for key, value in state.items()}
    assert set(without_prefix(wrapped, "", "file")) == set(state)
    assert set(without_prefix(wrapped, "module.", "file")) == set(state)
    assert set(without_prefix(wrapped, "module.encoder", "file")) == {"a.weight", "b"}
    assert set(without_prefix(wrapped, "encoder", "file")) == {"a.weight", "b"}
    with pytest.raises(NetworkError, match=r"no key starts with the prefix 'backbone\.'; keys are encoder\.a\.weight"):
        without_prefix(state, "backbone", "file")


def test_a_state_that_fits_is_loaded_also_without_counters_and_with_auxiliary_heads():
    source, target = small(), small()
    state = {key: value for key, value in source.state_dict().items() if "num_batches" not in key}
    fit(target, {**state, "aux1.conv.weight": torch.ones(3)}, "file")
    assert all(torch.equal(a, b) for a, b in zip(source.parameters(), target.parameters(), strict=True))


def test_what_does_not_fit_is_counted_and_named():
    state = small().state_dict()
    for index in range(5):
        state[f"extra.{index}"] = torch.ones(1)
    del state["0.bias"]
    state["1.weight"] = torch.ones(9)
    with pytest.raises(NetworkError) as error:
        fit(small(), state, "some.pth")
    for part in (
        "some.pth: does not fit the network",
        "1 missing keys (0.bias)",
        "5 unexpected keys (extra.0, extra.1, extra.2 and 2 more)",
        "1 of another shape (1.weight is [9], should be [8])",
    ):
        assert part in str(error.value)


def test_advice_names_the_classes_the_prefix_the_part_or_the_architecture():
    with pytest.raises(NetworkError, match=r"arguments: \{num_classes: 10\}"):
        fit(small(4), small(10).state_dict(), "file")
    wrapped = {f"student.net.{key}": value for key, value in small().state_dict().items()}
    with pytest.raises(NetworkError, match=r"prefix: 'student\.net\.'"):
        fit(small(), wrapped, "file")
    with torch.device("meta"):
        alexnet, resnet34 = torchvision.models.alexnet(), torchvision.models.resnet34()
    part = {key: value for key, value in alexnet.state_dict().items() if key.startswith("features.")}
    with pytest.raises(NetworkError, match=r"6 missing keys \(classifier.*holds only features: set part"):
        fit(alexnet, part, "file")
    with pytest.raises(NetworkError, match=r"missing keys.*looks like the architecture resnet34$"):
        fit(alexnet, resnet34.state_dict(), "file")
    assert architectures.looks_like(small().state_dict()) is None


def test_weights_that_are_not_finite_are_refused():
    state = small().state_dict()
    state["3.weight"][0, 0] = torch.nan
    with pytest.raises(NetworkError, match=r"NaN or infinite weights in 3\.weight"):
        fit(small(), state, "file")
