"""Folders are classes: what is decoded, resized and left out, and what is said of folders that cannot be."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from PIL import Image
from tests.unit.data.samples.coloured import COLOURS, fill, flat, read

from filterscope.data.rejection import RejectionError, Rejections
from filterscope.data.samples import class_folders
from filterscope.data.samples.labelled_samples import SamplesError, write_samples


def test_folders_are_classes(tmp_path):
    samples = read(fill(tmp_path), test=0.25)
    assert samples.classes == ("apple", "berry")
    assert samples.shape == (3, 10, 12)
    assert [len(samples.part(split)) for split in ("train", "test")] == [6, 2]
    for label, colour in enumerate(COLOURS.values()):
        if label < 2:
            assert (samples.values[samples.labels == label] == np.array(colour)[:, None, None]).all()


def test_pictures_are_resized_and_the_share_is_seeded(tmp_path):
    fill(tmp_path, count=10, size=(40, 20))
    first, again, other = (read(tmp_path, size=8, test=0.3, seed=seed) for seed in (1, 1, 2))
    assert first.shape == (3, 8, 8)
    assert np.array_equal(first.split, again.split)
    assert len(other.part("test")) == 6


def test_only_what_the_limit_leaves_is_decoded(tmp_path):
    fill(tmp_path / "train", count=6)
    fill(tmp_path / "val", count=2)
    for broken in list((tmp_path / "train").rglob("*.png")):
        broken.write_bytes(b"no picture")
    with pytest.raises(RejectionError, match="not a picture"):
        read(tmp_path, limits={"train": 4})
    fill(tmp_path / "train", count=6)
    assert len(read(tmp_path, limits={"train": 4, "test": 2})) == 6


def test_unusable_folders_are_named(tmp_path):
    with pytest.raises(SamplesError, match="there is no such folder"):
        read(tmp_path / "nowhere")
    with pytest.raises(SamplesError, match="no class folders in it"):
        read(tmp_path)
    fill(tmp_path, classes=("apple",))
    with pytest.raises(SamplesError, match="only one class, 'apple'"):
        read(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SamplesError, match=r"class folder .*empty is empty: no \.jpg"):
        read(tmp_path)
    (tmp_path / "empty").rmdir()
    fill(tmp_path, classes=("berry",), size=(9, 9))
    with pytest.raises(SamplesError, match="are 12 x 10 px and 9 x 9 px: pictures of mixed size need a `size`"):
        read(tmp_path)
    assert read(tmp_path, size=6).shape == (3, 6, 6)


def test_a_class_may_be_a_train(tmp_path, caplog):
    flat(tmp_path / "train"), flat(tmp_path / "bus")
    assert read(tmp_path).classes == ("bus", "train")
    assert "train is read as a class, as bus" in caplog.text


def test_litter_and_links_back_are_no_classes(tmp_path):
    fill(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path)
    flat(tmp_path / "__MACOSX"), flat(tmp_path / "apple" / "@eaDir")
    samples = read(tmp_path)
    assert samples.classes == ("apple", "berry")
    assert len(samples) == 8


def test_a_class_of_one_picture_is_named(tmp_path):
    fill(tmp_path), fill(tmp_path, count=1, classes=("cherry",))
    with pytest.raises(SamplesError, match="class 'cherry' has a single sample, which cannot be on both sides"):
        read(tmp_path, test=0.4)


def test_a_link_that_leads_nowhere_is_named(tmp_path):
    fill(tmp_path)
    (tmp_path / "apple" / "annexed.png").symlink_to("nowhere.png")
    with pytest.raises(RejectionError, match=r"apple/annexed\.png: a link that leads nowhere"):
        read(tmp_path)


def test_as_many_broken_pictures_as_allowed_are_left_out_and_named(tmp_path, caplog):
    """The share is of all pictures that are looked at, of both splits."""
    fill(tmp_path / "train"), fill(tmp_path / "test")
    (tmp_path / "train" / "apple" / "1.png").write_bytes(b"no picture")
    (tmp_path / "test" / "berry" / "0.png").unlink()
    (tmp_path / "test" / "berry" / "0.png").symlink_to("nowhere.png")
    with pytest.raises(RejectionError, match=r"2 of 16 images \(12\.500%\) cannot be used") as caught:
        read(tmp_path, bad=0.12)
    for named in ("image train/apple/1.png: not a picture", "image test/berry/0.png: a link that leads nowhere"):
        assert named in str(caught.value)
    rejections = Rejections(0.125)
    samples = class_folders.read_class_folders(tmp_path, None, 0.0, {}, 0, rejections)
    assert [len(samples.part(split)) for split in ("train", "test")] == [7, 7]
    assert not {"train/apple/1.png", "test/berry/0.png"} & set(samples.origins)
    for origin, label, values in zip(samples.origins, samples.labels, samples.values, strict=True):
        name = samples.classes[label]
        assert name in origin
        assert values[:, 0, 0].tolist() == list(COLOURS[name]), "labels and pictures still belong together"
    assert rejections.table()["item"] == ["image train/apple/1.png", "image test/berry/0.png"]
    assert "2 of 16 images (12.500%) left out" in caplog.text


def test_what_cannot_be_read_takes_no_class_and_no_split_with_it(tmp_path):
    fill(tmp_path / "train"), fill(tmp_path / "test")
    for broken in (tmp_path / "train" / "apple").iterdir():
        broken.write_bytes(b"no picture")
    with pytest.raises(SamplesError, match="no picture of the class 'apple' to train on can be read"):
        read(tmp_path, bad=1.0)
    for broken in (tmp_path / "test").rglob("*.png"):
        broken.write_bytes(b"no picture")
    with pytest.raises(SamplesError, match="no picture of the test split can be read"):
        read(tmp_path, bad=1.0)


def test_a_raw_file_is_not_its_thumbnail(tmp_path):
    fill(tmp_path)
    Image.new("RGB", (12, 10)).save(tmp_path / "apple" / "9.dng", format="TIFF")  # Pillow shows the thumbnail of such
    with pytest.raises(RejectionError, match=r"apple/9\.dng: a camera's raw file; save it as JPEG or PNG"):
        read(tmp_path)
    assert len(read(tmp_path, bad=0.2)) == 8


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_no_unicode_are_rejected(tmp_path):
    folder = fill(tmp_path / "in")
    os.rename(folder / "apple" / "0.png", os.fsencode(folder / "apple") + b"/\xff.png")
    with pytest.raises(RejectionError, match=r"apple/\\udcff\.png: the name is not in Unicode; rename the file"):
        read(folder)
    samples = read(folder, bad=0.2)
    write_samples(samples, tmp_path / "samples.parquet")
    assert len(samples) == 7
    os.rename(folder / "apple", os.fsencode(folder) + b"/\xff")
    with pytest.raises(SamplesError, match=r"no picture of the class '\\udcff' to train on can be read"):
        read(folder, bad=1.0)


def test_a_picture_of_too_many_pixels_is_not_decoded(tmp_path, monkeypatch):
    """Torchvision knows no bound: a JPEG of some kilobytes could fill the memory."""
    fill(tmp_path, suffix="jpg")
    Image.new("RGB", (60, 40)).save(tmp_path / "apple" / "large.jpg")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(RejectionError, match=r"apple/large\.jpg: the picture has 0 million pixels.* scale it down"):
        read(tmp_path)
    assert len(read(tmp_path, bad=0.2)) == 8
