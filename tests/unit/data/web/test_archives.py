"""Archives are unpacked whole and inside their folder, or not at all."""

import io
import os
import resource
import shutil
import stat
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filterscope.data.web import archives
from filterscope.data.web.archives import ArchiveError, extract_zips

FILES = {"val2017/1.jpg": b"one" * 1000, "val2017/deep/2.jpg": b"two", "empty.txt": b""}


def zipped(files: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", kind) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo("placeholder")
            member.filename, member.compress_type = name, kind  # ZipInfo would clean the name
            archive.writestr(member, content)
    return memory.getvalue()


@pytest.fixture
def archive(tmp_path):
    def store(data: bytes, name: str = "archive.zip"):
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return store


def contents(folder) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_nothing_left(tmp_path, *expected: str):
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(expected)


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_unpacks_what_was_packed(archive, tmp_path, kind):
    extract_zips([archive(zipped(FILES, kind))], tmp_path / "pictures")
    assert contents(tmp_path / "pictures") == FILES
    assert_nothing_left(tmp_path, "archive.zip", "pictures")


def test_unpacks_several_side_by_side_and_clears_what_a_killed_run_left(archive, tmp_path):
    (tmp_path / ".pictures.part").mkdir()
    (tmp_path / ".pictures.part" / "stale").touch()
    (tmp_path / "pictures").mkdir()  # Snakemake may make it beforehand
    parts = [archive(zipped({name: name.encode()}), name) for name in ("a", "b")]
    extract_zips(parts, tmp_path / "pictures")
    assert contents(tmp_path / "pictures") == {"a": b"a", "b": b"b"}
    assert_nothing_left(tmp_path, "a", "b", "pictures")


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/../../evil",
        "/tmp/evil",
        "..\\evil",
        "C:evil",
        "C:/evil",
        "\\\\server\\evil",
        "a//b",
        "a/./b",
        "a\0b",
        "",
    ],
)
def test_refuses_names_that_lead_out(archive, tmp_path, name):
    path = archive(zipped({"good.txt": b"good", name: b"evil"}))
    with pytest.raises(ArchiveError, match="leads out of the folder") as caught:
        extract_zips([path], tmp_path / "inner" / "pictures")
    assert "archive.zip" in str(caught.value)
    assert_nothing_left(tmp_path, "archive.zip", "inner")
    assert_nothing_left(tmp_path / "inner")


@given(name=st.text(st.sampled_from("./\\ab:C\0~"), max_size=8))
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_never_writes_outside_its_folder(tmp_path, name):
    place = tmp_path / "place"
    place.mkdir()
    (place / "archive.zip").write_bytes(zipped({name: b"content"}))
    try:
        extract_zips([place / "archive.zip"], place / "pictures")
    except ArchiveError:
        assert_nothing_left(place, "archive.zip")
    else:
        assert_nothing_left(place, "archive.zip", "pictures")
        assert len(contents(place / "pictures")) == (0 if name.endswith("/") else 1)
    finally:
        assert_nothing_left(tmp_path, "place")
        shutil.rmtree(place)


def test_refuses_links(archive, tmp_path):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as opened:
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
    with pytest.raises(ArchiveError, match="'link' is a link"):
        extract_zips([archive(memory.getvalue())], tmp_path / "pictures")
    assert_nothing_left(tmp_path, "archive.zip")


def test_refuses_encrypted_and_repeated_members(archive, tmp_path):
    data = bytearray(zipped({"secret": b"text"}))
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(header) + flags] |= 1
    with pytest.raises(ArchiveError, match="'secret' is encrypted"):
        extract_zips([archive(bytes(data))], tmp_path / "pictures")
    with pytest.raises(ArchiveError, match="comes twice"):
        extract_zips([archive(zipped(FILES), name) for name in ("a.zip", "b.zip")], tmp_path / "pictures")
    assert_nothing_left(tmp_path, "a.zip", "archive.zip", "b.zip")


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_notices_damaged_members(archive, tmp_path, kind):
    data = bytearray(zipped({"first": b"fine", "second": os.urandom(5000)}, kind))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(ArchiveError, match="second is damaged"):
        extract_zips([archive(bytes(data))], tmp_path / "pictures")
    assert_nothing_left(tmp_path, "archive.zip")


@pytest.mark.parametrize(
    ("data", "cause"),
    [(zipped(FILES)[:-30], "not a whole zip"), (b"<html>moved</html>", "web page"), (b"", "not a whole zip")],
)
def test_refuses_what_is_no_zip(archive, tmp_path, data, cause):
    with pytest.raises(ArchiveError, match=cause):
        extract_zips([archive(data)], tmp_path / "pictures")
    assert_nothing_left(tmp_path, "archive.zip")


def test_leaves_what_is_there_alone(archive, tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "mine.txt").write_text("mine")
    with pytest.raises(ArchiveError, match="exists already"):
        extract_zips([archive(zipped(FILES))], tmp_path / "pictures")
    assert contents(tmp_path / "pictures") == {"mine.txt": b"mine"}


def test_a_full_disk_leaves_nothing_behind(archive, tmp_path):
    """The system refuses files beyond a limit, as a full disk does."""
    path = archive(zipped({"small": b"fine", "large": bytes(200_000)}))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            extract_zips([path], tmp_path / "pictures")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert_nothing_left(tmp_path, "archive.zip")


def test_too_little_room_is_said_before_unpacking(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(OSError, match="GB are free"):
        extract_zips([archive(zipped(FILES))], tmp_path / "pictures")
    assert_nothing_left(tmp_path, "archive.zip")


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may write everywhere")
def test_a_read_only_folder_is_an_error(archive, tmp_path):
    path = archive(zipped(FILES))
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(PermissionError):
        extract_zips([path], tmp_path / "closed" / "pictures")
    assert_nothing_left(tmp_path / "closed")
