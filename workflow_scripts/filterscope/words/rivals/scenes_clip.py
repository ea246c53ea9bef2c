"""The embedded study's CLIP model: pictures of scenes and their captions in one space (Radford et al., 2021), small.

It learns from pairs alone: whole scenes with a caption of one or two of their objects, and views of the surroundings of
an object with a caption of it, as pictures and captions come for objects of every size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from filterscope.data.geometry import Geometry
from filterscope.data.scenes.captions import KINDS, describe, kinds_of
from filterscope.eager_optimisers import AdamW

# Pixels as the image tower takes them, unit range.
_MEAN, _STD = 0.45, 0.25
_VIEW = 0.5  # side of a view, share of the picture's
_JITTER = 0.25  # how far a view's centre may lie from its object's, share of the view's side
_WARM_UP, _WEIGHT_DECAY = 0.3, 0.02
_FIRST_SCALE, _LARGEST_SCALE = 10.0, 100.0  # of the cosines in the loss, which is learnt
_AT_ONCE = 200  # pictures


@dataclass(frozen=True)
class ScenesClipSettings:
    """How the model is made and trained; see `clips` in rules/config.schema.yaml."""

    size: int = 64
    dimension: int = 64
    epochs: int = 8
    learning_rate: float = 0.006
    batch_size: int = 64

    @classmethod
    def from_mapping(cls, mapping: Mapping) -> ScenesClipSettings:
        """From an entry of the config's `clips`, which also says what is no matter of training."""
        return cls(**{field.name: mapping[field.name] for field in fields(cls) if field.name in mapping})


@dataclass(frozen=True)
class Pairs:
    """Pictures, uint8 [N, 3, size, size], and of every picture's objects the tokens by kind and the centres, [k, 2] in
    rows and columns of the picture."""

    pictures: Tensor
    objects: list[list[dict[str, str]]]
    centres: list[np.ndarray]

    def __post_init__(self):
        if self.pictures.dtype != torch.uint8 or self.pictures.ndim != 4 or self.pictures.shape[1] != 3:
            found = f"{self.pictures.dtype} {list(self.pictures.shape)}"
            raise ValueError(f"pictures are {found}, should be uint8 [N, 3, size, size]")
        if len({len(self.pictures), len(self.objects), len(self.centres)}) != 1:
            raise ValueError(
                f"{len(self.pictures)} pictures have {len(self.objects)} lists of objects and {len(self.centres)} of "
                "their centres"
            )


def pairs(pictures: Sequence[Tensor], annotations: Sequence[pd.DataFrame], size: int) -> Pairs:
    """Pictures, uint8 [3, H, W], made square, with what their annotations say of their objects.

    annotations: of each picture, rows of the annotations table with tokens, x, y, w and h (px of the picture as it is).
    Raises ValueError for a picture without objects and for an object that is no scene's.
    """
    geometry = Geometry(size, size)
    objects, centres = [], []
    for number, (picture, rows) in enumerate(zip(pictures, annotations, strict=True)):
        if not len(rows):
            raise ValueError(f"picture {number} has no objects, so no caption")
        objects.append([kinds_of(list(tokens)) for tokens in rows["tokens"]])
        middle = np.stack([rows["y"] + rows["h"] / 2, rows["x"] + rows["w"] / 2], 1)
        # The picture is resized by its shorter side and cropped at the centre.
        height, width = picture.shape[1:]
        scale = size / min(height, width)
        centres.append(middle * scale - (np.array([height, width]) * scale - size) / 2)
    stacked = torch.stack([geometry.picture(each).contiguous() for each in pictures])
    return Pairs(stacked, objects, centres)


class ScenesClip(nn.Module):
    """Two towers into one space of unit vectors. words: all that the text tower can read.

    Pictures go through convolutions; the mean and the maximum of their maps are projected. A text is the sum of its
    words' vectors and of a neutral one, so that a word that tells nothing of pictures has a short vector and says what
    the neutral one says.
    """

    def __init__(self, words: Sequence[str], size: int = 64, dimension: int = 64):
        super().__init__()
        self.read, self.size, self.dimension = list(words), size, dimension
        self._rows = {word: row for row, word in enumerate(self.read)}
        self.features = nn.Sequential(
            *_block(3, 16, 5, stride=2), *_block(16, 32, 5, stride=2), *_block(32, 64, 3, stride=2), *_block(64, 64, 3)
        )
        self.projection = nn.Linear(128, dimension)
        self.words = nn.EmbeddingBag(len(self.read), dimension, mode="sum")
        nn.init.normal_(self.words.weight, std=0.1)
        self.neutral = nn.Parameter(0.1 * torch.randn(dimension))
        self.log_scale = nn.Parameter(torch.tensor(np.log(_FIRST_SCALE), dtype=torch.float32))

    def prepare(self, picture: Tensor) -> Tensor:
        """A picture, uint8 [3, H, W], as the image tower takes it: uint8 [3, size, size]."""
        return Geometry(self.size, self.size).picture(picture).contiguous()

    def embed_pictures(self, pictures: Tensor) -> Tensor:
        """Unit vectors [B, dimension] of prepared pictures [B, 3, h, w] of any size."""
        maps = self.features(pictures.float().div(255).sub(_MEAN).div(_STD))
        pooled = torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1)
        return functional.normalize(self.projection(pooled), dim=1)

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors [n, dimension]; words that it cannot read are passed over."""
        rows = [[self._rows[word] for word in text.split() if word in self._rows] for text in texts]
        device = self.neutral.device
        offsets = torch.tensor([0, *(len(each) for each in rows[:-1])], device=device).cumsum(0)
        flat = torch.tensor([row for each in rows for row in each], dtype=torch.int64, device=device)
        return functional.normalize(self.words(flat, offsets) + self.neutral, dim=1)

    def reads(self, text: str) -> bool:
        """Whether it knows every word of the text."""
        return all(word in self._rows for word in text.split())

    @property
    def scale(self) -> Tensor:
        """What cosines are multiplied by in the loss."""
        return self.log_scale.exp().clamp(max=_LARGEST_SCALE)

    def packed(self) -> dict:
        """All that `unpacked` needs, of tensors, numbers and texts."""
        own = {"words": self.read, "size": self.size, "dimension": self.dimension}
        return {"kind": "scenes", **own, "state": dict(self.state_dict())}

    @classmethod
    def unpacked(cls, packed: Mapping) -> ScenesClip:
        """The model again, in eval mode."""
        model = cls(packed["words"], packed["size"], packed["dimension"])
        model.load_state_dict(packed["state"])
        return model.eval()


def _block(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def contrast(images: Tensor, texts: Tensor, scale: Tensor) -> Tensor:
    """The symmetric contrastive loss of B pairs: each picture finds its text among those of the batch, and back.

    images, texts: unit vectors [B, E].
    """
    logits = scale * images @ texts.T
    own = torch.arange(len(logits), device=logits.device)
    return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2


def train_scenes_clip(
    train: Pairs,
    settings: ScenesClipSettings,
    seed: int,
    device: torch.device | str = "cpu",
    progress: Callable[[Iterable], Iterator] = iter,
) -> tuple[ScenesClip, pd.DataFrame]:
    """Train the model from random weights; the weights of the last epoch are kept, so nothing is chosen by scores.

    Every epoch tells each picture and each object in another caption. AdamW, one-cycle learning rate, pictures mirrored
    at random, which keeps every word right. Returns the model, in eval mode on the CPU, and the clip_history table.
    Raises ValueError for fewer than two pictures.
    """
    if len(train.pictures) < 2:
        raise ValueError(f"{len(train.pictures)} training pictures are too few: contrast needs two")
    chance = np.random.default_rng(seed)
    captions = [_Captions.written(train, chance) for _ in range(settings.epochs)]
    known = sorted({word for each in captions for text in each.texts() for word in text.split()})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ScenesClip(known, settings.size, settings.dimension).to(device).train()
    owners = [(picture, place) for picture, objects in enumerate(train.objects) for place in range(len(objects))]
    batches = [_batches(len(train.pictures), len(owners), settings.batch_size, chance) for _ in captions]
    optimiser = AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=sum(map(len, batches)), pct_start=_WARM_UP
    )
    history = []
    for epoch in progress(range(settings.epochs)):
        losses: dict[bool, list[float]] = {True: [], False: []}
        for whole, members in batches[epoch]:
            if whole:
                pictures, texts = train.pictures[members], [captions[epoch].scenes[each] for each in members]
            else:
                pictures = _views(train, [owners[each] for each in members], chance)
                texts = [captions[epoch].objects[each] for each in members]
            mirrored = torch.from_numpy(chance.random(len(members)) < 0.5)
            pictures = torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures).to(device)
            loss = contrast(model.embed_pictures(pictures), model.embed_texts(texts), model.scale)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses[whole].append(loss.item())
        history.append((epoch + 1, float(np.mean(losses[True])), float(np.mean(losses[False]))))
    return model.cpu().eval(), pd.DataFrame(history, columns=["epoch", "loss", "view_loss"])


@dataclass(frozen=True)
class _Captions:
    """An epoch's captions: of every picture, and of every object of every picture in turn."""

    scenes: list[str]
    objects: list[str]

    @classmethod
    def written(cls, train: Pairs, chance: np.random.Generator) -> _Captions:
        return cls(
            [describe(objects, chance) for objects in train.objects],
            [describe([each], chance) for objects in train.objects for each in objects],
        )

    def texts(self) -> list[str]:
        return self.scenes + self.objects


def _batches(pictures: int, objects: int, size: int, chance: np.random.Generator) -> list[tuple[bool, np.ndarray]]:
    """An epoch in random order: (whole scenes?, members). Half of the scenes and, in batches of twice the size, all
    objects: a view has a quarter of a scene's pixels, and shapes are learnt from views."""
    half = chance.permutation(pictures)[: max(2, pictures // 2)]
    scenes = np.array_split(half, max(1, len(half) // size))
    views = np.array_split(chance.permutation(objects), max(1, objects // (2 * size)))
    both = [(True, each) for each in scenes] + [(False, each) for each in views]
    return [both[place] for place in chance.permutation(len(both))]


def _views(train: Pairs, owners: Sequence[tuple[int, int]], chance: np.random.Generator) -> Tensor:
    """The surroundings of objects, given as (picture, place among its objects): uint8 [n, 3, side, side]."""
    size = train.pictures.shape[-1]
    side = int(_VIEW * size)
    centres = np.stack([train.centres[picture][place] for picture, place in owners])
    moved = centres + side * _JITTER * chance.uniform(-0.5, 0.5, centres.shape)
    corners = np.clip(np.rint(moved - side / 2), 0, size - side).astype(int)
    return torch.stack(
        [
            train.pictures[picture, :, top : top + side, left : left + side]
            for (picture, _), (top, left) in zip(owners, corners, strict=True)
        ]
    )


@torch.no_grad()
def retrieval(model: ScenesClip, held_out: Pairs) -> pd.DataFrame:
    """Does the model find the right words for pictures that it has not seen? The clip_retrieval table.

    Of each kind of words (colours, textures, shapes) a picture is given as many of the nearest as it has different
    ones; `right` is the share of those that it has, `chance` what random words reach. Words that the model cannot read
    count as wrong.
    """
    shown = torch.cat([model.embed_pictures(part) for part in held_out.pictures.split(_AT_ONCE)])
    rows = []
    for kind, known in KINDS.items():
        cosines = (shown @ model.embed_texts(known).T).numpy()
        cosines[:, [not model.reads(word) for word in known]] = -np.inf
        has = np.array(
            [[any(each[kind] == word for each in objects) for word in known] for objects in held_out.objects]
        )
        order = np.argsort(-cosines, axis=1, kind="stable")
        given = np.arange(len(known)) < has.sum(1, keepdims=True)
        found = np.take_along_axis(has & np.isfinite(cosines), order, 1)
        right = (found & given).sum(1) / has.sum(1)
        rows.append((kind, float(right.mean()), float(has.mean()), len(has)))
    return pd.DataFrame(rows, columns=["kind", "right", "chance", "images"])
