"""CLIP models as the workflow uses them: one that it trains on scenes, and any of open_clip's (an extra)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from filterscope.data.images import ImageError, load_decoder, read_image
from filterscope.data.networks.checkpoints import read_packed
from filterscope.words.rivals.open_clip_models import ClipError, OpenClip
from filterscope.words.rivals.scenes_clip import ScenesClip

# Texts that go through a text tower at once.
TEXTS = 256


class Clip(Protocol):
    """What is asked of a CLIP model. E: the length of its vectors, all of which have unit length."""

    def prepare(self, picture: torch.Tensor) -> torch.Tensor:
        """A picture, uint8 [3, H, W], as the image tower takes it."""

    def embed_pictures(self, pictures: torch.Tensor) -> torch.Tensor:
        """Vectors [B, E] of so many prepared pictures."""

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Vectors [n, E] of texts."""

    def reads(self, text: str) -> bool:
        """Whether it has learnt to read every word of the text."""


KINDS = {"scenes": ScenesClip, "open_clip": OpenClip}


def load(path: str | Path, device: torch.device) -> Clip:
    """The model that a rule keeps in a file, in eval mode on the device.

    Raises ClipError for a file that holds none, and where open_clip is needed and not installed.
    """
    packed = read_packed(path)
    if packed.get("kind") not in KINDS:
        raise ClipError(
            f"{path}: holds no CLIP model, but {', '.join(packed)}; rerun train_scenes_clip or prepare_clip"
        )
    return KINDS[packed["kind"]].unpacked(packed).to(device)


class _Shown(Dataset):
    """Pictures of a dataset as a model takes them, by position; a text instead of one that cannot be read."""

    def __init__(self, clip: Clip, folder: str | Path, paths: Sequence[str]):
        self.clip, self.folder, self.paths = clip, Path(folder), list(paths)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor | str:
        try:
            return self.clip.prepare(read_image(self.folder / self.paths[index]))
        except ImageError as error:
            return str(error)


def embedded_pictures(
    clip: Clip,
    folder: str | Path,
    images: pd.DataFrame,
    batch_size: int,
    workers: int,
    device: torch.device,
    reject: Callable[[int, str], None],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Image ids [B] and vectors [B, E] of a dataset's pictures, batch by batch in the order of the table.

    images: rows of the images table. reject: called as reject(image_id, reason) for a picture that cannot be read; it
    decides whether to go on.
    """
    from filterscope.activations.streaming import decode_alone  # loads what only masks need

    several = len(images) > batch_size
    load_decoder(images["path"])
    loader = DataLoader(
        _Shown(clip, folder, images["path"].tolist()),
        batch_size=batch_size,
        num_workers=workers if several else 0,
        collate_fn=list,
        worker_init_fn=decode_alone,
    )
    ids = images["image_id"].to_numpy()
    for number, batch in enumerate(loader):
        own = ids[number * batch_size : number * batch_size + len(batch)]
        for image_id, each in zip(own, batch, strict=True):
            if isinstance(each, str):
                reject(int(image_id), each)
        readable = np.array([not isinstance(each, str) for each in batch])
        if readable.any():
            shown = torch.stack([each for each in batch if not isinstance(each, str)]).to(device)
            with torch.inference_mode():
                yield own[readable], clip.embed_pictures(shown).float().cpu().numpy()


def embedded_words(
    clip: Clip,
    words: Sequence[str],
    prompts: Sequence[str],
    progress: Callable[[Iterable], Iterator] = iter,
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of words: float32 [n, E], each the mean over the prompts, of unit length; and which words have one.

    An underscore, as in traffic_light, is read as a space. A word that the model never learnt to read has no vector:
    returns the vectors of those that have one, and bool [words].
    """
    spoken = [word.replace("_", " ") for word in words]
    has = np.array([clip.reads(each) for each in spoken], bool)
    known = [each for each, reads in zip(spoken, has, strict=True) if reads]
    parts = []
    for start in progress(range(0, len(known), TEXTS)):
        some = known[start : start + TEXTS]
        with torch.inference_mode():
            texts = [clip.embed_texts([prompt.replace("{}", word) for word in some]) for prompt in prompts]
            parts.append(functional.normalize(torch.stack(texts).float().mean(0), dim=1).cpu().numpy())
    return (np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)), has
