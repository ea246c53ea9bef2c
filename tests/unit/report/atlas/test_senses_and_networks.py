"""Senses of filters, and networks that drew the same classes: what the tables say, no pixel where none may be shown."""

import base64
import json

import pandas as pd
import pytest
from tests.synthetic_pictures import CLASS, criteria_of, facets_of, networks_of, senses_of
from tests.synthetic_study import Synthetic, received

from filterscope.report.atlas.assembling import make_atlas
from filterscope.report.atlas.layers import SENSED
from filterscope.report.atlas.places import PLACES
from filterscope.report.atlas.senses import words_of_senses
from filterscope.report.atlas.writing import KINDS


@pytest.fixture
def made(tmp_path):
    """Makes the atlas of a study whose layers' entries are changed by a function; reads its data by name."""

    def make(change, settings=None, name="atlas", **study):
        results = tmp_path / f"{name}_results"
        Synthetic(**study).write(results)
        places = json.loads((results / PLACES).read_text())
        change(places, results)
        (results / PLACES).write_text(json.dumps(places))
        make_atlas(results, tmp_path / name, **(settings or {}))
        return tmp_path / name, lambda key: received(tmp_path / name / f"data/{key}.js")[1]

    return make


def with_senses(places, results):
    places["layers"][0]["senses"] = senses_of(results)


class TestSenses:
    def test_have_images_words_pictures_and_a_null(self, made):
        atlas, data = made(with_senses)
        own = data("senses/0/0")["filters"]["5"]
        assert (own["status"], own["senses"], own["null_senses"], own["strength"]) == ("several", 2, 1, 0.9)
        images = data("photographs/0")["image"]
        first, second = own["groups"]
        assert [images[row] for row in first["row"]] == [110, 111], "those that are averaged"
        assert (first["images"], second["images"]) == (3, 3)
        assert (first["called"], second["called"]) == ("red", f"no word tells it apart ({CLASS}: p 0.31)")
        assert first["words"] == [["red", 3, 0.3, 0.01], ["big", 3, 0.1, 0.2]]
        assert (atlas / first["picture"]["path"]).is_file()
        assert own["map"]["facet"] == [0, 0, 0, 1, 1, 1]
        assert data("senses/0/0")["limits"] == {"strength": 0.6, "likeness": 0.25, "distinction": 1.4}

    def test_are_shown_around_the_strongest_place_within_what_the_network_sees(self, made):
        _, data = made(with_senses)
        filters = data("senses/0/0")["filters"]
        # The view is the middle 40 of 60 px across and all 40 px down; the window is half of its side.
        assert filters["5"]["groups"][0]["box"][0] == pytest.approx([1 / 3, 0.25, 2 / 3, 0.75], abs=1e-3)
        _, data = made(lambda places, results: (with_senses(places, results), cornered(places)), name="cornered")
        box = data("senses/0/0")["filters"]["6"]["groups"][0]["box"][3]
        assert box == pytest.approx([0.5, 0, 5 / 6, 0.5], abs=1e-3), "moved inside"

    def test_of_which_nothing_can_be_told_say_why(self, made):
        _, data = made(with_senses)
        filters = data("senses/0/0")["filters"]
        assert (filters["7"]["status"], filters["7"]["note"]) == ("untold", f"it fires in 1 of its images, {CLASS}")
        assert "groups" not in filters["7"]
        assert "8" not in filters

    def test_have_a_file_for_every_row_of_the_layer(self, made):
        """The page asks for that of a filter's row; one that is not there would be told as missing."""
        _, data = made(with_senses, filters=150)
        assert set(data("senses/0/0")["filters"]) >= {"5", "6", "7"}
        assert [data(f"senses/0/{part}")["filters"] for part in (1, 2)] == [{}, {}]

    def test_are_counted_in_the_index_and_in_a_sentence(self, made):
        _, data = made(with_senses)
        column = data("layers/0")["columns"]["senses"]
        codes = list(base64.b64decode(column["base64"]))
        assert codes[4:9] == [KINDS["u8"] - 1, 2, 1, KINDS["u8"] - 1, KINDS["u8"] - 1]
        said = "1 of 2 filters have more than one sense; of codes shuffled among the same images 0 of 2 would; "
        said += "of the 1 that can be compared, in images"
        (layer,) = data("study")["layers"]
        assert layer["senses"].startswith(said)
        assert layer["files"]["senses"] == "../../senses/senses.parquet"

    def test_are_searched_by_the_words_that_tell_them_apart(self, made):
        _, data = made(with_senses)
        index = data("layers/0")
        packed = index["columns"]["sensed"]
        assert packed["width"] == SENSED
        codes = base64.b64decode(packed["base64"])
        told = {
            number: [index["texts"][code] for code in codes[SENSED * number : SENSED * (number + 1)] if code < 255]
            for number in range(index["count"])
        }
        assert told[5] == ["red"], "not what may be chance, as the word of its other sense"
        assert told[0] == []

    def test_tell_words_of_all_of_them_in_turn_and_each_once(self):
        words = pd.DataFrame(
            {
                "filter": [1, 1, 1, 1, 2, 2],
                "sense": [0, 0, 1, 1, 0, 0],
                "rank": [0, 1, 0, 1, 0, 1],
                "word": ["green", "moss", "red", "moss", "wheel", "coin"],
                "p": [0.01, 0.02, 0.01, 0.01, None, None],
            }
        )
        assert words_of_senses(words, 3) == {1: ["green", "red", "moss"], 2: ["wheel", "coin"]}
        assert words_of_senses(None, 3) == {}

    def test_show_no_picture_begun_as_a_mean_image_where_no_pixel_may_be_shown(self, made):
        atlas, data = made(with_senses, {"pixels": "none"})
        picture = data("senses/0/0")["filters"]["5"]["groups"][0]["picture"]
        assert (picture["path"], picture["note"]) == (None, "not shown: it was made from photographs")
        assert not (atlas / "pictures").exists()

    def test_of_filters_that_are_not_shown_are_left_out(self, made):
        _, data = made(with_senses, {"filters": [6]})
        assert list(data("senses/0/0")["filters"]) == ["6"]
        assert {110, 111} - set(data("photographs/0")["image"]), "no photograph for what is not shown"

    def test_are_there_for_a_layer_that_is_not_explained(self, made):
        _, data = made(with_senses, explained=False)
        assert list(data("senses/0/0")["filters"]) == ["5", "6", "7"]
        assert data("study")["layers"][0]["counts"] == {"unexplained": 3}
        thumbs = base64.b64decode(data("layers/0")["columns"]["thumb"]["base64"])
        images = data("photographs/0")["image"]
        assert [images[each] for each in thumbs[:2]] == [110, 112], "the strongest of those that are shown"
        assert thumbs[2] == KINDS["u8"] - 1

    def test_study_from_before_the_atlas_showed_them_has_none(self, made):
        atlas, data = made(lambda places, results: places["layers"][0].pop("senses", None))
        assert not (atlas / "data/senses").exists()
        assert data("study")["layers"][0]["senses"] is None


def cornered(places):
    """As many images of a sense as it has are shown."""
    places["layers"][0]["senses"]["nearest"] = 4


def two_networks(places, results):
    """Two probes with the same facets of one class, compared with each other."""
    for number, layer in enumerate(places["layers"]):
        layer["facets"] = facets_of(results)
        layer["facets"]["tables"] |= criteria_of(results, f"scored{number}")
    places["networks"] = [networks_of(results, ("layer0", "layer1"))]


def one_network(places, results):
    layer = places["layers"][0]
    layer["facets"] = facets_of(results)
    layer["facets"]["tables"] |= criteria_of(results, "scored")


class TestNetworks:
    def test_are_compared_by_tables_and_sentences(self, made):
        _, data = made(two_networks, layers=2)
        (noted,) = data("study")["networks"]
        assert (noted["dataset"], noted["probes"]) == ("album", ["layer0", "layer1"])
        page = data("networks/0")
        assert page["measures"] == ["clear_context", "judge_top5"]
        assert page["criteria"]["believed"] == [True, False, None, None]
        assert page["tests"]["adjusted"] == [0.08]
        assert [each.split()[0] for each in page["said"]] == ["Pictures", "By", "It"]
        assert page["files"] == ["../../network_criteria.parquet", "../../network_tests.parquet"]

    def test_are_what_the_first_page_tells_of_a_study_that_explains_nothing(self, made):
        _, data = made(two_networks, layers=2, explained=False)
        study = data("study")
        assert study["verdict"][0] == (
            "Photographs of 1 class were grouped into facets by what 2 networks compute of them."
        )
        told = [each for each in data("networks/0")["said"] if "adjusted" not in each]
        assert [each.split()[:2] for each in study["verdict"][1:]] == [each.split()[:2] for each in told]
        assert "[" not in " ".join(study["verdict"])
        assert [each["picture"] for each in study["classes"]] == [
            row["pictures"][0]["path"] for row in data("classes/0")["networks"]
        ]

    def test_have_a_row_each_on_the_page_of_a_class(self, made):
        _, data = made(two_networks, layers=2)
        rows = data("classes/1")["networks"]
        assert [(row["probe"], row["page"], len(row["pictures"])) for row in rows] == [
            ("layer0", 0, 2),
            ("layer1", 1, 2),
        ]
        assert data("networks/0")["classes"] == [{"class": CLASS, "rows": rows}]

    def test_that_drew_alone_are_told_by_their_own_criteria(self, made):
        _, data = made(one_network)
        page = data("networks/0")
        assert (page["probes"], page["said"], page["tests"]) == (["layer0"], [], {})
        assert page["measures"] == ["natural_colours", "clear_context", "judge_top5"]
        assert page["criteria"]["believed"] == [True, True, False, False, None, None]

    def test_without_criteria_have_no_page(self, made):
        _, data = made(lambda places, results: places["layers"][0].update(facets=facets_of(results)))
        assert data("study")["networks"] == []
        assert len(data("classes/0")["networks"]) == 1
