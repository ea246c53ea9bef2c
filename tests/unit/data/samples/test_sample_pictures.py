"""Class folders, torchvision's sets and the objects of a dataset become labelled pictures, or say why not."""

from __future__ import annotations

import gzip
import os
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from filterscope.data.rejection import RejectionError, Rejections
from filterscope.data.samples import class_folders, object_crops, torchvision_sets
from filterscope.data.samples.labelled_samples import SamplesError, write_samples

COLOURS = {"apple": (220, 20, 20), "berry": (20, 20, 220), "cherry": (90, 10, 40)}


def fill(folder, count=4, size=(12, 10), classes=("apple", "berry"), below="", suffix="png"):
    for name in classes:
        place = folder / name / below
        place.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.new("RGB", size, COLOURS[name]).save(place / f"{number}.{suffix}")
    return folder


def read(folder, size=None, test=0.0, limits=None, seed=0, bad=0.0):
    return class_folders.read_class_folders(folder, size, test, limits or {}, seed, Rejections(bad))


def test_folders_are_classes(tmp_path):
    samples = read(fill(tmp_path), test=0.25)
    assert samples.classes == ("apple", "berry")
    assert samples.shape == (3, 10, 12)
    assert [len(samples.part(split)) for split in ("train", "test")] == [6, 2]
    for label, colour in enumerate(COLOURS.values()):
        if label < 2:
            assert (samples.values[samples.labels == label] == np.array(colour)[:, None, None]).all()


def test_pictures_are_resized_and_the_share_is_seeded(tmp_path):
    fill(tmp_path, count=10, size=(40, 20))
    first, again, other = (read(tmp_path, size=8, test=0.3, seed=seed) for seed in (1, 1, 2))
    assert first.shape == (3, 8, 8)
    assert np.array_equal(first.split, again.split)
    assert len(other.part("test")) == 6


@pytest.mark.parametrize("name", ["test", "val"])
def test_train_and_test_folders(tmp_path, name):
    fill(tmp_path / "train", below="images")
    fill(tmp_path / name, count=1)
    samples = read(tmp_path)
    assert [len(samples.part(split)) for split in ("train", "test")] == [8, 2]


def test_the_list_of_tiny_imagenet_and_its_unlabelled_test(tmp_path):
    fill(tmp_path / "train", below="images")
    fill(tmp_path / "test", classes=("apple",))
    (tmp_path / "test" / "apple").rename(tmp_path / "test" / "images")
    fill(tmp_path / "val", count=2, classes=("apple", "berry"))
    flat = tmp_path / "val" / "images"
    flat.mkdir()
    lines = []
    for name in ("berry", "apple"):
        for number in range(2):
            (tmp_path / "val" / name / f"{number}.png").rename(flat / f"{name}{number}.png")
            lines.append(f"{name}{number}.png\t{name}\t0\t0\t9\t9")
    (tmp_path / "val" / "val_annotations.txt").write_text("\n".join(lines) + "\n")
    assert read(tmp_path).part("test").labels.tolist() == [1, 1, 0, 0]
    (tmp_path / "val" / "val_annotations.txt").write_text("berry0.png berry\n")
    with pytest.raises(SamplesError, match=r"val_annotations\.txt: line 1 should be a file, a tab and its class"):
        read(tmp_path)


def test_only_what_the_limit_leaves_is_decoded(tmp_path):
    fill(tmp_path / "train", count=6)
    fill(tmp_path / "val", count=2)
    for broken in list((tmp_path / "train").rglob("*.png")):
        broken.write_bytes(b"no picture")
    with pytest.raises(RejectionError, match="not a picture"):
        read(tmp_path, limits={"train": 4})
    fill(tmp_path / "train", count=6)
    assert len(read(tmp_path, limits={"train": 4, "test": 2})) == 6


def test_unusable_folders_are_named(tmp_path):
    with pytest.raises(SamplesError, match="there is no such folder"):
        read(tmp_path / "nowhere")
    with pytest.raises(SamplesError, match="no class folders in it"):
        read(tmp_path)
    fill(tmp_path, classes=("apple",))
    with pytest.raises(SamplesError, match="only one class, 'apple'"):
        read(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SamplesError, match=r"class folder .*empty is empty: no \.jpg"):
        read(tmp_path)
    (tmp_path / "empty").rmdir()
    fill(tmp_path, classes=("berry",), size=(9, 9))
    with pytest.raises(SamplesError, match="are 12 x 10 px and 9 x 9 px: pictures of mixed size need a `size`"):
        read(tmp_path)
    assert read(tmp_path, size=6).shape == (3, 6, 6)


def test_strange_classes_of_the_test_folder_are_named(tmp_path):
    fill(tmp_path / "train")
    fill(tmp_path / "test", classes=("apple", "cherry"))
    with pytest.raises(SamplesError, match="the test pictures have the class 'cherry', the train pictures not"):
        read(tmp_path)


def idx_file(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


@pytest.fixture
def kmnist(tmp_path):
    raw = tmp_path / "KMNIST" / "raw"
    raw.mkdir(parents=True)
    for prefix, count in (("train", 20), ("t10k", 10)):
        for kind, array in (
            ("images-idx3", np.random.default_rng(count).integers(0, 256, (count, 28, 28))),
            ("labels-idx1", np.arange(count) % 10),
        ):
            content = idx_file(array.astype(np.uint8))
            (raw / f"{prefix}-{kind}-ubyte").write_bytes(content)
            (raw / f"{prefix}-{kind}-ubyte.gz").write_bytes(gzip.compress(content))
    return tmp_path


def torchvision_set(dataset, root, size=None, arguments=None, test=0.2):
    return torchvision_sets.read_torchvision(dataset, root, size, arguments or {}, test, seed=0)


def test_a_set_with_a_train_switch(kmnist):
    samples = torchvision_set("KMNIST", kmnist)
    assert samples.shape == (1, 28, 28)
    assert len(samples.part("train")) == 20
    assert samples.part("test").labels.tolist() == list(range(10))
    assert samples.classes[0] == "o"
    assert torchvision_set("KMNIST", kmnist, size=14).shape == (1, 14, 14)


def test_sets_with_named_splits_and_without(tmp_path):
    for split, count in (("train", 3), ("val", 1)):
        folder = fill(tmp_path / "imagenette2" / split, count=count, size=(30, 20), suffix="jpeg")
        for name, synset in (("apple", "n01440764"), ("berry", "n02102040")):
            (folder / name).rename(folder / synset)
    samples = torchvision_set("Imagenette", tmp_path, size=8)
    assert samples.classes == ("tench", "English springer")
    assert [len(samples.part(split)) for split in ("train", "test")] == [6, 2]
    fill(tmp_path / "eurosat" / "2750", count=5)
    samples = torchvision_set("EuroSAT", tmp_path, test=0.4)
    assert samples.classes == ("apple", "berry")
    assert [len(samples.part(split)) for split in ("train", "test")] == [6, 4]


def test_what_torchvision_does_not_have_is_named(tmp_path, kmnist):
    with pytest.raises(SamplesError, match=r"torchvision\.datasets has no 'MNISTT'; it has .*KMNIST"):
        torchvision_set("MNISTT", tmp_path)
    with pytest.raises(SamplesError, match=r"FashionMNIST cannot be opened in .*not found"):
        torchvision_set("FashionMNIST", tmp_path)
    with pytest.raises(SamplesError, match="KMNIST has no argument 'splitt'; it has root, train"):
        torchvision_set("KMNIST", kmnist, arguments={"splitt": 1})
    fill(tmp_path / "eurosat" / "2750", count=2, size=(9, 9))
    fill(tmp_path / "eurosat" / "2750", count=1, size=(12, 9))
    with pytest.raises(SamplesError, match="pictures of mixed size need a `size`"):
        torchvision_set("EuroSAT", tmp_path)


@pytest.fixture
def dataset(tmp_path):
    """Three pictures of a red field at the left and a blue one at the right."""
    for number in range(3):
        pixels = np.zeros((40, 60, 3), np.uint8)
        pixels[10:30, 4:14] = COLOURS["apple"]
        pixels[5:35, 25:55] = COLOURS["berry"]
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    images = pd.DataFrame(
        {
            "image_id": range(3),
            "split": ["train", "train", "val"],
            "path": [f"{n}.png" for n in range(3)],
            "turned": False,
        }
    )
    rows = []
    for number in range(3):
        rows.append((number, "red square", ["red", "square"], 4.0, 10.0, 10.0, 20.0))
        rows.append((number, "blue star", ["blue", "star"], 25.0, 5.0, 30.0, 30.0))
    columns = ["image_id", "category", "tokens", "x", "y", "w", "h"]
    return images, pd.DataFrame(rows, columns=columns), tmp_path


def crops(dataset, by="category", size=10, smallest=0.0, min_count=1):
    return object_crops.read_crops(*dataset, by, size, smallest, min_count)


def test_objects_are_cut_out_with_the_square_around_their_box(dataset):
    samples = crops(dataset)
    assert samples.classes == ("blue star", "red square")
    assert samples.labels.tolist() == [1, 0, 1, 0, 1, 0]
    assert [len(samples.part(split)) for split in ("train", "test")] == [4, 2]
    assert (samples.values[1] == np.array(COLOURS["berry"])[:, None, None]).all(), "fills its square"
    red = samples.values[0, 0]
    assert (red[:, 0] < 40).all(), "what is beside the narrow box is in the picture too"
    assert (red[:, 4] == 220).all()


def test_small_rare_and_shapeless_objects(dataset):
    images, annotations, folder = dataset
    assert crops(dataset, by="shape").classes == ("square", "star")
    with pytest.raises(SamplesError, match="1 classes have at least 1 training objects of 12 px or more"):
        crops(dataset, smallest=12)
    annotations.loc[0, "category"] = "rare thing"
    assert crops((images, annotations, folder), min_count=1).classes == ("blue star", "rare thing", "red square")
    assert len(crops((images, annotations, folder), min_count=1)) == 6
    with pytest.raises(SamplesError, match="1 classes have at least 2 training objects"):
        crops((images, annotations, folder), min_count=2)
    annotations.at[0, "tokens"] = ["red"]
    with pytest.raises(SamplesError, match=r"image 0 has tokens \['red'\]: no shape"):
        crops((images, annotations, folder), by="shape")
    with pytest.raises(SamplesError, match="by is 'colour'"):
        crops(dataset, by="colour")


def splits_of(samples):
    return {split: len(samples.part(split)) for split in ("train", "test") if (samples.split == split).any()}


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("Train", "Test"),
        ("TRAIN", "VAL"),
        ("training", "testing"),
        ("Training", "Validation"),
        ("train_set", "test_set"),
        ("training-images", "valid"),
        ("train2017", "val2017"),
        ("trainval", "test"),
        ("train", "eval"),
        ("train data", "dev"),
        ("train_dataset", "test_dataset"),
    ],
)
def test_other_spellings_of_the_splits(tmp_path, train, test):
    fill(tmp_path / train)
    fill(tmp_path / test, count=1)
    samples = read(tmp_path, test=0.5)
    assert samples.classes == ("apple", "berry")
    assert splits_of(samples) == {"train": 8, "test": 2}
    assert samples.part("test").origins.tolist() == [f"{test}/apple/0.png", f"{test}/berry/0.png"]


def flat(folder, count=3, suffix="png"):
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (12, 10), (number, 9, 9)).save(folder / f"{number}.{suffix}")
    return folder


def test_layouts_that_could_be_read_in_two_ways_are_refused(tmp_path):
    flat(tmp_path / "a" / "Train"), flat(tmp_path / "a" / "Test")
    with pytest.raises(SamplesError, match="Train, Test are called like splits, but in Train every class needs"):
        read(tmp_path / "a")
    fill(tmp_path / "b" / "test"), fill(tmp_path / "b" / "val")
    with pytest.raises(SamplesError, match="test, val are called like splits, but train/ is missing"):
        read(tmp_path / "b")
    fill(tmp_path / "c"), flat(tmp_path / "c" / "test")
    with pytest.raises(SamplesError, match="test is called like a split, but lies beside the classes apple, berry"):
        read(tmp_path / "c")
    fill(tmp_path / "d" / "train"), fill(tmp_path / "d" / "Training")
    with pytest.raises(SamplesError, match="Training, train are all called like a training split"):
        read(tmp_path / "d")
    for name in COLOURS:
        flat(tmp_path / "e" / name / "train"), flat(tmp_path / "e" / name / "test")
    with pytest.raises(SamplesError, match="apple: a class with splits in it; should be the other way round"):
        read(tmp_path / "e")
    fill(tmp_path / "f" / "archive" / "apples"), fill(tmp_path / "f" / "archive" / "berries")
    with pytest.raises(SamplesError, match="only one folder in it, archive; the classes are below: name that one"):
        read(tmp_path / "f")


@pytest.mark.parametrize(
    ("names", "named"),
    [
        (("train", "test1"), "test1, train"),  # Kaggle's dogs and cats
        (("train", "test_stg1", "test_stg2"), "test_stg1, test_stg2, train"),
        (("seg_train", "seg_test", "seg_pred"), "seg_test, seg_train"),  # Intel's scenes
        (("images_train", "images_test"), "images_test, images_train"),
        (("trainA", "trainB", "testA", "testB"), "testA, testB, trainA, trainB"),  # CycleGAN's
        (("Train cropped", "Validation raw"), "Train cropped, Validation raw"),
        (("2017train", "2017val"), "2017train, 2017val"),
        (("myTest1", "myVal2", "masks"), "myTest1, myVal2"),
    ],
)
@pytest.mark.parametrize("make", [fill, flat])
def test_no_spelling_of_a_split_becomes_a_class(tmp_path, make, names, named):
    for name in names:
        make(tmp_path / name)
    if names[0] == "train" and make is fill:  # then the training split is known
        with pytest.raises(SamplesError, match=rf"{names[1]}.* has classes of train; should be called test or val"):
            read(tmp_path)
        return
    with pytest.raises(SamplesError, match=f": {named} look like splits; those should be called train"):
        read(tmp_path)


def test_a_class_with_splits_of_any_spelling_in_it(tmp_path):
    for name in COLOURS:
        flat(tmp_path / name / "my_train"), flat(tmp_path / name / "my_test")
    with pytest.raises(SamplesError, match="apple: a class with splits in it; should be the other way round"):
        read(tmp_path)


@pytest.mark.parametrize(
    "names",
    [
        ("train", "bus", "car", "bullet_train"),
        ("bullet_train", "test_tube", "bottle"),
        ("freight_train", "steam_train"),
        ("strain", "contest", "interval"),
        ("test_tube", "bottle"),
        ("training_shoe", "valley", "TRAINS"),
    ],
)
def test_classes_with_a_word_for_a_split_in_them(tmp_path, names):
    for name in names:
        flat(tmp_path / name)
    assert set(read(tmp_path).classes) == set(names)


def test_another_folder_beside_both_splits_is_left_aside(tmp_path, caplog):
    fill(tmp_path / "train"), fill(tmp_path / "test", count=1), fill(tmp_path / "test_small")
    assert splits_of(read(tmp_path)) == {"train": 8, "test": 2}
    assert "left aside beside train: test_small" in caplog.text


def test_training_pictures_beside_the_training_split_are_no_test_split(tmp_path, caplog):
    fill(tmp_path / "train"), fill(tmp_path / "train_extra"), flat(tmp_path / "test_unlabelled")
    assert splits_of(read(tmp_path, test=0.25)) == {"train": 6, "test": 2}
    assert "left aside beside train: test_unlabelled, train_extra" in caplog.text


def test_a_test_folder_with_other_names_is_no_reason_to_go_without(tmp_path):
    fill(tmp_path / "train")
    fill(tmp_path / "val", classes=("apple",))
    (tmp_path / "val" / "apple").rename(tmp_path / "val" / "Apple")
    with pytest.raises(SamplesError, match="val: has the classes Apple, the training split has apple, berry"):
        read(tmp_path)


def test_what_is_left_aside_is_told(tmp_path, caplog):
    fill(tmp_path / "train"), fill(tmp_path / "test", count=1), fill(tmp_path / "val", count=2)
    flat(tmp_path / "unlabelled")
    Image.new("RGB", (9, 9)).save(tmp_path / "train" / "loose.png")
    assert splits_of(read(tmp_path)) == {"train": 8, "test": 2}
    assert "left aside beside train: unlabelled" in caplog.text
    assert "train: 1 pictures beside the class folders are left aside (loose.png)" in caplog.text
    assert f"{tmp_path / 'val'}: left aside, another folder is the test split" in caplog.text


def test_a_training_folder_alone_gives_its_share_as_every_other_source(tmp_path, caplog):
    fill(tmp_path / "train")
    flat(tmp_path / "test")  # without classes, as of a competition
    assert splits_of(read(tmp_path, test=0.25)) == {"train": 6, "test": 2}
    assert "test: left aside, it has no class of the training split" in caplog.text
    assert "has no pictures to test by: 0.25 of every class of train will do" in caplog.text
    assert splits_of(read(tmp_path)) == {"train": 8}


def test_a_class_may_be_a_train(tmp_path, caplog):
    flat(tmp_path / "train"), flat(tmp_path / "bus")
    assert read(tmp_path).classes == ("bus", "train")
    assert "train is read as a class, as bus" in caplog.text


def test_litter_and_links_back_are_no_classes(tmp_path):
    fill(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path)
    flat(tmp_path / "__MACOSX"), flat(tmp_path / "apple" / "@eaDir")
    samples = read(tmp_path)
    assert samples.classes == ("apple", "berry")
    assert len(samples) == 8


def test_a_class_of_one_picture_is_named(tmp_path):
    fill(tmp_path), fill(tmp_path, count=1, classes=("cherry",))
    with pytest.raises(SamplesError, match="class 'cherry' has a single sample, which cannot be on both sides"):
        read(tmp_path, test=0.4)


def test_a_link_that_leads_nowhere_is_named(tmp_path):
    fill(tmp_path)
    (tmp_path / "apple" / "annexed.png").symlink_to("nowhere.png")
    with pytest.raises(RejectionError, match=r"apple/annexed\.png: a link that leads nowhere"):
        read(tmp_path)


def test_as_many_broken_pictures_as_allowed_are_left_out_and_named(tmp_path, caplog):
    """The share is of all pictures that are looked at, of both splits."""
    fill(tmp_path / "train"), fill(tmp_path / "test")
    (tmp_path / "train" / "apple" / "1.png").write_bytes(b"no picture")
    (tmp_path / "test" / "berry" / "0.png").unlink()
    (tmp_path / "test" / "berry" / "0.png").symlink_to("nowhere.png")
    with pytest.raises(RejectionError, match=r"2 of 16 images \(12\.500%\) cannot be used") as caught:
        read(tmp_path, bad=0.12)
    for named in ("image train/apple/1.png: not a picture", "image test/berry/0.png: a link that leads nowhere"):
        assert named in str(caught.value)
    rejections = Rejections(0.125)
    samples = class_folders.read_class_folders(tmp_path, None, 0.0, {}, 0, rejections)
    assert [len(samples.part(split)) for split in ("train", "test")] == [7, 7]
    assert not {"train/apple/1.png", "test/berry/0.png"} & set(samples.origins)
    for origin, label, values in zip(samples.origins, samples.labels, samples.values, strict=True):
        name = samples.classes[label]
        assert name in origin
        assert values[:, 0, 0].tolist() == list(COLOURS[name]), "labels and pictures still belong together"
    assert rejections.table()["item"] == ["image train/apple/1.png", "image test/berry/0.png"]
    assert "2 of 16 images (12.500%) left out" in caplog.text


def test_what_cannot_be_read_takes_no_class_and_no_split_with_it(tmp_path):
    fill(tmp_path / "train"), fill(tmp_path / "test")
    for broken in (tmp_path / "train" / "apple").iterdir():
        broken.write_bytes(b"no picture")
    with pytest.raises(SamplesError, match="no picture of the class 'apple' to train on can be read"):
        read(tmp_path, bad=1.0)
    for broken in (tmp_path / "test").rglob("*.png"):
        broken.write_bytes(b"no picture")
    with pytest.raises(SamplesError, match="no picture of the test split can be read"):
        read(tmp_path, bad=1.0)


def test_a_raw_file_is_not_its_thumbnail(tmp_path):
    fill(tmp_path)
    Image.new("RGB", (12, 10)).save(tmp_path / "apple" / "9.dng", format="TIFF")  # Pillow shows the thumbnail of such
    with pytest.raises(RejectionError, match=r"apple/9\.dng: a camera's raw file; save it as JPEG or PNG"):
        read(tmp_path)
    assert len(read(tmp_path, bad=0.2)) == 8


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_no_unicode_are_rejected(tmp_path):
    folder = fill(tmp_path / "in")
    os.rename(folder / "apple" / "0.png", os.fsencode(folder / "apple") + b"/\xff.png")
    with pytest.raises(RejectionError, match=r"apple/\\udcff\.png: the name is not in Unicode; rename the file"):
        read(folder)
    samples = read(folder, bad=0.2)
    write_samples(samples, tmp_path / "samples.parquet")
    assert len(samples) == 7
    os.rename(folder / "apple", os.fsencode(folder) + b"/\xff")
    with pytest.raises(SamplesError, match=r"no picture of the class '\\udcff' to train on can be read"):
        read(folder, bad=1.0)


def test_a_picture_of_too_many_pixels_is_not_decoded(tmp_path, monkeypatch):
    """Torchvision knows no bound: a JPEG of some kilobytes could fill the memory."""
    fill(tmp_path, suffix="jpg")
    Image.new("RGB", (60, 40)).save(tmp_path / "apple" / "large.jpg")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(RejectionError, match=r"apple/large\.jpg: the picture has 0 million pixels.* scale it down"):
        read(tmp_path)
    assert len(read(tmp_path, bad=0.2)) == 8
