"""measure_complexity, tabulate_complexity, render_complexity: from labelled samples to the table and its figures."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from diagnosis.complexity.measure_complexity import measure_complexity
from diagnosis.complexity.render_complexity import render_complexity
from diagnosis.complexity.tabulate_complexity import tabulate_complexity
from filterscope import tables
from filterscope.data.networks.weights import write_weights
from filterscope.data.samples.labelled_samples import LabelledSamples, write_samples
from filterscope.data.samples.planes import generated
from filterscope.diagnosis.complexity.growth import CurveSettings
from filterscope.diagnosis.complexity.measurement import ComplexitySettings
from filterscope.diagnosis.complexity.spaces import EmbeddingSettings
from filterscope.diagnosis.labelled import DiagnosisError

MADE = ("expected_capacities", "separabilities", "embeddings", "class_similarities", "class_places")


def small_pictures():
    """Three classes of 8 x 8 px, the third with a few test samples of its own."""
    chance = np.random.default_rng(0)
    labels = np.tile(np.arange(3), 30)
    values = np.clip(60 * labels[:, None, None, None] + chance.normal(60, 10, (90, 3, 8, 8)), 0, 255)
    split = np.where(np.arange(90) < 75, "train", "test")
    return LabelledSamples(values.astype(np.uint8), labels, ("apple", "pear", "plum"), split)


def measured(folder, name, samples, embeddings=("raw",), probes=None, **changed):
    path = folder / f"{name}.parquet"
    write_samples(samples, path)
    paths = {table: folder / name / f"{table}.parquet" for table in MADE}
    arguments = {
        "embeddings": list(embeddings),
        "probes": probes or {},
        "settings": ComplexitySettings(
            CurveSettings((30, 1000), 3), embedding=EmbeddingSettings(most=60, codes=2, epochs=1)
        ),
        "seed": 0,
    }
    measure_complexity(path, paths, **{**arguments, **changed})
    return path, paths


def probe(folder):
    """A torchvision network that nothing was trained for."""
    from filterscope.data.networks import building

    settings = {"source": "torchvision", "architecture": "squeezenet1_1", "weights": None}
    mapping = {**settings, "input": {"resize": 32, "crop": 32}}
    network = building.prepare(building.NetworkSettings.from_mapping(mapping), 0)
    write_weights(network, folder / "weights.pt")
    return {"network": mapping, "layer": "features", "call": -1}, folder / "weights.pt"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("complexity")
    torch.set_num_threads(1)
    embeddings = ("raw", "tsne", "autoencoder", "net")
    return folder, {
        "xor": measured(folder, "xor", generated("xor", 120, 0, 35, 0)),
        "fruit": measured(folder, "fruit", small_pictures(), embeddings, {"net": probe(folder)}),
    }


def test_only_training_samples_are_measured_in_every_embedding(study):
    _, made = study
    read = {table: tables.read(path, table).to_pandas() for table, path in made["fruit"][1].items()}
    assert sorted(read["expected_capacities"]["count"].unique()) == [30, 75]
    assert read["expected_capacities"]["dimensions"].eq(192).all()
    sizes = read["embeddings"].set_index("embedding")
    assert sizes["count"].to_dict() == {"raw": 75, "tsne": 60, "autoencoder": 60, "net": 60}
    assert sizes["dimensions"].to_dict() == {"raw": 192, "tsne": 2, "autoencoder": 2, "net": 512}
    assert sizes["explained"].notna().to_dict() == {"raw": False, "tsne": False, "autoencoder": True, "net": False}
    assert set(read["separabilities"]["embedding"]) == set(sizes.index)
    assert set(read["class_similarities"]["class"]) == {"apple", "pear", "plum"}
    whole = read["separabilities"].query("embedding == 'raw' and count == 75")
    assert whole.loc[whole["row"] == "own", "csg"].item() < whole.loc[whole["row"] == "shuffled", "csg"].min()


def test_same_seed_same_bytes(tmp_path):
    _, paths = measured(tmp_path, "fruit", small_pictures(), ("raw", "tsne", "autoencoder"))
    _, again = measured(tmp_path, "again", small_pictures(), ("raw", "tsne", "autoencoder"))
    for table in MADE:
        assert paths[table].read_bytes() == again[table].read_bytes(), table


def test_table_and_figures_follow_the_measurements(study, tmp_path, repository):
    _, made = study
    wanted = ("expected_capacities", "separabilities", "embeddings")
    paths = {name: {table: tables_[table] for table in wanted} for name, (_, tables_) in made.items()}
    out = (tmp_path / "complexity.parquet", tmp_path / "complexity.csv")
    tabulate_complexity(paths, repository / "studies/published_complexity.csv", *out, {"xor": "XOR", "fruit": None})
    table = tables.read(out[0], "complexity").to_pandas()
    assert len(pd.read_csv(out[1])) == len(table)
    assert table.loc[table["samples"] == "xor", "published"].unique().tolist() == [10, 0.00609]
    assert table.loc[table["samples"] == "fruit", "published"].isna().all()
    render_complexity(
        out[0],
        {name: path for name, (path, _) in made.items()},
        {name: tables_["class_similarities"] for name, (_, tables_) in made.items()},
        {name: tables_["class_places"] for name, (_, tables_) in made.items()},
        tmp_path / "figures",
    )
    figures = {path.name for path in (tmp_path / "figures").glob("*.png")}
    similar = {f"similarity_fruit_{name}.png" for name in ("raw", "tsne", "autoencoder", "net")}
    assert figures == {"curves.png", "planes.png"} | similar
    for path in (tmp_path / "figures").glob("*.png"):
        assert np.asarray(Image.open(path).convert("L")).std() > 5, path.name


def test_every_published_row_is_as_printed(repository):
    """Debugger, table 1."""
    published = pd.read_csv(repository / "studies/published_complexity.csv").set_index("set")
    assert published["expected_capacity"].tolist() == [30720, 21504, 12, 7840, 10, 10, 2, 10]
    assert published["dimensions"].tolist() == [3072, 3072, 2, 784, 2, 2, 2, 2]
    assert (published["expected_capacity"] % published["dimensions"]).eq(0).all()
    assert published["csg"].tolist() == [1.396, 0.660, 0.431, 0.428, 0.00609, 0, 0, 0]


def test_a_class_with_too_few_samples_stops_the_job_and_leaves_nothing(tmp_path):
    samples = generated("xor", 40, 0, 35, 0)
    labels = np.zeros(40, np.int64)
    labels[:3] = 1
    broken = LabelledSamples(samples.values, labels, samples.classes, samples.split)
    with pytest.raises(DiagnosisError, match="class 1 has 3 samples, and 3 neighbours"):
        measured(tmp_path, "xor", broken)
    assert not list((tmp_path / "xor").glob("*"))


def test_features_of_vectors_are_refused(tmp_path):
    with pytest.raises(ValueError, match="samples are vectors of 2 values"):
        measured(tmp_path, "xor", generated("xor", 40, 0, 35, 0), ("net",), {"net": probe(tmp_path)})
