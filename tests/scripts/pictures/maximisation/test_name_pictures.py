"""name_pictures: an optimised picture gets its filter's words; whether they have the claim, beside the null."""

import pandas as pd
import pytest
from PIL import Image

from filterscope import tables
from pictures.maximisation.name_pictures import name_pictures

RED, BLUE, DEAD = 0, 1, 4


@pytest.fixture
def folder(study, tmp_path):
    """Pictures as maximise_activations leaves them: red and blue ones, and no picture of the dead filter."""
    (tmp_path / "maco" / "pictures").mkdir(parents=True)
    rows = []
    for number, colour in ((RED, (230, 20, 20)), (BLUE, (30, 30, 230)), (DEAD, None)):
        path = f"pictures/filter_{number:04d}.png"
        row = {"filter": number, "number": 0, "recipe": "maco", "status": "optimised", "note": "", "best_image_id": 0}
        row |= {"best_image": 0.1, "reached": 0.5, "ratio": 2.0, "activation": 0.5, "size": 64, "path": path}
        if colour is None:
            row |= dict.fromkeys(("reached", "ratio", "activation", "size", "path"))
        else:
            Image.new("RGB", (64, 64), colour).save(tmp_path / "maco" / path)
        rows.append(row)
    table = pd.DataFrame(rows).astype(object)
    tables.write(table.where(table.notna(), None), "pictures", tmp_path / "maco" / "pictures.parquet")
    return tmp_path


def named(study, folder, **changed):
    arguments = {
        "path_to_pictures": folder / "maco" / "pictures.parquet",
        "path_to_thresholds": study.thresholds,
        "path_to_weights": study.weights,
        "path_to_categories": study.categories,
        "path_to_vocabulary": study.vocabulary,
        "path_to_allowed": None,
        "path_to_explainer": study.explainers["words"],
        "path_to_claims": study.filter_claims,
        "path_to_table": folder / "words.parquet",
        "path_to_csv": folder / "words.csv",
        "probe": study.probe(),
        "settings": study.explanation,
        "first": 1,
    }
    name_pictures(**{**arguments, **changed})
    return tables.read(folder / "words.parquet", "picture_words").to_pandas().set_index("filter")


def test_pictures_are_called_what_their_filters_are(study, folder):
    table = named(study, folder)
    assert table.loc[RED, "categories"].tolist() == ["red"]
    assert table.loc[BLUE, "categories"].tolist() == ["blue"]
    claims = study.table("filter_claims").set_index("filter")["claim"]
    assert table.loc[[RED, BLUE], "claim"].tolist() == claims[[RED, BLUE]].tolist() == ["red", "blue"]
    assert table.loc[[RED, BLUE], "found"].tolist() == [True, True]
    assert table.loc[[RED, BLUE], "null"].tolist() == [0, 0]
    assert {"red", "crimson", "reds"} & set(table.loc[RED, "words"])
    assert len(pd.read_csv(folder / "words.csv")) == 3


def test_a_filter_without_a_picture_has_no_words(study, folder):
    row = named(study, folder).loc[DEAD]
    assert list(row["words"]) == []
    assert row["found"] is None
    assert row["note"] == "there is no picture"


def test_the_words_are_the_pictures_not_the_filters(study, folder):
    """With the pictures exchanged the red filter is shown blue: it is silent in it, or the words are blue's."""
    table = tables.read(folder / "maco" / "pictures.parquet", "pictures").to_pandas()
    paths = table["path"].tolist()
    table["path"] = [paths[1], paths[0], None]
    table = table.astype(object)
    tables.write(table.where(table.notna(), None), "pictures", folder / "maco" / "pictures.parquet")
    found = named(study, folder)
    assert "red" not in found.loc[RED, "categories"].tolist()


def test_without_masks_there_is_no_verdict(study, folder):
    table = named(study, folder, path_to_claims=None)
    assert table[["claim", "found", "null"]].isna().all(axis=None)
    assert len(table.loc[RED, "words"])
