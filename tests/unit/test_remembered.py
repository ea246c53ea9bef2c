"""What was found out is found out once, by whichever process; whatever happens to the file costs time alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from filterscope import remembered
from filterscope.remembered import Remembered


def held(path):
    """What a file holds, without the seals."""
    return {key: found for key, (found, _) in json.loads(path.read_text()).items()}


class Finding:
    """Counts how often it is asked."""

    def __init__(self, value):
        self.value, self.asked = value, 0

    def __call__(self):
        self.asked += 1
        return self.value


def test_a_finding_is_made_once_and_kept_for_the_next_process(tmp_path):
    path, found = tmp_path / "cache/own.json", Finding(["1f", ["a.b"]])
    first = Remembered(path)
    assert first.of("key", found) == first.of("key", found) == ["1f", ["a.b"]]
    assert not path.exists(), "it is written in the end"
    first.write()
    assert Remembered(path).of("key", found) == ["1f", ["a.b"]]
    assert found.asked == 1
    assert [each.name for each in path.parent.iterdir()] == ["own.json"]


def test_it_is_written_when_the_process_ends(tmp_path):
    script = "import sys; from filterscope.remembered import Remembered; from pathlib import Path\n"
    script += "Remembered(Path(sys.argv[1])).of('key', lambda: 1)"
    library = Path(remembered.__file__).parents[1]
    subprocess.run([sys.executable, "-c", script, tmp_path / "own.json"], env={"PYTHONPATH": str(library)}, check=True)
    assert held(tmp_path / "own.json") == {"key": 1}


def test_two_processes_keep_what_both_found(tmp_path):
    one, other = Remembered(tmp_path / "own.json"), Remembered(tmp_path / "own.json")
    one.of("a", Finding(1))
    other.of("b", Finding(2))
    one.write()
    other.write()
    third, again = Remembered(tmp_path / "own.json"), Finding(3)
    assert (third.of("a", again), third.of("b", again)) == (1, 2)
    assert again.asked == 0


def test_processes_of_the_same_number_on_two_nodes_do_not_write_into_one_file(tmp_path, monkeypatch):
    """While one puts its file in its place the other writes and does the same."""
    monkeypatch.setattr("os.getpid", lambda: 7)
    one, other = Remembered(tmp_path / "own.json"), Remembered(tmp_path / "own.json")
    one.of("a", Finding(1))
    other.of("b", Finding(2))
    replace = os.replace

    def meanwhile(*paths):
        monkeypatch.setattr("os.replace", replace)
        other.write()
        replace(*paths)

    monkeypatch.setattr("os.replace", meanwhile)
    one.write()
    assert held(tmp_path / "own.json") == {"a": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["own.json"]


@pytest.mark.parametrize("content", ["", "{", "[1]", "null", "\x00\xff"])
def test_a_broken_file_is_as_none(tmp_path, content):
    path = tmp_path / "own.json"
    path.write_text(content, encoding="latin-1")
    kept = Remembered(path)
    assert kept.of("key", Finding(1)) == 1
    kept.write()
    assert held(path) == {"key": 1}


@pytest.mark.parametrize("edit", [0, None, [], ["0e", ["a.b"]], "other finding", "other key"])
def test_a_finding_that_was_edited_is_found_out_again(tmp_path, edit):
    path, found = tmp_path / "own.json", Finding(["1f", ["a.b"]])
    kept = Remembered(path)
    kept.of("key", found), kept.of("other", Finding(["2f", []]))
    kept.write()
    entries = json.loads(path.read_text())
    if edit == "other finding":
        entries["key"][0] = ["0e", ["a.b"]]
    else:
        entries["key"] = entries["other"] if edit == "other key" else edit
    path.write_text(json.dumps(entries))
    again = Remembered(path)
    assert again.of("key", found) == ["1f", ["a.b"]]
    again.write()
    assert held(path) == {"key": ["1f", ["a.b"]], "other": ["2f", []]}, "and mended in the file"


def test_where_nothing_can_be_written_it_is_found_out_every_time(tmp_path):
    (tmp_path / "file").touch()
    for path in (None, tmp_path / "file/own.json"):
        kept = Remembered(path)
        assert kept.of("key", Finding(1)) == 1
        kept.write()
        again = Finding(1)
        assert Remembered(path).of("key", again) == 1
        assert again.asked == 1


def test_it_does_not_grow_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(remembered, "MOST", 3)
    for number in range(5):
        kept = Remembered(tmp_path / "own.json")
        kept.of(str(number), Finding(number))
        kept.write()
        assert len(json.loads((tmp_path / "own.json").read_text())) <= 3
    assert "4" in json.loads((tmp_path / "own.json").read_text())


def test_it_lies_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert remembered.folder() == tmp_path / "filterscope"
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for invalid in ("", "cache", "./cache"):
        monkeypatch.setenv("XDG_CACHE_HOME", invalid)
        assert remembered.folder() == tmp_path / ".cache/filterscope"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert remembered.folder() == tmp_path / ".cache/filterscope"

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert remembered.folder() is None
