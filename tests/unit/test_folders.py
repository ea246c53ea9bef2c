"""Folders are walked through links, not round in circles, and what cannot be read is named."""

from __future__ import annotations

import os

import pytest

from filterscope import folders, provenance
from filterscope.data.datasets.folder import list_pictures


@pytest.fixture
def album(tmp_path):
    """An album in a folder of other things, with every kind of link."""
    album = tmp_path / "home" / "album"
    (album / "holiday").mkdir(parents=True)
    (album / "holiday" / "sea.jpg").write_bytes(b"sea")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "hill.jpg").write_bytes(b"hill")
    (tmp_path / "home" / "letter.jpg").write_bytes(b"no picture of the album")
    (album / "linked").symlink_to(tmp_path / "elsewhere")
    (album / "holiday" / "again").symlink_to(album)
    (album / "up").symlink_to("..")
    (album / "gone.jpg").symlink_to("nowhere.jpg")
    (album / "round.jpg").symlink_to("round.jpg")
    return album


def found(album, **how):
    return sorted(
        os.path.relpath(os.path.join(place, name), album)
        for place, names in folders.walk(album, **how)
        for name in names
    )


def test_links_are_followed_but_not_back(album):
    assert found(album) == ["gone.jpg", "holiday/sea.jpg", "linked/hill.jpg", "round.jpg"]
    assert [each.name for each in folders.subfolders(album)] == ["holiday", "linked"]
    (album / "holiday" / "holiday").symlink_to("../holiday")
    for number in range(30):  # each alone would be followed to the depth where the system gives up
        (album / f"self{number}").symlink_to(".")
    assert found(album) == ["gone.jpg", "holiday/sea.jpg", "linked/hill.jpg", "round.jpg"]


def test_two_links_to_one_folder_are_two_folders(album, tmp_path):
    (album / "twice").symlink_to(tmp_path / "elsewhere")
    assert {"linked/hill.jpg", "twice/hill.jpg"} <= set(found(album))


@pytest.mark.parametrize("name", [".cache", "__MACOSX", "@eaDir", "$RECYCLE.BIN"])
def test_what_other_programs_leave_is_no_part_of_it(album, name):
    before = found(album)
    (album / name).mkdir()
    (album / name / "thumbnail.jpg").write_bytes(b"small")
    (album / ".#sea.jpg").symlink_to("somebody@somewhere.12")  # Emacs, while a file is edited
    assert found(album) == before
    assert len(found(album, hidden=True)) == len(before) + 2
    assert name not in [each.name for each in folders.subfolders(album)]


def test_a_folder_that_cannot_be_read_is_named(album, monkeypatch):
    scandir = os.scandir

    def refusing(place):  # the administrator, who runs tests in containers, may read everything
        if os.fspath(place).endswith("holiday"):
            raise PermissionError(13, "Permission denied", place)
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(folders.FolderError, match=r"holiday: the folder cannot be read \(Permission denied\)"):
        found(album)
    seen = []
    assert "linked/hill.jpg" in found(album, unreadable=lambda place, error: seen.append(place))
    assert seen == [str(album / "holiday")]
    assert provenance.listing(album) == provenance.listing(album)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(folders.FolderError, match="nowhere: the folder cannot be read"):
        list(folders.walk(tmp_path / "nowhere"))
    with pytest.raises(folders.FolderError, match="nowhere: the folder cannot be read"):
        folders.subfolders(tmp_path / "nowhere")


def test_a_folder_that_is_a_link_to_itself(tmp_path):
    place = tmp_path / "round"
    place.symlink_to(place)
    with pytest.raises(folders.FolderError, match="round: the folder cannot be read"):
        list(folders.walk(place))
    with pytest.raises(folders.FolderError, match="round: the folder cannot be read"):
        folders.subfolders(place)
    assert len(provenance.listing(place)) == 16, "a digest, as of everything that cannot be read"
    with pytest.raises(ValueError, match="round: there is no such folder"):
        list_pictures(place)


def test_planning_reads_what_jobs_read(album):
    """A link that leads nowhere or round in circles is a fact, not an error; the job says whether it matters."""
    seen = [provenance.listing(album)]
    (album / "nowhere.jpg").write_bytes(b"there it is")
    seen.append(provenance.listing(album))
    (album / "nowhere.jpg").unlink()
    assert provenance.listing(album) == seen[0]
    (album / "round.jpg").unlink()
    seen.append(provenance.listing(album))
    (album.parent / "letter.jpg").write_bytes(b"beside the album")
    assert provenance.listing(album) == seen[-1]
    assert len(set(seen)) == 3


def test_names_that_are_not_in_unicode_are_listed(tmp_path):
    path = os.fsencode(tmp_path / "a") + b"\xff.jpg"
    try:
        with open(path, "wb"):
            pass
    except OSError:
        pytest.skip("this file system takes names in Unicode only")
    assert len(provenance.listing(tmp_path)) == 16
