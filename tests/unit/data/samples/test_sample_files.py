"""Generated planes, idx files, CIFAR-10's records and the user's arrays become labelled samples, or say why not."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
from collections import Counter

import numpy as np
import pytest

from filterscope.data.samples import arrays, cifar, idx, planes, sources
from filterscope.data.samples.labelled_samples import SamplesError

# Debugger, table 1, by sets of 100 points; not every draw gives it, so the most frequent value counts.
BITS = {"xor": 10, "circle": 10, "gauss": 2, "moon": 10, "spiral": 12}


def expected_capacity(samples) -> int:
    """The rule (Debugger, 3.1.1), written out again."""
    order = np.lexsort((samples.labels, samples.values.sum(1)))
    changes = np.count_nonzero(np.diff(samples.labels[order]))
    return int(np.ceil(np.log2(changes + 1))) * 2


@pytest.mark.parametrize("name", planes.SHAPES)
def test_planes_need_the_published_bits(name):
    noise = 23 if name == "moon" else 35
    drawn = [planes.generated(name, 100, 0, noise, seed) for seed in range(40)]
    assert Counter(map(expected_capacity, drawn)).most_common(1)[0][0] == BITS[name]
    assert all(each.values.shape == (100, 2) and each.values.dtype == np.float32 for each in drawn)


def test_circle_and_spiral_lie_where_they_should():
    circle = planes.generated("circle", 1000, 0, None, 0)
    radius = np.linalg.norm(circle.values, axis=1)
    assert radius[circle.labels == 0].max() <= 2.5
    assert 3.5 <= radius[circle.labels == 1].min() < radius[circle.labels == 1].max() <= 5
    spiral = planes.generated("spiral", 100, 0, None, 0).values.astype(np.float64)
    assert np.allclose(spiral[:50], -spiral[50:], atol=1e-6), "one arm is the other, turned by half a turn"
    assert np.linalg.norm(spiral[49]) == pytest.approx(5 * 49 / 50)


def test_noise_is_as_strong_as_its_ratio_says():
    clean, noisy = (planes.generated("spiral", 4000, 0, noise, 0).values for noise in (None, 20))
    ratio = clean.var(0).mean() / (noisy - clean).var(0).mean()
    assert 10 * np.log10(ratio) == pytest.approx(20, abs=0.3)


def test_test_points_are_drawn_anew():
    samples = planes.generated("gauss", 50, 20, 35, 7)
    assert np.array_equal(samples.part("train").values, planes.generated("gauss", 50, 0, 35, 7).values)
    assert len(samples.part("test")) == 20
    with pytest.raises(SamplesError, match="1 training and 0 test points are too few"):
        planes.generated("gauss", 1, 0, 35, 0)


def idx_file(array: np.ndarray, kind: int = 8) -> bytes:
    return bytes([0, 0, kind, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


@pytest.fixture
def mnist(tmp_path):
    """Twelve and six pictures of 5 x 4 px in MNIST's files, half of them packed."""
    generator = np.random.default_rng(0)
    for prefix, count in (("train", 12), ("t10k", 6)):
        pictures = generator.integers(0, 256, (count, 5, 4)).astype(np.uint8)
        (tmp_path / f"{prefix}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_file(pictures)))
        (tmp_path / f"{prefix}-labels.idx1-ubyte").write_bytes(idx_file(np.arange(count, dtype=np.uint8) % 3))
    return tmp_path


def test_idx_files_are_read_packed_or_not(mnist):
    samples = idx.read_idx_folder(mnist, ("a", "b", "c"))
    assert samples.values.shape == (18, 1, 5, 4)
    assert samples.part("test").labels.tolist() == [0, 1, 2, 0, 1, 2]
    first = np.random.default_rng(0).integers(0, 256, (12, 5, 4)).astype(np.uint8)
    assert np.array_equal(samples.part("train").values[:, 0], first)


PACKED = gzip.compress(idx_file(np.zeros((6, 5, 4), np.uint8)), mtime=0)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t10k-labels.idx1-ubyte", None, r"none of t10k-labels-idx1-ubyte, .*t10k-labels\.idx1-ubyte\.gz in it"),
        ("t10k-labels.idx1-ubyte", idx_file(np.zeros(5, np.uint8)), "has 6 pictures, .* has 5 labels"),
        ("t10k-labels.idx1-ubyte", idx_file(np.full(6, 3, np.uint8)), "label 3, should be from 0 to 2"),
        (
            "t10k-labels.idx1-ubyte",
            idx_file(np.zeros(6, np.uint8))[:-2],
            r"4 bytes follow .* 6 for \[6\]; fetch it again",
        ),
        ("t10k-labels.idx1-ubyte", idx_file(np.zeros(6, np.uint8)) + b"x", "more than 6 bytes follow"),
        ("t10k-labels.idx1-ubyte", b"", "begins with nothing"),
        ("t10k-labels.idx1-ubyte", b"<!DOCTYPE html>", "begins with 3c 21 44 4f, should be 00 00 08: no idx file"),
        ("t10k-labels.idx1-ubyte", b"\0\0\x08\x01\0", "cut short in its header"),
        ("t10k-labels.idx1-ubyte", idx_file(np.zeros(6, ">f4"), 13), "holds type 0x0d"),
        ("t10k-images-idx3-ubyte.gz", PACKED[:-12], "damaged or cut short"),
        ("t10k-images-idx3-ubyte.gz", PACKED[:-8] + b"\0" * 4 + PACKED[-4:], "damaged or cut short"),
        ("t10k-images-idx3-ubyte.gz", idx_file(np.zeros((6, 4), np.uint8)), "rank 2, .* should be 3 and 1"),
        ("train-labels.idx1-ubyte", idx_file(np.arange(12, dtype=np.uint8) % 3 // 2 * 2), r"no sample .* 1 \(b\)"),
    ],
)
def test_broken_idx_files_are_named(mnist, name, content, said):
    (mnist / name).unlink()
    if content is not None:
        (mnist / name).write_bytes(content)
    if name.startswith("train"):  # every label is then 0 or 2
        (mnist / "t10k-labels.idx1-ubyte").write_bytes(idx_file(np.array([0, 2] * 3, np.uint8)))
    with pytest.raises(SamplesError, match=said):
        idx.read_idx_folder(mnist, ("a", "b", "c"))


def records(count: int, first: int = 0) -> bytes:
    labels = (np.arange(count) + first) % 10
    pixels = np.random.default_rng(first).integers(0, 256, (count, 3072))
    return np.concatenate([labels[:, None], pixels], axis=1).astype(np.uint8).tobytes()


@pytest.fixture
def cifar_files():
    return {**{f"data_batch_{n}.bin": records(4, 4 * n) for n in range(1, 6)}, "test_batch.bin": records(10)}


def packed(files: dict[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return memory.getvalue()


@pytest.mark.parametrize("layout", ["files", "folder", "archive"])
def test_cifar_is_read_however_it_lies(tmp_path, cifar_files, layout):
    folder = tmp_path if layout == "files" else tmp_path / "cifar-10-batches-bin"
    folder.mkdir(exist_ok=True)
    if layout == "archive":
        (tmp_path / cifar.ARCHIVE).write_bytes(packed({"readme.html": b"x", **cifar_files}))
    else:
        for name, content in cifar_files.items():
            (folder / name).write_bytes(content)
    samples = cifar.read_cifar10(tmp_path)
    assert samples.values.shape == (30, 3, 32, 32)
    assert samples.part("train").labels.tolist() == [n % 10 for n in range(4, 24)]
    second = np.frombuffer(cifar_files["data_batch_2.bin"], np.uint8).reshape(4, 3073)
    assert np.array_equal(samples.values[4:8].reshape(4, -1), second[:, 1:]), "plane by plane, row by row"
    assert samples.classes[3] == "cat"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("data_batch_3.bin", None, "no data_batch_3.bin in it, nor in cifar-10-binary.tar.gz"),
        ("data_batch_3.bin", records(4)[:-1], "data_batch_3.bin: 12,291 bytes, should be a multiple of 3,073"),
        ("test_batch.bin", b"", "test_batch.bin: 0 bytes"),
        ("test_batch.bin", b"\x0b" + records(1)[1:], "record 0 has the label 11, should be from 0 to 9"),
    ],
)
def test_broken_records_are_named(tmp_path, cifar_files, name, content, said):
    files = {**cifar_files, name: content}
    for each, data in files.items():
        if data is not None:
            (tmp_path / each).write_bytes(data)
    with pytest.raises(SamplesError, match=said):
        cifar.read_cifar10(tmp_path)


def test_archives_that_unpack_to_much_more_than_the_set_are_refused(tmp_path, cifar_files, mnist, monkeypatch):
    """Before it is all in memory: the idx file would be 200 MB, of which one byte too many is read."""
    monkeypatch.setattr(cifar, "_LARGEST", 20_000)
    (tmp_path / cifar.ARCHIVE).write_bytes(packed({**cifar_files, "data_batch_1.bin": bytes(30_000)}))
    with pytest.raises(SamplesError, match=r"data_batch_1\.bin has 30,000 bytes, should be 30,730,000"):
        cifar.read_cifar10(tmp_path)
    bomb = mnist / "bomb.gz"
    with gzip.open(bomb, "wb", compresslevel=1) as file:
        file.write(idx_file(np.zeros(6, np.uint8)))
        for _ in range(200):
            file.write(bytes(1_000_000))
    tracemalloc.start()
    with pytest.raises(SamplesError, match="more than 6 bytes follow the header"):
        idx.read_idx(bomb)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 5_000_000


def test_a_damaged_archive_is_named(tmp_path, cifar_files):
    (tmp_path / cifar.ARCHIVE).write_bytes(packed(cifar_files)[:-5000])
    with pytest.raises(SamplesError, match=r"cifar-10-binary\.tar\.gz: damaged or cut short"):
        cifar.read_cifar10(tmp_path)


def npz(path, **given):
    np.savez(path / "mine.npz", **given)
    return path / "mine.npz"


X = np.random.default_rng(1).normal(size=(20, 4))
Y = np.arange(20) % 2


def test_arrays_with_text_labels_and_without_a_test_split(tmp_path):
    names = np.where(Y == 0, "no", "yes")
    samples = arrays.read_arrays(npz(tmp_path, x=X, y=names), 0.3, seed=0)
    assert samples.classes == ("no", "yes")
    assert [len(samples.part(split)) for split in ("train", "test")] == [14, 6]
    assert samples.values.dtype == np.float32
    assert sorted(samples.values[:, 0]) == sorted(X[:, 0].astype(np.float32))


def test_arrays_with_their_own_test_split(tmp_path):
    path = npz(tmp_path, x=X, y=np.where(Y == 0, "no", "yes"), x_test=X[:2], y_test=np.array(["yes", "no"]))
    samples = arrays.read_arrays(path, 0.3, seed=0)
    assert samples.part("test").labels.tolist() == [1, 0]
    assert len(samples.part("train")) == 20


@pytest.mark.parametrize(
    ("shape", "kind", "found", "stored"),
    [
        ((20, 6, 5), np.uint8, (1, 6, 5), np.uint8),
        ((20, 6, 5, 3), np.uint8, (3, 6, 5), np.uint8),
        ((20, 3, 6, 5), np.float64, (3, 6, 5), np.float32),
        ((20, 6, 5, 1), np.int64, (1, 6, 5), np.uint8),
        ((20, 9), np.int32, (9,), np.float32),
        ((20, 9), bool, (9,), np.float32),
    ],
)
def test_arrays_of_pictures_get_their_channels_first(tmp_path, shape, kind, found, stored):
    values = np.random.default_rng(0).integers(0, 2, shape).astype(kind)
    samples = arrays.read_arrays(npz(tmp_path, x=values, y=Y), 0, seed=0)
    assert (samples.shape, samples.values.dtype) == (found, stored)
    if shape[-1] == 3:
        assert np.array_equal(samples.values[:, 2], values[..., 2])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"x": X}, r"mine\.npz: y missing; it holds x, should be x, y, x_test, y_test"),
        ({"x": X, "y": Y, "x_test": X}, "y_test missing"),
        ({"x": X, "y": Y[:-1]}, r"mine\.npz: x has 20 samples, y has 19 labels"),
        ({"x": X, "y": Y, "x_test": X, "y_test": Y[:3]}, "x_test has 20 samples, y_test has 3 labels"),
        ({"x": X, "y": np.zeros(20, int)}, "only one class, '0'"),
        ({"x": X, "y": Y + 1}, r"no sample has label 0 \(0\)"),
        ({"x": X, "y": Y * 2}, r"no sample has label 1 \(1\)"),
        ({"x": np.where(X > 1, np.nan, X), "y": Y}, "NaN or infinite"),
        ({"x": np.full((20, 2), 1e300), "y": Y}, "beyond the range of single precision"),
        ({"x": np.ones((20, 3, 4, 3)), "y": Y}, r"\[20, 3, 4, 3\]: either its second or its last axis"),
        ({"x": np.ones((20, 5, 4, 6)), "y": Y}, "either its second or its last axis should be channels"),
        ({"x": np.ones(20), "y": Y}, r"x is \[20\], should be \[N, d\]"),
        ({"x": np.array([["a"]] * 20), "y": Y}, "x is <U1, should be numbers"),
        ({"x": X, "y": Y, "x_test": X[:, :2], "y_test": Y}, r"different shapes: train \[4\], test \[2\]"),
        ({"x": X, "y": np.array(["a", "b"] * 10), "x_test": X[:1], "y_test": np.array(["c"])}, "label 'c' is no class"),
        (
            {"x": X, "y": np.array(["no", "yes"] * 10), "x_test": X[:2], "y_test": np.array([0, 1])},
            r"y holds text \(<U3\), y_test holds numbers \(int64\); should be the same kind of labels",
        ),
        (
            {"x": X, "y": Y, "x_test": X[:2], "y_test": np.array(["0", "1"])},
            r"y holds numbers \(int64\), y_test holds text \(<U1\); should be the same kind of labels",
        ),
    ],
)
def test_unusable_arrays_are_named(tmp_path, given, said):
    with pytest.raises(SamplesError, match=said):
        arrays.read_arrays(npz(tmp_path, **given), 0.2, seed=0)


def test_python_objects_and_garbage_are_refused(tmp_path):
    mixed = npz(tmp_path, x=X, y=np.array(["no", 1] * 10, dtype=object))
    with pytest.raises(SamplesError, match="arrays of Python objects are refused: give text or numbers"):
        arrays.read_arrays(mixed, 0.2, seed=0)
    for content in (b"", b"PK\x03\x04 not a zip", mixed.read_bytes()[:300]):
        mixed.write_bytes(content)
        with pytest.raises(SamplesError, match=r"mine\.npz: no readable npz file"):
            arrays.read_arrays(mixed, 0.2, seed=0)


def test_digits_are_pictures_and_every_source_has_a_reader():
    samples = sources.read("digits", None, {"train": 100, "test": None}, seed=0, test=0.25)
    assert samples.values.dtype == np.uint8
    assert (samples.values.min(), samples.values.max()) == (0, 255)
    assert [len(samples.part(split)) for split in ("train", "test")] == [100, 449]
    assert set(np.bincount(samples.part("train").labels)) <= {9, 10, 11}
    with pytest.raises(SamplesError, match="source is 'emnist', should be one of xor, circle"):
        sources.read("emnist", None, {}, seed=0)


def test_a_place_is_the_users_in_every_array(tmp_path):
    """Whatever the split makes of the order."""
    wrong = X.copy()
    wrong[13, 2] = np.inf
    with pytest.raises(SamplesError, match=r"mine\.npz: x\[13\] has NaN or infinite values, the first at \[2\]"):
        arrays.read_arrays(npz(tmp_path, x=wrong, y=Y), 0.3, seed=0)
    with pytest.raises(SamplesError, match=r"mine\.npz: x_test\[13\] has NaN"):
        arrays.read_arrays(npz(tmp_path, x=X, y=Y, x_test=wrong, y_test=Y), 0.3, seed=0)
    samples = arrays.read_arrays(npz(tmp_path, x=X, y=Y), 0.3, seed=0)
    rows = [int(origin[2:-1]) for origin in samples.origins]
    assert np.array_equal(samples.values, X[rows].astype(np.float32))


BIG = 2**24
SECONDS = 1.7e9 + np.arange(20.0)[:, None] * [1, 1000]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.arange(20)[:, None] + BIG - 10, r"x\[11, 0\] is 16777217, but single precision holds whole numbers up to"),
        (-np.arange(20)[:, None] - BIG, r"x\[1, 0\] is -16777217"),
        (np.arange(20, dtype=np.uint64)[:, None] + np.uint64(2**63), r"x\[0, 0\] is 9223372036854775808"),
        (np.array([[2**53 + 1]] * 20), r"x\[0, 0\] is 9007199254740993"),
        (np.full((20, 2, 2), BIG + 1), r"x\[0, 0, 0, 0\] is 16777217"),
        (SECONDS, r"column \[0\] of x goes from 1700000000\.0 to 1700000019\.0; single precision has steps of 128"),
        (np.linspace(1, 1 + 1e-6, 20)[:, None], r"column \[0\] of x goes from 1\.0 to 1\.000001"),
        # A single 0, or two eras, make the span of a column wide.
        (
            np.append(0, SECONDS[1:, 0])[:, None],
            r"column \[0\] of x goes from 0\.0 .*of 20 different values 2 would be left",
        ),
        (np.append(SECONDS[:10, 0], -SECONDS[:10, 0])[:, None], r"of 20 different values 2 would be left"),
    ],
)
def test_values_that_single_precision_would_make_equal(tmp_path, values, said):
    with pytest.raises(SamplesError, match=said):
        arrays.read_arrays(npz(tmp_path, x=values, y=Y), 0.2, seed=0)


@pytest.mark.parametrize(
    "values",
    [
        np.arange(20)[:, None] + BIG - 20,  # whole numbers up to 2^24, and beyond it those that fit
        np.arange(20)[:, None] * 2**10 + BIG,
        np.full((20, 1), 1.7e9 + 0.3),  # constant: nothing is lost that could be told apart
        np.random.default_rng(0).normal(1e6, 1e5, (20, 2)),
        np.random.default_rng(0).integers(0, 2**40, (20, 2)).astype(np.float64),  # rounding was chosen
        np.array([[1e-300], [1.0]] * 10),
        np.array([[0.1 + 0.2], [0.3], [0.7 + 0.1], [0.8]] * 5),  # the same but for how it was computed
        np.append(0, np.random.default_rng(0).integers(1, 2**40, 19))[:, None].astype(np.float64),
    ],
)
def test_values_that_single_precision_holds_well_enough(tmp_path, values):
    samples = arrays.read_arrays(npz(tmp_path, x=values, y=Y), 0.0, seed=0)
    assert np.array_equal(samples.values, values.astype(np.float32))


def test_pixels_in_a_wider_type_are_judged_together(tmp_path):
    """A training split that happens to be dark is no other kind of picture than its test split."""
    dark, bright = np.full((20, 4, 4), 200), np.full((20, 4, 4), 300)
    dark[:, 0, 0] = bright[:, 0, 0] = np.arange(20)
    given = {"x": dark, "y": Y, "x_test": bright, "y_test": Y}
    samples = arrays.read_arrays(npz(tmp_path, **given), 0, seed=0)
    assert samples.values.dtype == np.float32
    assert np.array_equal(samples.part("test").values[:, 0], bright)
    for wrong in ({"x_test": bright / 300}, {"x": dark.astype(np.uint8)}):
        with pytest.raises(SamplesError, match=r"x holds \w+, x_test holds \w+; should be the same"):
            arrays.read_arrays(npz(tmp_path, **given | wrong), 0, seed=0)
