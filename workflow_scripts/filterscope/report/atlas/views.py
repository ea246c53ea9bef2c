"""What part of a photograph a network sees: the centre crop of filterscope.data.geometry, in shares."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """How a photograph becomes a network's input: px of its shorter side after resizing, and of the crop's side."""

    resize: int
    crop: int

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Left, upper, right and lower edge of what is seen, in shares of the photograph's width and height."""
        side = min(width, height) * self.crop / self.resize
        across, down = side / width, side / height
        left, upper = (1 - across) / 2, (1 - down) / 2
        return tuple(round(each, 4) + 0.0 for each in (left, upper, 1 - left, 1 - upper))
