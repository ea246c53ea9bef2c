"""Two studies in one atlas: photographs once, layers that belong together, names that changed, links to both tables."""

import json
import shutil

import pandas as pd
import pytest
from tests.synthetic_study import Synthetic, received

from filterscope import tables
from filterscope.report.atlas.assembling import make_atlas
from filterscope.report.atlas.beside import OTHER, Asked, changed_names, counterparts
from filterscope.report.atlas.places import PLACES, AtlasError


@pytest.fixture
def before(tmp_path):
    return Synthetic(layers=2, title="Before").write(tmp_path / "before/results")


@pytest.fixture
def after(before, tmp_path):
    """The same study with other names: filter 4 lost its own, 5 has another one, 6 and 7 gained one."""
    results = tmp_path / "after/results"
    shutil.copytree(before, results)
    rename(results, {4: None, 5: "leaf", 6: "paw", 7: "fin"})
    change_places(results, title="After")
    return results


def rename(results, names):
    path = results / "words/filter_names.parquet"
    table = tables.read(path, "filter_names").to_pandas()
    for number, name in names.items():
        table.loc[table["filter"] == number, "name"] = name
    tables.write(table, "filter_names", path)


def change_places(results, **changed):
    path = results / PLACES
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def data(atlas, name):
    return received(atlas / f"data/{name}.js")[1]


def test_layers_of_both_are_there_and_the_photographs_once(before, after):
    atlas = before / "report/atlas"
    make_atlas(before, atlas, beside=after)
    study = data(atlas, "study")
    assert [(each["study"], each["heading"]) for each in study["layers"]] == [
        (0, "layer0 on album"),
        (0, "layer1 on album"),
        (1, "layer0 on album · After"),
        (1, "layer1 on album · After"),
    ]
    assert len(study["photographs"]) == 1
    assert {each["photographs"] for each in study["layers"]} == {0}
    assert sorted(each.name for each in (atlas / "photographs").iterdir()) == ["0"]
    alone = before / "report/alone"
    make_atlas(before, alone)
    assert study["verdict"] == data(alone, "study")["verdict"], "the verdict is this study's"


def test_names_that_changed_are_counted_as_in_the_tables(before, after):
    """The study beside is the earlier one: since then filter 4 lost its name, 5 got another one, 6 and 7 gained one."""
    atlas = after / "report/atlas"
    make_atlas(after, atlas, beside=before)
    first, second = (pd.read_parquet(each / "words/filter_names.parquet") for each in (before, after))
    beside = data(atlas, "study")["beside"]
    assert (beside["label"], beside["pairs"]) == ("Before", [[0, 2], [1, 3]])
    kept = int(((first["name"] == second["name"]) & first["name"].notna()).sum())
    none = int((first["name"].isna() & second["name"].isna()).sum())
    change = beside["changes"][0]
    assert {name: change[name] for name in ("kept", "renamed", "lost", "gained", "none")} == {
        "kept": kept,
        "renamed": 1,
        "lost": 1,
        "gained": 2,
        "none": none,
    }
    assert change["said"] == (
        f"layer0 on album: of 12 filters {kept} kept the name they had in Before, 1 bear another one; 1 lost theirs, "
        f"2 gained one, {none} have none in both."
    )
    assert change["layers"] == [2, 0], "they are compared from then to now"


def test_a_name_that_came_later_was_gained():
    then, now = (pd.DataFrame({"filter": [0, 1, 2], "name": names}) for names in ([None, "a", None], ["b", None, "c"]))
    assert changed_names(then, now) == {"kept": 0, "renamed": 0, "lost": 1, "gained": 2, "none": 0}


def test_the_same_filter_fires_alike_and_another_one_does_not(before, after):
    """The other study's activations are the same but for filter 7, which is turned upside down."""
    path = after / "activations/shard/images.parquet"
    shard = tables.read(path, "image_activations")
    maxima = tables.matrix(shard["maximum"]).copy()
    maxima[:, 7] = -maxima[:, 7]
    columns = {name: shard[name] for name in shard.column_names}
    tables.write({**columns, "maximum": tables.vectors(maxima)}, "image_activations", path)
    atlas = before / "report/atlas"
    make_atlas(before, atlas, beside=after)
    same = data(atlas, "matches/0/2")["same"]
    assert same[7] == pytest.approx(-1)
    assert [each for number, each in enumerate(same) if number not in (0, 7)] == pytest.approx([1] * 10)
    assert data(atlas, "matches/0/2")["filter"][2] == 2
    assert [0, 2] in data(atlas, "study")["matches"]
    assert [0, 3] not in data(atlas, "study")["matches"], "layers that do not belong together are not matched"


def test_other_photographs_are_stored_besides_and_not_matched(before, tmp_path):
    other = Synthetic(layers=1, title="Elsewhere", seed=1).write(tmp_path / "other/results")
    atlas = before / "report/atlas"
    make_atlas(before, atlas, beside=other)
    study = data(atlas, "study")
    assert [each["dataset"] for each in study["photographs"]] == ["album", "album, Elsewhere"]
    assert study["layers"][2]["photographs"] == 1
    assert study["beside"]["pairs"] == [[0, 2]]
    assert [0, 2] not in study["matches"]
    change = study["beside"]["changes"][0]
    assert sum(change[kind] for kind in ("kept", "renamed", "lost", "gained", "none")) == 12


def test_every_link_leads_to_the_tables_of_its_own_study(before, after):
    atlas = before / "report/atlas"
    make_atlas(before, atlas, beside=after)
    for layer in data(atlas, "study")["layers"]:
        for path in layer["files"].values():
            found = (atlas / path).resolve()
            assert found.is_file()
            assert found.is_relative_to(after if layer["study"] else before)


def test_the_config_names_it_and_one_that_is_gone_is_told(before, after, tmp_path):
    change_places(before, atlas={"pictures": "thumbnails", "filters": "all", "beside": "../after/results"})
    make_atlas(before, tmp_path / "atlas")
    assert data(tmp_path / "atlas", "study")["beside"]["label"] == "After"
    shutil.rmtree(after)
    make_atlas(before, tmp_path / "atlas")
    study = data(tmp_path / "atlas", "study")
    assert study["beside"] is None
    assert "after/results" in study["warnings"][0]["text"]


def test_studies_of_the_same_title_are_told_apart(before, after, tmp_path):
    change_places(after, title="Before")
    make_atlas(before, tmp_path / "atlas", beside=after)
    assert data(tmp_path / "atlas", "study")["layers"][2]["heading"] == f"layer0 on album · {OTHER}"


def test_what_is_no_other_study_is_refused(before, tmp_path):
    with pytest.raises(AtlasError, match="the results of this very study"):
        make_atlas(before, tmp_path / "atlas", beside=before / "../results")
    with pytest.raises(AtlasError, match=r"nowhere/report/atlas_places.json: the file is missing"):
        make_atlas(before, tmp_path / "atlas", beside=tmp_path / "nowhere")
    assert not (tmp_path / "atlas").exists()


def test_layers_belong_together_by_name_or_else_by_module():
    def layer(number, study, probe, module, vocabulary="words"):
        return Asked(number, study, None, {"dataset": "d", "probe": probe, "vocabulary": vocabulary, "layer": module})

    asked = [layer(0, 0, "last", "layer4"), layer(1, 0, "mine", "layer3"), layer(2, 0, "drawn", "layer2", None)]
    asked += [layer(3, 1, "yours", "layer3"), layer(4, 1, "last", "layer4"), layer(5, 1, "other", "layer2")]
    sizes = dict.fromkeys(range(6), 8)
    assert counterparts(asked, sizes) == [(0, 4), (1, 3)]
    assert counterparts(asked, {**sizes, 3: 9}) == [(0, 4)], "as many filters, or it is another layer"


@pytest.mark.parametrize("twice", [0, 1])
def test_layers_of_one_module_belong_to_no_other_where_there_are_two(twice):
    """Whichever study has both."""
    given = {"dataset": "d", "vocabulary": "words", "layer": "layer4"}
    probes = [("mine", 0), ("yours", 1), ("second", twice)]
    asked = [Asked(number, study, None, {**given, "probe": probe}) for number, (probe, study) in enumerate(probes)]
    assert counterparts(asked[:2], dict.fromkeys(range(3), 8)) == [(0, 1)]
    assert counterparts(asked, dict.fromkeys(range(3), 8)) == []


def test_a_filter_that_only_one_has_is_not_compared():
    first = pd.DataFrame({"filter": [0, 1, 2], "name": ["a", None, "c"]})
    second = pd.DataFrame({"filter": [0, 1], "name": ["a", "b"]})
    assert changed_names(first, second) == {"kept": 1, "renamed": 0, "lost": 0, "gained": 1, "none": 0}
