"""Windows: objects are whole in them, as central as the photograph allows, and made of the photograph's own pixels."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from PIL import Image
from pycocotools import mask as coco_mask

from filterscope.activations.streaming import stream
from filterscope.data.rejection import RejectionError, stop
from filterscope.words.proofs.windows import BORDER, LONG, SHOWN, TINY, Windows, cutouts, framed, outlines, windows

CROP = 48


def run(box, size):
    """Run lengths of a rectangle (top, left, height, width) in a picture (height, width)."""
    mask = np.zeros(size, np.uint8, order="F")
    mask[box[0] : box[0] + box[2], box[1] : box[1] + box[3]] = 1
    return coco_mask.encode(mask)["counts"]


def tables(boxes, size):
    """One image of this size and an annotation for every box."""
    images = pd.DataFrame([{"image_id": 5, "path": "5.png", "turned": False, "height": size[0], "width": size[1]}])
    count = len(boxes)
    runs = pa.array([run(box, size) for box in boxes], pa.binary())
    columns = {"annotation_id": range(count), "image_id": [5] * count, "category": ["thing"] * count, "mask": runs}
    return pa.table(columns), images


class TestPlaces:
    def test_boxes_and_areas_are_those_of_the_masks(self):
        boxes = [(3, 7, 20, 11), (0, 0, 1, 1)]
        found, areas = outlines([run(box, (100, 150)) for box in boxes], np.array([(100, 150)] * 2))
        assert found.tolist() == [list(box) for box in boxes]
        assert areas.tolist() == [220, 1]

    def test_an_object_has_as_much_room_as_its_length_on_both_sides_together(self):
        ((top, left, side),) = windows(np.array([(200, 300, 40, 60)]), np.array([(480, 640)]), CROP)
        assert side == 60 / SHOWN
        assert (top + side / 2, left + side / 2) == (220, 330)

    def test_none_is_smaller_than_the_networks_input(self):
        """Nothing is made larger than it was taken."""
        assert windows(np.array([(200, 300, 4, 6)]), np.array([(480, 640)]), CROP)[0, 2] == CROP

    def test_a_photograph_smaller_than_the_input_is_shown_as_far_as_it_goes(self):
        assert windows(np.array([(4, 9, 4, 6)]), np.array([(30, 40)]), CROP).tolist() == [[0, 0, 30]]

    def test_all_objects_that_can_be_are_whole_and_no_window_leaves_its_photograph(self):
        chance = np.random.default_rng(0)
        sizes = chance.integers(30, 400, (500, 2))
        corners = (sizes * chance.random((500, 2))).astype(int)
        extents = 1 + ((sizes - corners - 1) * chance.random((500, 2))).astype(int)
        boxes = np.concatenate([corners, extents], 1)
        places = windows(boxes, sizes, CROP)
        corner, side = places[:, :2], places[:, 2:]
        assert (corner >= 0).all()
        assert (corner + side <= sizes).all()
        short = extents.max(1) <= sizes.min(1)
        assert 300 < short.sum() < 500
        assert (corner <= corners)[short].all()
        assert (corner + side >= corners + extents)[short].all()


class TestUsable:
    @pytest.mark.parametrize(
        ("box", "reason"),
        [
            ((40, 60, 30, 30), ""),
            ((0, 60, 30, 30), BORDER),
            ((40, 0, 30, 30), BORDER),
            ((90, 60, 30, 30), BORDER),
            ((40, 170, 30, 30), BORDER),
            ((40, 60, 4, 5), TINY),
            ((40, 10, 30, 130), LONG),
        ],
    )
    def test_reasons(self, box, reason):
        found = framed(*tables([box], (120, 200)), CROP, 0.01)
        assert found["unusable"].tolist() == [reason]

    def test_shares_are_of_the_window(self):
        found = framed(*tables([(40, 60, 30, 20), (40, 60, 8, 6)], (120, 200)), CROP, 0.01)
        assert found["share"].tolist() == [600 / 60**2, 48 / CROP**2]
        assert found["long"].tolist() == [0.5, 8 / CROP]

    def test_no_object_is_no_mishap(self):
        assert framed(*tables([], (120, 200)), CROP, 0.01).empty


@pytest.fixture
def shown(tmp_path):
    """A photograph with a bright disc and a small square, turned by its camera, and how the two are shown."""
    size = (150, 200)
    pixels = np.random.default_rng(0).integers(60, 90, (*size, 3), np.uint8)
    boxes = [(60, 80, 40, 40), (30, 20, 12, 12)]
    for top, left, height, width in boxes:
        pixels[top : top + height, left : left + width] = 220
    exif = Image.Exif()
    exif[0x0112] = 3  # stored upside down
    Image.fromarray(np.ascontiguousarray(pixels[::-1, ::-1])).save(tmp_path / "5.png", exif=exif)
    annotations, images = tables(boxes, size)
    images["turned"] = True
    return tmp_path, images, framed(annotations, images, CROP, 0.01), pixels


def test_views_are_the_photographs_pixels_and_masks_lie_on_them(shown):
    folder, images, objects, pixels = shown
    found = list(cutouts(stream(Windows(folder, images, objects, CROP), 2, 0, stop)))
    assert [each.image_id for each in found] == [5, 5]
    for each, row in zip(found, objects.itertuples(), strict=True):
        mask = torch.from_numpy(each.mask)
        assert each.view.shape == (3, CROP, CROP)
        assert mask.float().mean() == pytest.approx(row.share, rel=0.1)
        inner = -torch.nn.functional.max_pool2d(-mask.float()[None], 3, 1, 1)[0] > 0
        assert (each.view[:, inner] == 220).all()
        assert (each.view[:, ~mask].float() > 150).float().mean() < 0.05
    # The small object's window is not resized at all.
    _, small = objects.itertuples()
    rows, columns = slice(small.top, small.top + CROP), slice(small.left, small.left + CROP)
    assert torch.equal(found[1].view, torch.from_numpy(pixels[rows, columns]).permute(2, 0, 1))


def test_a_mask_that_falls_between_the_networks_pixels_does_not_vanish(shown):
    """A line of one pixel in a window of twice its length and more than the network's input."""
    folder, _, _, _ = shown
    annotations, images = tables([(20, 71, 60, 1)], (150, 200))
    objects = framed(annotations, images.assign(turned=True), CROP, 1e-6)
    assert objects["side"].item() > 2 * CROP
    for shift in range(3):
        moved = objects.assign(left=objects["left"] + shift)
        (found,) = cutouts(stream(Windows(folder, images.assign(turned=True), moved, CROP), 2, 0, stop))
        assert 0 < found.area < 0.05


def test_a_photograph_that_cannot_be_read_stops_the_job(shown):
    folder, images, objects, _ = shown
    (folder / "5.png").write_bytes(b"")
    with pytest.raises(RejectionError, match=r"5\.png: the file is empty"):
        list(cutouts(stream(Windows(folder, images, objects, CROP), 2, 0, stop)))
