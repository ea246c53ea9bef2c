"""Senses of filters of the atlas that is made up."""

from __future__ import annotations

from collections.abc import Callable, Iterable

LIMITS = {"strength": 0.6, "likeness": 0.25, "distinction": 1.4}
IMAGES = 12  # of a filter
SEVERAL = 7  # every so many a filter has two senses


def senses_of(numbers: Iterable[int], photographs: int, said: Callable[[str], str]) -> dict:
    """A file of senses: of every SEVERAL-th filter two, of the next nothing can be told, of the others one.

    said: what stands in place of a text.
    """
    return {"filters": {str(number): _senses(number, photographs, said) for number in numbers}, "limits": LIMITS}


def _senses(number: int, photographs: int, said: Callable[[str], str]) -> dict:
    if number % SEVERAL == 1:
        return {"status": "untold", "images": 3, "note": said("it fires in 3 of its images"), "senses": None}
    count = 2 if number % SEVERAL == 0 else 1
    rows = [(number + step) % photographs for step in range(IMAGES)]
    sense = [place % count for place in range(IMAGES)]
    groups = [
        {
            "sense": each,
            "images": sense.count(each),
            "row": [row for row, own in zip(rows, sense, strict=True) if own == each],
            "maximum": [1.5] * sense.count(each),
            "box": [[0.2, 0.2, 0.7, 0.7]] * sense.count(each),
            "called": said("coin, button"),
            "words": [[said("coin"), 9, None if count == 1 else 0.2, None if count == 1 else 0.01]],
            "picture": {
                "path": "pictures/0.webp",
                "recipe": said("sketch"),
                "status": "optimised",
                "note": "",
                "activation": 2.0,
                "mean_activation": 0.5,
            },
        }
        for each in range(count)
    ]
    return {
        "status": "several" if count > 1 else "one",
        "senses": count,
        "images": IMAGES,
        "note": "",
        "strength": 0.8 if count > 1 else 0.4,
        "likeness": 0.1,
        "distinction": 1.9,
        "null_senses": 1,
        "null_strength": 0.3,
        "null_likeness": 0.5,
        "other_filter": 3,
        "shared_images": 20,
        "shared_senses": 2,
        "other_senses": 1,
        "other_strength": 0.2,
        "other_likeness": 0.9,
        "map": {"x": [*range(IMAGES)], "y": sense, "facet": sense, "row": rows},
        "groups": groups,
    }
