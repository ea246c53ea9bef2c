"""The failure policy for pictures and annotations.

What is unusable is left out only as far as the config's `max_bad_fraction` allows, is counted, and is listed
in the `rejected` table; otherwise the job stops and names it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from filterscope.job import LOGGER

_NAMED = 5  # items and reasons that a message spells out


class RejectionError(ValueError):
    """More is unusable than the config allows."""


@dataclass
class Rejections:
    """Collects what is left out, kind by kind ("image", "annotation"), each kind against its own total.

    `max_bad_fraction`, from 0 to 1, is the share of a kind that may be left out.
    """

    max_bad_fraction: float
    _rows: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not 0 <= self.max_bad_fraction <= 1:
            raise ValueError(f"max_bad_fraction is {self.max_bad_fraction}, should be from 0 to 1")

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, kind: str, name: object, reason: object) -> None:
        """Leave out one item, as in add("image", 12, "the file is missing")."""
        item, reason = (_writable(text) for text in (f"{kind} {name}", str(reason)))
        self._rows.append((kind, item, reason))

    def image_by_image(self, total: int) -> Callable[[int, object], None]:
        """Called with an image and a reason, leaves it out; stops as soon as too many of so many images are."""

        def reject(image_id: int, reason: object) -> None:
            self.add("image", image_id, reason)
            if len(self) > self.max_bad_fraction * total:
                self.check(image=total)

        return reject

    def check(self, **totals: int) -> None:
        """Log what was left out and stop if it is too much: check(image=482, annotation=4166).

        Raises RejectionError naming the first items, and ValueError if a kind with rejections has no total.
        """
        for kind, rejected in Counter(kind for kind, _, _ in self._rows).items():
            if totals.get(kind, 0) < rejected:
                raise ValueError(f"{rejected} rejected of kind {kind!r}, but the total is {totals.get(kind)}")
            rows = [(item, reason) for each, item, reason in self._rows if each == kind]
            share = f"{rejected} of {totals[kind]} {kind}s ({rejected / totals[kind]:.3%})"
            LOGGER.warning("%s left out, listed in the table of rejected items", share)
            for reason, times in Counter(reason for _, reason in rows).most_common(_NAMED):
                LOGGER.warning("  %d x %s", times, reason)
            if rejected / totals[kind] > self.max_bad_fraction:
                first = "\n".join(f"  {item}: {reason}" for item, reason in rows[:_NAMED])
                more = f"\n  and {rejected - _NAMED} more" if rejected > _NAMED else ""
                raise RejectionError(
                    f"{share} cannot be used:\n{first}{more}\n"
                    f"Mend or remove them, or raise max_bad_fraction, which is {self.max_bad_fraction:g}."
                )

    def table(self) -> dict[str, list[str]]:
        """The columns of the `rejected` table, in the order in which items were left out."""
        return {"item": [row[1] for row in self._rows], "reason": [row[2] for row in self._rows]}

    def with_others(self, others: Rejections) -> dict[str, list[str]]:
        """The columns of the `rejected` table: these, then the others."""
        own, further = self.table(), others.table()
        return {name: own[name] + further[name] for name in own}


def _writable(text: str) -> str:
    """The text with what UTF-8 cannot hold, as in the names of some files, spelt out."""
    return text.encode("utf-8", "backslashreplace").decode()


def stop(name: object, reason: object) -> None:
    """For images that an earlier step could read: leaving one out now would make the tables disagree."""
    raise RejectionError(f"image {name} could be read before and cannot now: {reason}")
