"""Classes: folders, shapes, categories."""

import pandas as pd
import pytest

from filterscope.pictures.facets.classes import class_of_images, images_of_class


class TestClasses:
    images = pd.DataFrame({"image_id": [3, 5, 6, 9], "path": ["cat/a.png", "dog/old/b.png", "c.png", "cat/d.png"]})
    annotations = pd.DataFrame(
        {
            "image_id": [3, 3, 5, 9],
            "category": ["red plain star", "blue plain ring", "pink dotted ring", "red plain heart"],
            "tokens": [["red", "plain", "star"], ["blue", "plain", "ring"], ["pink", "dotted", "ring"], ["heart"]],
            "area": [4.0, 9.0, 2.0, 1.0],
        }
    )

    @pytest.mark.parametrize(
        ("by", "wanted"),
        [
            ("folder", {3: "cat", 5: "dog", 9: "cat"}),
            ("shape", {3: "ring", 5: "ring", 9: "heart"}),
            ("category", {3: "blue plain ring", 5: "pink dotted ring", 9: "red plain heart"}),
        ],
    )
    def test_of_images(self, by, wanted):
        assert class_of_images(self.images, self.annotations, by).to_dict() == wanted

    def test_images_of_one(self):
        classes = class_of_images(self.images, None, "folder")
        assert images_of_class(self.images, classes, "cat")["image_id"].tolist() == [3, 9]

    def test_one_without_images_is_named_with_its_neighbours(self):
        classes = class_of_images(self.images, None, "folder")
        with pytest.raises(ValueError, match="class 'cats' has no image in the dataset; there are, for example, cat"):
            images_of_class(self.images, classes, "cats")
        with pytest.raises(ValueError, match="there is none: a class is a folder of pictures"):
            images_of_class(self.images, classes[:0], "cat")
