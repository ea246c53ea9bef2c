"""render_sheets: one picture per filter, which shows its top images and dims them where it is silent."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from filterscope import tables
from filterscope.words import sheets
from words.explaining.render_sheets import render_sheets


def rendered(study, folder, **changed):
    arguments = {
        "path_to_images": study.images,
        "path_to_top_images": study.top_images,
        "path_to_thresholds": study.thresholds,
        "path_to_weights": study.weights,
        "paths_to_maps": [],
        "path_to_image_words": study.words_by_image,
        "path_to_words": study.filter_words,
        "path_to_names": study.filter_names,
        "path_to_claims": study.filter_claims,
        "path_to_sheets": folder / "sheets",
        "folder": study.pictures,
        "probe": study.probe(),
        "activations": study.extraction,
        "best": 2,
        "also": [],
        "images_per_sheet": 3,
        "name": "p on d",
    }
    render_sheets(**{**arguments, **changed})
    return sorted(path.name for path in (folder / "sheets").glob("*.png"))


def test_the_best_supported_filters_get_one(study, tmp_path):
    assert rendered(study, tmp_path) == ["filter_0000.png", "filter_0001.png"]
    picture = np.asarray(Image.open(tmp_path / "sheets" / "filter_0000.png").convert("RGB")).astype(int)
    red = (picture[..., 0] > 180) & (picture[..., 1] < 80) & (picture[..., 2] < 80)
    assert red.sum() > 500  # what the filter sees is there


def test_one_page_shows_them_all_by_what_excites_them(study, tmp_path):
    named = study.table("filter_names").assign(name=lambda table: [None, "<b>&", *table["name"][2:]])
    tables.write(named, "filter_names", tmp_path / "names.parquet")
    rendered(study, tmp_path, path_to_names=tmp_path / "names.parquet")
    page = (tmp_path / "sheets/filters.html").read_text(encoding="utf-8")
    assert page.count("data:image/webp") == page.count("<li>") == 2
    assert "<b>no name</b>, " in page
    assert "<b>&lt;b&gt;&amp;</b>" in page
    (item,) = (each for each in page.split("<li>") if "<small>filter 0" in each)
    data = base64.b64decode(item.partition("base64,")[2].partition('"')[0])
    strip = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    assert strip.shape == (120, 368, 3)
    red = (strip[..., 0] > 150) & (strip[..., 1] < 90) & (strip[..., 2] < 90)
    assert all(red[:, left : left + 120].sum() > 200 for left in (0, 124, 248)), "what filter 0 sees, three times"


def test_what_is_asked_for_gets_one_too(study, tmp_path):
    names = rendered(study, tmp_path, best=2, also=[3, 0])
    assert names == ["filter_0000.png", "filter_0001.png", "filter_0003.png"]


def test_a_dead_filter_cannot_be_shown(study, tmp_path):
    with pytest.raises(ValueError, match=r"sheets\.also names filter 4, which has no words"):
        rendered(study, tmp_path, also=[4])
    assert not (tmp_path / "sheets").exists()


def test_sheets_show_the_top_images_beside_their_heatmaps(study, tmp_path, monkeypatch):
    """The arrays that the sheet is drawn from: pictures of the filter's colour, dimmed elsewhere."""
    drawn = []
    draw = sheets.sheet

    def watching(title, name, words, claim, images, *others):
        drawn.append((title, name, words, claim, images))
        return draw(title, name, words, claim, images, *others)

    monkeypatch.setattr("words.explaining.render_sheets.sheet", watching)
    rendered(study, tmp_path)
    top = study.table("top_images")
    assert {title for title, *_ in drawn} == {"p on d   filter 0", "p on d   filter 1"}
    for title, name, words, claim, images in drawn:
        number, colour = (0, "red") if title.endswith("0") else (1, "blue")
        assert words["word"].iloc[0] == claim["claim"] == name["name"] == colour
        ids = top[top["filter"] == number].head(3)["image_id"]
        assert len(images) == 3
        for image_id, each in zip(ids, images, strict=True):
            original = np.asarray(Image.open(study.pictures / f"{image_id}.png"))
            np.testing.assert_array_equal(each.picture, original)
            channel, other = (0, 2) if colour == "red" else (2, 0)
            mine = (original[..., channel] > 200) & (original[..., other] < 80)
            share = each.heatmap.sum(-1) / np.maximum(original.sum(-1), 1)
            far = ~mine & (original.sum(-1) > 60)
            assert np.median(share[mine]) > 0.8  # its edges fade, as interpolation has it
            assert np.quantile(share[far], 0.25) < 0.35
            assert colour in each.words


def test_sheets_say_what_must_be_known_of_the_filter(study, tmp_path, monkeypatch):
    """The same filter, saturated, with a name that all others bear and with ties."""
    remarked = []
    draw = sheets.sheet

    def watching(*arguments):
        remarked.append(arguments[5])
        return draw(*arguments)

    monkeypatch.setattr("words.explaining.render_sheets.sheet", watching)
    changed = {
        "thresholds": study.table("thresholds").assign(saturated=True),
        "filter_names": study.table("filter_names").assign(claim="red"),
        "top_images": study.table("top_images").assign(tied=5, asked=25),
    }
    for name, table in changed.items():
        tables.write(table, name, tmp_path / f"{name}.parquet")
    paths = {f"path_to_{name}": tmp_path / f"{name}.parquet" for name in ("thresholds", "top_images")}
    rendered(study, tmp_path, best=1, path_to_names=tmp_path / "filter_names.parquet", **paths)
    ((common, saturated, cut),) = remarked
    assert common.endswith("live filters are called “red”: it does not tell them apart")
    assert saturated.startswith("saturated")
    assert "instead of the 25 asked for" in cut
    assert cut.endswith("5 of them reach the same maximum as others")


def test_earlier_sheets_are_gone(study, tmp_path):
    rendered(study, tmp_path, best=1, also=[3])
    assert rendered(study, tmp_path, best=0, also=[2]) == ["filter_0002.png"]


def test_photographs_without_masks_have_sheets_too(study, tmp_path):
    words = study.table("filter_words")
    words[["supported", "claim", "auprc", "low", "high"]] = None
    tables.write(words, "filter_words", tmp_path / "words.parquet")
    untested = study.table("filter_names").assign(status="untested", claim=None)
    untested[["auprc", "low", "high", "null"]] = None
    tables.write(untested, "filter_names", tmp_path / "names.parquet")
    names = rendered(
        study,
        tmp_path,
        path_to_claims=None,
        path_to_names=tmp_path / "names.parquet",
        path_to_words=tmp_path / "words.parquet",
        activations=replace(study.extraction, batch_size=2),
    )
    assert len(names) == 2
