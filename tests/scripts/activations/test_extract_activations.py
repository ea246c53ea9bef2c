"""extract_activations looks at every image once, pools under every mask, and says what it left out."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as coco_mask

from filterscope import tables
from filterscope.activations.extraction import ActivationError
from filterscope.data.networks import building
from filterscope.data.rejection import RejectionError

CELLS, SIDE = 16, 64


def read(study, where=None, total=2):
    """Tables of all shards."""
    kinds = {"pooled": "pooled_activations", "image": "image_activations", "rejected": "rejected"}
    return {kind: tables.read(study.shards(kind, total, where), name) for kind, name in kinds.items()}


@pytest.fixture
def pictures(study, tmp_path):
    """The pictures, free to be spoilt."""
    return shutil.copytree(study.pictures, tmp_path / "pictures")


def test_pools_what_the_network_sees_under_every_mask(study):
    """Against the slow way: one picture, one mask, mask at map resolution, mean over the map."""
    found = read(study)
    annotations, images = study.table("annotations"), study.table("images")
    network = building.load(study.probe().network, study.weights)
    assert sorted(found["pooled"]["annotation_id"].to_pylist()) == annotations["annotation_id"].tolist()
    assert found["image"]["image_id"].to_pylist() == images["image_id"].tolist()
    assert found["image"]["split"].to_pylist() == images["split"].tolist()
    assert found["rejected"].num_rows == 0
    vectors = dict(
        zip(found["pooled"]["annotation_id"].to_pylist(), tables.matrix(found["pooled"]["vector"]), strict=True)
    )
    rows = found["pooled"].to_pandas().set_index("annotation_id")
    for each in annotations.itertuples():
        pixels = np.asarray(Image.open(study.pictures / f"{each.image_id}.png")).transpose(2, 0, 1)
        maps = network(torch.from_numpy(pixels[None].astype(np.float32) / 255))[0]
        mask = coco_mask.decode({"size": [SIDE, SIDE], "counts": each.mask}).astype(np.float32)
        shares = torch.from_numpy(mask).view(CELLS, 4, CELLS, 4).mean((1, 3))
        expected = (maps * shares).sum((1, 2)) / CELLS**2
        assert np.abs(vectors[each.annotation_id] - expected.numpy()).max() < 1e-6
        row = rows.loc[each.annotation_id]
        assert (row["image_id"], list(row["tokens"])) == (each.image_id, list(each.tokens))
        assert row["split"] == images["split"][each.image_id]
        place = each.image_id
        np.testing.assert_allclose(tables.matrix(found["image"]["maximum"])[place], maps.amax((1, 2)), atol=1e-6)
        np.testing.assert_allclose(tables.matrix(found["image"]["mean"])[place], maps.mean((1, 2)), atol=1e-6)


@pytest.mark.parametrize("total", [1, 3])
def test_shards_do_not_matter(study, tmp_path, total):
    study.extract(total, tmp_path)
    for kind, own in read(study, tmp_path, total).items():
        expected = read(study)[kind]
        assert own.num_rows == expected.num_rows
        for name in own.column_names:
            if name in ("vector", "maximum", "mean"):
                np.testing.assert_allclose(tables.matrix(own[name]), tables.matrix(expected[name]), atol=1e-6)
            else:
                assert own[name].to_pylist() == expected[name].to_pylist()


@pytest.mark.parametrize("workers", [0, 2])
def test_same_bytes_every_time(study, tmp_path, workers):
    study.extract(2, tmp_path, settings=replace(study.extraction, workers=workers))
    for kind in ("pooled", "image", "tails", "rejected"):
        for own, again in zip(study.shards(kind), study.shards(kind, 2, tmp_path), strict=True):
            assert own.read_bytes() == again.read_bytes()


def test_pictures_without_annotations_are_looked_at_all_the_same(study, tmp_path):
    study.extract(2, tmp_path, path_to_annotations=None)
    found = read(study, tmp_path)
    assert found["pooled"].num_rows == 0
    assert found["image"].equals(read(study)["image"])


def test_vanished_masks_are_dropped_counted_and_listed(study, tmp_path):
    """A mask of one pixel beside a cell's centre: gone when sampled, kept when its share counts."""
    annotations = tables.read(study.annotations, "annotations").to_pandas()
    tiny = np.zeros((SIDE, SIDE), np.uint8, order="F")
    tiny[0, 0] = 1
    annotations.at[3, "mask"] = coco_mask.encode(tiny)["counts"]
    tables.write(annotations, "annotations", tmp_path / "annotations.parquet")
    for masks in ("nearest", "soft"):
        where = tmp_path / masks
        settings = replace(study.extraction, masks=masks)
        study.extract(2, where, path_to_annotations=tmp_path / "annotations.parquet", settings=settings)
        found = read(study, where)
        ids = found["pooled"]["annotation_id"].to_pylist()
        if masks == "soft":
            assert len(ids) == len(annotations)
            continue
        assert 3 not in ids
        assert len(ids) == len(annotations) - 1
        assert found["rejected"].to_pylist() == [{"item": "mask 3", "reason": "covers nothing at 16 x 16 cells"}]


def test_an_unreadable_picture_stops_and_leaves_nothing(study, pictures, tmp_path):
    (pictures / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n cut short")
    with pytest.raises(RejectionError, match=r"image 2: .*2\.png"):
        study.extract(1, tmp_path / "shards", folder=pictures)
    assert not list((tmp_path / "shards").glob("*"))


def test_as_many_unreadable_pictures_as_allowed_are_left_out_and_listed(study, pictures, tmp_path):
    """Also after masks have vanished, which are counted apart."""
    (pictures / "2.png").unlink()
    Image.new("RGB", (SIDE, 20)).save(pictures / "9.png")
    annotations = tables.read(study.annotations, "annotations").to_pandas()
    tiny = np.zeros((SIDE, SIDE), np.uint8, order="F")
    tiny[0, 0] = 1
    annotations.at[0, "mask"] = coco_mask.encode(tiny)["counts"]
    tables.write(annotations, "annotations", tmp_path / "annotations.parquet")
    arguments = {
        "folder": pictures,
        "settings": replace(study.extraction, masks="nearest", batch_size=2),
        "path_to_annotations": tmp_path / "annotations.parquet",
    }
    study.extract(1, tmp_path, max_bad_fraction=2 / 24, **arguments)
    found = read(study, tmp_path, 1)
    assert found["image"]["image_id"].to_pylist() == [n for n in range(24) if n not in (2, 9)]
    assert set(found["pooled"]["image_id"].to_pylist()) == set(range(24)) - {2, 9}
    items = dict(zip(found["rejected"]["item"].to_pylist(), found["rejected"]["reason"].to_pylist(), strict=True))
    assert list(items) == ["image 2", "image 9", "mask 0"]
    assert "the file is missing" in items["image 2"]
    assert "is 64 x 20 px, the images table says 64 x 64 px" in items["image 9"]
    with pytest.raises(RejectionError, match=r"2 of 24 images"):
        study.extract(1, tmp_path / "other", max_bad_fraction=1 / 24, **arguments)
    assert not list((tmp_path / "other").glob("*"))


def test_nan_activations_name_the_layer_and_the_image(study, pictures, tmp_path):
    Image.new("RGB", (SIDE, SIDE), "white").save(pictures / "13.png")
    # The poison stands first, so the layers' numbers are one higher; the weights have other names.
    weights = torch.load(study.weights, weights_only=True)
    torch.save({f"1.{name[2:]}": each for name, each in weights.items()}, tmp_path / "weights.pt")
    arguments = {
        "folder": pictures,
        "probes": [study.probe("poisoned", "2")],
        "path_to_weights": tmp_path / "weights.pt",
    }
    with pytest.raises(ActivationError, match="layer 2: NaN or infinite activations at image 13"):
        study.extract(1, tmp_path / "shards", **arguments)
    assert not list((tmp_path / "shards").glob("*"))


def test_more_shards_than_images_are_refused(study, tmp_path):
    with pytest.raises(ValueError, match="shards is 25, more than the 24 images"):
        study.extract(25, tmp_path)
