"""What was seen first is recorded once, whoever else records at the same time."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from filterscope.data.web import lock
from filterscope.data.web.lock import Locked, LockError

IMAGES = Locked("a" * 64, 12, "http://one/images.zip")


def test_what_is_recorded_is_read_again(tmp_path):
    path = tmp_path / "deep" / "study.lock.yaml"
    assert lock.read(path) == {}
    lock.record(path, "images.zip", IMAGES)
    other = Locked("0" * 64, 0, "http://one/objects.json.zip")  # digits only: YAML must not take them for a number
    lock.record(path, "objects.json.zip", other)
    assert lock.read(path) == {"images.zip": IMAGES, "objects.json.zip": other}
    assert path.read_text().startswith("# Checksums")


def test_an_entry_never_changes(tmp_path):
    path = tmp_path / "study.lock.yaml"
    lock.record(path, "images.zip", IMAGES)
    before = path.read_bytes()
    lock.record(path, "images.zip", Locked(IMAGES.sha256, 12, "http://two/images.zip"))
    assert path.read_bytes() == before
    with pytest.raises(LockError, match=r"images\.zip was recorded with sha256 aaa"):
        lock.record(path, "images.zip", Locked("b" * 64, 12, "http://one/images.zip"))
    assert path.read_bytes() == before


def test_jobs_that_record_at_once_lose_nothing(tmp_path):
    path = tmp_path / "study.lock.yaml"
    names = [f"file{number}.zip" for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: lock.record(path, name, IMAGES), names))
    assert sorted(lock.read(path)) == sorted(names)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [", "not YAML"),
        ("- images.zip", "should hold an entry for every file"),
        ("images.zip: 12", "images.zip should have sha256, size, url"),
        (f"images.zip: {{sha256: {'a' * 64}, size: 12}}", "should have sha256, size, url, and nothing else"),
        ("images.zip: {sha256: abc, size: 1, url: u}", "sha256 is 'abc', should be 64 hexadecimal digits"),
        (f"images.zip: {{sha256: {'a' * 64}, size: '1', url: u}}", "size is '1', should be a number of bytes"),
    ],
)
def test_a_file_that_somebody_spoilt_is_refused(tmp_path, content, said):
    path = tmp_path / "study.lock.yaml"
    path.write_text(content)
    with pytest.raises(LockError, match=said):
        lock.read(path)
