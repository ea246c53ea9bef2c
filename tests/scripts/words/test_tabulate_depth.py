"""tabulate_depth and render_depth: layers beside each other."""

from __future__ import annotations

import pandas as pd
import pytest

from filterscope import tables
from filterscope.words.depth import KINDS, depth_table, kind
from words.depth.render_depth import render_depth
from words.depth.tabulate_depth import tabulate_depth


@pytest.fixture
def layers():
    """Two layers: colours, of which one name holds; and things, of which all do, proved."""
    names = {
        "net.first": pd.DataFrame({"status": ["supported", "unsupported", "dead"], "name": ["red", None, None]}),
        "net.last": pd.DataFrame({"status": ["proved", "proved"], "name": ["dog", "dog"]}),
    }
    said = {"net.first": ["red", "Blue", "striped", "dog", "green", "red"], "net.last": ["dog", "cat", "round"]}
    filters = {"net.first": [0, 0, 1, 1, 2, 0], "net.last": [0, 1, 1]}
    ranks = {"net.first": [0, 1, 0, 1, 0, 5], "net.last": [0, 0, 1]}
    words = {
        probe: pd.DataFrame(
            {"filter": filters[probe], "rank": ranks[probe], "word": own, "novel": [w == "cat" for w in own]}
        )
        for probe, own in said.items()
    }
    for own in names.values():
        own["filter"] = range(len(own))
    claims = {
        "net.first": pd.DataFrame(
            {"dead": [False, False, True], "claim": ["red", "dog", "red"], "lift": [0.4, 0.2, 9]}
        ),
        "net.last": pd.DataFrame({"dead": [False, False], "claim": ["dog", None], "lift": [0.5, 0.0]}),
    }
    return names, words, claims


def test_shares_are_of_live_filters_and_of_the_first_words(layers):
    first, last = depth_table(*layers).to_dict("records")
    assert (first["probe"], first["place"], first["filters"], first["live"]) == ("net.first", 0, 3, 2)
    assert (first["supported"], first["proved"], first["names"]) == (0.5, 0.0, 1)
    assert (first["colour"], first["texture"], first["shape"], first["thing"]) == (0.5, 0.25, 0.0, 0.25)
    assert first["lift"] == pytest.approx(0.3)
    assert (last["supported"], last["proved"], last["names"], last["lift"]) == (1.0, 1.0, 1, 0.5)
    assert (last["shape"], last["thing"], last["new"]) == pytest.approx((1 / 3, 2 / 3, 1 / 3))


def test_a_word_has_one_kind():
    kinds = list(KINDS.values())
    assert not any(one & other for place, one in enumerate(kinds) for other in kinds[:place])
    assert [kind(word) for word in ("Red", "striped", "circle", "zebra")] == ["colour", "texture", "shape", "thing"]


def test_without_masks_there_is_no_lift(layers):
    names, words, _ = layers
    assert depth_table(names, words, dict.fromkeys(names))["lift"].isna().all()


def test_tables_become_a_table_and_a_figure(study, tmp_path):
    """The same layer twice has two equal lines."""
    outputs = tmp_path / "depth.parquet", tmp_path / "depth.csv"
    twice = ([path, path] for path in (study.filter_names, study.filter_words, study.filter_claims))
    tabulate_depth(["net.a", "net.b"], *twice, *outputs)
    table = tables.read(outputs[0], "depth").to_pandas()
    assert table["probe"].tolist() == ["net.a", "net.b"]
    lines = table.drop(columns=["probe", "place"])
    assert lines.iloc[0].equals(lines.iloc[1])
    assert table["supported"].iloc[0] > 0
    assert pd.read_csv(outputs[1])["live"].tolist() == table["live"].tolist()
    render_depth(outputs[0], tmp_path / "depth.png")
    assert (tmp_path / "depth.png").stat().st_size > 5000
