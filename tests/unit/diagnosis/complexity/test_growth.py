"""Complexity over the number of samples, the table beside published values, embeddings, and what figures show."""

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from torch import nn

from filterscope import tables
from filterscope.data.networks.settings import InputSettings
from filterscope.data.samples.labelled_samples import LabelledSamples
from filterscope.data.samples.planes import generated
from filterscope.diagnosis.complexity.autoencoder import AutoencoderSettings, encode
from filterscope.diagnosis.complexity.features import network_features
from filterscope.diagnosis.complexity.growth import (
    CurveSettings,
    capacity_curve,
    complexity_table,
    place_rows,
    separability_curve,
    similarity_rows,
    summarised,
)
from filterscope.diagnosis.complexity.separability import SeparabilitySettings
from filterscope.diagnosis.complexity.spaces import EmbeddingSettings, space
from filterscope.diagnosis.complexity.tsne import tsne
from filterscope.diagnosis.figures import curves_figure, layers_figure, planes_figure, similarity_figure
from filterscope.diagnosis.labelled import DiagnosisError

CURVE = CurveSettings((20, 60, 500), 5)
PUBLISHED = pd.DataFrame(
    {"set": ["XOR"], "title": ["XOR"], "dimensions": [2], "csg": [0.00609], "expected_capacity": [10]}
)


@pytest.fixture(scope="module")
def xor():
    return generated("xor", 200, 0, 35, 0)


def measured(samples, embedding="raw", curve=CURVE):
    """The tables of one set, as the script writes them."""
    points = samples.values.reshape(len(samples), -1)
    rows, whole = separability_curve(points, samples.labels, curve, SeparabilitySettings(), 0)
    size = pd.DataFrame(
        {"embedding": [embedding], "count": [len(points)], "dimensions": [points.shape[1]], "explained": [None]}
    )
    return {
        "expected_capacities": capacity_curve(samples.values, samples.labels, curve, 0),
        "separabilities": rows.assign(embedding=embedding),
        "embeddings": size,
        "class_similarities": similarity_rows(whole, samples.classes).assign(embedding=embedding),
        "class_places": place_rows(whole, samples.classes).assign(embedding=embedding),
    }


# --- curves ---------------------------------------------------------------------------------------------


def test_tables_fit_their_schemas(xor):
    for name, rows in measured(xor).items():
        assert tables.checked(rows, name).num_rows == len(rows)


def test_sizes_larger_than_the_set_are_left_out_and_all_samples_are_there(xor):
    rows = capacity_curve(xor.values, xor.labels, CURVE, 0)
    assert sorted(rows["count"].unique()) == [20, 60, 200]
    assert len(rows[(rows["count"] == 200) & (rows["row"] == "own")]) == 1
    assert rows.groupby(["count", "row"]).size().drop((200, "own")).eq(CURVE.draws).all()


def test_sizes_that_leave_too_few_samples_of_a_class_have_no_csg():
    chance = np.random.default_rng(0)
    labels = np.repeat([0, 1], [190, 10])
    rows, _ = separability_curve(chance.random((200, 2)), labels, CURVE, SeparabilitySettings(), 0)
    assert sorted(rows["count"].unique()) == [200]  # 60 would have 3 of the rare class


def test_spread_of_all_samples_is_that_of_drawing_them_or_else_of_resampling(xor):
    for per_class, row in ((20, "own"), (250, "resampled")):
        settings = SeparabilitySettings(per_class=per_class)
        rows, _ = separability_curve(xor.values, xor.labels, CURVE, settings, 0)
        spread = rows[(rows["count"] == 200) & (rows["row"] == row)]
        assert len(spread) == CURVE.draws
        assert spread["csg"].nunique() > 1


def test_medians_and_intervals_are_those_of_the_draws(xor):
    rows = capacity_curve(xor.values, xor.labels, CURVE, 0)
    found = summarised(rows, "bits", []).set_index("count")
    own = rows[(rows["count"] == 60) & (rows["row"] == "own")]["bits"]
    assert found.loc[60, "value"] == own.median()
    assert found.loc[60, "low"] == pytest.approx(np.quantile(own, 0.025))
    assert found.loc[200, "value"] == found.loc[200, "low"] == found.loc[200, "high"]


def test_one_seed_one_curve(xor):
    assert capacity_curve(xor.values, xor.labels, CURVE, 3).equals(capacity_curve(xor.values, xor.labels, CURVE, 3))
    first, second = (separability_curve(xor.values, xor.labels, CURVE, SeparabilitySettings(), 3)[0] for _ in range(2))
    assert first.equals(second)


@pytest.mark.parametrize("wrong", [((1,), 5), ((10,), 0)])
def test_curves_need_samples_and_draws(wrong):
    with pytest.raises(DiagnosisError, match="sizes are 2 or more"):
        CurveSettings(*wrong)


# --- the table ------------------------------------------------------------------------------------------


def test_table_sets_published_values_beside_the_draws_of_every_size(xor):
    table = complexity_table({"xor": measured(xor, curve=CurveSettings((100,), 20))}, PUBLISHED, {"xor": "XOR"})
    assert tables.checked(table, "complexity").num_rows == 4
    bits = table[table["measure"] == "expected capacity"].set_index("count")
    assert bits.loc[100, "published"] == 10
    assert bits.loc[100, "is_published"]
    assert not bits.loc[200, "is_published"]
    assert bits["complete"].tolist() == [False, True]
    csg = table[table["measure"] == "csg"]
    assert (csg["null"] > 0.7).all()
    assert not csg["null_is_published"].any()


def test_published_values_of_pictures_are_those_of_random_labels():
    """As CIFAR-10 and MNIST in table 1 of Debugger: what is published of them needs no data, only a thousand labels."""
    chance = np.random.default_rng(0)
    published = pd.DataFrame(
        {"set": ["MNIST"], "title": ["MNIST"], "dimensions": [784], "csg": [0.428], "expected_capacity": [7840]}
    )
    samples = LabelledSamples(
        chance.integers(0, 256, (1500, 784)).astype(np.uint8),
        np.arange(1500) % 10,
        tuple("0123456789"),
        np.full(1500, "train"),
    )
    table = complexity_table(
        {"noise": measured(samples, curve=CurveSettings((100, 1000), 4))}, published, {"noise": "MNIST"}
    )
    bits = table[table["measure"] == "expected capacity"].set_index("count")
    assert bits["null_is_published"].to_dict() == {100: False, 1000: True, 1500: False}
    assert bits["is_published"].to_dict() == {100: False, 1000: True, 1500: False}


def test_sets_without_published_values_say_nothing_about_them(xor):
    table = complexity_table({"xor": measured(xor)}, PUBLISHED, {"xor": None})
    assert table[["published_as", "published", "is_published", "null_is_published"]].isna().all(axis=None)
    assert tables.checked(table, "complexity").num_rows == len(table)


def test_unknown_published_name_is_refused(xor):
    with pytest.raises(DiagnosisError, match="nothing is published as 'Xor'; there are XOR"):
        complexity_table({"xor": measured(xor)}, PUBLISHED, {"xor": "Xor"})


# --- embeddings -----------------------------------------------------------------------------------------


def blobs(samples=90, shape=(1, 8, 8), classes=3, seed=0):
    chance = np.random.default_rng(seed)
    labels = np.arange(samples) % classes
    centres = chance.integers(40, 216, (classes, *shape))
    values = np.clip(centres[labels] + chance.normal(0, 8, (samples, *shape)), 0, 255).astype(np.uint8)
    return LabelledSamples(values, labels, tuple("abc"[:classes]), np.full(samples, "train"))


SMALL = EmbeddingSettings(most=60, codes=2, epochs=3, batch_size=16)


def test_raw_values_are_all_samples_and_embeddings_at_most_so_many():
    samples = blobs()
    raw = space("raw", samples, SMALL, 0)
    assert raw.points.shape == (90, 64)
    assert raw.explained is None
    for name, dimensions in (("tsne", 2), ("autoencoder", 2), ("autoencoder_tsne", 2)):
        found = space(name, samples, SMALL, 0)
        assert found.points.shape == (60, dimensions)
        assert np.bincount(found.labels).tolist() == [20, 20, 20]
        assert np.array_equal(found.points, space(name, samples, SMALL, 0).points)
    with pytest.raises(DiagnosisError, match="'pca' is no embedding"):
        space("pca", samples, SMALL, 0)


def test_embeddings_keep_separate_classes_apart():
    samples = blobs(150)
    for name in ("tsne", "autoencoder"):
        found = space(name, samples, EmbeddingSettings(codes=4, epochs=15, batch_size=16), 0)
        _, whole = separability_curve(found.points, found.labels, CurveSettings((), 3), SeparabilitySettings(), 0)
        assert whole.csg < 0.05, name


def test_autoencoder_learns_and_leaves_torchs_random_state_alone():
    values = blobs(120).values.astype(np.float32)
    before = torch.random.get_rng_state()
    little = encode(values, AutoencoderSettings(codes=3, epochs=1, batch_size=16), 0)
    much = encode(values, AutoencoderSettings(codes=3, epochs=30, batch_size=16), 0)
    assert torch.equal(before, torch.random.get_rng_state())
    assert little.explained < much.explained <= 1
    assert much.explained > 0.8
    assert np.array_equal(encode(values, AutoencoderSettings(3, 1, 16), 0).codes, little.codes)


@pytest.mark.parametrize("shape", [(7,), (3, 9, 13), (1, 4, 4), (2, 8, 8)])
def test_autoencoders_fit_any_sample(shape):
    values = np.random.default_rng(0).random((20, *shape), np.float32)
    assert encode(values, AutoencoderSettings(codes=5, epochs=1), 0).codes.shape == (20, 5)


def test_constant_data_embed_into_one_point():
    assert not tsne(np.ones((20, 5)), 0).any()
    found = encode(np.ones((20, 5), np.float32), AutoencoderSettings(), 0)
    assert (found.explained, found.codes.any()) == (1.0, False)


@pytest.mark.parametrize("scale", [1e-30, 1e-23, 1e19, 1e30])
def test_autoencoders_take_values_of_any_size(scale):
    """In single precision the squares of these vanish, so that the data seemed constant, or overflow."""
    values = np.random.default_rng(0).standard_normal((40, 5)).astype(np.float32)
    plain, found = (
        encode((values * factor).astype(np.float32), AutoencoderSettings(2, 5, 16), 0) for factor in (1, scale)
    )
    assert found.explained == pytest.approx(plain.explained, abs=1e-3)
    assert found.codes == pytest.approx(plain.codes, abs=1e-3)


def test_embeddings_refuse_what_they_cannot_use():
    with pytest.raises(DiagnosisError, match="t-SNE of 5 samples"):
        tsne(np.zeros((5, 3)), 0)
    with pytest.raises(DiagnosisError, match=r"t-SNE in 2 dimensions .* 60 samples of 1 values .* lower `dimensions`"):
        tsne(np.arange(60.0)[:, None], 0)
    with pytest.raises(DiagnosisError, match="components: 1 give 1"):
        tsne(np.random.default_rng(0).random((60, 5)), 0, components=1)
    with pytest.raises(DiagnosisError, match="codes of the autoencoder: 1, but t-SNE in 2 dimensions"):
        space("autoencoder_tsne", blobs(), EmbeddingSettings(codes=1, epochs=1), 0)
    assert tsne(np.arange(60.0)[:, None], 0, dimensions=1).shape == (60, 1)
    with pytest.raises(DiagnosisError, match="sample 2 has NaN"):
        encode(np.array([[0.0], [1], [np.nan]], np.float32), AutoencoderSettings(), 0)
    with pytest.raises(DiagnosisError, match=r"values go from -1e\+200 to 1e\+200: their variance is out of range"):
        encode(np.array([[-1e200], [1e200]]), AutoencoderSettings(), 0)
    with pytest.raises(DiagnosisError, match="diverged in epoch"):
        values = np.random.default_rng(0).random((64, 4), np.float32)
        encode(values, AutoencoderSettings(epochs=50, learning_rate=1e20), 0)


class Means(nn.Module):
    """Puts out its normalised channels as they are."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Identity()

    def forward(self, x):
        return self.layer(x).mean((1, 2, 3))


def test_features_are_means_of_the_layers_maps():
    inputs = InputSettings(resize=12, crop=12, mean=(0.5, 0.5, 0.5), std=(0.5, 0.25, 1.0))
    images = np.random.default_rng(0).random((5, 3, 12, 12), np.float32)
    found = network_features(Means(), "layer", -1, images, inputs, torch.device("cpu"), batch_size=2)
    assert found == pytest.approx((images.mean((2, 3)) - 0.5) / np.array([0.5, 0.25, 1.0]), abs=1e-5)
    grey = np.full((2, 1, 30, 20), 0.75, np.float32)
    assert network_features(Means(), "layer", -1, grey, inputs, torch.device("cpu")) == pytest.approx(
        np.array([[0.5, 1.0, 0.25]] * 2)
    )


def test_features_of_two_channels_and_of_nothing_finite_are_refused():
    inputs = InputSettings(resize=8, crop=8)
    with pytest.raises(DiagnosisError, match="one or three channels"):
        network_features(Means(), "layer", -1, np.zeros((1, 2, 8, 8), np.float32), inputs, torch.device("cpu"))
    broken = np.zeros((2, 3, 8, 8), np.float32)
    broken[1] = np.nan
    with pytest.raises(DiagnosisError, match="at sample 1"):
        network_features(Means(), "layer", -1, broken, inputs, torch.device("cpu"))


# --- figures --------------------------------------------------------------------------------------------


def drawn(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def test_figures_show_what_is_in_the_tables(xor):
    table = complexity_table({"xor": measured(xor), "other": measured(xor)}, PUBLISHED, {"xor": "XOR", "other": None})
    curves = curves_figure(table)
    assert drawn(curves).std() > 10
    axes = curves.axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["20", "60", "200"]
    assert any(line.get_linestyle() == "--" for line in axes.lines), "the published value"
    assert drawn(planes_figure([("xor", xor.values, xor.labels)])).std() > 10
    three = measured(
        LabelledSamples(
            np.random.default_rng(0).random((60, 2), np.float32),
            np.arange(60) % 3,
            ("a", "b", "c"),
            np.full(60, "train"),
        )
    )
    figure = similarity_figure("Classes", three["class_similarities"], three["class_places"])
    assert drawn(figure).std() > 10
    assert {each.get_text() for each in figure.axes[1].texts} == {"a", "b", "c"}


def test_bars_are_the_layers_bits():
    layers = pd.DataFrame(
        {
            "layer": ["conv", "relu", "fc"],
            "parameters": [100, 0, 50],
            "capacity": [100, 0, 10],
            "printed": [100, 0, 5],
            "reaching": [None, 100, 10],
        }
    )
    figure = layers_figure("net", layers, {"capacity": 110, "printed": 105, "size": 32})
    drawn(figure)
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths == [100, 10, 100, 5]
