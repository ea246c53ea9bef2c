"""Which filters and photographs are meant."""

import numpy as np
import pandas as pd
import pytest

from filterscope.pictures.choices import best_images, chosen_images, chosen_targets, first_images, names_of
from filterscope.pictures.recipes.objectives import Target

IMAGES = pd.DataFrame({"image_id": [4, 7, 9], "path": ["a/dog.jpg", "a/cat.jpg", "b/dog.jpg"]})


def test_targets():
    assert chosen_targets([3, 1], None, 9) == [Target(3), Target(1)]
    assert chosen_targets("all", [2, 5], 2) == [Target(0, (2, 5)), Target(1, (2, 5))]
    assert chosen_targets([0], "centre", 9) == [Target(0, "centre")]


def test_images_by_number_or_path_in_the_order_asked_for():
    assert chosen_images(IMAGES, ["b/dog.jpg", 4])["image_id"].tolist() == [9, 4]
    with pytest.raises(ValueError, match=r"image 'a/dgo\.jpg' is not in the dataset; .*a/dog\.jpg"):
        chosen_images(IMAGES, ["a/dgo.jpg"])
    with pytest.raises(ValueError, match="image 5 is not in the dataset"):
        chosen_images(IMAGES, [5])


def test_best_images_and_names():
    best = best_images(np.array([4, 7]), np.array([[1.0, 3, 2], [2.0, 3, 1]]))
    assert best.image_ids.tolist() == [7, 4, 4]
    assert best.activations.tolist() == [2, 3, 2]
    assert names_of(pd.DataFrame({"filter": [0, 1], "name": ["red", None]})) == {0: "red"}
    assert names_of(None) == {}


def test_first_images_are_the_strongest_and_ties_go_to_the_first():
    ids, activations = np.array([9, 8, 7, 6]), np.array([1.0, 3.0, 3.0, -2.0])
    assert first_images(ids, activations, 3) == [8, 7, 9]
    assert first_images(ids, activations, 10) == [8, 7, 9, 6]
