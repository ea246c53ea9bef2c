"""The facet rules on generated scenes: planted facets recovered, means numpy's, pictures that climb, figures."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image
from sklearn.metrics import adjusted_rand_score

from data.datasets.prepare_scenes import prepare_scenes
from data.networks.plant_scenes_network import plant_scenes_network
from data.networks.prepare_network import prepare_network
from filterscope import tables
from filterscope.activations.probing import ProbeSettings
from filterscope.data.rejection import RejectionError
from filterscope.data.scenes.dataset import ScenesSettings
from filterscope.data.scenes.words import facet_of
from filterscope.pictures.facets.clustering import FacetError, FacetSettings
from filterscope.pictures.figures import sheet
from pictures.facets.average_facets import average_facets
from pictures.facets.draw_facets import draw_facets
from pictures.facets.embed_facets import embed_facets
from pictures.facets.name_facets import name_facets
from pictures.facets.render_facets import render_facets

NETWORK = {"source": "planted", "input": {"resize": 64, "crop": 64, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}}
CLASSES = {"circle": 0, "star": 3, "heart": 6}  # classes and filters (red, green, purple) of the planted network
RECIPES = {"mean": {"method": "octaves", "table": "mean", "shorten": 10}, "plain": {"method": "plain", "steps": 12}}
QUICK = FacetSettings(seeds=1, bootstraps=1, most=4)
NEAREST = 6


class Scenes:
    """Generated scenes, the planted network, and where the facets go."""

    def __init__(self, folder):
        self.folder = folder
        self.probe = ProbeSettings.from_mapping({"network": NETWORK, "layer": "detectors"})

    def prepare(self):
        names = ("images", "annotations", "categories", "rejected")
        settings = ScenesSettings(train=300, val=20, size=64)
        prepare_scenes(*(self.folder / f"{name}.parquet" for name in names), self.folder / "pictures", settings, 0)
        plant_scenes_network(self.folder / "weights.pt", self.folder / "known_words.parquet", self.probe.network)

    def embed(self, where, **changed):
        arguments = {
            "path_to_images": self.folder / "images.parquet",
            "path_to_annotations": self.folder / "annotations.parquet",
            "path_to_weights": self.folder / "weights.pt",
            "path_to_facets": where / "facets.parquet",
            "path_to_facets_csv": where / "facets.csv",
            "path_to_summary": where / "facet_summary.parquet",
            "path_to_summary_csv": where / "facet_summary.csv",
            "folder": self.folder / "pictures",
            "probe": self.probe,
            "classes_by": "shape",
            "settings": QUICK,
            "batch_size": 50,
            "seed": 0,
        }
        entry = {"classes": CLASSES, "codes": "detectors", "facets": 2, "nearest": NEAREST}
        entry |= {key: changed.pop(key) for key in entry if key in changed}
        embed_facets(**{**arguments, "entry": entry, **changed})

    def average(self, where, nearest=NEAREST):
        average_facets(
            *(where / "facets.parquet", self.folder / "images.parquet", where / "means"),
            *(self.folder / "pictures", self.probe.inputs, nearest),
        )

    def render(self, where, **changed):
        arguments = {
            "path_to_facets": where / "facets.parquet",
            "path_to_means": where / "means",
            "path_to_images": self.folder / "images.parquet",
            "path_to_weights": self.folder / "weights.pt",
            "path_to_table": where / "facet_pictures.parquet",
            "path_to_csv": where / "facet_pictures.csv",
            "path_to_pictures": where / "pictures",
            "photographs": self.folder / "pictures",
            "probe": self.probe,
            "name": "mean",
            "from_noise": ["mean", "plain"],
            "recipes": RECIPES,
            "nearest": NEAREST,
            "batch_size": 4,
            "seed": 0,
        }
        render_facets(**{**arguments, **changed})

    def draw(self, where):
        draw_facets(
            *(where / f"{name}.parquet" for name in ("facets", "facet_summary", "facet_pictures")),
            *(None, self.folder / "images.parquet", where / "figures"),
            *(self.folder / "pictures", self.probe.inputs),
        )

    def truth(self):
        """The facet that every image's main object shows; images that show none are left out."""
        annotations = tables.read(self.folder / "annotations.parquet", "annotations").to_pandas()
        main = annotations.sort_values(["area", "image_id"], kind="stable").groupby("image_id").tail(1)
        return main.set_index("image_id")["tokens"].map(lambda tokens: facet_of(*tokens)).dropna()


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    scenes = Scenes(tmp_path_factory.mktemp("scenes"))
    scenes.prepare()
    return scenes


@pytest.fixture(scope="module")
def made(scenes, tmp_path_factory):
    where = tmp_path_factory.mktemp("facets")
    scenes.embed(where)
    scenes.average(where)
    scenes.render(where)
    scenes.draw(where)
    return where


def test_planted_facets_are_recovered(scenes, made):
    """A class's two facets differ in colour and texture, which the planted filters see."""
    table, truth = tables.read(made / "facets.parquet", "facets").to_pandas(), scenes.truth()
    found = {}
    for name, rows in table.groupby("class"):
        faced = rows[rows["image_id"].isin(truth.index)]
        found[name] = adjusted_rand_score(truth[faced["image_id"]], faced["facet"])
    assert min(found.values()) >= 0.8, found


def test_tables_agree_with_each_other(made):
    table = tables.read(made / "facets.parquet", "facets").to_pandas()
    summary = tables.read(made / "facet_summary.parquet", "facet_summary").to_pandas().set_index(["unit", "facet"])
    assert pd.read_csv(made / "facets.csv")["image_id"].tolist() == table["image_id"].tolist()
    assert len(pd.read_csv(made / "facet_summary.csv")) == len(summary) == 6
    sizes = table.groupby(["unit", "facet"]).size()
    assert summary["members"].to_dict() == sizes.to_dict()
    assert (summary["averaged"] == sizes.clip(upper=NEAREST)).all()
    assert summary["small"].tolist() == (sizes < NEAREST).tolist()
    assert summary["seed_stability"].min() > 0.5
    assert summary["suggested_facets"].between(2, 4).all()
    for _, rows in table.groupby(["unit", "facet"]):
        assert rows.sort_values("distance")["rank"].tolist() == list(range(len(rows)))


def test_mean_images_are_means_of_the_nearest_members(scenes, made):
    table = tables.read(made / "facets.parquet", "facets").to_pandas()
    paths = tables.read(scenes.folder / "images.parquet", "images").to_pandas().set_index("image_id")["path"]
    groups = list(table.groupby(["unit", "facet"]))
    assert len(list((made / "means").iterdir())) == len(groups) == 6
    for (unit, facet), rows in groups:
        near = rows.nsmallest(NEAREST, "distance")["image_id"]
        pictures = [np.asarray(Image.open(scenes.folder / "pictures" / paths[each])) for each in near]
        mean = np.asarray(Image.open(made / f"means/unit_{unit:04d}_facet_{facet:02d}.png"))
        assert np.array_equal(mean, np.mean(pictures, axis=0).round())


def test_pictures_begin_as_the_mean_and_excite_the_unit_more(made):
    table = tables.read(made / "facet_pictures.parquet", "facet_pictures").to_pandas()
    assert table.groupby(["recipe", "start"]).size().to_dict() == {
        ("mean", "mean"): 6,
        ("mean", "noise"): 6,
        ("plain", "noise"): 6,
    }
    table = table[table["start"] == "mean"]
    members = tables.read(made / "facets.parquet", "facets").to_pandas().set_index(["unit", "image_id"])
    assert len(table) == 6
    optimised = table[table["status"] == "optimised"]
    assert len(optimised) >= 3
    assert (optimised["activation"] > optimised["mean_activation"]).sum() >= 3  # a tenth of the recipe's steps
    assert optimised["ratio"].to_numpy() == pytest.approx(optimised["activation"] / optimised["best_image"])
    for row in table.itertuples():
        nearest = members.loc[(row.unit, row.nearest_image_id)]
        assert (nearest["rank"], nearest["facet"]) == (0, row.facet)
        assert nearest["activation"] == pytest.approx(row.nearest_image)
    mean, picture = (np.asarray(Image.open(made / optimised[each].iloc[0]), int) for each in ("mean_path", "path"))
    assert picture.shape == (77, 77, 3)  # the table grows it by a fifth
    smaller = np.asarray(Image.fromarray(picture.astype(np.uint8)).resize((64, 64)), int)
    assert np.corrcoef(mean.ravel(), smaller.ravel())[0, 1] > 0.4


def test_pictures_from_noise_know_nothing_of_the_facet(made):
    """Those of one unit are alike but for their noise, and none is like its mean image."""
    table = tables.read(made / "facet_pictures.parquet", "facet_pictures").to_pandas()
    bare = table[(table["recipe"] == "plain") & (table["status"] == "optimised")]
    assert len(bare)
    for row in bare.itertuples():
        mean, picture = (np.asarray(Image.open(made / path), float).ravel() for path in (row.mean_path, row.path))
        assert abs(np.corrcoef(mean, picture)[0, 1]) < 0.3
    assert table["path"].dropna().is_unique


def test_silent_units_are_said_to_be(scenes, made, tmp_path):
    """One step of every octave is too few to wake them."""
    where = shutil.copytree(made, tmp_path / "short")
    scenes.render(where, recipes={"mean": RECIPES["mean"] | {"shorten": 190}}, from_noise=[])
    table = tables.read(where / "facet_pictures.parquet", "facet_pictures").to_pandas()
    dead = table[(table["status"] == "no gradient") & (table["start"] == "mean")]
    assert len(dead)
    assert dead["path"].isna().all()
    assert dead["activation"].isna().all()
    assert dead["note"].str.startswith("zero gradient in").all()
    scenes.draw(where)
    for unit in dead["unit"]:
        assert np.asarray(Image.open(where / f"figures/sheet_{unit:04d}.png").convert("L")).std() > 20


def test_figures_show_something(made):
    names = sorted(each.name for each in (made / "figures").iterdir())
    assert names == sorted(f"{kind}_{unit:04d}.png" for kind in ("map", "sheet") for unit in CLASSES.values())
    for name in names:
        assert np.asarray(Image.open(made / "figures" / name).convert("L")).std() > 20


def test_the_title_of_a_sheet_of_few_pictures_fits(scenes, made, tmp_path, monkeypatch):
    """Without pictures from noise a sheet is narrow."""
    where, drawn = shutil.copytree(made, tmp_path / "few"), []
    table = tables.read(where / "facet_pictures.parquet", "facet_pictures").to_pandas()
    tables.write(table[table["start"] == "mean"], "facet_pictures", where / "facet_pictures.parquet")
    monkeypatch.setattr("pictures.facets.draw_facets.sheet", lambda *given: drawn.append(sheet(*given)) or drawn[-1])
    scenes.draw(where)
    assert len(drawn) == len(CLASSES)
    for figure in drawn:
        renderer = FigureCanvasAgg(figure).get_renderer()
        title, *others = (each.get_window_extent(renderer) for each in figure.texts)
        assert title.x1 <= figure.bbox.x1
        assert title.y0 >= max(each.y1 for each in others)


def test_the_same_seed_gives_the_same_bytes_whatever_the_batch(scenes, made, tmp_path):
    scenes.embed(tmp_path)
    scenes.average(tmp_path)
    scenes.render(tmp_path, batch_size=6)
    for name in ("facets.parquet", "facet_summary.csv", "means/unit_0000_facet_00.png"):
        assert (tmp_path / name).read_bytes() == (made / name).read_bytes()
    for path in sorted((made / "pictures").iterdir()):
        first, second = (np.asarray(Image.open(each / "pictures" / path.name), int) for each in (made, tmp_path))
        assert np.abs(first - second).mean() < 1


def test_class_folders_and_the_penultimate_codes(scenes, tmp_path):
    """Photographs in a folder per class; a small facet is averaged whole and flagged."""
    images = tables.read(scenes.folder / "images.parquet", "images").to_pandas().head(14)
    images["path"] = [f"{'cats' if number < 12 else 'dogs'}/{path}" for number, path in enumerate(images["path"])]
    for path in images["path"]:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(scenes.folder / "pictures" / path.split("/")[1], tmp_path / path)
    tables.write(images, "images", tmp_path / "images.parquet")
    arguments = {"path_to_images": tmp_path / "images.parquet", "path_to_annotations": None, "folder": tmp_path}
    arguments |= {"classes_by": "folder", "classes": {"cats": 2}, "codes": None, "facets": 3, "nearest": 10}
    scenes.embed(tmp_path, **arguments)
    summary = tables.read(tmp_path / "facet_summary.parquet", "facet_summary").to_pandas()
    assert summary["members"].sum() == 12
    assert summary["small"].tolist() == (summary["members"] < 10).tolist()
    assert summary["averaged"].tolist() == summary["members"].clip(upper=10).tolist()
    for name in ("facets.parquet", "facet_summary.parquet"):
        (tmp_path / name).unlink()
    with pytest.raises(FacetError, match="class 'dogs' has 2 images, fewer than the 3 facets asked for"):
        scenes.embed(tmp_path, **{**arguments, "classes": {"dogs": 2}})
    for path in images["path"][1:12]:
        shutil.copy(tmp_path / images["path"][0], tmp_path / path)
    with pytest.raises(FacetError, match="class 'cats': all 12 codes are equal"):
        scenes.embed(tmp_path, **arguments)
    (tmp_path / images["path"][3]).write_bytes(b"broken")
    with pytest.raises(RejectionError, match=r"image 3 could be read before and cannot now: .*not a picture"):
        scenes.embed(tmp_path, **arguments)
    assert not (tmp_path / "facets.parquet").exists()


def test_classes_that_are_no_folders_are_refused_before_any_picture_is_read(scenes, tmp_path):
    """An album without folders has no classes; scenes have those that their objects' shapes are."""
    arguments = {"folder": tmp_path / "nothing is here", "classes": {"cats": 2}}
    with pytest.raises(ValueError, match="class 'cats' has no image in the dataset; there is none: a class is a "):
        scenes.embed(tmp_path, classes_by="folder", path_to_annotations=None, **arguments)
    with pytest.raises(ValueError, match="class 'cats' has no image in the dataset; there are, for example, "):
        scenes.embed(tmp_path, **arguments)
    assert not list(tmp_path.iterdir())


def test_grey_pictures_and_a_unit_that_no_image_excites(scenes, tmp_path, caplog):
    """Grey photographs are grouped by their textures; the unit that sees red is silent, which is said."""
    images = tables.read(scenes.folder / "images.parquet", "images").to_pandas().head(30)
    (tmp_path / "grey").mkdir()
    for path in images["path"]:
        Image.open(scenes.folder / "pictures" / path).convert("L").save(tmp_path / "grey" / path)
    images["path"] = ["grey/" + path for path in images["path"]]
    tables.write(images, "images", tmp_path / "images.parquet")
    arguments = {"path_to_images": tmp_path / "images.parquet", "path_to_annotations": None, "folder": tmp_path}
    scenes.embed(tmp_path, **arguments, classes_by="folder", classes={"grey": 0}, facets=2)
    assert "class 'grey': unit 0 is above 0 in none of its 30 images" in caplog.text
    facets = tables.read(tmp_path / "facets.parquet", "facets").to_pandas()
    assert facets["activation"].eq(0).all()
    assert facets["facet"].nunique() == 2
    caplog.clear()
    scenes.embed(tmp_path, **arguments, classes_by="folder", classes={"grey": 8}, facets=2)
    assert "is above 0 in none" not in caplog.text, "the filter for horizontal stripes sees some"


def test_photographs_smaller_than_the_networks_input_are_named(scenes, tmp_path, caplog):
    inputs = replace(scenes.probe.inputs, resize=80, crop=80)
    probe = replace(scenes.probe, network=replace(scenes.probe.network, input=inputs))
    scenes.embed(tmp_path, probe=probe, classes={"circle": 0})
    count = len(tables.read(tmp_path / "facets.parquet", "facets"))
    assert f"{count} of {count} images are smaller than the network's input of 80 x 80 px" in caplog.text


def test_a_class_or_unit_that_is_not_there(scenes, tmp_path):
    with pytest.raises(ValueError, match="class 'circel' has no image in the dataset; there are, for example, circle"):
        scenes.embed(tmp_path, classes={"circel": 0})
    with pytest.raises(ValueError, match="filter 15 is not in layer detectors: its filters are 0 to 14"):
        scenes.embed(tmp_path, classes={"circle": 15})
    assert not list(tmp_path.iterdir())


def test_facets_are_named_by_what_tells_them_apart(study, tmp_path):
    """Two groups of images of the unit that sees red, then the same images mixed: nothing tells those apart."""
    seen = tables.read(study.shards("image"), "image_activations")
    strength = dict(zip(seen["image_id"].to_pylist(), tables.matrix(seen["mean"])[:, 0].tolist(), strict=True))
    strongest = sorted(strength, key=strength.get, reverse=True)[:8]
    arguments = {
        "path_to_facets": tmp_path / "facets.parquet",
        "path_to_images": study.images,
        "path_to_weights": study.weights,
        "path_to_categories": study.categories,
        "path_to_vocabulary": study.vocabulary,
        "path_to_allowed": None,
        "paths_to_explainers": [study.explainers["words"]],
        "path_to_table": tmp_path / "facet_words.parquet",
        "path_to_csv": tmp_path / "facet_words.csv",
        "folder": study.pictures,
        "probe": study.probe(),
        "explained": [study.probe()],
        "settings": study.explanation,
        "nearest": 3,
        "printed": 4,
        "seed": 0,
    }

    def named(groups, **changed):
        lines = [(facet, rank, image) for facet, images in enumerate(groups) for rank, image in enumerate(images)]
        table = pd.DataFrame(lines, columns=["facet", "rank", "image_id"])
        table = table.assign(unit=0, x=0.0, y=0.0, distance=0.0, activation=table["image_id"].map(strength))
        table["class"] = "red things"
        tables.write(table, "facets", tmp_path / "facets.parquet")
        name_facets(**{**arguments, **changed})
        found = tables.read(tmp_path / "facet_words.parquet", "facet_words").to_pandas()
        assert len(pd.read_csv(tmp_path / "facet_words.csv")) == len(found)
        return found

    found = named([strongest[:4], strongest[4:]])
    assert found["votes"].max() <= 3, "the fourth image is beyond the nearest"
    assert found.groupby("facet")["contrast"].first().gt(0).all()
    files = [arguments[name].read_bytes() for name in ("path_to_table", "path_to_csv")]
    named([strongest[:4], strongest[4:]])
    assert [arguments[name].read_bytes() for name in ("path_to_table", "path_to_csv")] == files
    assert named([strongest[::2], strongest[1::2]])["p"].min() > 0.05, "images of both kinds in both groups"
    alone = named([strongest[:4]])
    assert alone["p"].isna().all()
    assert {"red", "crimson", "reds"} & set(alone["word"])
    # Several explainers answer together: a word's cosine is the mean of what each says.
    explainers = list(study.explainers.values())
    each = [named([strongest], paths_to_explainers=[path], nearest=8, printed=1000) for path in explainers]
    both = {"paths_to_explainers": explainers, "explained": [study.probe()] * 2, "nearest": 8, "printed": 1000}
    wanted = sum(table.set_index("word")["cosine"] for table in each) / 2
    together = named([strongest], **both).set_index("word")["cosine"]
    shared = together.index.intersection(wanted.dropna().index)
    assert len(shared) > 3
    assert together[shared].to_numpy() == pytest.approx(wanted[shared].to_numpy(), abs=1e-6)


def test_nan_is_named_with_its_image(study, scenes, tmp_path):
    """The poisoned network answers NaN to a picture that is purely white somewhere."""
    images = study.table("images").head(6)
    shutil.copytree(study.pictures, tmp_path / "all")
    images["path"] = ["all/" + path for path in images["path"]]
    Image.new("RGB", (64, 64), "white").save(tmp_path / images["path"][4])
    tables.write(images, "images", tmp_path / "images.parquet")
    prepare_network(tmp_path / "weights.pt", study.network("poisoned"), 0)
    arguments = {"path_to_images": tmp_path / "images.parquet", "path_to_annotations": None, "folder": tmp_path}
    arguments |= {"path_to_weights": tmp_path / "weights.pt", "probe": study.probe("poisoned", "2"), "codes": None}
    with pytest.raises(FacetError, match="class 'all': NaN or infinite codes or activations at image 4"):
        scenes.embed(tmp_path, **arguments, classes={"all": 0}, classes_by="folder")
