"""From mirrors' archives to tables, through the functions of the scripts; checksums seen first are enforced."""

import hashlib
import io
import json

import numpy as np
import pytest
import yaml
from PIL import Image

from data.datasets.download_visual_genome import download_visual_genome
from data.datasets.prepare_visual_genome import prepare_visual_genome
from data.datasets.unpack_visual_genome import unpack_visual_genome
from filterscope import tables
from filterscope.data.datasets.visual_genome import VisualGenomeSettings
from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.data.web import lock
from filterscope.data.web.archives import ArchiveError
from filterscope.data.web.download import DownloadError

ARCHIVES = {"objects": "objects.json.zip", "images": "images.zip", "images2": "images2.zip"}
PATIENT = {"retries": 1, "timeout": 5.0, "backoff": 0.01}


def box(number, name):
    return {"object_id": number, "synsets": [f"{name}.n.01"], "names": [name], "x": 4, "y": 5, "w": 20, "h": 10}


@pytest.fixture
def served(mirror, zipped):
    """A Visual Genome of four pictures, packed as the official one is."""
    folders = {"images": "VG_100K", "images2": "VG_100K_2"}
    files = {"images": {}, "images2": {}}
    content = []
    for number in range(1, 5):
        memory = io.BytesIO()
        Image.effect_noise((64, 48), 60).convert("RGB").save(memory, "JPEG")
        part = "images" if number % 2 else "images2"
        files[part][f"{folders[part]}/{number}.jpg"] = memory.getvalue()
        content.append({"image_id": number, "objects": [box(number, "tree"), box(10 + number, "car")]})
    for part, members in files.items():
        mirror.files[f"rak248/{ARCHIVES[part]}"] = zipped(members)
    mirror.files["dataset/objects.json.zip"] = zipped({"objects.json": json.dumps(content).encode()})
    return mirror


PLACES = {"objects": "dataset/objects.json.zip", "images": "rak248/images.zip", "images2": "rak248/images2.zip"}


@pytest.fixture
def download(served, tmp_path):
    """Downloads an archive from the server's right place, or from these mirrors."""

    def download(archive, mirrors=None, verify=False, target=None, **patience):
        target = target or tmp_path / "downloads" / ARCHIVES[archive]
        mirrors = mirrors or [served.url(PLACES[archive])]
        download_visual_genome(
            target, tmp_path / "study.lock.yaml", archive, mirrors, verify, **{**PATIENT, **patience}
        )
        return target

    return download


def entries(tmp_path):
    return lock.read(tmp_path / "study.lock.yaml")


def test_download_unpack_prepare(download, served, tmp_path, faults):
    served.faults["rak248/images.zip"] = [faults["cut"](700)]
    paths = [download(archive) for archive in ARCHIVES]
    assert served.ranges("rak248/images.zip") == [None, "bytes=700-"]
    unpack_visual_genome(paths, tmp_path / "pictures")
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["VG_100K", "VG_100K_2", "objects.json"]
    tables.write(Vocabulary(["tree", "car"], np.eye(2)).to_table(), "vocabulary", tmp_path / "vocabulary.parquet")
    names = ("images", "annotations", "categories", "rejected", "passes", "findings")
    outputs = {name: tmp_path / f"{name}.parquet" for name in names}
    outputs |= {f"{name}_csv": tmp_path / f"{name}.csv" for name in ("passes", "findings")}
    settings = VisualGenomeSettings(min_count=4)
    prepare_visual_genome(tmp_path / "pictures", tmp_path / "vocabulary.parquet", outputs, settings, 0, seed=0)
    found = {name: tables.read(outputs[name], name) for name in names}
    assert sorted(found["images"]["path"].to_pylist()) == [
        "VG_100K/1.jpg",
        "VG_100K/3.jpg",
        "VG_100K_2/2.jpg",
        "VG_100K_2/4.jpg",
    ]
    assert found["annotations"].num_rows == 8
    assert found["annotations"]["area"].to_pylist() == [200.0] * 8
    assert found["rejected"].num_rows == 0


def test_what_is_seen_first_is_recorded_and_enforced(download, served, tmp_path, zipped):
    for archive in ARCHIVES:
        download(archive)
    assert set(entries(tmp_path)) == set(ARCHIVES.values())
    content = served.files["rak248/images.zip"]
    recorded = entries(tmp_path)["images.zip"]
    assert recorded == lock.Locked(hashlib.sha256(content).hexdigest(), len(content), served.url("rak248/images.zip"))
    before = (tmp_path / "study.lock.yaml").read_bytes()
    assert download("images", target=tmp_path / "again.zip").read_bytes() == content
    assert (tmp_path / "study.lock.yaml").read_bytes() == before
    served.files["rak248/images.zip"] = zipped({"VG_100K/1.jpg": b"something else"})
    with pytest.raises(
        DownloadError, match=r"(?s)the right one .*study\.lock\.yaml says .*images\.zip.* delete its entry"
    ):
        download("images", target=tmp_path / "other.zip")
    changed = bytearray(content)
    changed[60] ^= 1
    served.files["rak248/images.zip"] = bytes(changed)  # as long as the right one
    with pytest.raises(DownloadError, match=r"(?s)its sha256 is .*, the right file's .*delete its entry"):
        download("images", target=tmp_path / "other.zip")
    assert not (tmp_path / "other.zip").exists()
    remaining = yaml.safe_load((tmp_path / "study.lock.yaml").read_text())
    del remaining["images.zip"]
    (tmp_path / "study.lock.yaml").write_text(yaml.safe_dump(remaining))
    download("images", target=tmp_path / "other.zip")
    assert entries(tmp_path)["images.zip"].sha256 == hashlib.sha256(changed).hexdigest()


def test_a_dead_first_mirror_is_passed_over(download, served, tmp_path):
    dead = "http://127.0.0.1:9/images.zip"
    missing = served.url("nowhere/images.zip")
    path = download("images", [dead, missing, served.url("rak248/images.zip")], retries=0)
    assert path.read_bytes() == served.files["rak248/images.zip"]
    assert entries(tmp_path)["images.zip"].url == served.url("rak248/images.zip")


def test_a_mirror_with_another_file_is_passed_over_where_the_right_one_is_known(download, served, tmp_path, zipped):
    download("images")
    served.files["old/images.zip"] = zipped({"VG_100K/1.jpg": b"an old version"})
    path = download(
        "images", [served.url("old/images.zip"), served.url("rak248/images.zip")], target=tmp_path / "again.zip"
    )
    assert path.read_bytes() == served.files["rak248/images.zip"]


def test_the_mirror_that_an_interrupted_download_came_from_comes_first(download, served, tmp_path, faults):
    served.files["second/images.zip"] = served.files["rak248/images.zip"]
    served.faults["rak248/images.zip"] = [faults["status"](404), faults["status"](503)]
    served.faults["second/images.zip"] = [faults["cut"](700), faults["status"](503), faults["status"](503)]
    mirrors = [served.url("rak248/images.zip"), served.url("second/images.zip")]
    with pytest.raises(DownloadError, match=r"(?s)none of 2 mirrors has the right file:\n  .*404.*\n  .*503"):
        download("images", mirrors)
    download("images", mirrors)
    assert served.ranges("second/images.zip")[-1] == "bytes=700-"
    assert served.requests[-1] == ("second/images.zip", "bytes=700-")


def test_a_web_page_never_becomes_an_archive(download, served, tmp_path, faults):
    """visualgenome.org has served spam: a page instead of a zip is refused with what to do."""
    served.faults["dataset/objects.json.zip"] = [faults["web page"]]
    with pytest.raises(
        DownloadError, match=r"a web page instead of the file\. Open the address in a browser.*use another mirror"
    ):
        download("objects")
    assert not (tmp_path / "study.lock.yaml").exists()
    assert list((tmp_path / "downloads").iterdir()) == []


def test_verification_refuses_all_but_the_official_archives(download, tmp_path):
    for archive, size in (("objects", "55,323,929"), ("images", "9,731,705,982"), ("images2", "5,471,658,058")):
        with pytest.raises(DownloadError, match=f"the right one {size}"):
            download(archive, verify=True)
    assert not (tmp_path / "study.lock.yaml").exists()


def test_archives_of_one_name_inside_do_not_overwrite_each_other(download, served, tmp_path, zipped):
    served.files["rak248/images2.zip"] = zipped({"VG_100K/1.jpg": b"another first picture"})
    paths = [download(archive) for archive in ARCHIVES]
    with pytest.raises(ArchiveError, match=r"images2\.zip: 'VG_100K/1\.jpg' comes twice"):
        unpack_visual_genome(paths, tmp_path / "pictures")
    assert not (tmp_path / "pictures").exists()
