"""Networks of timm and of Hugging Face, small and with random weights, held against hooks of the test's own."""

import json
import sys

import pytest
import torch

from filterscope.data.networks import building
from filterscope.data.networks.layers import LayerError, Reader, survey
from filterscope.data.networks.layout_kinds import LAST, TOKENS, WINDOWS
from filterscope.data.networks.settings import NetworkError, NetworkSettings, input_of
from filterscope.data.networks.stages import stage_ends


def images(side, count=2):
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(5))


def put_out(network, layer, pictures):
    """The last output of a module, by a plain hook."""
    kept = []
    handle = network.get_submodule(layer).register_forward_hook(lambda module, given, output: kept.append(output))
    with torch.no_grad():
        network(pictures)
    handle.remove()
    return kept[-1]


def maps_of(network, layer, pictures):
    with torch.no_grad(), Reader(network, layer, input_size=pictures.shape[-1]) as reader:
        maps = reader(pictures)
        assert maps.shape[1:] == (reader.filters, reader.height, reader.width)
    return maps


def tokens_as_maps(output, extra, height, width):
    return output[:, extra:].transpose(1, 2).unflatten(2, (height, width))


@pytest.fixture
def timm():
    return pytest.importorskip("timm", reason="needs the extra filterscope[timm]")


def from_timm(architecture, **arguments):
    entry = {"source": "timm", "architecture": architecture, "pretrained": False, "arguments": arguments}
    return building.prepare(NetworkSettings.from_mapping({**entry, "input": {}}), seed=0)


# --- timm ---


def test_a_vit_of_timm_is_read_as_its_grid_and_its_heads_are_left_out(timm):
    """q_norm was listed as 3 filters, and the blocks were left out without a word."""
    network = from_timm("vit_tiny_patch16_224", img_size=64, depth=4, qk_norm=True)
    read = survey(network, 64)
    assert stage_ends(network, 64) == ["blocks.0", "blocks.1", "blocks.2", "blocks.3"]
    listed, left_out = ({each.layer for each in part} for part in (read.layers, read.left_out))
    assert left_out == {f"blocks.{block}.attn.{norm}" for block in range(4) for norm in ("q_norm", "k_norm")}
    assert {"blocks.2", "blocks.2.attn", "blocks.2.attn.qkv", "blocks.2.mlp.act", "norm"} <= listed
    assert all("(heads of an attention" in each.reason for each in read.left_out)
    pictures = images(64)
    for layer, filters in (("blocks.2", 192), ("blocks.1.mlp.act", 768), ("blocks.3.attn.proj", 192)):
        expected = tokens_as_maps(put_out(network, layer, pictures), 1, 4, 4)
        assert expected.shape[1] == filters
        torch.testing.assert_close(maps_of(network, layer, pictures), expected)
    with pytest.raises(LayerError, match=r"q_norm' puts out a tensor \[1, 3, 17, 64\], which is no map of filters"):
        Reader(network, "blocks.0.attn.q_norm", input_size=64)


@pytest.mark.parametrize(
    ("architecture", "arguments", "layer", "filters", "side"),
    [
        ("test_convnext", {}, "stages.3.blocks.0.norm", 64, 5),  # its rows were listed as filters
        ("test_convnext", {}, "stages.1.blocks.0.mlp.act", 128, 20),
        ("mambaout_femto", {"depths": (1, 1, 1, 1)}, "stages.3", 288, 5),  # and so here
        ("swin_tiny_patch4_window7_224", {"img_size": 160, "depths": (1, 1, 1, 1)}, "layers.1", 192, 20),
        ("gcvit_xxtiny", {}, "stages.0.blocks.0.norm1", 64, 56),
    ],
)
def test_channels_last_of_timm_are_read_as_filters(timm, architecture, arguments, layer, filters, side):
    network, pictures = from_timm(architecture, **arguments), images(224 if architecture == "gcvit_xxtiny" else 160)
    expected = put_out(network, layer, pictures).permute(0, 3, 1, 2)
    assert Reader(network, layer, input_size=pictures.shape[-1]).layout.kind == LAST
    found = maps_of(network, layer, pictures)
    torch.testing.assert_close(found, expected)
    assert found.shape == (2, filters, side, side)


@pytest.mark.parametrize(("block", "shift"), [("layers.0.blocks.0", 0), ("layers.0.blocks.1", 3)])
@pytest.mark.parametrize(("module", "filters"), [("attn.qkv", 288), ("attn.proj", 96), ("attn", 96)])
def test_windows_of_a_swin_are_put_back_as_timm_does(timm, block, shift, module, filters):
    """Also those of the blocks that shift them."""
    from timm.models.swin_transformer import window_reverse

    network, pictures = from_timm("swin_tiny_patch4_window7_224", img_size=112, depths=(2, 1, 1, 1)), images(112)
    output = put_out(network, f"{block}.{module}", pictures)
    assert output.shape == (2 * 16, 49, filters)
    expected = window_reverse(output.unflatten(1, (7, 7)), (7, 7), 28, 28)
    expected = torch.roll(expected, (shift, shift), (1, 2)).permute(0, 3, 1, 2)
    assert Reader(network, f"{block}.{module}", input_size=112).layout.kind == WINDOWS
    assert torch.equal(maps_of(network, f"{block}.{module}", pictures), expected)


@pytest.mark.parametrize(
    "architecture", ["test_efficientnet", "mobilenetv4_conv_small_035", "test_vit4", "test_maxvit"]
)
def test_the_maps_that_timm_gives_itself_are_among_those_read(timm, architecture):
    if not timm.is_model(architecture):
        pytest.skip(f"this release of timm has no {architecture}")
    network = from_timm(architecture)
    pictures = images(network.pretrained_cfg["input_size"][-1])
    with torch.no_grad():
        wanted = network.forward_intermediates(pictures, intermediates_only=True, output_fmt="NCHW")[-1]
    ends = [maps_of(network, layer, pictures) for layer in stage_ends(network, pictures.shape[-1])]
    assert any(each.shape == wanted.shape and torch.allclose(each, wanted, atol=1e-5) for each in ends)


def test_registers_of_dinov2_are_dropped_with_its_class_token(timm):
    network = from_timm("vit_small_patch14_reg4_dinov2", img_size=56, depth=2)
    pictures = images(56)
    expected = tokens_as_maps(put_out(network, "blocks.1", pictures), 5, 4, 4)
    torch.testing.assert_close(maps_of(network, "blocks.1", pictures), expected)
    assert Reader(network, "blocks.1", input_size=56).layout.extra == (0, 1, 2, 3, 4)


def test_a_local_checkpoint_of_timm_is_loaded_and_its_input_is_timms(timm, tmp_path):
    own = from_timm("test_convnext")
    torch.save({"state_dict_ema": {}, "state_dict": own.state_dict()}, tmp_path / "own.pth")
    entry = {"source": "timm", "architecture": "test_convnext", "file": str(tmp_path / "own.pth"), "input": {}}
    network = building.prepare(NetworkSettings.from_mapping(entry), seed=3)
    assert torch.equal(network.head.fc.weight, own.head.fc.weight)
    found, config = input_of(entry), own.pretrained_cfg
    assert (found.crop, found.mean) == (config["input_size"][-1], tuple(config["mean"]))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"architecture": "vit_tinny_patch16_224"}, "is no architecture of timm; did you mean vit_tiny_patch16_224"),
        (
            {"architecture": "vit_tiny_patch16_224.none"},
            "timm has no weights 'none' of vit_tiny_patch16_224; there are",
        ),
        ({"architecture": "test_vit", "arguments": {"dept": 3}}, "test_vit of timm cannot be built with {'dept': 3}"),
    ],
)
def test_what_timm_does_not_have_is_named(timm, entry, said):
    with pytest.raises(NetworkError, match=said):
        building.build(NetworkSettings.from_mapping({"source": "timm", **entry, "input": INPUT}))


INPUT = {"resize": 64, "crop": 64, "mean": [0.5] * 3, "std": [0.5] * 3}


def test_weights_that_cannot_be_downloaded_say_what_to_do(timm, monkeypatch):
    from filterscope.data.networks import timm_models

    def unreachable(*_, pretrained=False, **__):
        raise OSError("We couldn't connect to 'https://huggingface.co'")

    monkeypatch.setattr(timm, "create_model", unreachable)
    settings = NetworkSettings.from_mapping({"source": "timm", "architecture": "vit_tiny_patch16_224", "input": INPUT})
    with pytest.raises(NetworkError, match=r"cannot be downloaded \(OSError: We couldn't.*set file: to them, or set"):
        timm_models.fetch_weights(settings)


@pytest.mark.parametrize(
    ("library", "entry"),
    [
        ("timm", {"source": "timm", "architecture": "vit_tiny_patch16_224"}),
        ("transformers", {"source": "huggingface", "model": "owner/name"}),
    ],
)
def test_a_missing_extra_is_named(library, entry, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(NetworkError, match=rf"needs the extra filterscope\[{entry['source']}\]: pip install"):
        building.build(NetworkSettings.from_mapping({**entry, "input": INPUT}))


# --- Hugging Face ---


@pytest.fixture
def transformers():
    return pytest.importorskip("transformers", reason="needs the extra filterscope[huggingface]")


SMALL = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 64}


def kept(transformers, folder, kind, config, preprocessor=None):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = getattr(transformers, kind)(config).eval()
    network.save_pretrained(folder)
    if preprocessor is not None:
        (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor), encoding="utf-8")
    return network, {"source": "huggingface", "model": str(folder), "input": {}}


def test_a_vit_of_hugging_face_is_read_from_its_folder(transformers, tmp_path):
    config = transformers.ViTConfig(image_size=48, patch_size=8, num_labels=3, **SMALL)
    preprocessor = {"size": {"height": 48, "width": 48}, "image_mean": [0.5] * 3, "image_std": [0.25] * 3}
    own, entry = kept(transformers, tmp_path, "ViTForImageClassification", config, preprocessor)
    settings = NetworkSettings.from_mapping(entry)
    assert (settings.input.crop, settings.input.mean, settings.input.std) == (48, (0.5,) * 3, (0.25,) * 3)
    network = building.prepare(settings, seed=7)
    pictures = images(48)
    with torch.no_grad():
        assert torch.allclose(network(pictures).logits, own(pictures).logits, atol=1e-6)
    assert maps_of(network, "classifier", pictures).shape == (2, 3, 1, 1)
    ends = stage_ends(network, 48)
    assert len(ends) == 4
    output = put_out(network, ends[1], pictures)
    output = output if isinstance(output, torch.Tensor) else output[0]
    torch.testing.assert_close(maps_of(network, ends[1], pictures), tokens_as_maps(output, 1, 6, 6))
    other = building.initialise(settings, seed=1)
    assert not torch.equal(other.classifier.weight, network.classifier.weight)


def test_registers_of_a_dinov2_of_hugging_face_are_dropped(transformers, tmp_path):
    config = transformers.Dinov2WithRegistersConfig(image_size=56, patch_size=14, num_register_tokens=3, **SMALL)
    _, entry = kept(transformers, tmp_path, "Dinov2WithRegistersModel", config)
    network = building.prepare(NetworkSettings.from_mapping({**entry, "input": INPUT}), seed=0)
    layer = stage_ends(network, 56)[2]
    with Reader(network, layer, input_size=56) as reader:
        assert (reader.layout.kind, reader.layout.extra, reader.height) == (TOKENS, (0, 1, 2, 3), 4)


def test_of_a_clip_the_part_that_sees_is_used(transformers, tmp_path):
    text = {**SMALL, "vocab_size": 99, "num_hidden_layers": 2, "max_position_embeddings": 16}
    config = transformers.CLIPConfig(
        text_config=text, vision_config={**SMALL, "image_size": 64, "patch_size": 16}, projection_dim=16
    )
    _, entry = kept(transformers, tmp_path, "CLIPModel", config)
    network = building.prepare(NetworkSettings.from_mapping({**entry, "input": INPUT}), seed=0)
    ends = stage_ends(network, 64)
    assert all(each.startswith("vision_model.encoder.layers.") for each in ends)
    assert maps_of(network, ends[-1], images(64)).shape == (2, 32, 4, 4)


def test_what_hugging_face_does_not_have_says_what_to_write(transformers, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # read of the environment long ago
    settings = NetworkSettings.from_mapping({"source": "huggingface", "model": str(tmp_path), "input": INPUT})
    with pytest.raises(NetworkError, match=r"the folder has no config\.json, so it is no network of Hugging Face"):
        building.build(settings)
    absent = NetworkSettings.from_mapping({"source": "huggingface", "model": "owner/no-such", "input": INPUT})
    with pytest.raises(
        NetworkError, match=r"'owner/no-such' is no folder here.*Without network.*set model: to its fol"
    ):
        building.build(absent)
    with monkeypatch.context() as patched:  # of a name that cannot be had only one file is waited for
        patched.setattr("transformers.utils.cached_file", lambda *_, **__: pytest.fail("a second file was asked for"))
        with pytest.raises(NetworkError, match=r"its config\.json cannot be had"):
            NetworkSettings.from_mapping({"source": "huggingface", "model": "owner/no-such"})
    text = transformers.BertConfig(vocab_size=30, **SMALL)
    transformers.BertModel(text).save_pretrained(tmp_path / "text")
    reads = NetworkSettings.from_mapping({"source": "huggingface", "model": str(tmp_path / "text"), "input": INPUT})
    with pytest.raises(NetworkError, match=r"BertModel takes input_ids, not pictures \(pixel_values\); set part"):
        building.build(reads)
