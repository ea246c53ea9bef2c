"""Places of samples in a plane or a space of three dimensions, by PCA and t-SNE (Debugger, 3.1.2, step 1)."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from filterscope.diagnosis.labelled import DiagnosisError

SMALLEST = 10  # samples that t-SNE can do something with


def tsne(
    values: np.ndarray, seed: int, dimensions: int = 2, components: int = 50, perplexity: float = 30.0
) -> np.ndarray:
    """Places float64 [N, dimensions] of samples [N, d]: PCA to so many components, then t-SNE.

    perplexity: at most a third of the samples. Constant data all lie in the origin. Raises DiagnosisError for fewer
    than ten samples, for more than three dimensions, and for more dimensions than there are values or components.
    """
    values = np.asarray(values, np.float64)
    if len(values) < SMALLEST or not 1 <= dimensions <= 3:
        found = f"{len(values)} samples in {dimensions} dimensions"
        raise DiagnosisError(f"t-SNE of {found}: it takes {SMALLEST} samples or more, in three dimensions or fewer")
    if not np.ptp(values, axis=0).any():
        return np.zeros((len(values), dimensions))
    kept = min(components, len(values) - 1, values.shape[1])
    if kept < dimensions:
        found = f"{len(values)} samples of {values.shape[1]} values and components: {components} give {kept}"
        raise DiagnosisError(
            f"t-SNE in {dimensions} dimensions starts from as many principal components; {found}: lower `dimensions`, "
            "or compare these values as they are"
        )
    if kept < values.shape[1]:
        values = PCA(kept, random_state=seed).fit_transform(values)
    values = values / max(values.std(0).max(), 1e-300)  # t-SNE starts from the principal components, badly if huge
    held = min(perplexity, (len(values) - 1) / 3)
    return TSNE(dimensions, perplexity=held, init="pca", random_state=seed, n_jobs=1).fit_transform(values)
