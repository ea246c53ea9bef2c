"""COCO's annotations of three pictures, and what writes them."""

import copy
import json

CATEGORIES = [{"id": 1, "name": "dog"}, {"id": 58, "name": "hot dog"}, {"id": 90, "name": "kite"}]
WIDTH, HEIGHT = 40, 30


def annotation(number, image, category, **changes):
    left = number % 20
    square = [left, 5, left + 10, 5, left + 10, 15, left, 15]
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "segmentation": [square],
        "bbox": [left, 5, 10, 10],
        "area": 100,
        "iscrowd": 0,
        **changes,
    }


def image(number):
    return {"id": number, "file_name": f"{number:012}.jpg", "width": WIDTH, "height": HEIGHT}


RUNS = {"size": [HEIGHT, WIDTH], "counts": [0, 60, HEIGHT * WIDTH - 60]}


TRAIN = {
    "images": [image(9), image(4)],
    "annotations": [
        annotation(23, 9, 58),
        annotation(21, 9, 1),
        annotation(24, 9, 1),
        annotation(25, 4, 90, segmentation=RUNS),
        annotation(26, 4, 1, segmentation=RUNS, iscrowd=1),
    ],
    "categories": CATEGORIES,
}

VAL = {"images": [image(7)], "annotations": [annotation(30, 7, 1)], "categories": CATEGORIES}


def write(folder, change=lambda train, val: None):
    train, val = copy.deepcopy(TRAIN), copy.deepcopy(VAL)
    change(train, val)
    for split, content in (("train", train), ("val", val)):
        (folder / "annotations" / f"instances_{split}2017.json").write_text(json.dumps(content))


def first(train, **changes):
    """Changes annotation 23, or removes what is changed to None."""
    train["annotations"][0].update(changes)
    for key in [key for key, value in changes.items() if value is None]:
        del train["annotations"][0][key]


def put(train, key, value):
    train["annotations"][0][key] = value


def findings(found):
    return dict(zip(found.findings["finding"], found.findings["count"], strict=True))
