"""What became of optimised pictures, as rows of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from filterscope.pictures.choices import Best
from filterscope.pictures.files import MEAN, file_of, file_of_sense
from filterscope.pictures.recipes.ascent import DEAD
from filterscope.pictures.recipes.objectives import Target
from filterscope.pictures.recipes.registry import Maximised


def pixels(pictures: Tensor) -> np.ndarray:
    """Pictures float [B, 3, S, S], 0 to 1, as uint8 [B, S, S, 3]."""
    return (pictures * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def save_pictures(rows: Sequence[Mapping], pictures: Tensor, folder: Path) -> None:
    """Pictures [B, 3, S, S], each where its row says: below the folder, or nowhere."""
    for row, picture in zip(rows, pixels(pictures), strict=True):
        if row["path"]:
            Image.fromarray(picture).save(folder / row["path"])


def picture_rows(name: str, targets: Sequence[Target], done: Maximised, best: Best, folder: str) -> list[dict]:
    """Rows of `pictures`. name: of the recipe; best: of the dataset, by filter; folder: of the files."""
    rows = []
    for index, target in enumerate(targets):
        path, real = f"{folder}/filter_{target.filter:04d}.png", float(best.activations[target.filter])
        outcome = _outcome(done, index, path, real)
        rows.append(
            {
                "filter": target.filter,
                "number": 0,
                "recipe": name,
                **outcome,
                "size": done.optimised.pictures.shape[-1] if outcome["path"] else None,
                "reached": _finite(done.optimised.history[-1, index]) if outcome["path"] else None,
                "best_image_id": int(best.image_ids[target.filter]),
                "best_image": real,
            }
        )
    return rows


def facet_rows(
    name: str, start: str, facets: Sequence[tuple], done: Maximised, begun: Tensor, folder: str, means: str
) -> list[dict]:
    """Rows of `facet_pictures`. name: of the recipe; start: mean or noise; facets: ((unit, facet), its rows of
    `facets`), in the order of the pictures; begun: activations of the mean images [B]; folder, means: of the files."""
    rows = []
    for index, ((unit, facet), members) in enumerate(facets):
        nearest, best = members.loc[members["rank"].idxmin()], float(members["activation"].max())
        file = file_of(unit, facet)
        rows.append(
            {
                "unit": unit,
                "class": nearest["class"],
                "facet": facet,
                "recipe": name,
                "start": start,
                **_outcome(done, index, f"{folder}/{file if start == MEAN else f'{name}_from_noise_{file}'}", best),
                "mean_path": f"{means}/{file}",
                "mean_activation": _finite(begun[index]),
                "nearest_image_id": int(nearest["image_id"]),
                "nearest_image": float(nearest["activation"]),
                "best_image": best,
            }
        )
    return rows


def sense_picture_rows(
    name: str, senses: Sequence[tuple[int, int]], done: Maximised, begun: Tensor, folder: str
) -> list[dict]:
    """Rows of `sense_pictures`. name: of the recipe; senses: (filter, sense), in the order of the pictures; begun:
    activations of the mean images [B]; folder: of the files."""
    rows = []
    for index, (number, sense) in enumerate(senses):
        outcome = _outcome(done, index, f"{folder}/{file_of_sense(number, sense)}", best=0.0)
        del outcome["ratio"]  # to nothing: a sense has no best image of its own
        own = {"filter": number, "sense": sense, "recipe": name}
        rows.append({**own, **outcome, "mean_activation": _finite(begun[index])})
    return rows


def _outcome(done: Maximised, index: int, path: str, best: float) -> dict:
    """How it went with a picture, and what it reaches against the best image; a dead unit has none."""
    status, activation = done.optimised.status[index], float(done.activation[index])
    shown = status != DEAD
    return {
        "status": status,
        "note": done.optimised.notes[index],
        "path": path if shown else None,
        "activation": _finite(activation) if shown else None,
        "ratio": _finite(activation / best) if shown and activation > 0 and best > 0 else None,
    }


def _finite(value) -> float | None:
    return float(value) if np.isfinite(float(value)) else None
