"""The sense rules on generated scenes: planted senses are found, single ones stay whole; tables, figures, bad input."""

import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from activations.extract_activations import extract_activations
from data.datasets.prepare_scenes import prepare_scenes
from data.networks.plant_scenes_network import plant_scenes_network
from filterscope import tables
from filterscope.activations.extraction import ActivationError, ExtractionSettings
from filterscope.activations.probing import ProbeSettings
from filterscope.activations.shards import ShardPaths
from filterscope.data.networks.embedded import FILTERS, SUMS
from filterscope.data.scenes.dataset import ScenesSettings
from filterscope.pictures.recipes.registry import maximise
from filterscope.pictures.recipes.stages import Staged
from filterscope.pictures.senses.counting import CountSettings
from filterscope.pictures.senses.findings import told
from filterscope.pictures.senses.tables import SenseError
from pictures.senses.draw_senses import draw_senses
from pictures.senses.find_senses import find_senses
from pictures.senses.name_senses import name_senses
from pictures.senses.render_senses import render_senses

INPUT = {"resize": 64, "crop": 64, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
NETWORK = {"source": "planted", "input": INPUT}
EXTRACTION = ExtractionSettings(batch_size=50, workers=0)
TWO = [number for number, summands in enumerate(SUMS) if len(summands) == 2]
KINDS = ("pooled", "images", "tails", "rejected", "maps")


class Scenes:
    """Generated scenes, the planted network, its two layers as they were extracted, and where senses go."""

    def __init__(self, folder):
        self.folder = folder
        self.sums, self.detectors = (
            ProbeSettings.from_mapping({"network": NETWORK, "layer": layer}) for layer in ("sums", "detectors")
        )

    def prepare(self):
        names = ("images", "annotations", "categories", "rejected")
        settings = ScenesSettings(train=280, val=20, size=64)
        prepare_scenes(*(self.folder / f"{name}.parquet" for name in names), self.folder / "pictures", settings, 0)
        plant_scenes_network(self.folder / "weights.pt", self.folder / "known_words.parquet", self.sums.network)
        self.extract(self.folder)

    def extract(self, where, most=1.0):
        layers = ("sums", "detectors")
        outputs = [ShardPaths(*(where / f"{layer}_{kind}.parquet" for kind in KINDS)) for layer in layers]
        extract_activations(
            *(self.folder / f"{name}.parquet" for name in ("images", "annotations")),
            *(self.folder / "weights.pt", outputs, self.folder / "pictures", [self.sums, self.detectors], EXTRACTION),
            *("1-of-1", 0),
            most=most,
        )

    def find(self, where, **changed):
        arguments = {
            "path_to_images": self.folder / "images.parquet",
            "paths_to_image_activations": [self.folder / "sums_images.parquet"],
            "paths_to_maps": [self.folder / "sums_maps.parquet"],
            "paths_to_code_maps": [self.folder / "detectors_maps.parquet"],
            "path_to_weights": self.folder / "weights.pt",
            "path_to_senses": where / "senses.parquet",
            "path_to_senses_csv": where / "senses.csv",
            "path_to_members": where / "sense_images.parquet",
            "path_to_members_csv": where / "sense_images.csv",
            "folder": self.folder / "pictures",
            "probe": self.sums,
            "codes": self.detectors,
            "filters": "all",
            "activations": EXTRACTION,
            "sensing": {"images": 300, "share": 0.15, "fewest": 24, "split": "all"},
            "settings": CountSettings(),
            "most": 1.0,
            "seed": 0,
        }
        find_senses(**{**arguments, **changed})
        return tables.read(where / "senses.parquet", "senses").to_pandas().set_index("filter")

    def render(self, where, recipe):
        render_senses(
            *(where / "sense_images.parquet", self.folder / "images.parquet", self.folder / "weights.pt"),
            *(where / "sense_pictures.parquet", where / "sense_pictures.csv", where / "pictures"),
            *(self.folder / "pictures", self.sums, "short", recipe, 1.0, 8, 16, 0),
        )
        return tables.read(where / "sense_pictures.parquet", "sense_pictures").to_pandas()

    def draw(self, where, words=None, pictures=None, share=0.5, drawn=30):
        draw_senses(
            *(where / "senses.parquet", where / "sense_images.parquet", words, pictures),
            *(self.folder / "images.parquet", where / "figures", self.folder / "pictures", self.sums.inputs),
            *(share, 8, drawn),
        )
        return sorted(each.name for each in (where / "figures").iterdir())


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    scenes = Scenes(tmp_path_factory.mktemp("scenes"))
    scenes.prepare()
    return scenes


@pytest.fixture(scope="module")
def made(scenes, tmp_path_factory):
    where = tmp_path_factory.mktemp("senses")
    scenes.find(where)
    return where


def test_planted_senses_are_found_and_single_ones_stay_whole(made):
    senses = tables.read(made / "senses.parquet", "senses").to_pandas()
    assert senses["images"].eq(45).all(), "15 % of 300"
    assert senses["senses"].tolist() == [len(summands) for summands in SUMS]
    assert senses["status"].tolist() == ["several" if number in TWO else "one" for number in range(len(SUMS))]
    assert (senses["null_senses"] > 1).mean() < 0.2


def test_planted_senses_are_not_those_of_another_filter_s_places(made):
    """The null finds one wherever it can be asked, in the images of all filters that have two."""
    senses = tables.read(made / "senses.parquet", "senses").to_pandas().set_index("filter")
    asked = senses[senses["other_senses"].notna()]
    assert set(TWO) <= set(asked.index)
    assert asked["other_senses"].eq(1).all()
    assert senses.loc[asked["other_filter"], "senses"].eq(1).all(), "by filters of one sense"
    assert (asked["other_filter"] != asked.index).all()
    assert asked["shared_images"].between(24, 44).all()
    assert asked["shared_senses"].gt(1).sum() >= 2, "of six, in so few images"
    assert "by that one's attention 0 would" in told(senses)


def test_each_sense_is_one_of_the_summands(scenes, made):
    """The main object of the images of a sense has the summand's colour or texture, by the annotations."""
    members = tables.read(made / "sense_images.parquet", "sense_images").to_pandas()
    annotations = tables.read(scenes.folder / "annotations.parquet", "annotations").to_pandas()
    tokens = annotations.groupby("image_id")["tokens"].agg(lambda each: set().union(*map(set, each)))
    for number in TWO:
        own = members[(members["filter"] == number) & (members["rank"] < 8)]
        shown = [[FILTERS[channel][1] in tokens[image] for channel in SUMS[number]] for image in own["image_id"]]
        by_sense = pd.DataFrame(shown).groupby(own["sense"].to_numpy()).mean().to_numpy()
        assert sorted(by_sense.argmax(1)) == [0, 1], "another summand each"
        assert by_sense.max(1).min() == 1, (number, by_sense)


def test_tables_agree_with_each_other(made):
    senses = tables.read(made / "senses.parquet", "senses").to_pandas().set_index("filter")
    members = tables.read(made / "sense_images.parquet", "sense_images").to_pandas()
    assert pd.read_csv(made / "sense_images.csv")["image_id"].tolist() == members["image_id"].tolist()
    assert len(pd.read_csv(made / "senses.csv")) == len(senses) == len(SUMS)
    assert members.groupby("filter").size().to_dict() == senses["images"].to_dict()
    assert (members.groupby("filter")["sense"].nunique() == senses["senses"]).all()
    assert (members.groupby(["filter", "sense"])["rank"].max() + 1).to_dict() == members.groupby(
        ["filter", "sense"]
    ).size().to_dict()
    assert members.groupby(["filter", "sense"])["distance"].apply(lambda each: each.is_monotonic_increasing).all()
    assert members[["peak_row", "peak_column"]].stack().between(0, 1).all()
    assert members["maximum"].gt(0).all()


def test_the_same_without_kept_maps_and_with_the_same_seed(scenes, made, tmp_path):
    scenes.extract(tmp_path, most=0)
    given = {
        "paths_to_image_activations": [tmp_path / "sums_images.parquet"],
        "paths_to_maps": [tmp_path / "sums_maps.parquet"],
        "paths_to_code_maps": [tmp_path / "detectors_maps.parquet"],
    }
    scenes.find(tmp_path, **given)
    for name in ("senses.csv", "sense_images.csv"):
        assert (tmp_path / name).read_bytes() == (made / name).read_bytes()
    with pytest.raises(ActivationError, match=r"layer sums: maps of \d+ images take more than 0 GB of disk"):
        scenes.find(tmp_path, **given, most=0)


def test_codes_of_the_own_layer_leave_the_filter_out(scenes, tmp_path):
    """Detectors by themselves: each is in all of its own images, which tells nothing apart."""
    own = {
        "paths_to_image_activations": [scenes.folder / "detectors_images.parquet"],
        "paths_to_maps": [scenes.folder / "detectors_maps.parquet"],
        "paths_to_code_maps": [],
        "probe": scenes.detectors,
        "codes": None,
    }
    found = scenes.find(tmp_path, **own, filters=[12, 0])
    assert found.index.tolist() == [12, 0]
    assert found["status"].isin(["several", "one"]).all()
    with pytest.raises(SenseError, match="filter 15 is not in layer detectors: its filters are 0 to 14"):
        scenes.find(tmp_path, **own, filters=[15])


def test_filters_that_nothing_can_be_told_of(scenes, tmp_path):
    """Too few images that excite them; one image, repeated."""
    few = scenes.find(tmp_path, sensing={"images": 20, "share": 1.0, "fewest": 24, "split": "all"})
    assert few["status"].eq("untold").all()
    assert few["note"].eq("it fires in 20 of its images, fewer than the 24 that are needed").all()
    assert few[["senses", "strength", "null_senses"]].isna().all(axis=None)
    assert len(tables.read(tmp_path / "sense_images.parquet", "sense_images")) == 0
    assert scenes.draw(tmp_path) == [], "and there is nothing to draw"
    copies = Scenes(tmp_path / "copies")
    (copies.folder / "pictures").mkdir(parents=True)
    for name in ("annotations", "weights"):
        shutil.copy(next(scenes.folder.glob(f"{name}.*")), copies.folder)
    images = tables.read(scenes.folder / "images.parquet", "images").to_pandas().head(40)
    for path in images["path"]:
        shutil.copy(scenes.folder / "pictures" / images["path"][0], copies.folder / "pictures" / path)
    tables.write(images, "images", copies.folder / "images.parquet")
    copies.extract(copies.folder)
    same = copies.find(copies.folder, sensing={"images": 40, "share": 1.0, "fewest": 24, "split": "all"})
    fires = same["images"] > 0
    assert fires.any()
    assert same["status"].eq("untold").all()
    assert same.loc[fires, "note"].eq("its 40 images have 1 different codes: are they copies of one picture?").all()
    assert same.loc[~fires, "note"].str.startswith("it fires in 0 of its images").all()


def test_pictures_and_sheets(scenes, made, tmp_path):
    where = shutil.copytree(made, tmp_path / "made")
    table = scenes.render(where, {"method": "plain", "steps": 2})
    assert len(table) == sum(map(len, SUMS))
    drawn = table[table["status"] == "optimised"]
    assert len(drawn) > len(table) / 2
    assert (drawn["activation"] > drawn["mean_activation"]).mean() > 0.8
    for path in drawn["path"]:
        assert np.asarray(Image.open(where / path)).shape == (64, 64, 3)
    names = scenes.draw(where, pictures=where / "sense_pictures.parquet")
    assert names == [f"senses_{number:04d}.png" for number in range(len(SUMS))]
    for name in names:
        assert np.asarray(Image.open(where / "figures" / name).convert("L")).std() > 20
    clearest = scenes.draw(where, drawn=2)
    assert len(clearest) == 2
    assert {int(name[7:11]) for name in clearest} <= set(TWO)


@pytest.mark.parametrize(
    "recipe",
    [{"method": "vital", "steps": 12}, {"method": "maco", "magnitudes": "photographs", "steps": 12}],
    ids=["vital", "maco"],
)
def test_recipes_that_compare_pictures_have_the_nearest_images_of_each_sense(
    scenes, made, tmp_path, recipe, monkeypatch
):
    where, goals = shutil.copytree(made, tmp_path / "made"), []

    def watched(goal, *rest):
        goals.append(goal)
        return maximise(goal, *rest)

    monkeypatch.setattr("pictures.senses.render_senses.maximise", watched)
    members = tables.read(made / "sense_images.parquet", "sense_images").to_pandas()
    two = members[members["filter"].isin(TWO[:2])]
    tables.write(two, "sense_images", where / "sense_images.parquet")
    table = scenes.render(where, recipe)
    assert table[["filter", "sense"]].to_numpy().tolist() == [[number, sense] for number in TWO[:2] for sense in (0, 1)]
    assert table["status"].eq("optimised").all(), table[["status", "note"]]
    assert (table["activation"] > table["mean_activation"]).all()
    paths = tables.read(scenes.folder / "images.parquet", "images").to_pandas().set_index("image_id")["path"]
    near = two[two["rank"] < 8].sort_values(["filter", "sense", "rank"]).groupby(["filter", "sense"])["image_id"]
    shown = [[np.asarray(Image.open(scenes.folder / "pictures" / paths[each])) for each in own] for _, own in near]
    assert isinstance(goals[0].reader, Staged)
    for own, compared in zip(shown, goals[0].photographs, strict=True):
        assert np.array_equal(np.stack(own).transpose(0, 3, 1, 2), compared)
    colours = np.stack([np.asarray(Image.open(where / path), float).mean((0, 1)) for path in table["path"]])
    apart = np.abs(colours[:, None] - np.stack([np.mean(own, (0, 1, 2)) for own in shown])).mean(2)
    assert apart.argmin(1).tolist() == [0, 1, 2, 3], "each has the colour of its own photographs"


def test_senses_are_named_by_what_tells_them_apart(study, tmp_path):
    """Two groups of images of the filter that sees red, then the same images mixed: nothing tells those apart."""
    seen = tables.read(study.shards("image"), "image_activations")
    strength = dict(zip(seen["image_id"].to_pylist(), tables.matrix(seen["maximum"])[:, 0].tolist(), strict=True))
    strongest = sorted(strength, key=strength.get, reverse=True)[:8]
    arguments = {
        "path_to_members": tmp_path / "sense_images.parquet",
        "path_to_images": study.images,
        "paths_to_maps": [],
        "paths_to_explained_maps": [],
        "path_to_weights": study.weights,
        "path_to_categories": study.categories,
        "path_to_vocabulary": study.vocabulary,
        "path_to_allowed": None,
        "path_to_explainer": study.explainers["words"],
        "path_to_table": tmp_path / "sense_words.parquet",
        "path_to_csv": tmp_path / "sense_words.csv",
        "folder": study.pictures,
        "probe": study.probe(),
        "explained": None,
        "activations": study.extraction,
        "settings": study.explanation,
        "nearest": 3,
        "printed": 4,
        "most": 1.0,
        "seed": 0,
    }

    def named(groups, **changed):
        lines = [(sense, rank, image) for sense, images in enumerate(groups) for rank, image in enumerate(images)]
        table = pd.DataFrame(lines, columns=["sense", "rank", "image_id"])
        places = {"distance": 0.0, "x": 0.0, "y": 0.0, "peak_row": 0.5, "peak_column": 0.5}
        table = table.assign(filter=0, maximum=table["image_id"].map(strength), **places)
        tables.write(table, "sense_images", tmp_path / "sense_images.parquet")
        name_senses(**{**arguments, **changed})
        found = tables.read(tmp_path / "sense_words.parquet", "sense_words").to_pandas()
        assert len(pd.read_csv(tmp_path / "sense_words.csv")) == len(found)
        return found

    found = named([strongest[:4], strongest[4:]])
    assert found["votes"].max() <= 3, "the fourth image is beyond the nearest"
    assert found.groupby("sense")["contrast"].first().gt(0).all()
    other = named([strongest[:4], strongest[4:]], explained=study.probe())
    assert other.equals(found), "another probe that is the same layer"
    alone = named([strongest[:4]])
    assert alone["p"].isna().all()
    assert {"red", "crimson", "reds"} & set(alone["word"])
