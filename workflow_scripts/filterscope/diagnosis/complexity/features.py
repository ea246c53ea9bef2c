"""A network's own features as an embedding of pictures (Debugger, 3.1.2, step 1)."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.diagnosis.labelled import DiagnosisError


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
