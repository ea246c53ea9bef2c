"""What a network answers when objects are laid into pictures that lack them, and taken out of those that have them.

One set of composed pictures serves all filters: every object is laid, at one of a few sizes, into the same places of
the same pictures, and taken out of its own, and the network looks at each picture once. So the cost grows with the
tokens that are claimed and not with the filters, and every object's rivals are the others at the very same place.

A filter's answer is the mean of its map. What a composed picture shares with the others of its place, or with the
picture that it was made of, cancels, so nothing has to be cut out of the map, and a field of view larger than the
object is no matter; and a mean moves on where a maximum has reached the ceiling of a bounded activation, or is held
by something else in the picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from filterscope.activations.extraction import read_maps
from filterscope.activations.streaming import Batch, Look
from filterscope.data.layers import Reader
from filterscope.data.networks import InputSettings
from filterscope.words.composing import LONG, REMOVALS, Cutout, lay, take_out, unusable

# Objects that are looked at for every one that is wanted: some are tiny or touch the border.
SPARE = 3
# Share of the images that may become backgrounds: their objects are lost as objects.
BACKGROUNDS = 0.25
# Where objects are laid: rows and columns of their centres, shares of the side.
CENTRES = (0.3, 0.7)


@dataclass(frozen=True)
class ProofSettings:
    """How causes are proved; see config.yaml."""

    objects: int = 12
    controls: int = 100
    fewest: int = 4
    places: int = 3
    sizes: int = 2
    smallest: float = 0.01


@dataclass(frozen=True)
class Plan:
    """What is looked at: images to lay objects into, and objects that may be used.

    backgrounds: image ids, in order. lacking: bool [places, T], the tokens that a background lacks. objects: rows of
    the frame that `plan` takes, in the order in which they are used.
    """

    backgrounds: np.ndarray
    lacking: np.ndarray
    objects: pd.DataFrame


def plan(
    image_ids: np.ndarray,
    objects: pd.DataFrame,
    claimed: np.ndarray,
    settings: ProofSettings,
    chance: np.random.Generator,
) -> Plan:
    """Choose backgrounds and objects among the images that score.

    objects: annotation_id, image_id, category and tokens (an array of indices) of all objects of these images.
    claimed: the tokens that some filter claims, bool [T].
    """
    tokens = token_rows(objects["tokens"], len(claimed))
    rows = pd.Index(image_ids).get_indexer(objects["image_id"])
    present = np.zeros((len(image_ids), len(claimed)), bool)
    np.logical_or.at(present, rows, tokens)
    count = min(settings.places, int(BACKGROUNDS * len(image_ids)))
    chosen = lacking_images(present, claimed, count, chance)
    free = np.flatnonzero(~np.isin(rows, chosen))
    order = free[evenly(objects["image_id"].to_numpy()[free], objects["category"].to_numpy()[free], chance)]
    taken = order[wanted(tokens[order], claimed, SPARE * settings.objects, SPARE * settings.controls)]
    return Plan(image_ids[chosen], ~present[chosen], objects.iloc[taken])


def token_rows(tokens: Iterable[np.ndarray], count: int) -> np.ndarray:
    """Which of so many tokens each object has, bool [n, count], from arrays of their indices."""
    lists = list(tokens)
    rows = np.zeros((len(lists), count), bool)
    for row, own in zip(rows, lists, strict=True):
        row[own] = True
    return rows


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


def evenly(owners: np.ndarray, categories: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """An order of objects in which all categories come round by turns: positions, [n].

    Of a category and an image only one object is in it: objects of one picture are no independent samples. A token of
    several categories so gets them all alike, and is not mistaken for what often goes with it.
    """
    order = chance.permutation(len(owners))
    turns, seen = Counter(), set()
    places = []
    for position in order.tolist():
        key = (categories[position], int(owners[position]))
        if key not in seen:
            seen.add(key)
            places.append((turns[categories[position]], position))
            turns[categories[position]] += 1
    places.sort(key=lambda place: place[0])
    return np.array([position for _, position in places], np.int64)


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


@dataclass
class Gathered:
    """What was cut out of the pictures.

    backgrounds: views, uint8 [3, S, S], by image id. cutouts: usable objects, in the order in which they are used.
    unusable: (reason, token indices) of every object that is not.
    """

    backgrounds: dict[int, Tensor]
    cutouts: list[Cutout]
    unusable: list[tuple[str, np.ndarray]]

    def reasons(self) -> str:
        """How many objects are unusable and why, as a person reads it."""
        counts = Counter(reason for reason, _ in self.unusable)
        return ", ".join(f"{count} {reason}" for reason, count in counts.most_common()) or "none"

    def by_token(self, tokens: int) -> np.ndarray:
        """How many of every token's objects are unusable, [T]."""
        return token_rows((own for _, own in self.unusable), tokens).sum(0)


def gather(
    batches: Iterable[Batch], annotation_ids: np.ndarray, side: int, chosen: Plan, settings: ProofSettings
) -> Gathered:
    """Cut the chosen objects out of their pictures, views of side x side px.

    annotation_ids: of the table whose positions the batches tell.
    """
    places = {number: place for place, number in enumerate(chosen.objects["annotation_id"].tolist())}
    tokens, backgrounds = chosen.objects["tokens"].tolist(), set(chosen.backgrounds.tolist())
    found: dict[int, Cutout] = {}
    views, refused = {}, []
    for look in (look for batch in batches for look in batch.looks):
        if look.image_id in backgrounds:
            views[look.image_id] = look.picture
        for row, number in enumerate(annotation_ids[look.annotations].tolist()):
            place = places.get(number)
            if place is None:
                continue
            mask = look.masks["sampled", (side, side)][row]
            reason = unusable(mask, settings.smallest)
            if reason:
                refused.append((reason, tokens[place]))
            else:
                found[place] = Cutout(look.image_id, tokens[place], look.picture, mask)
    return Gathered(views, [found[place] for place in sorted(found)], refused)


@dataclass(frozen=True)
class Sample:
    """The objects that are laid into pictures and taken out of theirs.

    tokens: bool [n, T]. targets: sizes at which objects are laid, shares of a view, [sizes]. sizes: index of every
    object's own, [n].
    """

    cutouts: list[Cutout]
    tokens: np.ndarray
    targets: np.ndarray
    sizes: np.ndarray


def sample(gathered: Gathered, claimed: np.ndarray, settings: ProofSettings) -> Sample:
    """As many of the usable objects as are wanted, each with the size that is nearest to its own.

    The sizes lie in the midst of equal parts of the objects' areas, so that no object is resized much; objects are
    compared with others of their own size only. Those too long for a view at theirs join the unusable.
    """
    tokens = token_rows((each.tokens for each in gathered.cutouts), len(claimed))
    taken = wanted(tokens, claimed, settings.objects, settings.controls)
    cutouts, tokens = [gathered.cutouts[each] for each in taken], tokens[taken]
    if not cutouts:
        return Sample([], tokens, np.zeros(settings.sizes), np.zeros(0, np.int64))
    areas = np.log([each.area for each in cutouts])
    targets = np.quantile(areas, (np.arange(settings.sizes) + 0.5) / settings.sizes)
    sizes = np.abs(areas[:, None] - targets).argmin(1)
    targets = np.exp(targets)
    fits = np.array([each.fits(targets[size]) for each, size in zip(cutouts, sizes, strict=True)])
    gathered.unusable += [(LONG, each.tokens) for each, good in zip(cutouts, fits, strict=True) if not good]
    cutouts = [each for each, good in zip(cutouts, fits, strict=True) if good]
    return Sample(cutouts, tokens[fits], targets, sizes[fits])


@dataclass(frozen=True)
class Responses:
    """What all filters answer. n objects, P places, d filters, T tokens.

    tokens: bool [n, T]. sizes: index of every object's size, [n]. lacking: bool [P, T]. laid: answers to every object
    at every place, float32 [n, P, d]. lost: answer to the picture itself minus that to the picture without the object,
    mean over REMOVALS, [n, d].
    """

    tokens: np.ndarray
    sizes: np.ndarray
    lacking: np.ndarray
    laid: np.ndarray
    lost: np.ndarray


def respond(
    sampled: Sample,
    chosen: Plan,
    backgrounds: dict[int, Tensor],
    reader: Reader,
    inputs: InputSettings,
    batch_size: int,
    device: torch.device,
    chance: np.random.Generator,
    progress: Callable = lambda items, total, title: items,
) -> Responses:
    """Compose all pictures and look at each once; backgrounds: views by image id."""
    count, places, kinds = len(sampled.cutouts), len(chosen.backgrounds), len(REMOVALS)
    views = [(image_id, backgrounds[image_id]) for image_id in chosen.backgrounds.tolist()]
    centres = chance.uniform(*CENTRES, (len(sampled.targets), places, 2))
    pictures = _composed(sampled, views, centres)
    answers = np.zeros((count * (places + 1 + kinds), reader.filters), np.float32)
    starts = range(0, len(answers), batch_size)
    for start in progress(starts, len(starts), "batches of composed pictures"):
        looks = [Look(each, view, np.zeros(0, np.int64), {}) for each, view in islice(pictures, batch_size)]
        maps = read_maps(Batch(looks), reader, inputs, device)
        answers[start : start + len(looks)] = maps.mean((2, 3)).cpu().numpy()
    answers = answers.reshape(count, places + 1 + kinds, reader.filters)
    lost = answers[:, places] - answers[:, places + 1 :].mean(1)
    return Responses(sampled.tokens, sampled.sizes, chosen.lacking, answers[:, :places], lost)


def _composed(sampled: Sample, views: list[tuple[int, Tensor]], centres: np.ndarray) -> Iterator[tuple[int, Tensor]]:
    """Picture by picture, by the image that it is made of: every object at every place, as it is, and taken out."""
    for cutout, size in zip(sampled.cutouts, sampled.sizes, strict=True):
        layers = cutout.scaled(float(sampled.targets[size]))
        for (image_id, view), centre in zip(views, centres[size], strict=True):
            yield image_id, lay(view, layers, tuple(centre))
        yield cutout.image_id, cutout.view
        for view in take_out(cutout.view, cutout.mask):
            yield cutout.image_id, view
