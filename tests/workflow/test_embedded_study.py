"""The embedded study: known answers come out, and its results are complete."""

from __future__ import annotations

import base64
import re

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sklearn.metrics import adjusted_rand_score
from tests.synthetic_study import received

from filterscope import tables
from filterscope.data.samples.labelled_samples import read_samples
from filterscope.data.scenes.words import FACETS, SYNONYMS, facet_of
from filterscope.pictures.quality.criteria import CRITERIA
from filterscope.pictures.quality.validation import verdicts
from filterscope.words.naming import BELIEVED

pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.timeout(3300)]

SCHEMAS = {
    "filter_words": "filter_words",
    "filter_names": "filter_names",
    "filter_claims": "filter_claims",
    "filter_causes": "filter_causes",
    "scores": "scores",
    "sanity": "sanity",
    "history": "history",
    "filter_votes": "filter_votes",
    "image_words": "image_words",
    "measurements": "measurements",
}


# Activation of optimised pictures against the best picture of the dataset, median over the filters.
LEAST_RETRIEVAL = {"colour": 0.5, "texture": 0.1, "shape": 0.06}  # above chance
LEAST = {"fourier": 1.5, "maco": 0.6}


def folders(study):
    return [
        study.directory / "results/words" / entry["dataset"] / entry["probe"] / entry["vocabulary"]
        for entry in study.config["explanations"]
    ]


def test_every_explanation_has_its_tables_and_pictures(finished_study):
    for folder in folders(finished_study):
        for name, schema in SCHEMAS.items():
            assert tables.read(folder / f"{name}.parquet", schema).num_rows
        for name in ("filter_words", "filter_names", "filter_claims", "filter_causes", "scores", "sanity", "history"):
            assert len(pd.read_csv(folder / f"{name}.csv")) == pq.read_metadata(folder / f"{name}.parquet").num_rows
        for picture in [*folder.glob("sheets/*.png"), folder / "scores.png", folder / "training.png"]:
            assert np.asarray(Image.open(picture).convert("L")).std() > 5, f"{picture} shows nothing"
        live = ~pd.read_parquet(folder / "filter_claims.parquet")["dead"]
        assert len(list(folder.glob("sheets/*.png"))) == min(finished_study.config["sheets"]["filters"], live.sum())


def test_the_known_answers_come_out(finished_study):
    """The gate: planted colours are named first, at least 80 % of the planted filters among the first three words."""
    planted, units = (pd.read_parquet(folder / "known_answers.parquet") for folder in folders(finished_study))
    colours = planted[planted["detects"] == "colour"]
    assert len(colours) == 8
    assert colours["passed"].all()
    assert [found[0] for found in colours["found"]] == [right[0] for right in colours["right"]]
    assert planted["rank"].notna().mean() >= 0.8
    assert len(units) >= 6
    assert units["passed"].mean() >= 0.8, "output units know their class"


def test_right_names_of_known_filters_are_proved(finished_study):
    """What is planted, and what units are trained for, is the cause; the claims of other filters are not.

    Units answer to whole pictures, less to what is laid into another: every effect is above its null, but not all are
    decided.
    """
    for folder in folders(finished_study):
        known = pd.read_parquet(folder / "known_answers.parquet").set_index("filter")["right"]
        names = pd.read_parquet(folder / "filter_names.parquet").set_index("filter")
        right = names[[claim in known[number] for number, claim in names["claim"].items()]]
        assert len(right) >= 6
        assert (right["cause_low"] > right["cause_null"]).all()
        assert right["status"].isin(BELIEVED).mean() >= 0.8
        if "planted" in folder.parts:
            assert right["status"].eq("proved").mean() >= 0.8
        decoys = tables.read(folder / "filter_causes.parquet", "filter_causes").to_pandas()["lent_caused"].dropna()
        assert decoys.sum() <= max(1, 0.1 * len(decoys))


def test_the_cnn_of_the_study_is_worth_explaining(finished_study):
    history = pd.read_csv(finished_study.directory / "results/data/networks/scenes_cnn/history.csv")
    assert history.loc[history["best"], "val_accuracy"].item() >= 0.95


def test_the_clip_model_of_the_study_is_a_real_rival(finished_study):
    """It finds the right words for scenes that it has not seen, and beats other filters' words where it names."""
    retrieval = pd.read_csv(finished_study.directory / "results/data/clips/scenes_clip/retrieval.csv").set_index("kind")
    for kind, least in LEAST_RETRIEVAL.items():
        assert retrieval.loc[kind, "right"] > retrieval.loc[kind, "chance"] + least, kind
    planted = pd.read_parquet(folders(finished_study)[0] / "scores.parquet")
    iou = planted[planted["metric"] == "iou"].set_index("row")["value"]
    assert iou["clip_dissect"] > iou["shuffled_filters"]
    summary = (finished_study.directory / "results/report/appendix/words.md").read_text()
    assert "CLIP-Dissect" in summary
    assert summary.count("Which row wins which score: ") == len(folders(finished_study))


def test_supported_names_beat_the_nulls(finished_study):
    for folder in folders(finished_study):
        scores = pd.read_parquet(folder / "scores.parquet")
        recall = scores[(scores["metric"] == "recall") & (scores["candidates"] == "categories") & (scores["k"] == 5)]
        for row in ("shuffled_labels", "shuffled_filters"):
            assert recall.loc[recall["row"] == row, "margin_low"].item() > 0
    claims = pd.read_parquet(folders(finished_study)[0] / "filter_claims.parquet")
    assert claims["supported"].mean() >= 0.8


def test_every_score_stands_beside_its_nulls(finished_study):
    rows = {"words", "constant_words", "shuffled_filters", "shuffled_labels", "random_network", "dissection"}
    rows.add("clip_dissect")
    for folder in folders(finished_study):
        scores = pd.read_parquet(folder / "scores.parquet")
        for (metric, *_), group in scores.groupby(["metric", "candidates", "k"]):
            assert set(group["row"]) == (rows if metric == "recall" else rows | {"ceiling"})
        assert set(scores["metric"]) == {"recall", "iou", "f1", "auprc", "auprc_lift", "correlation"}


def test_pictures_excite_their_filters(finished_study):
    """Against the best of 2,000 pictures; `maco` has their contrasts, and the best was found at its best place."""
    results = finished_study.directory / "results/pictures/scenes"
    for entry in finished_study.config["pictures"]:
        folder = results / entry["probe"] / entry["recipe"]
        table = tables.read(folder / "pictures.parquet", "pictures").to_pandas()
        assert len(pd.read_csv(folder / "pictures.csv")) == len(table) == 8
        assert table["status"].eq("optimised").mean() >= 0.75
        assert table["ratio"].median() > LEAST[entry["recipe"]]
        for path in table["path"].dropna():
            assert np.asarray(Image.open(folder / path)).std() > 5, f"{path} shows nothing"
        assert list((results / entry["probe"] / "sheets").glob("sheet_*.png"))


def test_names_show_what_their_pictures_are_called(finished_study):
    """Of all units, which know their classes, by both recipes; the planted filters have no pictures."""
    columns = ["picture", "picture_count", "picture_found", "picture_null"]
    planted, units = (tables.read(each / "filter_names.parquet", "filter_names") for each in folders(finished_study))
    assert planted.to_pandas()[columns].isna().all(axis=None)
    units = units.to_pandas().set_index("filter")
    results = finished_study.directory / "results/pictures/scenes/cnn_units"
    recipes = ("maco", "fourier")
    own = pd.concat(pd.read_parquet(results / recipe / "picture_words.parquet") for recipe in recipes)
    shown = units[units["picture"].notna()]
    assert set(shown.index) == set(own.loc[own["words"].str.len() > 0, "filter"])
    for number, said in shown["picture"].items():
        for row in own[(own["filter"] == number) & (own["words"].str.len() > 0)].itertuples():
            (part,) = [each for each in said.split("; ") if each.startswith(f"{row.recipe}: ")]
            assert part.replace("*", "").removeprefix(f"{row.recipe}: ").split(", ") == list(row.words[:5])
    compared = own[own["found"].notna()].groupby("filter")
    told = units[units["picture_count"].notna()]
    assert told["picture_count"].to_dict() == compared.size().to_dict()
    assert told["picture_found"].to_dict() == compared["found"].agg(lambda each: each.mean()).to_dict()
    assert told["picture_found"].mean() > told["picture_null"].mean()


def planted_words(truth, rows):
    """Colour and texture that most images of a facet show, and what else one may call them."""
    colour, texture = FACETS[rows["class"].iloc[0]][int(truth.reindex(rows["image_id"]).mode().iloc[0])]
    return {colour, texture, *SYNONYMS[colour], *SYNONYMS[texture]}


def test_planted_facets_are_recovered(finished_study):
    """Colour and texture of a class's two facets; images whose main object shows neither do not count."""
    folder = finished_study.directory / "results/pictures/scenes/cnn_units/facets"
    annotations = tables.read(finished_study.directory / "results/data/scenes/annotations.parquet", "annotations")
    main = annotations.to_pandas().sort_values(["area", "image_id"], kind="stable").groupby("image_id").tail(1)
    truth = main.set_index("image_id")["tokens"].map(lambda tokens: facet_of(*tokens)).dropna()
    table = tables.read(folder / "facets.parquet", "facets").to_pandas()
    wanted = finished_study.config["facets"][0]["classes"]
    assert set(table["class"]) == set(wanted)
    for name, rows in table.groupby("class"):
        faced = rows[rows["image_id"].isin(truth.index)]
        assert adjusted_rand_score(truth[faced["image_id"]], faced["facet"]) >= 0.8, name
    words = tables.read(folder / "facet_words.parquet", "facet_words").to_pandas()
    assert set(words["class"]) == set(wanted)
    first = words[(words["rank"] < 3) & (words["p"] <= 0.05)].groupby(["class", "facet"])["word"].agg(set)
    right = [first.get(key, set()) & planted_words(truth, rows) for key, rows in table.groupby(["class", "facet"])]
    assert sum(map(bool, right)) >= 6, right  # of 8; with other seeds 7 or 8; by the words of the other facet none
    pictures = tables.read(folder / "facet_pictures.parquet", "facet_pictures").to_pandas()
    assert pictures["status"].eq("optimised").all()
    begun = pictures[pictures["start"] == "mean"]
    assert (begun["activation"] > begun["mean_activation"]).mean() >= 0.75
    assert set(pictures.loc[pictures["start"] == "noise", "recipe"]) == {"sketch", "plain"}
    figures = {f"{kind}_{unit:04d}.png" for kind in ("map", "sheet") for unit in wanted.values()}
    assert {each.name for each in (folder / "figures").glob("*.png")} == figures


def test_criteria_are_validated_and_another_network_judges(finished_study):
    """All proxies rank as they must, and pictures from the mean image are better by all than bare ascent and than from
    noise. The checks without proxies: pictures of facets beat the best photograph of their class, and a network with
    other weights sees the class in them more often than in bare ascent."""
    folder = finished_study.directory / "results/pictures/scenes/cnn_units"
    validation = tables.read(folder / "criteria_validation.parquet", "criteria_validation").to_pandas()
    held = verdicts(validation)
    assert held.index.tolist() == list(CRITERIA)
    assert held.all()
    values = tables.read(folder / "criteria.parquet", "criteria").to_pandas().set_index(["group", "measure"])["value"]
    facets, noise, bare = "sketch, from the mean image", "sketch, from noise", "plain, from noise"
    for name in CRITERIA:
        assert values[facets, name] > max(values[noise, name], values[bare, name]), name
    assert values[facets, "ratio"] > 1
    assert values["photographs", "judge_top1"] > 0.8
    assert values[facets, "judge_top1"] > 2 * values["chance", "judge_top1"]
    assert values[facets, "judge_top1"] > values[bare, "judge_top1"]
    assert np.asarray(Image.open(folder / "criteria.png").convert("L")).std() > 5
    text = (finished_study.directory / "results/report/appendix/pictures.md").read_text()
    assert "5 rank photographs above mean images" in text
    assert "Not to be believed" not in text


def test_covered_objects_are_measured(finished_study):
    folder = finished_study.directory / "results/pictures/scenes/cnn_last"
    table = tables.read(folder / "occlusions.parquet", "occlusions").to_pandas()
    wanted = finished_study.config["occlusions"][0]["images"]
    assert table["image_id"].unique().tolist() == wanted
    assert table.loc[table["number"] == 0, "overlap"].eq(10).all()
    assert table.loc[table["number"] > 0, "null_overlap"].notna().all()
    strongest = tables.read(folder / "strongest_filters.parquet", "strongest_filters").to_pandas()
    for image_id, rows in strongest.groupby("image_id"):
        own = table[(table["image_id"] == image_id) & (table["number"] == 0)]["filters"].item()
        assert own == " ".join(map(str, rows["filter"]))
    for figure in ("strongest_filters", "occlusions"):
        assert len(list((folder / figure).glob("image_*.png"))) == len(wanted)


def test_data_and_networks_are_diagnosed(finished_study):
    """Planes of a hundred points have the published value; AlexNet holds what is known of it; every pair is judged."""
    results = finished_study.directory / "results/diagnosis"
    section = finished_study.config["diagnosis"]
    table = tables.read(results / "complexity/complexity.parquet", "complexity").to_pandas()
    assert set(table["samples"]) == {entry["samples"] for entry in section["complexity"]["sets"]}
    hundred = table[(table["measure"] == "expected capacity") & (table["count"] == 100)]
    assert hundred.loc[hundred["published"].notna(), "is_published"].all()
    csg = table[(table["measure"] == "csg") & table["complete"]]
    assert (csg["value"] < csg["null_low"]).all(), "no set is as hard as shuffled labels"
    large = csg[csg["count"] > 100]
    assert len(large) >= 7
    assert (large["high"] < large["null_low"]).all(), "nor is any draw; a spiral of a hundred points is too few to tell"
    assert csg.set_index("samples").loc["spiral", "is_published"]
    capacity = tables.read(results / "capacity/capacity.parquet", "network_capacities").to_pandas()
    assert capacity.set_index("network")["capacity"]["alexnet"] == 184_704
    fit = tables.read(results / "fit.parquet", "fit").to_pandas()
    assert fit[["network", "samples"]].to_dict("records") == section["fit"]["pairs"]
    assert fit["caveats"].str.len().gt(0).all()
    for picture in [*results.glob("complexity/figures/*.png"), *results.glob("capacity/*/layers.png")]:
        assert np.asarray(Image.open(picture).convert("L")).std() > 5, f"{picture} shows nothing"
    assert (results / "complexity/figures/planes.png").exists()


def test_resampling_is_judged_on_an_untouched_test_split(finished_study):
    results = finished_study.directory / "results/diagnosis/resampling"
    section = finished_study.config["diagnosis"]["resampling"]
    table = tables.read(results / "resampling.parquet", "resampling").to_pandas()
    assert set(table["samples"]) == {entry["samples"] for entry in section["sets"]}
    assert table["seeds"].ge(5).all()
    gains = table[(table["metric"] == "balanced_accuracy") & (table["variant"] == "smote")].set_index("samples")
    assert gains.loc["noisy_moon", "verdict"] == "helps", "one in ten, and a classifier that weighs all samples alike"
    for entry in section["sets"]:
        source = read_samples(finished_study.directory / f"results/data/samples/{entry['samples']}/samples.parquet")
        for method in section["methods"]:
            folder = results / entry["samples"] / "values" / method
            made = read_samples(folder / "samples.parquet")
            before, after = source.part("test"), made.part("test")
            assert (after.values == (before.images() if before.values.ndim == 4 else before.values)).all()
            assert (after.labels == before.labels).all()
            history = tables.read(folder / "history.parquet", "resampling_history").to_pandas()
            assert history.loc[history["best"], "unrounded"].min() == history["unrounded"].min()
        figures = sorted(each.name for each in (results / entry["samples"] / "values/figures").glob("*.png"))
        assert figures == ["resampled.png", "scores.png", "search.png"]


def test_robustness_is_measured_against_capacity(finished_study):
    results = finished_study.directory / "results/diagnosis/robustness"
    section = finished_study.config["diagnosis"]["robustness"]
    table = tables.read(results / "robustness.parquet", "robustness").to_pandas()
    (entry,) = section["sets"]
    assert set(table["attack"]) == set(section["attacks"])
    assert set(table["share"]) == set(entry["shares"])
    assert table["seeds"].eq(entry["seeds"]).all()
    assert (table["capacity"] / table["target"] - 1).abs().max() <= section["tolerance"]
    assert table.loc[table["share"] == 100, "accuracy"].gt(0.9).all()
    assert table.loc[table["attack"] == "greedy", "failures"].lt(0.1).all(), "networks without a defence are fooled"
    steps = tables.read(results / "digits/plain/search.parquet", "capacity_search").to_pandas()
    assert (steps["target"] / steps["target"].iloc[0]).tolist()[:2] == [1, 0.5]
    assert steps["chosen"].sum() == 1
    assert "Is smaller more robust on digits? For plain it " in (results / "robustness.md").read_text()
    for picture in (results / "digits/figures").glob("*.png"):
        assert np.asarray(Image.open(picture).convert("L")).std() > 5, f"{picture} shows nothing"
    assert len(list((results / "digits/figures").glob("*.png"))) == 2


def test_schedules_are_compared_and_their_temperatures_drawn(finished_study):
    folder = finished_study.directory / "results/temperature"
    duel = pd.read_csv(folder / "duel.csv").set_index("schedule")
    wanted = finished_study.config["temperature"]["duels"][0]["schedules"]
    assert duel.index.tolist() == wanted
    assert duel.loc["actcoolr", "test_error"] < 5, "the network has learnt the digits"
    assert duel["trials"].eq(2).all(), "every schedule had the same chance"
    assert duel["undecided"].eq(3).all(), "one seed decides nothing"
    heat = tables.read(folder / "convnet/digits/temperatures.parquet", "temperature_courses").to_pandas()
    means = heat[heat["schedule"] == "actcoolr"].groupby("place")["temperature"].mean()
    assert means.is_monotonic_increasing, "deeper layers are hotter (ActCooLR, A)"
    fits = tables.read(folder / "convnet/digits/actcoolr/range_fits.parquet", "range_fits").to_pandas()
    assert fits["sigma"].between(0.8, 1.6).all()
    assert fits["residual"].max() < 0.05
    figures = (
        "training.png",
        *(f"convnet/digits/{name}.png" for name in ("temperatures", "courses", "actcoolr/ranges")),
    )
    for figure in figures:
        assert np.asarray(Image.open(folder / figure).convert("L")).std() > 5, f"{figure} shows nothing"
    assert len(pd.read_csv(folder / "times.csv")) == len(wanted)


def test_no_table_holds_nan(finished_study):
    for path in (finished_study.directory / "results").rglob("*.parquet"):
        for name, column in zip((table := pq.read_table(path)).column_names, table.columns, strict=True):
            if str(column.type) in ("float", "double"):
                values = column.drop_null().to_numpy()
                assert np.isfinite(values).all(), f"{path}: {name}"


def test_no_result_names_a_place_of_this_machine(finished_study):
    for path in (finished_study.directory / "results").rglob("*.csv"):
        assert str(finished_study.directory) not in path.read_text()


def test_the_atlas_shows_what_the_tables_say(finished_study):
    atlas = finished_study.directory / "results/report/atlas"
    page = (atlas / "index.html").read_text()
    for file in re.findall(r'(?:src|href)="((?!data:)[^"]+)"', page):
        assert (atlas / file).is_file()
    _, study = received(atlas / "data/study.js")
    assert study["warnings"] == [each for each in study["warnings"] if each["layer"] is not None]  # no file is missing
    explained = [layer for layer in study["layers"] if layer["vocabulary"]]
    assert [layer["heading"] for layer in explained] == [
        f"{entry['probe']} on {entry['dataset']}, in words of {entry['vocabulary']}"
        for entry in finished_study.config["explanations"]
    ]
    for folder, layer in zip(folders(finished_study), explained, strict=True):
        assert layer["counts"] == pd.read_csv(folder / "filter_names.csv")["status"].value_counts().to_dict()
        for link in layer["files"].values():
            assert (atlas / link).is_file()
        heatmaps = tables.read(folder / "heatmaps.parquet", "heatmaps").to_pandas()
        said = tables.read(folder / "image_words.parquet", "image_words").to_pandas()
        pairs = said[["filter", "image_id"]].drop_duplicates()
        assert set(map(tuple, pairs.to_numpy())) == set(zip(heatmaps["filter"], heatmaps["image_id"], strict=True))
    assert study["pages"] == ["diagnosis", "temperature"]
    for name in study["pages"]:
        _, room = received(atlas / f"data/{name}.js")
        assert all((atlas / figure["path"]).is_file() for section in room["sections"] for figure in section["figures"])
    assert len(study["classes"]) == len(finished_study.config["facets"][0]["classes"])
    for number, entry in enumerate(study["classes"]):
        _, of_class = received(atlas / f"data/classes/{number}.js")
        assert len(of_class["facets"]) == entry["facets"]
        for facet in of_class["facets"]:
            assert facet["members"] == sum(each == facet["facet"] for each in of_class["places"]["facet"])
            assert all((atlas / path).is_file() for path in [facet["mean"], *(p["path"] for p in facet["pictures"])])
    for number in range(len(study["occlusions"])):
        _, covered = received(atlas / f"data/occlusions/{number}.js")
        assert covered["parts"]["kind"][0] == "photograph"
        assert covered["importances"]["h"] ** 2 == len(base64.b64decode(covered["importances"]["lost"]))


def test_summary_says_what_was_found(finished_study):
    report = finished_study.directory / "results/report"
    text, page = ((report / f"summary.{ending}").read_text() for ending in ("md", "html"))
    for number, entry in enumerate(finished_study.config["explanations"]):
        assert f"[{entry['probe']}](atlas/index.html#/layer/{number})" in text
        names = pd.read_parquet(folders(finished_study)[number] / "filter_names.parquet")
        believed = int(names["status"].isin(["proved", "supported"]).sum())
        assert (
            f"[{entry['probe']}](atlas/index.html#/layer/{number}) | {(names['status'] != 'dead').sum()} | {believed} "
            in text
        )
    assert page.count("data:image/webp;base64") == 8
    assert "pairs of schedules" in text
    assert "whose right word is known" in text


def test_appendices_say_all_of_it(finished_study):
    report = finished_study.directory / "results/report"
    found = {
        room: (report / f"appendix/{room}.md").read_text() for room in ("words", "pictures", "diagnosis", "temperature")
    }
    for entry in finished_study.config["explanations"]:
        assert f"{entry['probe']} on {entry['dataset']}" in found["words"]
    for probe in ("cnn_units", "cnn_last"):
        assert f"Pictures of {probe}, beside scenes" in found["pictures"]
    for folder, text in ((report / "appendix", "".join(found.values())), (report, (report / "summary.md").read_text())):
        for link in re.findall(r"\]\(([^)#]+)", text):
            assert (folder / link).is_file(), link
    assert "Is smaller more robust on digits?" in found["diagnosis"]
    assert "](../../pictures/scenes/cnn_units/facets/figures/sheet_0000.png)" in found["pictures"]
    assert "data:image/png;base64" in (report / "appendix/pictures.html").read_text()
    assert "Known answers" in found["words"]
    assert "random network" in found["words"]
