"""A plain folder of pictures gets words from the explainer of an annotated dataset, and is said to have no scores."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest
from PIL import Image
from tests.synthetic_study import received

import configuration


def with_album(study, album) -> dict:
    """The study's config for a folder of photographs without masks."""
    datasets = study.config["datasets"] | {"album": {"source": "folder", "folder": str(album), "reference": "scenes"}}
    explanations = [{"dataset": "album", "probe": "planted", "vocabulary": "captions"}]
    words = study.config["words"] | {"top_images": 8}
    return study.config | {"datasets": datasets, "explanations": explanations, "words": words}


pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def taught_study(new_study):
    """A small study that explains the planted filters and does nothing else, as far as it teaches the explainer."""
    own = {"explanations": [{"dataset": "scenes", "probe": "planted", "vocabulary": "captions"}]}
    study = new_study(own)
    configuration.leave_out_embedded(study.config, own)
    study.run("results/words/scenes/planted/captions/history.csv")
    return study


def test_a_folder_without_masks_gets_words_and_heatmaps(taught_study, tmp_path):
    study = taught_study.copied(tmp_path)
    album = tmp_path / "album"
    (album / "holiday").mkdir(parents=True)
    for picture in sorted((study.directory / "results/data/scenes/pictures").rglob("*.png"))[:12]:
        shutil.copy(picture, album / "holiday" / picture.name)
    Image.new("RGB", (90, 64), "red").save(album / "red.jpg")
    config = with_album(study, album)
    study.run(config=config)
    folder = study.directory / "results/words/album/planted/captions"
    words = pd.read_csv(folder / "filter_words.csv")
    assert len(words)
    assert words["supported"].isna().all()
    assert list(folder.glob("sheets/*.png"))
    assert not list(folder.glob("scores.*"))
    assert "no masks" in (study.directory / "results/report/summary.md").read_text()
    atlas = study.directory / "results/report/atlas/data"
    _, told = received(atlas / "study.js")
    ((number, layer),) = [(n, each) for n, each in enumerate(told["layers"]) if each["dataset"] == "album"]
    assert layer["counts"] == pd.read_csv(folder / "filter_names.csv")["status"].value_counts().to_dict()
    assert "so no name could be tested" in layer["said"]
    _, details = received(atlas / f"details/{number}/0.js")
    assert any("heat" in own.get("top", {}) for own in details["filters"].values())
    # One picture more: what looks at the album is made again, and nothing else.
    Image.new("RGB", (90, 64), "blue").save(album / "blue.jpg")
    again = study.planned(config=config)
    assert set(again) - {"all"} == {
        "prepare_folder",
        "find_repeated_images",
        "extract_activations",
        "gather_thresholds",
        "mine_top_images",
        "explain_photographs",
        "tabulate_words",
        "render_sheets",
        "summarise_study",
        "render_atlas",
    }
    assert again["extract_activations"] == 1


def test_more_top_images_than_photographs_are_all_photographs_and_that_is_said(taught_study, tmp_path):
    study = taught_study.copied(tmp_path)
    album = tmp_path / "album"
    album.mkdir()
    Image.new("RGB", (90, 64), "red").save(album / "red.jpg")
    study.run("summarise_study", config=with_album(study, album))
    said = "1 top images, 100% of the 1 that were mined instead of the 8 asked for, because there are no more"
    assert said in (study.directory / "results/logs/mine_top_images/album/planted.log").read_text()
    assert said in (study.directory / "results/report/appendix/words.md").read_text()


@pytest.mark.parametrize(
    ("layer", "said"),
    [("detector", "detectors"), ("detectors.99", "detectors")],
)
def test_a_wrong_layer_gets_the_nearest_right_ones(taught_study, tmp_path, layer, said):
    study = taught_study.copied(tmp_path)
    config = study.config | {"probes": study.config["probes"] | {"planted": {"network": "planted", "layer": layer}}}
    output = study.run("results/activations/scenes/planted/thresholds.csv", config=config, check=False)
    assert "LayerError" in output
    assert said in output
