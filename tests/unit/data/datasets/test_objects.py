"""objects.json becomes arrays; what is odd in it is counted, left out or refused, by name."""

import json

import pytest

from filterscope.data.datasets.objects import VisualGenomeError, category_of, read_objects
from filterscope.data.rejection import Rejections


def thing(number, *synsets, box=(1, 2, 3, 4), **changes):
    x, y, w, h = box
    entry = {"object_id": number, "synsets": list(synsets), "names": ["a thing"], "x": x, "y": y, "w": w, "h": h}
    return {**entry, **changes}


@pytest.fixture
def read(tmp_path):
    """Reads these images; returns what is listed, and what was left out."""

    def read(*images, text=None, **settings):
        path = tmp_path / "objects.json"
        content = [{"image_id": image, "objects": objects} for image, objects in images]
        path.write_bytes(json.dumps(content).encode() if text is None else text)
        rejections = Rejections(1)
        return read_objects(path, rejections, **settings), rejections.table()

    return read


@pytest.mark.parametrize(
    ("synset", "word", "lemma"),
    [
        ("tree.n.01", "tree", "tree"),
        ("traffic_light.n.01", "traffic", "traffic_light"),
        ("t-shirt.n.01", "t-shirt", "t-shirt"),
        ("tree", "tree", "tree"),
    ],
)
def test_category_is_the_first_word_of_the_lemma_or_the_lemma(synset, word, lemma):
    assert category_of(synset) == word
    assert category_of(synset, whole_names=True) == lemma


def categories(listed):
    return [
        (int(n), listed.names[c] if c >= 0 else None) for n, c in zip(listed.numbers, listed.categories, strict=True)
    ]


def test_objects_boxes_and_images_keep_their_places(read):
    listed, rejected = read(
        (7, [thing(1, "tree.n.01", box=(0, 0, 9, 5))]), (3, []), (9, [thing(2, "car.n.01"), thing(3, "tree.n.01")])
    )
    assert listed.image_ids.tolist() == [7, 3, 9]
    assert listed.images.tolist() == [0, 2, 2]
    assert listed.boxes.tolist() == [[0, 0, 9, 5], [1, 2, 3, 4], [1, 2, 3, 4]]
    assert categories(listed) == [(1, "tree"), (2, "car"), (3, "tree")]
    assert listed.findings["images without objects"] == 1
    assert rejected["item"] == []


def test_several_synsets_count_as_configured(read):
    images = (
        1,
        [thing(1, "computer.n.01", "computer_monitor.n.01"), thing(2, "tree.n.01", "car.n.01"), thing(3, "car.n.01")],
    )
    first, _ = read(images)
    assert categories(first) == [(1, "computer"), (2, "tree"), (3, "car")]
    each, _ = read(images, several_synsets="each")
    assert categories(each) == [(1, "computer"), (2, "tree"), (2, "car"), (3, "car")]  # one category counts once
    assert each.is_object.tolist() == [True, True, False, True]
    assert each.count() == {"images": 1, "annotations": 3, "categories": 3}
    whole, _ = read(images, several_synsets="each", whole_names=True)
    assert categories(whole)[:2] == [(1, "computer"), (1, "computer_monitor")]
    none, _ = read(images, several_synsets="drop")
    assert categories(none) == [(1, None), (2, None), (3, "car")]
    for listed in (first, each, none):
        assert listed.findings["objects with several synsets"] == 2


def test_objects_without_a_synset_count_as_configured(read):
    images = (1, [thing(1), thing(2, names=["Tree trunk"]), thing(3, names=[]), thing(4, "car.n.01")])
    dropped, rejected = read(images)
    assert categories(dropped) == [(1, None), (2, None), (3, None), (4, "car")]
    assert dropped.findings["objects without a synset"] == 3
    assert rejected["item"] == []  # one in fourteen of the official objects has none: that is no mistake
    named, _ = read(images, without_synset="name", whole_names=True)
    assert categories(named) == [(1, "a_thing"), (2, "tree_trunk"), (3, None), (4, "car")]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("tree", "it is 'tree', should be an object with x, y, w and h"),
        (thing(5, "a.n.01", object_id="5"), "its object_id is '5', should be a whole number"),
        (thing(5, "a.n.01", x="1"), "its box is '1', 2, 3, 4, should be four numbers"),
        (thing(5, "a.n.01", h=None), "its box is 1, 2, 3, None, should be four numbers"),
        (thing(5, "a.n.01", w=True), "its box is 1, 2, True, 4, should be four numbers"),
        (thing(5, "a.n.01", w=10**400), "its box is not finite"),
        (thing(5, "a.n.01", w=float("nan")), "its box is not finite"),
        (thing(5, "a.n.01", synsets="a.n.01"), "its synsets are 'a.n.01', should be a list of names"),
        (thing(5, "a.n.01", synsets=["\ud800.n.01"]), "should be a list of names in Unicode"),
        (thing(5, "a.n.01", object_id=2**63), "its object_id is 9223372036854775808"),
        (thing(5, ".n.01"), "one of which names nothing"),
    ],
)
def test_broken_objects_are_left_out_by_name(read, entry, reason):
    listed, rejected = read((1, [thing(4, "tree.n.01"), entry]))
    assert categories(listed) == [(4, "tree")]
    assert listed.objects == 2  # the share that is unusable is of all that are listed
    assert len(rejected["item"]) == 1
    assert "(image 1)" in rejected["item"][0]
    assert reason in rejected["reason"][0]


def test_numbers_between_pixels_are_kept_as_they_are(read):
    listed, rejected = read((1, [thing(4, "tree.n.01", box=(1.5, 2.25, 3, 4))]))
    assert listed.boxes.tolist() == [[1.5, 2.25, 3, 4]]
    assert rejected["item"] == []


def test_an_image_that_is_listed_twice_is_refused(read):
    with pytest.raises(VisualGenomeError, match="1 images are listed more than once: 7"):
        read((7, [thing(1, "a.n.01")]), (8, []), (7, [thing(2, "b.n.01")]))


def test_lists_without_images_or_objects_are_refused(read):
    with pytest.raises(VisualGenomeError, match=r"objects\.json: an empty list; fetch the file again"):
        read()
    with pytest.raises(VisualGenomeError, match="no objects in any of its images"):
        read((1, []), (2, []))


def test_a_file_that_is_cut_short_is_refused_with_its_length(read):
    whole = json.dumps([{"image_id": 1, "objects": [thing(1, "tree.n.01")]}] * 3).encode()
    with pytest.raises(
        VisualGenomeError, match=r"objects\.json: not a whole JSON list: cut short after byte 200 .*; fetch"
    ):
        read(text=whole[:200])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"image_id": 1}', r"byte 0: .*should begin with \["),
        (b'[{"id": 1, "objects": []}]', "the entry at byte 1 has the image_id None, should be a whole number"),
        (b'[{"image_id": "1", "objects": []}]', "the entry at byte 1 has the image_id '1'"),
        (b'[{"image_id": 1, "objects": []}, 5]', "the entry at byte 33 has the image_id None"),
        (b'[{"image_id": 9223372036854775808, "objects": []}]', "the image_id 9223372036854775808, should be a whole"),
        (b'[{"image_id": 1.0, "objects": []}]', r"the image_id 1\.0, should be a whole"),
        (
            '[{"image_id": 1, "objects": [{"names": ["café"]}]}]'.encode("latin1"),
            "byte 44: not UTF-8; it may be in Latin-1",
        ),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS.*should be a JSON list"),
        (b"\x1f\x8b\x08" + bytes(20), "compressed by gzip: unpack it"),
        (b'[{"image_id": 1, "regions": []}]', "image 1, at byte 1, has no list of objects"),
    ],
)
def test_files_of_another_form_are_refused_with_the_byte(read, text, said):
    with pytest.raises(VisualGenomeError, match=said):
        read(text=text)


def test_a_byte_order_mark_is_passed_over(read):
    whole = json.dumps([{"image_id": 1, "objects": [thing(1, "tree.n.01")]}]).encode()
    listed, _ = read(text=b"\xef\xbb\xbf" + whole)
    assert categories(listed) == [(1, "tree")]
    with pytest.raises(VisualGenomeError, match="the entry at byte 4 has the image_id None"):
        read(text=b"\xef\xbb\xbf[5]")


def test_unknown_settings_are_refused(read):
    with pytest.raises(ValueError, match="several_synsets is 'all', should be one of first, each, drop"):
        read((1, [thing(1, "a.n.01")]), several_synsets="all")
    with pytest.raises(ValueError, match="without_synset is 'keep', should be one of drop, name"):
        read((1, [thing(1, "a.n.01")]), without_synset="keep")


@pytest.mark.real
def test_the_official_file_of_fifteen_images(realdata):
    """Counted with the standard library: 460 objects, 35 without a synset, 2 with several, 176 synsets."""
    path = realdata / "visual_genome" / "objects.json"
    rejections = Rejections(0)
    listed = read_objects(path, rejections, several_synsets="each", whole_names=True)
    rejections.check(image=15, annotation=460)
    entries = [each for image in json.loads(path.read_text()) for each in image["objects"]]
    assert listed.objects == len(entries) == 460
    assert listed.findings == {
        "objects without a synset": 35,
        "objects with several synsets": 2,
        "images without objects": 0,
    }
    lemmas = {synset.split(".")[0] for each in entries for synset in each["synsets"]}
    assert set(listed.names) == lemmas
    assert "parking_meter" in lemmas
    assert listed.boxes[listed.is_object].tolist() == [[each[key] for key in "xywh"] for each in entries]
