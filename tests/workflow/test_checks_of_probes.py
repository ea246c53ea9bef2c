"""Probes are checked before all else, and checking a further one reruns nothing and hides no other change."""

from __future__ import annotations

import re

import pandas as pd
import pytest

pytestmark = pytest.mark.workflow

WEIGHTS = "results/data/networks/net/weights.pt"
CHECKED = "results/data/networks/checked_layers.csv"
ARCHIVE = "results/data/coco/downloads/annotations_trainval2017.zip"


@pytest.fixture
def study(default_config):
    def build(*layers):
        config = default_config()
        config["networks"]["net"] = {"source": "torchvision", "architecture": "squeezenet1_1", "weights": None}
        config["networks"]["net"]["input"] = {"resize": 64, "crop": 64}
        config["probes"] |= {f"probe{number}": {"network": "net", "layer": each} for number, each in enumerate(layers)}
        # A mirror that nothing answers at: whatever asked it would fail in another way.
        config["datasets"]["coco"] = {"source": "coco", "folder": None, "mirror": "http://127.0.0.1:9/"}
        sections = ("defects", "pictures", "facets", "strongest_filters", "occlusions")
        return (
            config
            | {section: [] for section in sections}
            | {
                "explanations": [
                    {"dataset": "scenes", "probe": f"probe{number}", "vocabulary": "captions"}
                    for number in range(len(layers))
                ]
            }
        )

    return build


def test_a_wrong_layer_stops_the_study_before_it_downloads_anything(study, run_snakemake, tmp_path):
    targets = (ARCHIVE, WEIGHTS, CHECKED)
    done = run_snakemake(*targets, "--cores", 1, config=study("features", "featurs.12"), check=False)
    assert done.returncode == 1
    log = (tmp_path / "results/logs/check_probes.log").read_text()
    assert "probe probe1: the network has no layer 'featurs.12'; the nearest names are features.12" in log
    assert not (tmp_path / "results/data/coco").exists()
    assert not (tmp_path / WEIGHTS).exists()
    assert not (tmp_path / "results/logs/download_coco_annotations").exists()


def test_checked_layers_are_a_table_and_a_further_probe_reruns_no_network(study, run_snakemake, tmp_path):
    run_snakemake(WEIGHTS, CHECKED, "--cores", 2, config=study("features"))
    line = pd.read_csv(tmp_path / CHECKED).set_index("probe").loc["probe0"]
    assert line[["layer", "layout", "filters", "height", "width"]].tolist() == [
        *("features", "channels first", 512, 3, 3),
    ]
    assert line[["resize", "crop", "mean"]].tolist() == [64, 64, "0.485, 0.456, 0.406"]
    again = run_snakemake(WEIGHTS, CHECKED, "--dry-run", config=study("features")).stdout
    assert "Nothing to be done" in again
    more = run_snakemake(WEIGHTS, CHECKED, "--dry-run", config=study("features", "features.3")).stdout
    assert set(re.findall(r"^([a-z_]+) +\d+$", more, re.MULTILINE)) == {"check_probes", "total"}
    changed = study("features", "features.3") | {"seed": 5}
    both = run_snakemake(WEIGHTS, CHECKED, "--dry-run", config=changed).stdout
    assert "prepare_network" in both, "a change is seen in the run that checks a further probe, too"


def test_a_further_photograph_is_no_reason_to_check_again(study, run_snakemake, tmp_path):
    """They are counted in the job."""
    (tmp_path / "album").mkdir()
    for number in range(2):
        (tmp_path / f"album/{number}.jpg").touch()
    config = study("features")
    config["datasets"]["album"] = {"source": "folder", "folder": "album", "reference": "scenes"}
    config["explanations"].append({"dataset": "album", "probe": "probe0", "vocabulary": "captions"})
    run_snakemake(CHECKED, "--cores", 1, config=config)
    (tmp_path / "album/2.jpg").touch()
    assert "Nothing to be done" in run_snakemake(CHECKED, "--dry-run", config=config).stdout
