"""Mistakes of earlier implementations, each as a switch, so that a study can measure what it costs.

Numbers in brackets are rows of the list of reference defects; docs/words.md#faithful-mode explains them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Faithful:
    """Which defects of the reference are switched on; none by default."""

    mask_scale: bool = False  # [1] training masks worth 1/255
    empty_masks: bool = False  # [2] masks sampled at cell centres; vanished objects train as zero vectors
    random_crops: bool = False  # training pictures cropped at random while masks stay
    transposed_boxes: bool = False  # Visual Genome's training masks allocated as (width, height), indexed [y, x]
    frozen_batch_norm: bool = False  # the explainer's batch norms never learn their statistics
    lower_tail: bool = False  # threshold at the lower end of the activations
    instance_split: bool = False  # [3] objects of one image in training and in validation
    training_images: bool = False  # [4] recall measured on training images too
    few_filters: bool = False  # [5] every 12th filter up to 252
    projection: bool = False  # [8] projection where the text says attention
    unpooled: bool = False  # [9] explainer fed with whole maps
    scored_images_choose: bool = False  # the images that are scored choose the explainer's epoch
    published_words: bool = False  # objects alone are learnt from, nearest words alone said, the claim voted for

    @classmethod
    def names(cls) -> list[str]:
        """All switches, in order."""
        return [field.name for field in fields(cls)]

    @classmethod
    def only(cls, *switches: str) -> Faithful:
        """Just these defects switched on."""
        return cls(**dict.fromkeys(switches, True))

    @property
    def none(self) -> bool:
        """Whether no defect is switched on."""
        return self == Faithful()
