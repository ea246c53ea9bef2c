"""What another network takes a picture for: the check that no prior of ours can pass.

A picture that shows its class to a network with other weights is no private noise of the first (transferability of
adversarial noise is weak across architectures; what several networks see is there).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.pictures.recipes.objectives import Goal


def evidence(
    pictures: Sequence[np.ndarray], reader: Reader, inputs: InputSettings, device: torch.device, batch_size: int
) -> np.ndarray:
    """Means of the judge's output maps [n, units] for n pictures uint8 [S, S, 3], brought to its input size.

    Raises ValueError where an answer is NaN or infinite, with the picture's place.
    """
    goal = Goal(reader, inputs, [], device)
    parts = []
    with torch.inference_mode():
        for first in range(0, len(pictures), batch_size):
            shown = torch.from_numpy(np.stack(pictures[first : first + batch_size])).to(device)
            shown = shown.permute(0, 3, 1, 2).float() / 255
            parts.append(goal.read(_fitted(shown, inputs.crop)).mean((2, 3)).double().cpu())
    found = torch.cat(parts).numpy()
    finite = np.isfinite(found).all(1)
    if not finite.all():
        raise ValueError(f"the judge answers NaN or infinite to picture {int(np.argmin(finite))} of {len(found)}")
    return found


def _fitted(pictures: Tensor, side: int) -> Tensor:
    if tuple(pictures.shape[2:]) == (side, side):
        return pictures
    resized = torch.nn.functional.interpolate(pictures, (side, side), mode="bicubic", antialias=True)
    return resized.clamp(0, 1)


def ranks(found: np.ndarray, units: Sequence[int]) -> np.ndarray:
    """Rank of the right unit among the judge's [n], 1 the first; ties count against it. found: evidence [n, units].

    Raises ValueError for a unit that the judge does not have, with those that it has.
    """
    wrong = [unit for unit in units if not 0 <= unit < found.shape[1]]
    if wrong:
        raise ValueError(f"unit {wrong[0]} is not among the judge's outputs, 0 to {found.shape[1] - 1}")
    right = found[np.arange(len(found)), list(units)]
    return (found >= right[:, None]).sum(1)
