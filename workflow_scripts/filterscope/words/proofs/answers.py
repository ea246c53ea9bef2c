"""What a network answers when objects are laid into pictures that lack them, and taken out of those that have them.

One set of composed pictures serves all filters of all layers, whatever they claim: every object is laid, at one of a
few sizes, into the same places of the same pictures, and taken out of its own, and the network looks at each picture
once. So the cost grows with the tokens that there are and not with filters and layers, another claim costs no look, and
every object's rivals are the others at the very same place.

A filter's answer is the mean of its map. What a composed picture shares with the others of its place, or with the
picture that it was made of, cancels, so nothing has to be cut out of the map, and a field of view larger than the
object is no matter; and a mean moves on where a maximum has reached the ceiling of a bounded activation, or is held
by something else in the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from filterscope.activations.extraction import ActivationError, refuse_not_finite
from filterscope.activations.streaming import Batch, Look
from filterscope.words.proofs.composing import LONGEST, REMOVALS, Cutout, lay, take_out
from filterscope.words.proofs.responses import ProofSettings, Responses, token_rows

# Share of the images that may become backgrounds: their objects are lost as objects.
BACKGROUNDS = 0.25
# Where objects are laid: rows and columns of their centres, shares of the side.
CENTRES = (0.3, 0.7)
# Reason for which an object that could be cut out is not used.
TOO_LONG = "too long at the size at which it would be laid"


@dataclass(frozen=True)
class Plan:
    """What is composed: objects, and pictures that they are laid into. n objects, P places, T tokens.

    backgrounds: image ids, in order, [P]. lacking: bool [P, T], the tokens that a background lacks. objects: rows of
    the frame that `plan` takes, in the order in which they are composed. tokens: bool [n, T]. targets: sizes at which
    objects are laid, shares of a view. sizes: index of every object's own, [n]. unusable: rows of the objects that
    cannot be used, with the reason in the column of that name.
    """

    backgrounds: np.ndarray
    lacking: np.ndarray
    objects: pd.DataFrame
    tokens: np.ndarray
    targets: np.ndarray
    sizes: np.ndarray
    unusable: pd.DataFrame

    def reasons(self) -> str:
        """How many objects are unusable and why, as a person reads it."""
        counts = self.unusable["unusable"].value_counts()
        return ", ".join(f"{count} {reason}" for reason, count in counts.items()) or "none"

    def unusable_by_token(self) -> np.ndarray:
        """How many of every token's objects are unusable, [T]."""
        return token_rows(self.unusable["tokens"], self.lacking.shape[1]).sum(0)


def plan(
    image_ids: np.ndarray,
    objects: pd.DataFrame,
    claimed: np.ndarray,
    settings: ProofSettings,
    chance: np.random.Generator,
) -> Plan:
    """Choose backgrounds and objects among the images that score.

    objects: all objects of these images as `windows.framed` gives them: image_id, category, tokens (an array of
    indices), share, long, unusable. claimed: the tokens that some filter claims, bool [T].

    Of a category and an image only one object is used, the largest that can be: objects of one picture are no
    independent samples. The sizes lie in the midst of equal parts of the objects' own, so that no object is resized
    much where it is laid; objects are compared with others of their own size only.
    """
    present = np.zeros((len(image_ids), len(claimed)), bool)
    rows = pd.Index(image_ids).get_indexer(objects["image_id"])
    np.logical_or.at(present, rows, token_rows(objects["tokens"], len(claimed)))
    count = min(settings.places, int(BACKGROUNDS * len(image_ids)))
    chosen = lacking_images(present, claimed, count, chance)
    free = largest(objects[~objects["image_id"].isin(image_ids[chosen])])
    usable, unusable = free[free["unusable"] == ""], free[free["unusable"] != ""]
    usable = usable.iloc[evenly(usable["category"].to_numpy(), chance)]
    tokens = token_rows(usable["tokens"], len(claimed))
    taken = wanted(tokens, claimed, settings.objects, settings.controls)
    used, tokens = usable.iloc[taken], tokens[taken]
    targets, sizes = nearest_sizes(used["share"].to_numpy(), settings.sizes)
    fits = (used["long"] * np.sqrt(targets[sizes] / used["share"]) <= LONGEST).to_numpy()
    unusable = pd.concat([unusable, used[~fits].assign(unusable=TOO_LONG)])
    return Plan(image_ids[chosen], ~present[chosen], used[fits], tokens[fits], targets, sizes[fits], unusable)


def largest(objects: pd.DataFrame) -> pd.DataFrame:
    """Of every category and image the largest usable object; where there is none, the largest."""
    best = objects.assign(usable=objects["unusable"] == "").sort_values(
        ["usable", "share", "annotation_id"], ascending=[False, False, True]
    )
    return best.drop_duplicates(["image_id", "category"]).sort_values("annotation_id").drop(columns="usable")


def nearest_sizes(shares: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Sizes in the midst of equal parts of the shares [n], [count], and which of them is nearest to each, [n]."""
    if not len(shares):
        return np.zeros(count), np.zeros(0, np.int64)
    logarithms = np.log(shares)
    targets = np.quantile(logarithms, (np.arange(count) + 0.5) / count)
    return np.exp(targets), np.abs(logarithms[:, None] - targets).argmin(1)


def lacking_images(present: np.ndarray, claimed: np.ndarray, count: int, chance: np.random.Generator) -> np.ndarray:
    """Images such that every claimed token is lacked by as many of them as possible: rows of present, [count].

    present: bool [images, T]. Among equals those with the most frequent tokens, of whose objects there are enough.
    """
    order = chance.permutation(len(present))
    rarity = (present / np.maximum(present.sum(0), 1)).sum(1)[order]
    asked = ~present[order][:, claimed & ~present.all(0)]
    coverage = np.zeros(asked.shape[1], np.int64)
    chosen: list[int] = []
    for _ in range(count):
        least = (coverage + asked).min(1, initial=len(present))
        best = np.lexsort((rarity, -asked.sum(1), -least, np.isin(np.arange(len(order)), chosen)))[0]
        chosen.append(int(best))
        coverage += asked[best]
    return order[chosen]


def evenly(categories: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """An order of objects in which all categories come round by turns: positions, [n].

    A token of several categories so gets them all alike, and is not mistaken for what often goes with it.
    """
    order = chance.permutation(len(categories))
    turns = pd.Series(categories[order]).groupby(categories[order]).cumcount().to_numpy()
    return order[np.argsort(turns, kind="stable")]


def wanted(tokens: np.ndarray, claimed: np.ndarray, objects: int, controls: int) -> np.ndarray:
    """Which objects are taken, in their order: positions, ascending.

    tokens: bool [n, T]. Of every claimed token `objects` are taken while they last, and of the others as many as bring
    the sum to `controls`.
    """
    counts = np.zeros(tokens.shape[1], np.int64)
    taken = np.zeros(len(tokens), bool)
    for position, own in enumerate(tokens):
        if (own & claimed & (counts < objects)).any():
            taken[position] = True
            counts += own
    missing = max(0, controls - int(taken.sum()))
    taken[np.flatnonzero(~taken)[:missing]] = True
    return np.flatnonzero(taken)


def respond(
    chosen: Plan,
    backgrounds: dict[int, Tensor],
    cutouts: Iterable[Cutout],
    see: Callable[[Batch], Sequence[Tensor]],
    layers: Mapping[str, int],
    batch_size: int,
    chance: np.random.Generator,
    progress: Callable = lambda items, total, title: items,
) -> dict[str, Responses | ActivationError]:
    """Compose all pictures and look at each once; by layer what its filters answer, or why it stopped.

    backgrounds: views, uint8 [3, S, S], by image id. cutouts: of the plan's objects, in their order. see: the maps
    [B, d, h, w] of each layer for a batch. layers: their numbers of filters, in that order.
    """
    count, places, kinds = len(chosen.objects), len(chosen.backgrounds), len(REMOVALS)
    views = [(image_id, backgrounds[image_id]) for image_id in chosen.backgrounds.tolist()]
    centres = chance.uniform(*CENTRES, (len(chosen.targets), places, 2))
    pictures = _composed(cutouts, chosen, views, centres)
    shown = count * (places + 1 + kinds)
    answers = {layer: np.zeros((shown, filters), np.float32) for layer, filters in layers.items()}
    stopped: dict[str, ActivationError] = {}
    starts = range(0, shown, batch_size)
    for start in progress(starts, len(starts), "batches of composed pictures"):
        looks = [Look(each, view, np.zeros(0, np.int64), {}) for each, view in islice(pictures, batch_size)]
        batch = Batch(looks)
        with torch.inference_mode():
            seen = see(batch)
        for layer, maps in zip(layers, seen, strict=True):
            try:
                refuse_not_finite(maps, batch, layer)
            except ActivationError as error:
                stopped.setdefault(layer, error)
            answers[layer][start : start + len(looks)] = maps.mean((2, 3)).cpu().numpy()
    found: dict[str, Responses | ActivationError] = {}
    for layer, own in answers.items():
        if layer in stopped:
            found[layer] = stopped[layer]
            continue
        own = own.reshape(count, places + 1 + kinds, layers[layer])
        lost = own[:, places] - own[:, places + 1 :].mean(1)
        found[layer] = Responses(chosen.tokens, chosen.sizes, chosen.lacking, own[:, :places], lost)
    return found


def _composed(
    cutouts: Iterable[Cutout], chosen: Plan, views: list[tuple[int, Tensor]], centres: np.ndarray
) -> Iterator[tuple[int, Tensor]]:
    """Picture by picture, by the image that it is made of: every object at every place, as it is, and taken out."""
    for cutout, size in zip(cutouts, chosen.sizes, strict=True):
        layers = cutout.scaled(float(chosen.targets[size]))
        for (image_id, view), centre in zip(views, centres[size], strict=True):
            yield image_id, lay(view, layers, tuple(centre))
        yield cutout.image_id, cutout.view
        for view in take_out(cutout.view, cutout.mask):
            yield cutout.image_id, view
