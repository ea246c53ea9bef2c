"""From a mirror's archives to tables, through the functions of the scripts."""

import pytest

from data.datasets.download_coco import download_coco
from data.datasets.prepare_dataset import prepare_dataset
from data.datasets.unpack_coco import unpack_coco
from data.vocabularies.download_glove import download_glove
from filterscope import tables
from filterscope.data.web.archives import ArchiveError
from filterscope.data.web.download import DownloadError

ARCHIVES = ("annotations_trainval2017.zip", "train2017.zip", "val2017.zip")


@pytest.fixture
def served(mirror, coco_archives):
    mirror.files.update(coco_archives)
    return mirror


def test_download_unpack_prepare(served, tmp_path, faults):
    served.faults["zips/train2017.zip"] = [faults["cut"](700)]
    paths = [tmp_path / "downloads" / name for name in ARCHIVES]
    for name, path in zip(ARCHIVES, paths, strict=True):
        download_coco(path, archive=name, mirror=served.address + "/", verify=False)
    assert served.ranges("zips/train2017.zip") == [None, "bytes=700-"]
    unpack_coco(paths, tmp_path / "pictures")
    outputs = {
        name: tmp_path / f"{name}.parquet" for name in ("images", "annotations", "categories", "rejected", "findings")
    }
    prepare_dataset(
        "coco",
        tmp_path / "pictures",
        **{f"path_to_{name}": path for name, path in outputs.items()},
        path_to_findings_csv=tmp_path / "findings.csv",
        max_bad_fraction=0,
        threads=2,
    )
    found = {name: tables.read(path, name) for name, path in outputs.items()}
    assert found["images"]["path"].to_pylist() == [
        "train2017/000000000009.jpg",
        "train2017/000000000025.jpg",
        "val2017/000000000139.jpg",
    ]
    assert found["annotations"]["tokens"].to_pylist() == [["hot", "dog"]] * 3
    assert found["categories"]["images_train"].to_pylist() == [2]
    assert found["rejected"].num_rows == 0


def test_download_glove(served, tmp_path):
    download_glove(tmp_path / "glove.6B.zip", mirror=served.address, verify=False)
    assert (tmp_path / "glove.6B.zip").read_bytes() == served.files["glove.6B.zip"]


def test_verification_refuses_all_but_the_official_archives(served, tmp_path):
    for name in ARCHIVES:
        with pytest.raises(DownloadError, match="the right one"):
            download_coco(tmp_path / name, archive=name, mirror=served.address, verify=True)
    with pytest.raises(DownloadError, match="the right one 862,182,613"):
        download_glove(tmp_path / "glove.6B.zip", mirror=served.address, verify=True)
    assert list(tmp_path.iterdir()) == []


def test_a_web_page_never_becomes_an_archive(served, tmp_path, faults):
    served.faults["zips/val2017.zip"] = [faults["web page"]]
    with pytest.raises(DownloadError, match="web page"):
        download_coco(tmp_path / "val2017.zip", archive="val2017.zip", mirror=served.address, verify=False)
    assert list(tmp_path.iterdir()) == []


def test_a_hostile_archive_writes_nowhere(served, tmp_path):
    name = b"train2017/000000000025.jpg"
    hostile = served.files["zips/train2017.zip"].replace(name, b"../../../0000000000025.jpg")
    served.files["zips/train2017.zip"] = hostile
    folder = tmp_path / "deep" / "deeper" / "deepest"
    paths = [folder / each for each in ARCHIVES]
    for each, path in zip(ARCHIVES, paths, strict=True):
        download_coco(path, archive=each, mirror=served.address, verify=False)
    with pytest.raises(ArchiveError, match=r"train2017\.zip: '\.\./\.\./\.\./0000000000025\.jpg' leads out"):
        unpack_coco(paths, folder / "pictures")
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == sorted(ARCHIVES)
    assert not (folder / "pictures").exists()
