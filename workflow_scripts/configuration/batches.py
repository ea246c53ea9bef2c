"""Trainings that one job does one after the other, where starting a job takes longer than a training."""

from __future__ import annotations

from collections.abc import Sequence

SEPARATOR = "-"
PATTERN = rf"\d+(?:{SEPARATOR}\d+)*"  # what the wildcard of a batch may be


def batches(numbers: Sequence[int], together: int) -> list[str]:
    """The numbers in batches of at most so many, in their order: 0, 1, 2 by two are "0-1" and "2"."""
    parts = [numbers[start : start + together] for start in range(0, len(numbers), together)]
    return [SEPARATOR.join(map(str, part)) for part in parts]


def members(batch: str) -> list[int]:
    """The numbers in a batch."""
    return [int(number) for number in batch.split(SEPARATOR)]


def batch_with(number: int, numbers: Sequence[int], together: int) -> str:
    """The batch of these that holds a number. Raises ValueError where none does."""
    for batch in batches(numbers, together):
        if number in members(batch):
            return batch
    raise ValueError(f"number {number} is none of {', '.join(map(str, numbers))}")
