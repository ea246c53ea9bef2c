"""Models of open_clip (Ilharco et al., 2021), by name with public weights or a local checkpoint.

open_clip is an extra: whoever uses none of its models need not install it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from filterscope.data.networks.huggingface_models import kept_by_hub, unreachable

EXTRA = "filterscope[clip]"
# Models that bring their own weights: pretrained and file say nothing about them.
WITH_WEIGHTS = ("hf-hub:", "local-dir:")


class ClipError(ValueError):
    """A CLIP model cannot be had or used: says which, what was found and what would be right."""


@dataclass(frozen=True)
class OpenClipSettings:
    """Which of open_clip's models: an entry of `clips` in the config. One of pretrained (a tag) and file gives the
    weights, unless the model brings them; quick_gelu is for checkpoints that were trained with it."""

    model: str
    pretrained: str | None = None
    file: str | None = None
    quick_gelu: bool = False

    @classmethod
    def from_mapping(cls, mapping: Mapping) -> OpenClipSettings:
        """From an entry of the config, which also says what the model is asked."""
        return cls(**{field.name: mapping[field.name] for field in fields(cls) if field.name in mapping})


def package():
    """open_clip. Raises ClipError naming the extra where it is not installed."""
    try:
        import open_clip
    except ModuleNotFoundError as error:
        if error.name != "open_clip":
            raise
        raise ClipError(
            f"a CLIP model of source open_clip needs the package open_clip_torch: pip install '{EXTRA}'"
        ) from None
    return open_clip


class OpenClip(nn.Module):
    """A model of open_clip with its way of showing pictures and reading texts."""

    def __init__(self, name: str, quick_gelu: bool, preprocess: Mapping, model: nn.Module):
        super().__init__()
        open_clip = package()
        self.name, self.quick_gelu, self.preprocess, self.model = name, quick_gelu, dict(preprocess), model
        settings = open_clip.transform.PreprocessCfg(**self.preprocess)
        self._transform = open_clip.transform.image_transform_v2(settings, is_train=False)
        self._tokenise = open_clip.get_tokenizer(name)

    def prepare(self, picture: torch.Tensor) -> torch.Tensor:
        """A picture, uint8 [3, H, W], as the image tower takes it: float32 [3, side, side]."""
        from torchvision.transforms.v2 import functional as transforms  # takes seconds to load

        return self._transform(transforms.to_pil_image(picture))

    def embed_pictures(self, pictures: torch.Tensor) -> torch.Tensor:
        """Unit vectors [B, E] of prepared pictures."""
        return functional.normalize(self.model.encode_image(pictures).float(), dim=1)

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors [n, E] of texts."""
        tokens = self._tokenise(list(texts)).to(next(self.model.parameters()).device)
        return functional.normalize(self.model.encode_text(tokens).float(), dim=1)

    def reads(self, text: str) -> bool:
        """Its tokeniser spells every word."""
        return bool(text)

    def packed(self) -> dict:
        """All that `unpacked` needs, of tensors, numbers and texts."""
        own = {"model": self.name, "quick_gelu": self.quick_gelu, "preprocess": self.preprocess}
        return {"kind": "open_clip", **own, "state": dict(self.model.state_dict())}

    @classmethod
    def unpacked(cls, packed: Mapping) -> OpenClip:
        """The model again, in eval mode. Raises ClipError where open_clip is missing or another release of it."""
        name, quick_gelu = packed["model"], packed["quick_gelu"]
        model = package().create_model(
            name, load_weights=False, force_quick_gelu=quick_gelu, pretrained_text=False, precision="fp32"
        )
        try:
            model.load_state_dict(packed["state"])
        except RuntimeError as error:
            raise ClipError(
                f"the weights kept of {name} do not fit this release of open_clip ({_first(error)}); rerun prepare_clip"
            ) from error
        return cls(name, quick_gelu, packed["preprocess"], model.eval().requires_grad_(False))


def fetch(settings: OpenClipSettings) -> OpenClip:
    """The model with its weights, from its file or through open_clip's ordinary cache, float32, in eval mode.

    Raises ClipError naming the model, the tag or the file that is not there or does not fit, and the nearest names.
    """
    open_clip, name = package(), settings.model
    own = name.startswith(WITH_WEIGHTS)
    quick_gelu = settings.quick_gelu
    if not own:
        if name.replace("/", "-") not in open_clip.list_models():
            raise ClipError(f"model is {name!r}, which open_clip does not know{_near(name, open_clip.list_models())}")
        if settings.file is not None and not Path(settings.file).is_file():
            raise ClipError(f"file is {settings.file!r}: there is no such checkpoint of {name}")
        tags = open_clip.list_pretrained_tags_by_model(name)
        if settings.file is None and settings.pretrained not in tags:
            known = f"; there are {', '.join(tags)}" if tags else "; there are none, name a file"
            raise ClipError(f"pretrained is {settings.pretrained!r}, which open_clip does not have of {name}{known}")
        if settings.file is None:
            quick_gelu = quick_gelu or bool(open_clip.get_pretrained_cfg(name, settings.pretrained).get("quick_gelu"))
    weights = None if own else settings.file or settings.pretrained
    try:
        model = open_clip.create_model(
            name, pretrained=weights, force_quick_gelu=quick_gelu, require_pretrained=True, precision="fp32"
        )
    except (KeyError, *unreachable()) as error:
        raise ClipError(
            f"the weights of {name} ({weights or 'its own'}) cannot be had: {_first(error)}{kept_by_hub(error)}"
        ) from error
    return OpenClip(name, quick_gelu, model.visual.preprocess_cfg, model.eval().requires_grad_(False))


def _first(error: Exception, most: int = 300) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= most else f"{text[:most]} ..."


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.4)
    return f"; did you mean {' or '.join(near)}?" if near else ""
