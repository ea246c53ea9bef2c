"""Where one output of a module has its filters, and its values as maps of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from filterscope.data.networks.passes import Path
from filterscope.data.networks.windows import Cut

FIRST, LAST, TOKENS, VECTOR = "channels first", "channels last", "tokens", "vector"
WINDOWS = "windows"
KINDS = (FIRST, LAST, TOKENS, WINDOWS, VECTOR)

Key = tuple[str, int, Path]  # module, call, place in the output


@dataclass(frozen=True)
class Layout:
    """Where an output has its filters, and the size of their maps.

    extra: positions of the tokens that stand for no place. flipped: whether tokens are [B, C, N]. path: place of the
    tensor in a tuple or mapping. cut: how windows lie in the picture. assumed: what could not be seen, to be said.
    """

    kind: str
    filters: int
    height: int = 1
    width: int = 1
    extra: tuple[int, ...] = ()
    flipped: bool = False
    path: Path = ()
    cut: Cut | None = None
    assumed: str = ""

    def maps(self, output: torch.Tensor) -> torch.Tensor:
        """The output as maps [B, d, h, w]. Raises ValueError where it has another shape than this layout."""
        if self.kind == VECTOR and output.ndim == 2:
            return output[:, :, None, None]
        if self.kind in (FIRST, LAST) and output.ndim == 4:
            return output if self.kind == FIRST else output.permute(0, 3, 1, 2)
        if self.kind == TOKENS and output.ndim == 3:
            tokens = output if self.flipped else output.transpose(1, 2)
            places = tokens.shape[2] - len(self.extra)
            height, width = self._grid(places)
            if self.extra:
                kept = [place for place in range(tokens.shape[2]) if place not in set(self.extra)]
                tokens = (
                    tokens[:, :, len(self.extra) :] if kept[0] == len(self.extra) else tokens[:, :, kept].contiguous()
                )
            return tokens.unflatten(2, (height, width))
        if self._is_windows(output):
            rows = output.reshape(-1, self.cut.rows, self.filters)[:, list(self.cut.order)]
            return rows.transpose(1, 2).unflatten(2, (self.height, self.width))
        raise ValueError(f"a tensor {list(output.shape)} is no {self.kind}")

    def _is_windows(self, output: torch.Tensor) -> bool:
        values = self.cut.rows * self.filters if self.cut else 1
        return self.kind == WINDOWS and output.shape[-1] == self.filters and output.numel() % values == 0

    def pictures(self, output: torch.Tensor) -> int:
        """How many pictures an output is of."""
        return len(output) // (self.cut.windows if self.cut else 1)

    def _grid(self, places: int) -> tuple[int, int]:
        if places == self.height * self.width:
            return self.height, self.width
        grid = grid_of(places, self.height / self.width)  # the picture is larger or smaller than the one watched
        if grid is None:
            raise ValueError(f"{places} tokens are no grid of {self.height} : {self.width}")
        return grid


def grid_of(places: int, aspect: float) -> tuple[int, int] | None:
    """Rows and columns of so many places, height to width as the picture's; None where there are none."""
    rows = round((places * aspect) ** 0.5)
    near = [each for each in (rows, rows - 1, rows + 1) if each > 0 and places % each == 0]
    fitting = [each for each in near if abs(each / (places // each) / aspect - 1) < 0.5]
    return (fitting[0], places // fitting[0]) if fitting else None
