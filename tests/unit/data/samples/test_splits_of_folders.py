"""Which folders are splits and which are classes, however they are spelt; what could be either is refused."""

from __future__ import annotations

import pytest
from PIL import Image
from tests.unit.data.samples.coloured import COLOURS, fill, flat, read, splits_of

from filterscope.data.samples.labelled_samples import SamplesError


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


def test_strange_classes_of_the_test_folder_are_named(tmp_path):
    fill(tmp_path / "train")
    fill(tmp_path / "test", classes=("apple", "cherry"))
    with pytest.raises(SamplesError, match="the test pictures have the class 'cherry', the train pictures not"):
        read(tmp_path)


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
