"""Photographs as a network is shown them."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterscope.data.networks.settings import InputSettings
from filterscope.pictures.photographs import mean_image, warn_of_small

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
