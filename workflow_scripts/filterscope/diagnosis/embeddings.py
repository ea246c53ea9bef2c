"""Spaces of few dimensions in which the classes of a data set are compared (spec E2): t-SNE and a network's features.

The raw values and the autoencoder's codes (`autoencoder`) are the others.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from torch import nn
from torch.nn import functional

from filterscope.data.layers import Reader
from filterscope.data.networks import InputSettings
from filterscope.diagnosis.labelled import DiagnosisError

SMALLEST = 10  # samples that t-SNE can do something with


def tsne(
    values: np.ndarray, seed: int, dimensions: int = 2, components: int = 50, perplexity: float = 30.0
) -> np.ndarray:
    """Places float64 [N, dimensions] of samples [N, d]: PCA to so many components, then t-SNE.

    perplexity: at most a third of the samples. Constant data all lie in the origin. Raises DiagnosisError for fewer
    than ten samples, and for more than three dimensions.
    """
    values = np.asarray(values, np.float64)
    if len(values) < SMALLEST or not 1 <= dimensions <= 3:
        found = f"{len(values)} samples in {dimensions} dimensions"
        raise DiagnosisError(f"t-SNE of {found}: it takes {SMALLEST} samples or more, in three dimensions or fewer")
    if not np.ptp(values, axis=0).any():
        return np.zeros((len(values), dimensions))
    kept = min(components, len(values) - 1, values.shape[1])
    if kept < values.shape[1]:
        values = PCA(kept, random_state=seed).fit_transform(values)
    values = values / max(values.std(0).max(), 1e-300)  # t-SNE starts from the principal components, badly if huge
    held = min(perplexity, (len(values) - 1) / 3)
    return TSNE(dimensions, perplexity=held, init="pca", random_state=seed, n_jobs=1).fit_transform(values)


def network_features(
    network: nn.Module,
    layer: str,
    call: int,
    images: np.ndarray,
    inputs: InputSettings,
    device: torch.device,
    batch_size: int = 64,
) -> np.ndarray:
    """What a layer of a network makes of pictures: its maps averaged over their places, float32 [N, filters].

    images: float32 [N, C, H, W] in 0 to 1; one channel is repeated, any size becomes the network's input, inputs.crop
    px high and wide. Raises DiagnosisError for pictures of two channels or more than three.
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise DiagnosisError(f"pictures are {list(images.shape)}, should be [N, C, H, W] with one or three channels")
    mean, std = (torch.tensor(each, device=device).view(3, 1, 1) for each in (inputs.mean, inputs.std))
    found = []
    with Reader(network.to(device), layer, call, inputs.crop) as reader, torch.inference_mode():
        for start in range(0, len(images), batch_size):
            batch = torch.from_numpy(images[start : start + batch_size]).to(device).expand(-1, 3, -1, -1)
            size = (inputs.crop, inputs.crop)
            if batch.shape[2:] != size:
                batch = functional.interpolate(batch, size, mode="bilinear", align_corners=False, antialias=True)
            found.append(reader((batch - mean) / std).float().mean((2, 3)).cpu().numpy())
    features = np.concatenate(found)
    if not np.isfinite(features).all():
        row = int(np.argmin(np.isfinite(features).all(1)))
        raise DiagnosisError(f"layer {layer}: NaN or infinite activations at sample {row}")
    return features
