"""score_pictures and its figure: every picture has its scores, photographs lead noise, the judge is another network."""

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data.datasets.prepare_scenes import prepare_scenes
from data.networks.plant_scenes_network import plant_scenes_network
from filterscope import tables
from filterscope.activations.probing import ProbeSettings
from filterscope.data.scenes.dataset import ScenesSettings
from filterscope.pictures.quality.criteria import CRITERIA
from filterscope.pictures.quality.validation import CriteriaSettings
from pictures.facets.render_criteria import render_criteria
from pictures.facets.score_pictures import score_pictures

SIDE = 64
INPUT = {"resize": SIDE, "crop": SIDE, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
JUDGE = ProbeSettings.from_mapping({"network": {"source": "planted", "input": INPUT}, "layer": "detectors"})
RED, GREEN = 0, 3  # filters of the judge, which stand for the classes
SETTINGS = CriteriaSettings(photographs=60, resamples=50)
NAMES = ("picture_scores", "criteria", "criteria_validation")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photographs, two facets of two classes with mean images, noise as pictures; red and green discs by maco."""
    folder = tmp_path_factory.mktemp("scores")
    names = ("images", "annotations", "categories", "rejected")
    settings = ScenesSettings(train=80, val=10, size=SIDE)
    prepare_scenes(*(folder / f"{name}.parquet" for name in names), folder / "pictures", settings, 0)
    plant_scenes_network(folder / "weights.pt", folder / "known_words.parquet", JUDGE.network)
    images = tables.read(folder / "images.parquet", "images").to_pandas()
    members = images.head(60)[["image_id"]].assign(unit=[RED, GREEN] * 30, x=0.0, y=0.0, distance=0.0, activation=2.0)
    members = members.assign(facet=members.index // 2 % 2, rank=members.index // 4)
    members["class"] = members["unit"].map({RED: "red", GREEN: "green"})
    tables.write(members, "facets", folder / "facets.parquet")
    (folder / "facets/means").mkdir(parents=True)
    (folder / "facets/pictures").mkdir()
    (folder / "maco/pictures").mkdir(parents=True)
    rows, chance = [], np.random.default_rng(0)
    for (unit, facet), own in members.groupby(["unit", "facet"]):
        paths = images.set_index("image_id").loc[own["image_id"], "path"]
        shown = [np.asarray(Image.open(folder / "pictures" / path)) for path in paths]
        mean = f"means/{unit}_{facet}.png"
        Image.fromarray(np.mean(shown, 0).astype(np.uint8)).save(folder / "facets" / mean)
        for recipe, start in (("octaves", "mean"), ("octaves", "noise"), ("plain", "noise")):
            path = f"pictures/{recipe}_{start}_{unit}_{facet}.png"
            pixels = chance.integers(0, 256, (77, 77, 3), np.uint8) if start == "noise" else shown[0]
            Image.fromarray(pixels).save(folder / "facets" / path)
            dead = (recipe, unit, facet) == ("plain", GREEN, 1)
            rows.append((unit, facet, recipe, start, None if dead else path, mean, None if dead else 3.0))
    table = pd.DataFrame(rows, columns=["unit", "facet", "recipe", "start", "path", "mean_path", "activation"])
    table = table.assign(status="optimised", note="", mean_activation=1.0, nearest_image_id=0, nearest_image=1.0)
    table = table.assign(best_image=2.0, ratio=1.5).assign(**{"class": "c"})
    table = table.astype(object).where(table.notna(), None)
    tables.write(table, "facet_pictures", folder / "facets/facet_pictures.parquet")
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    made = []
    for unit, colour in ((RED, (220, 40, 50)), (GREEN, (60, 175, 70)), (7, (250, 100, 170))):
        pixels = np.where((np.hypot(y, x) < 0.3)[..., None], colour, (120, 120, 120)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"maco/pictures/{unit}.png")
        made.append((unit, 0, "maco", "optimised", "", f"pictures/{unit}.png", SIDE, 1.0, 1.0, 0, 2.0, 0.5))
    columns = tables.SCHEMAS["pictures"].names
    tables.write(pd.DataFrame(made, columns=columns), "pictures", folder / "maco/pictures.parquet")
    return folder


def scored(folder, where, **changed):
    where.mkdir(exist_ok=True)
    arguments = {
        "path_to_facets": folder / "facets.parquet",
        "path_to_facet_pictures": folder / "facets/facet_pictures.parquet",
        "path_to_images": folder / "images.parquet",
        "paths_to_recipes": {"maco": folder / "maco/pictures.parquet"},
        "path_to_judge": folder / "weights.pt",
        "path_to_scores": where / "picture_scores.parquet",
        "path_to_scores_csv": where / "picture_scores.csv",
        "path_to_criteria": where / "criteria.parquet",
        "path_to_criteria_csv": where / "criteria.csv",
        "path_to_validation": where / "criteria_validation.parquet",
        "path_to_validation_csv": where / "criteria_validation.csv",
        "folder": folder / "pictures",
        "inputs": JUDGE.inputs,
        "recipe": "octaves",
        "plain": ["plain"],
        "positioned": [],
        "judge": JUDGE,
        "settings": SETTINGS,
        "batch_size": 16,
        "seed": 0,
    }
    score_pictures(**{**arguments, **changed})
    return [tables.read(where / f"{name}.parquet", name).to_pandas() for name in NAMES]


@pytest.fixture(scope="module")
def made(folder):
    return scored(folder, folder / "made")


def test_every_picture_has_its_scores(made):
    scores = made[0]
    assert scores.groupby("group").size().to_dict() == {
        "photographs": 30,
        "mean images": 4,
        "octaves, from the mean image": 4,
        "octaves, from noise": 4,
        "plain, from noise": 4,
        "maco": 2,  # of the two classes; the third is no class here
    }
    dead = scores[scores["path"].isna() & scores["image_id"].isna()]
    assert len(dead) == 1
    assert dead[[*CRITERIA, "judge_rank", "ratio"]].isna().all(axis=None)
    assert scores.drop(index=dead.index)[list(CRITERIA)].notna().all(axis=None)
    ratios = scores.groupby("group")["ratio"].first().to_dict()
    assert ratios["octaves, from the mean image"] == 1.5
    assert ratios["mean images"] == 0.5
    assert ratios["maco"] == 0.5


def test_recipes_with_a_position_have_no_ratio(folder, made, tmp_path):
    scores, criteria, _ = scored(folder, tmp_path / "positioned", positioned=["maco"])
    assert set(criteria.loc[criteria["measure"] == "ratio", "group"]) == set(scores["group"]) - {"maco"}
    columns = [each for each in scores if each != "ratio"]
    pd.testing.assert_frame_equal(scores[columns], made[0][columns])


def test_the_judge_sees_discs_of_the_right_colour(made):
    scores, criteria, _ = made
    others = scores[scores["group"] == "maco"]
    assert others["judge_rank"].le(2).all()
    means = criteria.set_index(["group", "measure"])["value"]
    assert means["maco", "judge_top5"] == 1
    assert means["chance", "judge_top1"] == pytest.approx(1 / 15)
    assert means["plain, from noise", "judge_top1"] < 0.5


def test_photographs_lead_noise_by_every_criterion(made):
    validation = made[2]
    assert set(validation["criterion"]) == set(CRITERIA)
    noise = validation[(validation["first"] == "photographs") & (validation["second"] == "plain, from noise")]
    assert noise["low"].gt(0.5).sum() >= 4
    assert noise["second_n"].eq(3).all()
    assert noise["holds"].isna().all(), "three pictures are too few to tell"
    pairs = validation[validation["paired"]]
    assert pairs["first_n"].eq(4).all()
    assert pairs["better"].mean() > 0.8, "photographs stand in for pictures that began as mean images"


def test_the_same_seed_gives_the_same_bytes(folder, made, tmp_path):
    scored(folder, tmp_path / "again")
    for name in NAMES:
        for kind in ("parquet", "csv"):
            assert (tmp_path / f"again/{name}.{kind}").read_bytes() == (folder / f"made/{name}.{kind}").read_bytes()


def test_without_a_judge_nothing_is_judged(folder, tmp_path):
    without = {"judge": None, "path_to_judge": None, "paths_to_recipes": {}, "plain": []}
    scores, criteria, _ = scored(folder, tmp_path / "alone", **without)
    assert scores["judge_rank"].isna().all()
    assert set(criteria["measure"]) == {*CRITERIA, "ratio"}
    assert "maco" not in set(scores["group"])


def test_a_judge_without_the_unit_is_refused(folder, tmp_path):
    facets = tables.read(folder / "facets.parquet", "facets").to_pandas()
    tables.write(facets.assign(unit=facets["unit"] + 20), "facets", tmp_path / "facets.parquet")
    changed = {"path_to_facets": tmp_path / "facets.parquet", "paths_to_recipes": {}}
    with pytest.raises(ValueError, match=r"unit 2[03] is not among the judge's outputs, 0 to 14"):
        scored(folder, tmp_path / "wrong", **changed)
    assert not list((tmp_path / "wrong").iterdir())


def test_a_judge_of_other_classes_is_said_to_tell_nothing(folder, made, tmp_path, caplog):
    """It has the units, but the photographs of these classes were handed out without regard to what they show."""
    with caplog.at_level("WARNING"):
        scored(folder, tmp_path / "judged", paths_to_recipes={})
    said = r"the judge sees the right class first in 0\.\d\d of the classes' own photographs, 0\.0667 being chance"
    assert re.search(said, caplog.text)


def test_the_figure_shows_every_measure(folder, made, tmp_path):
    where = folder / "made"
    render_criteria(where / "criteria.parquet", where / "criteria_validation.parquet", tmp_path / "criteria.png")
    first = np.asarray(Image.open(tmp_path / "criteria.png").convert("L"))
    assert first.std() > 10
    render_criteria(where / "criteria.parquet", where / "criteria_validation.parquet", tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "criteria.png").read_bytes()
