"""Facets of every kind of network that MFV, 4.5, names: random weights, codes, groups, means, pictures, scores."""

import numpy as np
import pytest
import torch
from PIL import Image
from tests.unit.data.networks.test_caffe_networks import CAFFENET, INPUT

from data.datasets.prepare_dataset import prepare_dataset
from data.networks.prepare_network import prepare_network
from filterscope import tables
from filterscope.activations.probing import ProbeSettings, reading
from filterscope.data.networks import building, caffe
from filterscope.pictures.facets.clustering import FacetSettings
from filterscope.pictures.facets.codes import coding
from filterscope.pictures.quality.validation import CriteriaSettings
from pictures.facets.average_facets import average_facets
from pictures.facets.embed_facets import embed_facets
from pictures.facets.render_facets import render_facets
from pictures.facets.score_pictures import score_pictures

SMALLEST = {"alexnet": 64, "vgg16": 32, "googlenet": 48, "squeezenet1_1": 48, "resnet18": 32, "resnet50": 32}
UNITS = {"alexnet": "classifier.6", "vgg16": "classifier.6", "squeezenet1_1": "classifier.1", "caffenet": "fc8"}
CODES = {"alexnet": 4096, "vgg16": 4096, "googlenet": 1024, "squeezenet1_1": 512, "resnet18": 512, "resnet50": 2048}
RECIPES = {"mean": {"method": "octaves", "table": "mean", "shorten": 100}, "plain": {"method": "plain", "steps": 2}}
CLASSES = {"cat": 1, "dog": 7}


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Twelve pictures in each of two class folders, of blobs in a colour of their own."""
    folder, chance = tmp_path_factory.mktemp("photographs"), np.random.default_rng(0)
    for name in CLASSES:
        (folder / name).mkdir()
        for number in range(12):
            colour = [(200, 40, 40), (40, 60, 200)][number % 2]
            pixels = chance.integers(60, 120, (80, 90, 3))
            pixels[20 + number : 50 + number, 20:60] = colour
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{number:02d}.png")
    prepare_dataset(
        "folder",
        folder,
        *(folder / f"{name}.parquet" for name in ("images", "rejected", "findings")),
        folder / "findings.csv",
        0,
        1,
    )
    return folder


def torchvisions(name, folder):
    side = SMALLEST[name]
    network = {"source": "torchvision", "architecture": name, "weights": None, "input": {"resize": side, "crop": side}}
    prepare_network(folder / "weights.pt", network, seed=0)
    return ProbeSettings.from_mapping({"network": network, "layer": UNITS.get(name, "fc")})


def caffenet(folder, write_caffemodel):
    """CaffeNet for pictures of 67 px, the smallest that its poolings leave a map; narrower fully connected layers."""
    text = CAFFENET.replace(INPUT % (227, 227), INPUT % (67, 67)).replace("num_output: 4096", "num_output: 24")
    text = text.replace("num_output: 1000", "num_output: 10")
    (folder / "deploy.prototxt").write_text(text)
    inputs = {"resize": 67, "crop": 67}
    network = {"source": "caffe", "prototxt": str(folder / "deploy.prototxt"), "input": inputs}
    network["caffemodel"] = str(folder / "net.caffemodel")
    probe = ProbeSettings.from_mapping({"network": network, "layer": UNITS["caffenet"]})
    built = caffe.build(folder / "deploy.prototxt", caffe.CaffeInput(), 67)
    chance = np.random.default_rng(0)
    blobs: dict[str, list] = {}
    for key, value in built.state_dict().items():
        shape = tuple(value.shape)
        blobs.setdefault(key.rpartition(".")[0].removeprefix("layers."), []).append(
            chance.normal(0, np.prod(shape[1:]) ** -0.5 if len(shape) > 1 else 0.1, shape)
        )
    write_caffemodel(folder / "net.caffemodel", blobs)
    prepare_network(folder / "weights.pt", network, seed=0)
    return probe


# Of the large networks, AlexNet and ResNet-18 stand for VGG and ResNet-50 in `make test`.
MARKS = {"alexnet": [pytest.mark.slow], "vgg16": [pytest.mark.exhaustive], "resnet50": [pytest.mark.exhaustive]}
ALL = [pytest.param(name, marks=MARKS.get(name, [])) for name in CODES]


@pytest.mark.parametrize("name", [*ALL, "caffenet"])
def test_facets_from_folders_to_scores(name, photographs, tmp_path, write_caffemodel):
    probe = caffenet(tmp_path, write_caffemodel) if name == "caffenet" else torchvisions(name, tmp_path)
    images, facets, written = photographs / "images.parquet", tmp_path / "facets/facets.parquet", tmp_path / "facets"
    written.mkdir()
    embed_facets(
        path_to_images=images,
        path_to_annotations=None,
        path_to_weights=tmp_path / "weights.pt",
        path_to_facets=facets,
        path_to_facets_csv=written / "facets.csv",
        path_to_summary=written / "facet_summary.parquet",
        path_to_summary_csv=written / "facet_summary.csv",
        folder=photographs,
        probe=probe,
        entry={"classes": CLASSES, "codes": None, "facets": 2, "nearest": 4},
        classes_by="folder",
        settings=FacetSettings(seeds=0, bootstraps=0, most=3),
        batch_size=12,
        seed=0,
    )
    table = tables.read(facets, "facets").to_pandas()
    assert table.groupby("class").size().to_dict() == dict.fromkeys(CLASSES, 12)
    average_facets(facets, images, written / "means", photographs, probe.inputs, 4)
    render_facets(
        path_to_facets=facets,
        path_to_means=written / "means",
        path_to_images=images,
        path_to_weights=tmp_path / "weights.pt",
        path_to_table=written / "facet_pictures.parquet",
        path_to_csv=written / "facet_pictures.csv",
        path_to_pictures=written / "pictures",
        photographs=photographs,
        probe=probe,
        name="mean",
        from_noise=["plain"],
        recipes=RECIPES,
        nearest=4,
        batch_size=4,
        seed=0,
    )
    pictures = tables.read(written / "facet_pictures.parquet", "facet_pictures").to_pandas()
    assert pictures["status"].eq("optimised").all()
    assert pictures["path"].map(lambda path: (written / path).is_file()).all()
    score_pictures(
        path_to_facets=facets,
        path_to_facet_pictures=written / "facet_pictures.parquet",
        path_to_images=images,
        paths_to_recipes={},
        path_to_judge=None,
        path_to_scores=tmp_path / "picture_scores.parquet",
        path_to_scores_csv=tmp_path / "picture_scores.csv",
        path_to_criteria=tmp_path / "criteria.parquet",
        path_to_criteria_csv=tmp_path / "criteria.csv",
        path_to_validation=tmp_path / "criteria_validation.parquet",
        path_to_validation_csv=tmp_path / "criteria_validation.csv",
        folder=photographs,
        inputs=probe.inputs,
        recipe="mean",
        plain=["plain"],
        positioned=[],
        judge=None,
        settings=CriteriaSettings(photographs=24, resamples=20),
        batch_size=4,
        seed=0,
    )
    assert len(tables.read(tmp_path / "criteria_validation.parquet", "criteria_validation")) == 3 * 5


@pytest.mark.parametrize("name", ALL)
def test_codes_are_the_penultimate_vector(name, tmp_path):
    """Fc7 of AlexNet and VGG, the pooled maps of the others."""
    probe, cpu = torchvisions(name, tmp_path), torch.device("cpu")
    network = building.load(probe.network, tmp_path / "weights.pt")
    shown = torch.zeros(1, 3, probe.inputs.crop, probe.inputs.crop, dtype=torch.uint8)
    with reading(probe, network, cpu) as reader, coding(network, reader, probe.inputs, cpu) as code:
        found, units = code(shown)
    assert (found.shape, units.shape) == ((1, CODES[name]), (1, 1000))
