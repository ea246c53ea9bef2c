"""What a download does without a server; tests/web has the rest."""

import socket

import pytest

from filterscope.data.web import official
from filterscope.data.web.download import DownloadError, fetch


@pytest.mark.parametrize("address", ["ftp://host/file.zip", "file:///etc/passwd", "host/file.zip"])
def test_refuses_other_addresses(tmp_path, address):
    with pytest.raises(DownloadError, match="http://"):
        fetch(address, tmp_path / "file.zip")
    assert list(tmp_path.iterdir()) == []


def test_nobody_listening_is_tried_again_then_named(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/file.zip"
    with pytest.raises(DownloadError, match=r"no connection.*gave up after 3 failures") as caught:
        fetch(address, tmp_path / "file.zip", retries=2, timeout=1, backoff=0.01)
    assert address in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "downloads").write_text("a file")
    with pytest.raises(OSError, match="downloads"):
        fetch("http://127.0.0.1/file.zip", tmp_path / "downloads" / "file.zip")


def test_official_archives():
    """Four archives, each with the path that its publisher uses and a digest of 64 hexadecimal digits."""
    addresses = {name: archive.address("http://mirror/") for name, archive in official.ARCHIVES.items()}
    assert addresses == {
        "annotations_trainval2017.zip": "http://mirror/annotations/annotations_trainval2017.zip",
        "train2017.zip": "http://mirror/zips/train2017.zip",
        "val2017.zip": "http://mirror/zips/val2017.zip",
        "glove.6B.zip": "http://mirror/glove.6B.zip",
    }
    for archive in official.ARCHIVES.values():
        assert len(bytes.fromhex(archive.sha256)) == 32
        assert archive.size > 10**8
