"""The whole folder: the same bytes for the same study, nothing hidden, nothing shown that must not be."""

import base64
import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tests.synthetic_study import Synthetic, received

from filterscope import tables
from filterscope.report.atlas.assembling import make_atlas
from filterscope.report.atlas.layers import STATUSES
from filterscope.report.atlas.places import PLACES, AtlasError

HOSTILE = "</script><script>alert(1)</script>\"'\u2028\u202e&amp;" + "x" * 10_000


def made(tmp_path, study=None, name="atlas", **settings):
    """The atlas of a study that is written first, if one is given."""
    results = tmp_path / "results"
    if study is not None:
        study.write(results)
    make_atlas(results, tmp_path / name, **settings)
    return tmp_path / name


def data(atlas, name):
    return received(atlas / f"data/{name}.js")[1]


def column(index, name):
    """A packed column as a list, None where there is no value."""
    packed = index["columns"][name]
    dtype = {"u8": "u1", "u16": "<u2", "u32": "<u4"}[packed["type"]]
    codes = np.frombuffer(base64.b64decode(packed["base64"]), dtype)
    missing = np.iinfo(dtype).max
    return [None if code == missing else packed["from"] + float(code) * packed["step"] for code in codes]


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_counts_names_and_scores_are_the_tables(tmp_path):
    study = Synthetic(filters=13, drawn=True)
    atlas = made(tmp_path, study)
    names = pd.read_parquet(tmp_path / "results/words/filter_names.parquet")
    layer = data(atlas, "study")["layers"][0]
    assert layer["counts"] == names["status"].value_counts().to_dict()
    assert (layer["filters"], layer["shown"]) == (13, 13)
    index = data(atlas, "layers/0")
    assert index["count"] == 13
    assert index["statuses"] == list(STATUSES)
    assert [STATUSES[int(each)] for each in column(index, "status")] == names["status"].tolist()
    for name in ("name", "claim"):
        told = [None if each is None else index["texts"][int(each)] for each in column(index, name)]
        assert told == [None if pd.isna(each) else each for each in names[name]]
    found = np.array([np.nan if each is None else each for each in column(index, "auprc")])
    assert np.allclose(found, names["auprc"].astype(float), atol=2e-5, equal_nan=True)
    words = pd.read_parquet(tmp_path / "results/words/filter_words.parquet")
    codes = column(index, "words")
    assert index["columns"]["words"]["width"] == 5
    for number in range(13):
        own = words[words["filter"] == number].sort_values("rank")["word"].tolist()
        assert [index["texts"][int(each)] for each in codes[5 * number : 5 * number + 5] if each is not None] == own


def test_details_hold_top_images_heatmaps_and_everything_beside(tmp_path):
    atlas = made(tmp_path, Synthetic(drawn=True))
    top = pd.read_parquet(tmp_path / "results/activations/top_images.parquet")
    heatmaps = pd.read_parquet(tmp_path / "results/words/heatmaps.parquet").set_index(["filter", "image_id"])
    photographs = data(atlas, "photographs/0")
    filters = data(atlas, "details/0/0")["filters"]
    assert list(filters) == [str(each) for each in range(12)]
    for number in range(2, 12):
        own, rows = filters[str(number)], top[top["filter"] == number].sort_values("rank")
        assert [photographs["image"][row] for row in own["top"]["row"]] == rows["image_id"].tolist()
        assert own["top"]["maximum"] == pytest.approx(rows["maximum"].tolist(), rel=1e-3)
        first = heatmaps.loc[number, rows["image_id"].iloc[0]]
        assert base64.b64decode(own["top"]["heat"][0]) == first["map"]
        assert (own["top"]["h"], own["top"]["w"]) == (7, 7)
        left, upper, right, lower = own["top"]["box"][0]  # of the network's view, the middle of 60 x 40 px
        assert left == pytest.approx(1 / 6 + 2 / 3 * first["peak_column"] / 7, abs=1e-3)
        assert upper == pytest.approx(first["peak_row"] / 7, abs=1e-3)
        assert (right - left, lower - upper) == pytest.approx((2 / 21, 1 / 7), abs=1e-3)
        assert own["pictures"][0]["path"] == f"pictures/{number}.webp"
        assert sum(own["maxima"]["counts"]) == 30
        assert own["maxima"]["threshold"] == 1
        assert len(own["near"]) == 5
        assert own["rivals"][0]["method"] == "Network Dissection"
    assert "top" not in filters["0"]  # dead: no image excites it
    assert filters["1"]["name"]["status"] == "silent"
    assert photographs["objects"][0][0][1:] == [0, 0, 0.5, 0.5]


def test_the_same_study_gives_the_same_bytes_by_any_number_of_threads(tmp_path):
    first = digests(made(tmp_path, Synthetic(layers=2, drawn=True), threads=1))
    assert first == digests(made(tmp_path, name="again", threads=3))
    assert len(first) > 20


def test_every_photograph_is_stored_once_in_sprites(tmp_path):
    study = Synthetic(filters=60, photographs=300, top=25)
    atlas = made(tmp_path, study)
    told = data(atlas, "photographs/0")
    images = pd.read_parquet(tmp_path / "results/activations/top_images.parquet")
    shown = images.loc[images["maximum"] > 0, "image_id"].unique()
    assert sorted(told["image"]) == sorted(shown.tolist())
    sprites = sorted((atlas / "photographs/0").iterdir())
    assert [path.name for path in sprites] == ["0.webp", "1.webp"][: len(sprites)]
    row = 17
    with Image.open(tmp_path / "results/data/album/pictures" / told["name"][row]) as photograph:
        wanted = np.asarray(photograph.convert("RGB").resize((96, 64)), np.float64)
    with Image.open(sprites[0]) as sprite:
        tile = np.asarray(
            sprite.convert("RGB").crop((96, 96, 192, 192)), np.float64
        )  # row 17: second of the second line
    assert np.abs(tile[16:80] - wanted).mean() < 8
    assert np.abs(tile[:14] - 128).mean() < 8  # letterboxed


@pytest.mark.parametrize("field", ["tokens", "title", "file"])
def test_hostile_texts_stay_texts(tmp_path, field):
    hostile = HOSTILE if field != "file" else 'a\'b "c" <img src=x onerror=alert(1)> \u202e{number}.jpg'
    changed = {"tokens": (hostile, "cat", "wheel", "tree"), "title": hostile, "file": hostile}[field]
    study = Synthetic(**{field: changed}, words=("cat", "wheel", "tree", "paw", "leaf"), drawn=True)
    atlas = made(tmp_path, study)
    for path in (atlas / "data").rglob("*.js"):
        received(path)  # whole JSON in one call
        written = path.read_bytes()
        assert b"<" not in written
        assert "\u2028".encode() not in written
    page = (atlas / "index.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert page.count("<script") == page.count('<script src="')
    if field == "tokens":
        index = data(atlas, "layers/0")
        assert hostile in index["texts"]
    elif field == "title":
        assert data(atlas, "study")["title"] == hostile
    else:
        assert all("\u202e" in name for name in data(atlas, "photographs/0")["name"])
    names = [path.name for path in atlas.rglob("*.webp")]
    assert all(name.removesuffix(".webp").isdigit() for name in names)


def test_no_pictures_means_not_one_pixel_of_a_photograph(tmp_path):
    atlas = made(tmp_path, Synthetic(drawn=True), pixels="none", exports=True)
    assert not (atlas / "photographs").exists()
    assert data(atlas, "study")["photographs"][0]["pictures"] == "none"
    assert data(atlas, "photographs/0")["image"]  # what they are is still told
    table = pq.read_table(atlas / "exports/layer_0.parquet")
    assert table["thumbnail"].null_count == table.num_rows
    assert not (atlas / "exports/exemplars").exists()
    kept = {path.relative_to(atlas).parts[0] for path in atlas.rglob("*.webp")}
    assert kept == {"pictures"}  # optimised ones, which are no photographs


def test_full_pictures_are_kept_besides(tmp_path):
    atlas = made(tmp_path, Synthetic(), pixels="full")
    large = sorted((atlas / "photographs/0/large").iterdir(), key=lambda path: int(path.stem))
    assert len(large) == len(data(atlas, "photographs/0")["image"])
    with Image.open(large[0]) as photograph:
        assert photograph.size == (60, 40)  # never made larger


def test_photographs_that_are_gone_or_broken_say_so(tmp_path):
    Synthetic().write(tmp_path / "results")
    folder = tmp_path / "results/data/album/pictures"
    (folder / "3.jpg").unlink()
    (folder / "4.jpg").write_bytes((folder / "4.jpg").read_bytes()[:200])
    atlas = made(tmp_path)
    told = data(atlas, "photographs/0")
    causes = {told["image"][int(row)]: cause for row, cause in told["unreadable"].items()}
    assert causes[103] == "the file is missing"
    assert "cannot be read" in causes[104]
    assert data(atlas, "study")["photographs"][0]["unreadable"] == len(causes)


def test_photographs_without_masks_are_untested_and_have_no_objects(tmp_path):
    atlas = made(tmp_path, Synthetic(annotated=False))
    study = data(atlas, "study")
    assert study["layers"][0]["counts"] == {"untested": 10, "silent": 1, "dead": 1}
    assert study["verdict"] == ["10 names could not be tested, for these photographs have no masks."]
    said = "No masks, so no name could be tested; 10 of 11 live filters have an untested one"
    assert said in study["layers"][0]["said"]
    assert "objects" not in data(atlas, "photographs/0")
    assert "auprc" not in data(atlas, "layers/0")["columns"]
    assert study["scores"] == {}


def test_pictures_without_an_explanation(tmp_path):
    atlas = made(tmp_path, Synthetic(explained=False, drawn=True))
    study = data(atlas, "study")
    assert study["layers"][0]["counts"] == {"unexplained": 12}
    assert study["layers"][0]["photographs"] is None
    assert study["verdict"] == ["1 layer was drawn."]
    index = data(atlas, "layers/0")
    assert {STATUSES[int(each)] for each in column(index, "status")} == {"unexplained"}
    assert column(index, "picture") == list(range(12))


def test_a_study_that_only_asks_other_things(tmp_path):
    atlas = made(tmp_path, Synthetic(extension={"layers": [], "datasets": {}}))
    study = data(atlas, "study")
    assert study["layers"] == []
    assert study["verdict"][0].startswith("No layer was explained or drawn")
    assert (atlas / "index.html").is_file()


@pytest.mark.parametrize(("asked", "shown"), [("named", [4, 5, 8, 9]), ([9, 2, 99], [2, 9])])
def test_only_some_filters_are_shown_but_all_are_counted(tmp_path, asked, shown):
    atlas = made(tmp_path, Synthetic(), filters=asked)
    layer, index = data(atlas, "study")["layers"][0], data(atlas, "layers/0")
    assert (layer["filters"], layer["shown"], sum(layer["counts"].values())) == (12, len(shown), 12)
    assert column(index, "filter") == shown
    details = data(atlas, "details/0/0")["filters"]
    assert list(details) == [str(each) for each in shown]
    assert {each for own in details.values() for each in own["near"]} <= set(shown)
    top = pd.read_parquet(tmp_path / "results/activations/top_images.parquet")
    own = top[top["filter"].isin(shown)]
    assert sorted(data(atlas, "photographs/0")["image"]) == sorted(own["image_id"].unique().tolist())


@pytest.mark.parametrize("asked", ["named", [99]])
def test_a_layer_none_of_whose_filters_is_shown_is_still_counted(tmp_path, asked):
    Synthetic(drawn=True).write(tmp_path / "results")
    path = tmp_path / "results/words/filter_names.parquet"
    names = tables.read(path, "filter_names")
    nobody = pa.array([None] * len(names), pa.string())
    pq.write_table(names.set_column(names.schema.get_field_index("name"), "name", nobody), path)
    atlas = made(tmp_path, filters=asked, exports=True)
    layer = data(atlas, "study")["layers"][0]
    assert (layer["filters"], layer["shown"]) == (12, 0)
    assert data(atlas, "layers/0")["count"] == 0


def test_files_that_are_missing_are_told_and_the_rest_is_shown(tmp_path):
    Synthetic().write(tmp_path / "results")
    (tmp_path / "results/words/heatmaps.parquet").unlink()
    (tmp_path / "results/words/filter_claims.parquet").unlink()
    atlas = made(tmp_path)
    warning = data(atlas, "study")["warnings"][0]["text"]
    assert warning.startswith("2 files of the study cannot be found")
    assert "words/filter_claims.parquet, words/heatmaps.parquet" in warning
    assert "heat" not in data(atlas, "details/0/0")["filters"]["5"]["top"]


def test_links_lead_to_the_tables_only_from_the_results(tmp_path):
    study = data(made(tmp_path, Synthetic()), "study")
    assert study["base"] is None
    make_atlas(tmp_path / "results", tmp_path / "results/report/atlas")
    inside = data(tmp_path / "results/report/atlas", "study")
    assert inside["base"] == "../../"
    for path in [*inside["layers"][0]["files"].values(), inside["links"][0]["path"]]:
        assert (tmp_path / "results/report/atlas" / path).resolve().is_file()


def test_what_lies_there_is_replaced_only_by_a_whole_atlas(tmp_path, monkeypatch):
    atlas = made(tmp_path, Synthetic())
    before = digests(atlas)
    monkeypatch.setattr("filterscope.report.atlas.assembling.study_page", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        made(tmp_path)
    assert digests(atlas) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["atlas", "results"]


def test_a_folder_of_something_else_is_never_replaced(tmp_path):
    Synthetic().write(tmp_path / "results")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("years of work")
    with pytest.raises(AtlasError, match="mine holds something else than an atlas"):
        made(tmp_path, name="mine")
    assert (tmp_path / "mine/thesis.tex").read_text() == "years of work"
    with pytest.raises(AtlasError, match="pictures is 'some', should be one of none, thumbnails, full"):
        made(tmp_path, pixels="some")


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "the file is missing"), ("{", "not JSON"), (json.dumps({"format": 2}), "format is 2, should be 1")],
)
def test_results_without_places_are_refused(tmp_path, text, said):
    path = tmp_path / "results" / PLACES
    path.parent.mkdir(parents=True)
    if text is not None:
        path.write_text(text)
    with pytest.raises(AtlasError, match=said):
        make_atlas(tmp_path / "results", tmp_path / "atlas")
    assert not Path(tmp_path / "atlas").exists()


def test_other_programs_read_the_exports(tmp_path):
    atlas = made(tmp_path, Synthetic(), exports=True)
    table = pd.read_parquet(atlas / "exports/layer_0.parquet")
    assert table["filter"].tolist() == list(range(12))
    assert table[["x", "y", "u", "v"]].iloc[2:].notna().all().all()
    assert table["thumbnail"].isna().tolist() == [True, True, *[False] * 10]
    (atlas / "thumbnail.jpg").write_bytes(table["thumbnail"].iloc[5])
    with Image.open(atlas / "thumbnail.jpg") as thumbnail:
        assert (thumbnail.format, thumbnail.size) == ("JPEG", (96, 96))
    folder = atlas / "exports/exemplars/layer_0"
    images, masks, units = (np.load(folder / f"{name}.npy") for name in ("images", "masks", "units"))
    assert images.shape == (10, 5, 3, 32, 32)
    assert masks.shape == (10, 5, 1, 32, 32)
    assert (images.dtype, set(np.unique(masks))) == (np.uint8, {0, 1})
    assert units.tolist() == list(range(2, 12))
    annotations = pd.read_csv(atlas / "exports/exemplars/annotations.csv")
    assert annotations["unit"].tolist() == [4, 5, 8, 9]
    assert annotations.columns.tolist() == ["layer", "unit", "summary"]


def read_as_milan(root):
    """By layer and unit images, masks and annotations, with the checks of MILAN's AnnotatedTopImagesDataset (evandez/
    neuron-descriptions, src/milannotations/datasets.py): it takes a layer of digits for a number in the annotations."""
    said = {}
    with (root / "annotations.csv").open("r") as handle:
        for row in csv.DictReader(handle):
            layer = int(row["layer"]) if row["layer"].isdigit() else row["layer"]
            said.setdefault((layer, int(row["unit"])), []).append(row["summary"])
    found = {}
    for folder in (each for each in root.iterdir() if each.is_dir()):
        images, masks, units = (np.load(folder / f"{name}.npy") for name in ("images", "masks", "units"))
        assert images.ndim == masks.ndim == 5
        assert images.shape[:2] == masks.shape[:2]
        assert images.shape[3:] == masks.shape[3:]
        assert units.ndim == 1
        for unit, *pair in zip(units.tolist(), images, masks, strict=True):
            found[folder.name, unit] = *pair, said.get((folder.name, unit), [])
    return found


def test_exemplars_are_read_as_milan_reads_them(tmp_path):
    study = Synthetic(layers=2)
    atlas = made(tmp_path, study, exports=True)
    found = read_as_milan(atlas / "exports/exemplars")
    assert len(found) == 20
    named = {unit: said for (layer, unit), (_, _, said) in found.items() if layer == "layer_1" and said}
    names = pd.read_parquet(tmp_path / "results/words/filter_names.parquet").set_index("filter")["name"]
    assert named == {unit: [names[unit]] for unit in (4, 5, 8, 9)}
    images, masks, _ = found["layer_0", 5]
    top = pd.read_parquet(tmp_path / "results/activations/top_images.parquet")
    best = top[(top["filter"] == 5) & (top["rank"] == 0)].iloc[0]
    with Image.open(tmp_path / f"results/data/album/pictures/{int(best['image_id']) - 100}.jpg") as photograph:
        wanted = np.asarray(photograph.convert("RGB").crop((10, 0, 50, 40)).resize((32, 32)), np.float64)
    assert np.abs(images[0].transpose(1, 2, 0) - wanted).mean() < 8, "what the network sees of its best image"
    heatmaps = pd.read_parquet(tmp_path / "results/words/heatmaps.parquet").set_index(["filter", "rank"])
    cells = np.frombuffer(heatmaps.loc[(5, 0), "map"], np.uint8).reshape(7, 7)
    limit = 255 * 1.0 / best["maximum"]  # the threshold is 1
    whole = np.asarray(Image.fromarray(cells).resize((32, 32), Image.Resampling.BILINEAR))
    assert np.array_equal(masks[0, 0], whole > limit)
