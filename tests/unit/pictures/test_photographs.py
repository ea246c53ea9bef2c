"""Photographs as a network is shown them."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from filterscope.data.networks.settings import InputSettings
from filterscope.pictures.photographs import Beside, Photographs, mean_image, warn_of_small

INPUTS = InputSettings(resize=256, crop=224)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ([(224, 224), (300, 224)], []),
        ([(9, 12), (224, 224), (500, 223)], ["2 of 3 images .* 224 x 224 px .*: 0.png .9 x 12 px., 2.png .500 x 223"]),
        ([(1, 1)] * 5, [r"5 of 5 images .* 0.png \(1 x 1 px\), 1.png \(1 x 1 px\), 2.png \(1 x 1 px\), \.\.\.$"]),
    ],
)
def test_images_smaller_than_the_networks_input_are_named(sizes, said, caplog):
    images = pd.DataFrame(sizes, columns=["width", "height"]).assign(path=[f"{i}.png" for i in range(len(sizes))])
    with caplog.at_level("WARNING", "filterscope"):
        warn_of_small(images, INPUTS)
    assert len(caplog.messages) == len(said)
    for message, wanted in zip(caplog.messages, said, strict=True):
        assert re.search(wanted, message), message


@settings(max_examples=25)
@given(st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_the_mean_image_is_numpys(count, seed):
    pictures = np.random.default_rng(seed).integers(0, 256, (count, 5, 4, 3), dtype=np.uint8)
    mean = mean_image(pictures)
    assert np.array_equal(mean, pictures.astype(np.float64).sum(0) / count)
    assert mean.dtype == np.float64


def test_photographs_beside_pictures_are_read_when_they_are_asked_for(tmp_path):
    for number in range(3):
        Image.new("RGB", (20, 20), (80 * number, 0, 0)).save(tmp_path / f"{number}.png")
    images = pd.DataFrame({"image_id": [5, 6, 7], "path": ["0.png", "1.png", "2.png"], "turned": False})
    own = Photographs.of(tmp_path, images, InputSettings(resize=8, crop=8))
    beside = Beside(own, [[7, 5], [6], [404]])
    assert len(beside) == 3
    assert beside[0].shape == (2, 3, 8, 8)
    assert beside[0].dtype == torch.uint8
    assert beside[0][:, 0, 0, 0].tolist() == [160, 0]
    assert [len(each) for each in (beside[1:], beside[1:][0])] == [2, 1]
    with pytest.raises(KeyError, match="404"):
        beside[2]
