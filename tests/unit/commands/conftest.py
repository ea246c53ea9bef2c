"""A folder of small pictures and a small network of somebody's own."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

OWN = """
from torch import nn

def build(width=8):
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, width, 3, stride=2, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 2),
    )

class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = self.other = nn.Conv2d(3, 4, 3)

    def forward(self, images):
        return self.one(images)

def broken():
    raise KeyError("no such thing")
"""


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """The folder that commands are given in, with an album and a network."""
    monkeypatch.chdir(tmp_path)
    album = tmp_path / "album"
    album.mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(album / f"{number}.png")
    (tmp_path / "own.py").write_text(OWN)
    return tmp_path
