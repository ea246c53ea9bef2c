"""A plain folder of pictures becomes a table of images."""

import os
import sys

import pytest
from PIL import Image

from filterscope import tables
from filterscope.data.datasets import folder
from filterscope.data.datasets.folder import list_pictures
from filterscope.data.rejection import RejectionError


def picture(path, size=(6, 4), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (10, 200, 30)).save(path, **options)


@pytest.fixture
def pictures(tmp_path):
    for name in ("b.JPG", "a.png", "trip/day 2/c.webp", "trip/d.jpeg", "e.bmp"):
        picture(tmp_path / name)
    picture(tmp_path / ".hidden" / "f.png")
    (tmp_path / "._a.png").write_bytes(b"a Mac's companion of a.png")
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def read_folder(*arguments, **settings):
    """The tables of images, rejected items and findings."""
    found = folder.read_folder(*arguments, **settings)
    assert (found.annotations, found.categories) == (None, None)
    return found.images, found.rejected, found.findings


def counted(findings):
    return dict(zip(findings["finding"], findings["count"], strict=True))


def test_lists_pictures_of_all_depths_sorted(pictures):
    assert list_pictures(pictures) == ["a.png", "b.JPG", "e.bmp", "trip/d.jpeg", "trip/day 2/c.webp"]


def test_table_of_images(pictures):
    images, rejected, findings = read_folder(pictures, max_bad_fraction=0, threads=2)
    images = tables.checked(images, "images")
    assert images["image_id"].to_pylist() == [0, 1, 2, 3, 4]
    assert images["path"].to_pylist() == list_pictures(pictures)
    assert set(images["split"].to_pylist()) == {"val"}
    assert set(zip(images["width"].to_pylist(), images["height"].to_pylist(), strict=True)) == {(6, 4)}
    assert rejected == {"item": [], "reason": []}
    assert counted(findings) == {"files left aside, .txt": 1, "files left aside, hidden": 1}
    assert images.equals(tables.checked(read_folder(pictures, 0, threads=1)[0], "images"))


def test_sizes_are_those_after_turning(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(tmp_path / "portrait.jpg", exif=exif)
    images, _, findings = read_folder(tmp_path, 0, 1)
    row = images.to_pylist()[0]
    assert (row["width"], row["height"], row["turned"]) == (4, 6, True)
    assert counted(findings) == {"pictures turned by EXIF tag 6": 1}


@pytest.mark.parametrize("suffix", [".jfif", ".JPE", ".jif", ".tif", ".TIFF", ".gif", ".avif", ".ppm"])
def test_every_usual_spelling_of_a_picture_is_one(tmp_path, suffix):
    kind = "JPEG" if suffix.lower().startswith(".j") else None
    picture(tmp_path / f"a{suffix}", **({"format": kind} if kind else {}))
    images, rejected, findings = read_folder(tmp_path, 0, 1)
    assert (images["path"].to_pylist(), rejected["item"], counted(findings)) == ([f"a{suffix}"], [], {})


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)


def test_pictures_that_cannot_be_read_count_as_unusable(tmp_path):
    """A phone's album: half of it may not vanish without a word."""
    picture(tmp_path / "1.jpg")
    (tmp_path / "2.HEIC").write_bytes(HEIC)
    picture(tmp_path / "3.dng", format="TIFF")  # of such files Pillow shows the thumbnail
    with pytest.raises(RejectionError, match=r"2 of 3 images.*\n.*2\.HEIC\): a HEIC picture.*save it as JPEG or PNG"):
        read_folder(tmp_path, 0.5, 1)
    images, rejected, _ = read_folder(tmp_path, 0.7, 1)
    assert images["path"].to_pylist() == ["1.jpg"]
    assert rejected["reason"][1] == "a camera's raw file; save it as JPEG or PNG"


def test_a_raw_file_beside_its_jpeg_is_left_aside_and_counted(tmp_path, caplog):
    picture(tmp_path / "a" / "1.JPG")
    (tmp_path / "a" / "1.CR2").write_bytes(b"II*\0")
    (tmp_path / "a" / "1.heic").write_bytes(HEIC)
    with caplog.at_level("INFO", "filterscope"):
        images, rejected, findings = read_folder(tmp_path, 0, 1)
    assert (images.num_rows, rejected["item"]) == (1, [])
    assert counted(findings) == {"files left aside, .cr2": 1, "files left aside, .heic": 1}
    assert "2 files are left aside (1 .cr2, 1 .heic): a/1.CR2, a/1.heic" in caplog.text


def test_broken_pictures_keep_the_numbers_of_the_others(pictures):
    whole = (pictures / "b.JPG").read_bytes()
    (pictures / "b.JPG").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RejectionError, match=r"image 1 \(b\.JPG\): the JPEG is cut short"):
        read_folder(pictures, 0, 1)
    images, rejected, _ = read_folder(pictures, 0.2, 1)
    assert images["image_id"].to_pylist() == [0, 2, 3, 4]
    assert rejected["item"] == ["image 1 (b.JPG)"]
    assert str(pictures) not in rejected["reason"][0]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_no_unicode_are_rejected(pictures):
    os.rename(os.fsencode(pictures / "a.png"), os.fsencode(pictures) + b"/\xff.png")
    images, rejected, _ = read_folder(pictures, 0.5, 1)
    assert "not in Unicode" in rejected["reason"][0]
    assert images.num_rows == 4
    tables.checked(rejected, "rejected")


def test_says_what_is_wrong_with_the_folder(tmp_path):
    with pytest.raises(ValueError, match="no such folder"):
        read_folder(tmp_path / "absent", 0, 1)
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(ValueError, match=r"no picture in it.*\.jpg.*other files are there: \.txt"):
        read_folder(tmp_path, 0, 1)
    (tmp_path / "only.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match="none of its 1 pictures"):
        read_folder(tmp_path, 1, 1)


def test_links_that_lead_nowhere_are_rejected_and_may_be_allowed(pictures):
    """As git-annex leaves them where a file was not fetched."""
    (pictures / "trip" / "annexed.jpg").symlink_to("../.git/annex/objects/none.jpg")
    (pictures / "self.png").symlink_to("self.png")
    (pictures / "trip" / "album").symlink_to(pictures)
    with pytest.raises(RejectionError, match=r"image 4 \(trip/annexed\.jpg\): a link that leads nowhere"):
        read_folder(pictures, 0, 1)
    images, rejected, _ = read_folder(pictures, 0.3, 1)
    assert len(images) == 5
    assert rejected["item"] == ["image 3 (self.png)", "image 4 (trip/annexed.jpg)"]


def test_a_linked_folder_is_read_and_a_pipe_is_not(pictures, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    picture(other / "far.png")
    (pictures / "linked").symlink_to(other)
    os.mkfifo(pictures / "pipe.jpg")
    images, rejected, _ = read_folder(pictures, 0.2, 1)
    assert "linked/far.png" in images["path"].to_pylist()
    assert rejected == {"item": ["image 4 (pipe.jpg)"], "reason": ["not a file"]}
