"""Which images an extraction could read. Loads no torch."""

from __future__ import annotations

import numpy as np
import pandas as pd


def readable(images: pd.DataFrame, extracted: np.ndarray, split: str = "all") -> pd.DataFrame:
    """The images of a split, or of all, that the extraction could read.

    extracted: ids in the table `image_activations`.
    """
    return images[images["image_id"].isin(extracted) & ((images["split"] == split) | (split == "all"))]
