"""Models of open_clip: an extra that is named where it is missing; local checkpoints and what is wrong with them."""

import json
import sys

import numpy as np
import pytest
import torch

from filterscope.data.networks.checkpoints import read_packed
from filterscope.data.networks.weights import write_packed
from filterscope.words.rivals.clips import load
from filterscope.words.rivals.open_clip_models import ClipError, OpenClip, OpenClipSettings, fetch

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 1, "layers": 1},
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A very small model of random weights, by name and as a file."""
    open_clip = pytest.importorskip("open_clip", reason="needs the extra filterscope[clip]")
    folder = tmp_path_factory.mktemp("clip")
    (folder / "tiny.json").write_text(json.dumps(TINY))
    open_clip.add_model_config(folder / "tiny.json")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = open_clip.create_model("tiny").eval()
    torch.save(model.state_dict(), folder / "tiny.pt")
    return folder / "tiny.pt", model


def test_the_extra_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(ClipError, match=r"pip install 'filterscope\[clip\]'"):
        fetch(OpenClipSettings("ViT-B-32", pretrained="openai"))


def test_a_local_checkpoint_is_kept_and_embeds_as_open_clip_does(checkpoint, tmp_path):
    import open_clip
    from PIL import Image

    file, model = checkpoint
    write_packed(fetch(OpenClipSettings("tiny", file=str(file))).packed(), tmp_path / "weights.pt")
    clip = load(tmp_path / "weights.pt", torch.device("cpu"))
    assert isinstance(clip, OpenClip)
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    shown = clip.prepare(torch.from_numpy(pixels).permute(2, 0, 1))[None]
    preprocess = open_clip.transform.image_transform_v2(open_clip.transform.PreprocessCfg(size=32), is_train=False)
    with torch.no_grad():
        assert torch.equal(shown[0], preprocess(Image.fromarray(pixels)))
        expected = model.encode_image(shown, normalize=True)
        np.testing.assert_allclose(clip.embed_pictures(shown), expected, rtol=1e-4, atol=1e-6)
        texts = ["red", "a photo of a traffic light"]
        expected = model.encode_text(open_clip.get_tokenizer("tiny")(texts), normalize=True)
        np.testing.assert_allclose(clip.embed_texts(texts), expected, rtol=1e-4, atol=1e-6)
    assert clip.reads("anything")


def test_the_same_checkpoint_is_kept_in_the_same_bytes(checkpoint, tmp_path):
    for name in ("one", "again"):
        write_packed(fetch(OpenClipSettings("tiny", file=str(checkpoint[0]))).packed(), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "again").read_bytes()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"model": "ViT-B-23", "file": "x"},
            "model is 'ViT-B-23', which open_clip does not know; did you mean ViT-B-32",
        ),
        ({"model": "ViT-B-32", "file": "nowhere.pt"}, "file is 'nowhere.pt': there is no such checkpoint of ViT-B-32"),
        (
            {"model": "ViT-B-32", "pretrained": "opneai"},
            "pretrained is 'opneai', which open_clip does not have .*openai",
        ),
        ({"model": "tiny", "pretrained": "openai"}, "there are none, name a file"),
    ],
)
def test_what_is_not_there_is_named(checkpoint, settings, said):
    with pytest.raises(ClipError, match=said):
        fetch(OpenClipSettings(**settings))


def test_a_checkpoint_of_another_model_is_refused(checkpoint, tmp_path):
    torch.save({"visual.proj": torch.zeros(2, 2)}, tmp_path / "other.pt")
    with pytest.raises(ClipError, match=r"the weights of tiny \(.*other.pt\) cannot be had"):
        fetch(OpenClipSettings("tiny", file=str(tmp_path / "other.pt")))


def test_kept_weights_of_another_release_are_refused(checkpoint, tmp_path):
    packed = fetch(OpenClipSettings("tiny", file=str(checkpoint[0]))).packed()
    packed["state"].pop("logit_scale")
    write_packed(packed, tmp_path / "weights.pt")
    with pytest.raises(ClipError, match=r"do not fit this release of open_clip .*logit_scale.*rerun prepare_clip"):
        OpenClip.unpacked(read_packed(tmp_path / "weights.pt"))
