"""Layers of a network one after another, as the atlas draws them."""

import pandas as pd

from filterscope import tables
from filterscope.report.atlas.depth import depths
from filterscope.report.atlas.places import Places

SHARES = ("proved", "supported", "colour", "texture", "shape", "thing", "new")


def test_every_share_is_drawn_over_the_layers_in_their_order(tmp_path):
    rows = [
        {"probe": f"blocks.{place}", "place": place, "filters": 8, "live": 8, "names": 2, "lift": 0.1}
        | {name: (place + column) / 10 for column, name in enumerate(SHARES)}
        for place in (1, 0, 2)
    ]
    path = tmp_path / "results/words/depth.parquet"
    path.parent.mkdir(parents=True)
    tables.write(pd.DataFrame(rows), "depth", path)
    told = {"dataset": "album", "group": "blocks", "vocabulary": "glove"}
    places = Places(
        {"depth": [{**told, "tables": {"depth": "results/words/depth.parquet"}}]}, tmp_path / "results", tmp_path
    )
    (found,) = depths(places)
    assert found["probes"] == ["blocks.0", "blocks.1", "blocks.2"]
    assert found["file"] == "../../words/depth.parquet"
    drawn = {each["name"]: each["y"] for curve in found["curves"] for each in curve["series"]}
    assert drawn["borne out by masks"] == [0.1, 0.2, 0.3]
    assert len(drawn) == len(SHARES)
    assert depths(Places({}, tmp_path / "results", tmp_path)) == [], "a study noted before depth was shown"
