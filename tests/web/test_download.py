"""Downloads end whole and right, or leave nothing wrong behind, whatever the server does."""

import hashlib
import json
import os
import resource

import pytest

from filterscope.data.web import download
from filterscope.data.web.download import DownloadError, fetch

NAME = "zips/file.zip"
CONTENT = b"PK\x03\x04" + os.urandom(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PATIENT = {"retries": 3, "timeout": 5.0, "backoff": 0.01}


@pytest.fixture
def target(mirror, tmp_path):
    mirror.files[NAME] = CONTENT
    return tmp_path / "downloads" / "file.zip"


def left(target) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def assert_whole(target):
    assert target.read_bytes() == CONTENT
    assert left(target) == ["file.zip"]


@pytest.mark.parametrize("checks", [{}, {"sha256": SHA256, "size": len(CONTENT)}])
def test_fetches(mirror, target, checks):
    fetch(mirror.url(NAME), target, magic=b"PK\x03\x04", **checks, **PATIENT)
    assert_whole(target)
    assert mirror.ranges(NAME) == [None]


def test_not_found_fails_at_once(mirror, target):
    with pytest.raises(DownloadError, match=r"404.*no such file") as caught:
        fetch(mirror.url("zips/other.zip"), target, **PATIENT)
    assert mirror.url("zips/other.zip") in str(caught.value)
    assert len(mirror.requests) == 1
    assert left(target) == []


@pytest.mark.parametrize("code", [500, 503, 429])
def test_a_busy_server_is_asked_again(mirror, target, faults, code):
    mirror.faults[NAME] = [faults["status"](code)] * 2
    fetch(mirror.url(NAME), target, **PATIENT)
    assert_whole(target)
    assert len(mirror.requests) == 3


def test_gives_up_on_a_server_that_stays_broken(mirror, target, faults):
    mirror.faults[NAME] = [faults["status"](500)] * 10
    with pytest.raises(DownloadError, match=r"500.*gave up after 4 failures"):
        fetch(mirror.url(NAME), target, **PATIENT)
    assert len(mirror.requests) == 4
    assert not target.exists()


@pytest.mark.parametrize("fault", ["cut", "hang"])
def test_goes_on_where_the_connection_broke(mirror, target, faults, fault):
    """Three interruptions, each after a million bytes; every byte is fetched once."""
    mirror.faults[NAME] = [faults[fault](900_000)] * 3
    fetch(mirror.url(NAME), target, sha256=SHA256, retries=1, timeout=0.3, backoff=0.01)
    assert_whole(target)
    assert mirror.ranges(NAME) == [None, "bytes=900000-", "bytes=1800000-", "bytes=2700000-"]


def test_a_server_that_never_answers_is_left(mirror, target, faults):
    mirror.faults[NAME] = [lambda handler, content: handler.mirror.released.wait(20)] * 3
    with pytest.raises(DownloadError, match="nothing came in time; gave up after 2 failures"):
        fetch(mirror.url(NAME), target, retries=1, timeout=0.2, backoff=0.01)
    assert not target.exists()


def interrupted(mirror, target, faults, **checks):
    """A download that gave up after 1,000 bytes and left its part file."""
    mirror.faults[NAME] = [faults["cut"](1000), faults["status"](500)]
    with pytest.raises(DownloadError, match="is kept"):
        fetch(mirror.url(NAME), target, retries=1, timeout=5, backoff=0.01, **checks)
    assert left(target) == [".file.zip.part", ".file.zip.part.json"]
    mirror.requests.clear()


def test_a_later_run_goes_on(mirror, target, faults):
    interrupted(mirror, target, faults)
    fetch(mirror.url(NAME), target, **PATIENT)
    assert_whole(target)
    assert mirror.ranges(NAME) == ["bytes=1000-"]


@pytest.mark.parametrize(
    ("name", "checks"),
    [("other.zip", {}), (NAME, {"size": len(CONTENT)}), (NAME, {"sha256": SHA256})],
    ids=["address", "size", "digest"],
)
def test_a_part_of_another_file_is_not_used(mirror, target, faults, name, checks):
    """The same target, but another address, size or digest than the part was begun for."""
    mirror.files["other.zip"] = CONTENT
    interrupted(mirror, target, faults)
    fetch(mirror.url(name), target, **checks, **PATIENT)
    assert_whole(target)
    assert mirror.ranges(name) == [None]


def test_a_file_that_changed_meanwhile_is_begun_anew(mirror, target, faults):
    mirror.files[NAME] = CONTENT[::-1]
    interrupted(mirror, target, faults)
    mirror.files[NAME] = CONTENT
    fetch(mirror.url(NAME), target, **PATIENT)
    assert_whole(target)


def test_without_versions_only_a_digest_allows_to_go_on(mirror, target, faults):
    mirror.versions = False
    mirror.faults[NAME] = [faults["cut"](1000)]
    fetch(mirror.url(NAME), target, **PATIENT)
    assert_whole(target)
    assert mirror.ranges(NAME) == [None, None]
    target.unlink()
    interrupted(mirror, target, faults, sha256=SHA256)
    fetch(mirror.url(NAME), target, sha256=SHA256, **PATIENT)
    assert_whole(target)
    assert mirror.ranges(NAME) == ["bytes=1000-"]


def test_a_part_longer_than_the_file_is_begun_anew(mirror, target, faults):
    interrupted(mirror, target, faults)
    (target.parent / ".file.zip.part").write_bytes(CONTENT + b"more")
    fetch(mirror.url(NAME), target, **PATIENT)
    assert_whole(target)


def test_a_part_without_its_note_is_begun_anew(mirror, target, faults):
    for note in ("", "[]", json.dumps({"unknown": 1})):
        interrupted(mirror, target, faults)
        (target.parent / ".file.zip.part.json").write_text(note)
        fetch(mirror.url(NAME), target, **PATIENT)
        assert_whole(target)
        assert mirror.ranges(NAME) == [None]
        target.unlink()
        mirror.requests.clear()


@pytest.mark.parametrize("checks", [{"magic": b"PK\x03\x04"}, {"size": len(CONTENT)}])
def test_a_web_page_instead_of_the_file_says_what_to_do(mirror, target, faults, checks):
    mirror.faults[NAME] = [faults["web page"]]
    with pytest.raises(DownloadError, match=r"a web page instead of the file\. Open the address in a browser"):
        fetch(mirror.url(NAME), target, **checks, **PATIENT)
    assert len(mirror.requests) == 1
    assert left(target) == []


@pytest.mark.parametrize(
    ("checks", "cause"),
    [
        ({"sha256": "0" * 64}, "its sha256 is"),
        ({"size": len(CONTENT) + 1}, "has 3,000,004 bytes, the right one 3,000,005"),
        ({"size": len(CONTENT) - 1}, "has 3,000,004 bytes, the right one 3,000,003"),
        ({"magic": b"GIF89a"}, "begins with b['\"]PK"),
    ],
)
def test_the_wrong_file_is_refused_and_deleted(mirror, target, checks, cause):
    with pytest.raises(DownloadError, match=cause):
        fetch(mirror.url(NAME), target, **checks, **PATIENT)
    assert left(target) == []


def test_an_answer_without_a_length_is_held_to_the_size(mirror, target):
    """Such answers end when the connection does: too short and too long look alike to the client."""

    def without_length(content):
        def answer(handler, _):
            handler.send_response(200)
            handler.send_header("Connection", "close")
            handler.end_headers()
            handler.wfile.write(content)
            handler.close_connection = True

        return answer

    mirror.faults[NAME] = [without_length(CONTENT)]
    fetch(mirror.url(NAME), target, size=len(CONTENT), **PATIENT)
    assert_whole(target)
    target.unlink()
    for content, cause in (
        (CONTENT[:-1], "3,000,003 bytes arrived"),
        (CONTENT + b"more", "longer than the right"),
    ):
        mirror.faults[NAME] = [without_length(content)]
        with pytest.raises(DownloadError, match=cause):
            fetch(mirror.url(NAME), target, size=len(CONTENT), **PATIENT)
        assert left(target) == []


def test_a_redirection_is_followed(mirror, target):
    def moved(handler, _):
        handler.send_response(302)
        handler.send_header("Location", mirror.url(NAME))
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    mirror.faults["old.zip"] = [moved]
    fetch(mirror.url("old.zip"), target, **PATIENT)
    assert_whole(target)


def test_a_disk_that_fills_up_stops_the_download_and_later_it_goes_on(mirror, target):
    """The system refuses files beyond a limit, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            fetch(mirror.url(NAME), target, **PATIENT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not target.exists()
    fetch(mirror.url(NAME), target, **PATIENT)
    assert_whole(target)
    assert mirror.ranges(NAME) == [None, "bytes=1000000-"]


def test_too_little_room_is_said_before_downloading(mirror, target, monkeypatch):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: download.shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(OSError, match="GB are free"):
        fetch(mirror.url(NAME), target, **PATIENT)
    assert left(target) == []
