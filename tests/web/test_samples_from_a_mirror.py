"""From a mirror's files to labelled samples, through the functions of the scripts."""

import gzip
import io
import tarfile

import numpy as np
import pytest

from data.samples.download_samples import download_samples
from data.samples.prepare_samples import prepare_samples
from filterscope.data.samples.labelled_samples import SamplesError, read_samples
from filterscope.data.web.download import DownloadError

ALL = {"train": None, "test": None}
PATIENCE = {"retries": 2, "backoff": 0.01, "timeout": 5}


def idx_file(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes())


@pytest.fixture
def served(mirror):
    """A small Fashion-MNIST and a small CIFAR-10, as their publishers serve them."""
    generator = np.random.default_rng(0)
    for prefix, count in (("train", 40), ("t10k", 20)):
        mirror.files[f"fashion/{prefix}-images-idx3-ubyte.gz"] = idx_file(generator.integers(0, 256, (count, 28, 28)))
        mirror.files[f"fashion/{prefix}-labels-idx1-ubyte.gz"] = idx_file(np.arange(count) % 10)
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as archive:
        for name in (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"):
            pixels = generator.integers(0, 256, (10, 3072))
            content = np.concatenate([np.arange(10)[:, None], pixels], axis=1).astype(np.uint8).tobytes()
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    mirror.files["cifar-10-binary.tar.gz"] = memory.getvalue()
    return mirror


def asked(mirror, source, folder, verify=False, mirrors=None):
    return {"source": source, "mirrors": mirrors or [mirror.url(folder)], "verify": verify}


@pytest.mark.parametrize(
    ("source", "folder", "shape"), [("fashion_mnist", "fashion", (1, 28, 28)), ("cifar10", "", (3, 32, 32))]
)
def test_download_and_prepare(served, tmp_path, source, folder, shape):
    download_samples(tmp_path / "downloads", asked(served, source, folder))
    prepare_samples(tmp_path / "s.parquet", {"source": source, "limit": ALL}, 0, "x", tmp_path / "downloads")
    samples = read_samples(tmp_path / "s.parquet")
    assert samples.shape == shape
    assert len(samples.part("test").classes) == 10
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_cut_connection_is_taken_up_and_another_mirror_helps(served, tmp_path, faults):
    name = "fashion/train-images-idx3-ubyte.gz"
    served.faults[name] = [faults["cut"](5000)]
    mirrors = [served.url("nowhere"), served.url("fashion")]
    download_samples(tmp_path / "downloads", asked(served, "fashion_mnist", "", mirrors=mirrors), **PATIENCE)
    assert served.ranges(name) == [None, "bytes=5000-"]
    assert (tmp_path / "downloads" / "train-images-idx3-ubyte.gz").read_bytes() == served.files[name]


def test_a_failed_download_goes_on_where_it_stopped(served, tmp_path, faults):
    broken = "fashion/t10k-images-idx3-ubyte.gz"
    served.faults[broken] = [faults["status"](503)] * 3
    with pytest.raises(DownloadError, match="503"):
        download_samples(tmp_path / "downloads", asked(served, "fashion_mnist", "fashion"), **PATIENCE)
    assert not (tmp_path / "downloads").exists()
    download_samples(tmp_path / "downloads", asked(served, "fashion_mnist", "fashion"), **PATIENCE)
    assert len(list((tmp_path / "downloads").iterdir())) == 4
    assert len(served.ranges("fashion/train-images-idx3-ubyte.gz")) == 1, "what was whole is not fetched again"


def test_only_the_official_files_are_verified(served, tmp_path):
    for source, folder, size in (("fashion_mnist", "fashion", "26,421,880"), ("cifar10", "", "170,052,171")):
        with pytest.raises(DownloadError, match=f"the right one {size}"):
            download_samples(tmp_path / source, asked(served, source, folder, verify=True), **PATIENCE)
        assert not (tmp_path / source).exists()


def test_a_web_page_never_becomes_a_set(served, tmp_path, faults):
    served.faults["cifar-10-binary.tar.gz"] = [faults["web page"]]
    with pytest.raises(DownloadError, match="web page"):
        download_samples(tmp_path / "downloads", asked(served, "cifar10", ""), **PATIENCE)
    assert not (tmp_path / "downloads").exists()


def test_unknown_sets_of_torchvision_are_refused(tmp_path):
    settings = {"source": "torchvision", "dataset": "MNISTT", "arguments": {}}
    with pytest.raises(SamplesError, match="has no 'MNISTT'"):
        download_samples(tmp_path / "downloads", settings)
    assert not (tmp_path / "downloads").exists()
