"""Real photographs and a real network for the benchmarks, through the project's own readers."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from filterscope.activations.probing import ProbeSettings  # noqa: E402
from filterscope.data.datasets import coco  # noqa: E402
from filterscope.data.networks import building  # noqa: E402
from filterscope.data.networks.settings import NetworkSettings  # noqa: E402
from filterscope.data.vocabularies import vector_files  # noqa: E402
from filterscope.data.vocabularies.vocabulary import Vocabulary, without_common_component  # noqa: E402


@dataclass
class RealStudy:
    """COCO's pictures and tables, a network and its probe, GloVe."""

    folder: Path
    images: pd.DataFrame
    annotations: pa.Table
    categories: pd.DataFrame
    vocabulary: Vocabulary
    probe: ProbeSettings
    network: torch.nn.Module


# How the real networks are built, and the layer that is probed.
NETWORKS = {
    "alexnet": (
        {"source": "checkpoint", "architecture": "alexnet", "part": "features"},
        "alexnet_features.pth",
        "features",
    ),
    "squeezenet": ({"source": "checkpoint", "architecture": "squeezenet1_1"}, "squeezenet1_1.pth", "features"),
    "mobilenet": (
        {"source": "checkpoint", "architecture": "mobilenet_v2"},
        "mobilenet_v2-b0353104.pth",
        "features",
    ),
    "resnet50": (
        {"source": "factory", "factory": f"{ROOT / 'tests/real/factories.py'}:resnet50_stride_in_1x1"},
        "resnet50_stride_in_1x1.fp16.pth",
        "layer4",
    ),
}


def real_folder() -> Path:
    """Where the real data are; exits with a message where they are not to be had."""
    real = os.environ.get("FILTERSCOPE_REALDATA")
    if not real:
        sys.exit("FILTERSCOPE_REALDATA should name the folder with real photographs and networks")
    return Path(real)


def real_study(name: str = "resnet50", remove_components: int = 0) -> RealStudy:
    """Read everything; exits with a message where the real data are not to be had."""
    real = real_folder()
    found = coco.read_coco(real / "coco", 0.0, 2)
    settings, file, layer = NETWORKS[name]
    settings = {**settings, "file": str(real / "weights" / file)}
    probe = ProbeSettings(NetworkSettings.from_mapping(settings), layer)
    glove = real / "glove/glove.6B.100d.subset.txt.gz"
    words, vectors = vector_files.read_vectors(glove, vector_files.VocabularySettings(source="glove"))
    return RealStudy(
        real / "coco",
        found.images.to_pandas(),
        found.annotations,
        found.categories.to_pandas(),
        Vocabulary(words, without_common_component(vectors, remove_components)),
        probe,
        building.prepare(probe.network, 0),
    )
