"""Training of the embedded study's networks on the shape of every picture's main object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, fields
from itertools import permutations
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from filterscope import resumption
from filterscope.apt.scheduling import ScheduleSettings, Situation
from filterscope.apt.steering import Steering
from filterscope.data.geometry import Geometry
from filterscope.data.images import read_image
from filterscope.data.networks.building import normalise
from filterscope.data.networks.embedded import SCENES, VARIED
from filterscope.data.networks.settings import InputSettings
from filterscope.data.scenes.words import SHAPES, known_words
from filterscope.eager_optimisers import AdamW

_WARM_UP = 0.3  # share of the steps in which the learning rate rises
_WEIGHT_DECAY = 0.02
_LABEL_SMOOTHING = 0.05
_EVALUATED_AT_ONCE = 200  # pictures
_ORDERS = torch.tensor(list(permutations(range(3))))  # of the channels
_MOVED = 1 / 16  # of a picture's side, at most: as far as main objects lie from the centre


@dataclass(frozen=True)
class EmbeddedTrainingSettings:
    """How such a network is trained; the learning rate is the highest of a one-cycle schedule. draw: which random
    weights and batches; another number makes another network. steering: a schedule of the temperature room instead,
    which has a learning rate of its own."""

    epochs: int
    learning_rate: float
    batch_size: int
    draw: int = 0
    steering: ScheduleSettings | None = None

    @classmethod
    def from_mapping(cls, mapping: Mapping, steering: Mapping | None = None) -> EmbeddedTrainingSettings:
        """From an entry of the config's `networks`, which also says what is no matter of training, and the schedule
        that it names."""
        own = {each.name: mapping[each.name] for each in fields(cls) if each.name in mapping}
        return cls(**own, steering=ScheduleSettings.from_mapping(steering) if steering else None)


@dataclass
class ScenesState:
    """The training after so many epochs: all that a killed one needs to go on."""

    epoch: int = 0
    network: dict = field(default_factory=dict)
    steps: dict = field(default_factory=dict)  # of the optimiser and its schedule, or of a steered training
    generator: Tensor | None = None  # of batches and mirrors
    history: list = field(default_factory=list)  # lines of the network_history table
    accuracy: float = -1.0  # the best so far, of the weights
    best: dict = field(default_factory=dict)


class Checkpoint(resumption.Checkpoint):
    """The state of such a training on disk."""

    kind = ScenesState


@dataclass(frozen=True)
class ScenePictures:
    """Pictures as uint8 [N, 3, H, W], and the shape of each one's main object as int64 [N]."""

    pictures: Tensor
    labels: Tensor

    def __post_init__(self):
        if self.pictures.dtype != torch.uint8 or self.pictures.ndim != 4 or self.pictures.shape[1] != 3:
            found = f"{self.pictures.dtype} {list(self.pictures.shape)}"
            raise ValueError(f"pictures are {found}, should be uint8 [N, 3, H, W]")
        if self.labels.shape != self.pictures.shape[:1]:
            raise ValueError(f"{len(self.pictures)} pictures have labels of shape {list(self.labels.shape)}")
        if not len(self.labels):
            raise ValueError("there are no pictures")
        if not 0 <= int(self.labels.min()) <= int(self.labels.max()) < len(SHAPES):
            raise ValueError(
                f"labels go from {int(self.labels.min())} to {int(self.labels.max())}, "
                f"should be from 0 to {len(SHAPES) - 1}"
            )


def unit_words() -> dict[str, list]:
    """What every output of such a network stands for: the known_words table."""
    return known_words([("shape", shape) for shape in SHAPES])


def main_shapes(annotations: pd.DataFrame) -> pd.Series:
    """The class of each picture, by image_id: the position in SHAPES of its largest object's shape.

    `annotations` has the columns image_id, tokens and area of the annotations table. Raises ValueError for an
    object without exactly one shape among its tokens.
    """
    largest = annotations.sort_values(["area", "image_id"], kind="stable").groupby("image_id").tail(1)
    labels = {}
    for row in largest.itertuples():
        shapes = [token for token in row.tokens if token in SHAPES]
        if len(shapes) != 1:
            raise ValueError(
                f"image {row.image_id}: its largest object has tokens {list(row.tokens)}, "
                f"should have one of {', '.join(SHAPES)}; is this a dataset of scenes?"
            )
        labels[row.image_id] = SHAPES.index(shapes[0])
    return pd.Series(labels, dtype="int64").sort_index()


def read_pictures(folder: str | Path, images: pd.DataFrame, labels: pd.Series, inputs: InputSettings) -> ScenePictures:
    """The pictures that rows of the images table name, as the network sees them, with their labels.

    Raises ValueError for an image without a label and where there are no images.
    """
    without = sorted(set(images["image_id"]) - set(labels.index))
    if without:
        raise ValueError(
            f"{len(without)} images have no annotations, image {without[0]} first; "
            "the network learns the shape of the largest object"
        )
    if images.empty:
        raise ValueError("one of the splits has no images; the network needs both train and val")
    geometry = Geometry(inputs.resize, inputs.crop)
    pictures = [geometry.picture(read_image(Path(folder, path))) for path in images["path"]]
    return ScenePictures(torch.stack(pictures), torch.tensor(labels.loc[images["image_id"]].tolist()))


def train_scenes_network(
    train: ScenePictures,
    val: ScenePictures,
    settings: EmbeddedTrainingSettings,
    inputs: InputSettings,
    seed: int,
    device: torch.device | str = "cpu",
    progress: Callable[[Iterable], Iterator] = iter,
    measured: Callable[[pd.DataFrame], None] = lambda temperatures: None,
    resume: ScenesState | None = None,
    save: Callable[[ScenesState], None] = lambda state: None,
    source: str = "scenes_cnn",
) -> tuple[nn.Module, pd.DataFrame]:
    """Train a network on the shape of the main object; keep the epoch of highest validation accuracy.

    `inputs` says how pictures are normalised, `progress` goes through the epochs. AdamW, one-cycle learning
    rate, pictures mirrored at random, of VARIED also moved and their colours exchanged. measured: is handed the
    temperatures of a steered training, an empty table for others. save: is handed the state after every epoch; from
    one, resume, a training ends as if it had never stopped. source: which of the embedded networks it is.
    Returns the network, in eval mode on the CPU, and the network_history table.
    """
    if len(train.labels) < 2:
        raise ValueError("one training picture is too few: batch normalisation needs two")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SCENES[source]().to(device)
    generator = torch.Generator().manual_seed(seed)
    changed = _varied if source in VARIED else _mirrored
    batches = max(1, len(train.labels) // settings.batch_size)
    steps = settings.epochs * batches
    steering = _steering(network, train, settings, inputs, device, steps) if settings.steering else None
    if steering:
        optimiser, schedule = steering.optimiser, None
    else:
        optimiser = AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=_WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, settings.learning_rate, total_steps=steps, pct_start=_WARM_UP
        )
    state = resume or ScenesState()
    if resume:
        network.load_state_dict(state.network)
        generator.set_state(state.generator.cpu())
        for name, each in _stepping(steering, optimiser, schedule).items():
            each.load_state_dict(state.steps[name])
    for epoch in progress(range(state.epoch + 1, settings.epochs + 1)):
        network.train()
        losses = []
        for batch in torch.randperm(len(train.labels), generator=generator).tensor_split(batches):
            pictures = changed(train.pictures[batch], generator).to(device)
            labels = train.labels[batch].to(device)
            with steering.step() if steering else nullcontext():
                loss = _loss(network(normalise(pictures, inputs)), labels)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            if steering:
                steering.advance(loss - _least_loss())
            else:
                schedule.step()
            losses.append(loss.item() * len(batch))
        shown = (normalise(part.to(device), inputs) for part in train.pictures.split(_EVALUATED_AT_ONCE))
        with steering.weights_to_use(shown) if steering else nullcontext():
            val_loss, accuracy = _evaluate(network, val, inputs, device)
            if accuracy > state.accuracy:
                state.accuracy = accuracy
                state.best = {key: value.detach().cpu().clone() for key, value in network.state_dict().items()}
        state.history.append([epoch, sum(losses) / len(train.labels), val_loss, accuracy])
        state.epoch, state.network, state.generator = epoch, network.state_dict(), generator.get_state()
        state.steps = {name: each.state_dict() for name, each in _stepping(steering, optimiser, schedule).items()}
        save(state)
    measured(steering.table() if steering else pd.DataFrame())
    network.load_state_dict(state.best)
    table = pd.DataFrame(state.history, columns=["epoch", "train_loss", "val_loss", "val_accuracy"])
    table["best"] = table.index == table["val_accuracy"].idxmax()
    return network.cpu().eval(), table


def _stepping(steering, optimiser, schedule) -> dict:
    """What knows how far the training is, by name."""
    return {"steering": steering} if steering else {"optimiser": optimiser, "schedule": schedule}


def _loss(logits: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(logits, labels, label_smoothing=_LABEL_SMOOTHING)


def _least_loss() -> float:
    """That of a network that is as sure as smoothed labels want it: their entropy. What is left of a loss is above."""
    smoothed = torch.full((len(SHAPES),), _LABEL_SMOOTHING / len(SHAPES), dtype=torch.float64)
    smoothed[0] += 1 - _LABEL_SMOOTHING
    return float(torch.special.entr(smoothed).sum())


def _steering(
    network, train: ScenePictures, settings: EmbeddedTrainingSettings, inputs, device, steps: int
) -> Steering:
    """A schedule that may look at the first pictures before it begins."""
    pictures = normalise(train.pictures[: settings.batch_size].to(device), inputs)
    labels = train.labels[: settings.batch_size].to(device)
    situation = Situation(_loss, pictures, labels, [pictures], _WEIGHT_DECAY, "adamw")
    return Steering(settings.steering, network.train(), situation, steps)


def _mirrored(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Each picture mirrored or not, which keeps every shape."""
    mirrored = torch.rand(len(pictures), generator=generator) < 0.5
    return torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)


def _varied(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Each picture mirrored or not, its channels in any order, moved; its border goes on. All keep every shape."""
    count, _, height, width = pictures.shape
    places = []
    for side in (height, width):
        most = int(_MOVED * side)
        moved = torch.randint(-most, most + 1, (count, 1), generator=generator)
        places.append((torch.arange(side) + moved).clamp(0, side - 1))
    rows, columns = places
    mirrored = torch.rand(count, generator=generator) < 0.5
    columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    channels = _ORDERS[torch.randint(len(_ORDERS), (count,), generator=generator)]
    own = torch.arange(count)[:, None, None, None]
    return pictures[own, channels[:, :, None, None], rows[:, None, :, None], columns[:, None, None, :]]


@torch.no_grad()
def _evaluate(network: nn.Module, val: ScenePictures, inputs: InputSettings, device) -> tuple[float, float]:
    """Mean cross-entropy and share of right labels."""
    network.eval()
    parts = [network(normalise(batch.to(device), inputs)).cpu() for batch in val.pictures.split(_EVALUATED_AT_ONCE)]
    logits = torch.cat(parts)
    loss = functional.cross_entropy(logits, val.labels).item()
    return loss, (logits.argmax(1) == val.labels).double().mean().item()
