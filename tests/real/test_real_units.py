"""Output units of a real network whose ImageNet class is a COCO category: their right names are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from filterscope.words.explaining.evidence import Evidence
from filterscope.words.explaining.targets import Tokens

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.workflow, pytest.mark.timeout(1800)]

LAYERS = {"mobilenet": "classifier.1"}
OTHERS = {"kite"}  # ImageNet's is a bird
FEWEST = 5  # photographs of a category by which a unit can be told
# Share of the units that must have the right name. So few and so crowded photographs hold no more: a unit for broccoli
# follows the bowls that it lies in. Measured: .53, and .58 for ResNet-50.
RIGHT = 0.45


def known_units(path, categories: pd.DataFrame) -> pd.DataFrame:
    """Units whose class is named like a category: filter, category."""
    rows = []
    for unit, line in enumerate(path.read_text().splitlines()):
        names = line.partition(" ")[2].lower()
        for category in categories["category"]:
            own = [name.strip() for name in names.split(",")]
            if category in own and category not in OTHERS:
                rows.append({"filter": unit, "category": category})
    return pd.DataFrame(rows).drop_duplicates("filter")


@pytest.fixture(scope="module")
def study(realdata, own_config, tmp_path_factory, run_anywhere):
    """Evidence for the output units."""
    weights = realdata / "weights"
    checkpoint = {"source": "checkpoint", "architecture": "mobilenet_v2"}
    explained = [{"dataset": "coco", "probe": name, "vocabulary": "glove"} for name in LAYERS]
    config = own_config({"threads": 2, "explanations": explained}) | {
        "datasets": {"coco": {"source": "coco", "folder": str(realdata / "coco")}},
        "vocabularies": {"glove": {"source": "glove", "file": str(realdata / "glove/glove.6B.100d.subset.txt.gz")}},
        "networks": {
            "mobilenet": {**checkpoint, "file": str(weights / "mobilenet_v2-b0353104.pth")},
        },
        "probes": {name: {"network": name, "layer": layer} for name, layer in LAYERS.items()},
    }
    directory = tmp_path_factory.mktemp("units")
    targets = [f"results/activations/coco/{name}/evidence.parquet" for name in LAYERS]
    run_anywhere("--cores", 2, *targets, config=config, directory=directory)
    return directory / "results"


@pytest.mark.parametrize("probe", LAYERS)
def test_class_units_get_their_names(study, realdata, probe):
    categories = pd.read_parquet(study / "data/coco/categories.parquet")
    annotations = pd.read_parquet(study / "data/coco/annotations.parquet", columns=["image_id", "category"])
    images = annotations.groupby("category")["image_id"].nunique()
    units = known_units(realdata / "imagenet/synset_words.txt", categories)
    units = units[units["category"].map(images).fillna(0) >= FEWEST]
    assert len(units) >= 15
    tokens = Tokens.of(categories)
    evidence = Evidence.of(pd.read_parquet(study / f"activations/coco/{probe}/evidence.parquet"), tokens.every)
    claims = np.array(tokens.every, object)[evidence.claims(~tokens.unsupervised)]
    own = categories.set_index("category")["tokens"]

    def named(filters) -> list[bool]:
        return [claims[unit] in own[category] for unit, category in zip(filters, units["category"], strict=True)]

    right = named(units["filter"])
    missed = units.assign(claim=claims[units["filter"]])[~np.array(right)]
    assert np.mean(right) >= RIGHT, missed.to_string()
    # Claims of other units, the null.
    assert np.mean([np.mean(named(np.roll(units["filter"], by))) for by in range(1, len(units))]) < RIGHT / 3
