"""docs/extending.md shows code: each of its examples is put where it says, described to the schema, and used."""

from __future__ import annotations

import importlib
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from pycocotools import mask as run_lengths
from tests.conftest import REPOSITORY, merged
from tests.pages import Block, blocks, sections
from tests.unit.pictures.conftest import UNIT
from torch import nn

import configuration
from data.datasets.prepare_dataset import prepare_dataset
from filterscope import tables
from filterscope.data.rejection import RejectionError

PAGE = REPOSITORY / "docs" / "extending.md"
SCRIPTS = REPOSITORY / "workflow_scripts"
SCHEMA = REPOSITORY / "rules" / "config.schema.yaml"
EXAMPLES = {title: blocks(text) for title, text in sections(PAGE.read_text(encoding="utf-8")).items()}
# Headings whose blocks show all files that are to be touched.
COMPLETE = ("A schedule", "Labelled samples", "A vocabulary", "A recipe", "A dataset with masks")


def file_of(block: Block) -> str:
    """Where a block says that it goes."""
    return block.head.partition(",")[0]


def examples(title: str, start: str) -> list[Block]:
    return [block for block in EXAMPLES[title] if file_of(block).startswith(start)]


def registries(module: ModuleType) -> dict[str, dict]:
    return {name: value for name, value in vars(module).items() if name.isupper() and isinstance(value, dict)}


@pytest.fixture
def extended(monkeypatch):
    """Puts the code of an example into the library, as the page says, and takes it out afterwards."""
    before = {}

    def extend(title: str) -> ModuleType:
        """Returns the module that was written to first: the new one, where there is one."""
        written = []
        for block in examples(title, "workflow_scripts/"):
            path = SCRIPTS.parent / file_of(block)
            name = ".".join(path.relative_to(SCRIPTS).with_suffix("").parts)
            assert path.is_file() is not block.head.endswith("new"), f"{block.head}: is it there, or is it new?"
            assert path.parent.is_dir(), f"{block.head}: there is no such folder"
            if block.head.endswith("new"):
                module = ModuleType(name)
                monkeypatch.setitem(sys.modules, name, module)
            else:
                module = importlib.import_module(name)
                before.setdefault(module, (dict(vars(module)), {key: dict(d) for key, d in registries(module).items()}))
            exec(compile(block.text, f"{PAGE.name}: {block.head}", "exec", dont_inherit=True), vars(module))
            written.append(module)
        return written[0]

    yield extend
    for module, (names, dictionaries) in before.items():
        vars(module).clear()
        vars(module).update(names)
        for name, entries in dictionaries.items():
            names[name].clear()
            names[name].update(entries)


@pytest.fixture
def settings(tmp_path, default_config):
    """The whole config, checked, of an example's study, by the schema with what the page adds to it."""

    def read(title: str) -> dict:
        (own,) = examples(title, "my.yaml")
        added = examples(title, "rules/config.schema.yaml")
        (tmp_path / "schema.yaml").write_text(yaml.safe_dump(described(added)))
        config = merged(default_config(), yaml.safe_load(own.text))
        configuration.check(config, tmp_path / "schema.yaml")
        return config

    return read


def described(added: list[Block]) -> dict:
    """The schema with further blocks, which may use its anchors, each below the place that it names."""
    text = SCHEMA.read_text()
    schema = yaml.safe_load(text)
    for block in added:
        part = yaml.safe_load(f"{text}\nadded:\n{textwrap.indent(block.text, '  ')}")["added"]
        place = schema
        for key in block.head.partition("below ")[2].split("."):
            place = place[key]
        assert not set(part) & set(place)
        place.update(part)
    return schema


def test_the_page_has_an_example_of_everything_that_it_counts():
    counted = {
        line.split("|")[1].partition("[")[2].partition("]")[0]: line.split("|")[3]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| [")
    }
    assert {title.lower() for title in EXAMPLES} >= {name.lower() for name in counted} - {"a dataset"}
    told = {name.lower(): int(count.split()[0].strip(" ;,")) for name, count in counted.items()}
    for title in COMPLETE:
        files = {file_of(block) for block in EXAMPLES[title]} - {"my.yaml"}
        assert told[title.lower().removesuffix(" with masks")] == len(files), title


def test_examples_leave_no_trace(extended):
    from filterscope.apt.scheduling import METHODS

    before = list(METHODS)
    extended("A schedule")
    assert [*METHODS] == [*before, "linear"]


def test_the_next_example_finds_none():
    from filterscope.apt.scheduling import METHODS

    assert "linear" not in METHODS


def test_a_schedule(extended, settings):
    scheduling = extended("A schedule")
    entry = dict(settings("A schedule")["temperature"]["schedules"]["straight"])
    assert entry.pop("search") == {"learning_rate": [0.01, 1.0]}
    chosen = scheduling.ScheduleSettings.from_mapping(entry)
    assert chosen.plain() == entry
    situation = scheduling.Situation(nn.functional.cross_entropy, torch.zeros(2, 3), torch.zeros(2).long(), [], 0.0)
    running = scheduling.begin(chosen, nn.Linear(3, 2), None, situation, total_steps=10)
    rates = []
    for _ in range(10):
        rates.append(running.rate)
        running.optimiser.step()
        running.advance()
    assert rates == pytest.approx(np.linspace(0.3, 0, 11)[:-1])


def test_labelled_samples(extended, settings):
    sample_sources = extended("Labelled samples")
    entry = dict(settings("Labelled samples")["samples"]["clouds"])
    samples = sample_sources.read(path=None, seed=3, limits=entry.pop("limit"), **entry)
    assert samples.classes == ("left", "right", "top")
    assert [(samples.split == split).sum() for split in ("train", "test")] == [120, 30]
    middles = np.stack([samples.values[samples.labels == label].mean(0) for label in range(3)])
    assert middles == pytest.approx(np.array([[0, 0], [4, 0], [0, 4]]), abs=0.6)


def test_a_vocabulary(extended, settings, tmp_path):
    vector_files = extended("A vocabulary")
    entry = settings("A vocabulary")["vocabularies"]["lines"]
    (tmp_path / entry["file"]).write_text('{"word": "cat", "vector": [1, 0]}\n{"word": "sofa", "vector": [0, 0.5]}\n')
    chosen = vector_files.VocabularySettings.from_mapping(entry)
    words, vectors = vector_files.read_vectors(tmp_path / entry["file"], chosen)
    assert words == ["cat", "sofa"]
    assert vectors.tolist() == [[1, 0], [0, 0.5]]


def test_a_recipe(extended, settings):
    softened = extended("A recipe")
    from filterscope.data.networks.layers import Reader
    from filterscope.pictures.recipes.objectives import Goal, Target
    from filterscope.pictures.recipes.registry import maximise, recipe

    chosen = recipe(settings("A recipe")["recipes"]["soft"])
    assert chosen == softened.Softened(steps=32)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 2, 5), nn.ReLU()).requires_grad_(False)

    def roughness(pictures):
        return float(pictures.diff(dim=-1).abs().mean())

    with Reader(network, "1", input_size=UNIT.crop) as reader:
        goal = Goal(reader, UNIT, [Target(0), Target(1)], torch.device("cpu"))
        grey = maximise(goal, softened.Softened(steps=1, learning_rate=1e-6), seeds=[1, 2])
        own = maximise(goal, chosen, seeds=[1, 2])
        plain = maximise(goal, recipe({"method": "plain", "steps": 32}), seeds=[1, 2])
        alone = maximise(goal.part(slice(1, 2)), chosen, seeds=[2])
    assert (own.activation > grey.activation).all()
    assert roughness(own.optimised.pictures) < 0.8 * roughness(plain.optimised.pictures)
    assert torch.allclose(alone.optimised.pictures[0], own.optimised.pictures[1], atol=1e-3)


def test_a_criterion(extended):
    criteria = extended("A criterion")
    generator = np.random.default_rng(0)
    photographs = [criteria.Picture.of(generator.integers(0, 256, (64, 64, 3), np.uint8)) for _ in range(12)]
    grey, halves = np.full((64, 64, 3), 128, np.uint8), np.zeros((64, 64, 3), np.uint8)
    halves[:32] = 255
    found = criteria.scores([criteria.Picture.of(each) for each in (grey, halves)], criteria.norms_of(photographs))
    assert list(found)[-1] == "contrast"
    assert found["contrast"] == pytest.approx([0, 50], abs=1)


def test_an_attack(extended, settings):
    extended("An attack")
    from filterscope.diagnosis.robustness.attacks import ATTACKS, attack
    from filterscope.diagnosis.robustness.figures import TITLES

    chosen = settings("An attack")["diagnosis"]["robustness"]["attacks"]
    assert set(chosen) == set(ATTACKS) == set(TITLES)
    assert configuration.diagnosis.PIXEL_ATTACKS[-1] == "curtain"

    class Bright(nn.Module):
        """Says 1 where more than half of the light of a white picture is left."""

        def forward(self, images):
            light = images.mean((1, 2, 3)) - 0.5
            return torch.stack([-light, light], 1)

    images = np.stack([np.ones((1, 4, 6), np.float32), np.full((1, 4, 6), 0.7, np.float32)])
    found = attack(Bright(), images, np.array([1, 1]), "curtain", chosen["curtain"], seed=0)
    assert found.success.all()
    assert found.size.tolist() == [18, 12]  # three and two rows of six
    weak = attack(Bright(), images, np.array([1, 1]), "curtain", {"value": 1.0}, seed=0)
    assert weak.size.tolist() == [24, 24], "a white curtain takes no light: failures count as the whole picture"


def test_a_dataset(extended, settings, tmp_path):
    extended("A dataset with masks")
    entry = dict(settings("A dataset with masks")["datasets"]["cut_out"])
    assert entry.pop("max_bad_fraction") == 0
    assert entry == {"source": "stencils", "folder": "stencils"}
    drawn = stencilled(tmp_path / "stencils")
    Image.new("L", (3, 3)).save(tmp_path / "stencils" / "val" / "2.small.png")

    def prepared(max_bad_fraction):
        names = ("images", "annotations", "categories", "rejected", "findings")
        paths = {f"path_to_{name}": tmp_path / f"{name}.parquet" for name in names}
        paths |= {"path_to_folder": tmp_path / "stencils", "path_to_findings_csv": tmp_path / "findings.csv"}
        prepare_dataset(entry["source"], **paths, max_bad_fraction=max_bad_fraction)
        return [tables.read(paths[f"path_to_{name}"], name).to_pandas() for name in names]

    with pytest.raises(RejectionError, match=r"annotation 2\.small\.png: its size is not the picture's"):
        prepared(max_bad_fraction=0)
    images, annotations, categories, rejected, findings = prepared(max_bad_fraction=0.2)
    assert rejected["item"].tolist() == ["annotation 2.small.png"]
    assert findings.empty
    assert images["path"].tolist() == ["train/0.png", "train/1.png", "val/2.png"]
    assert categories.set_index("category")["annotations_train"].to_dict() == {"red": 2, "striped": 1}
    for row in annotations.itertuples():
        mask = run_lengths.decode({"size": [20, 30], "counts": row.mask})
        assert (mask == drawn[row.image_id, row.category]).all()
        assert (row.x, row.y, row.w, row.h, row.area) == (5, 4, 10, 8, 80)


def stencilled(folder: Path) -> dict[tuple[int, str], np.ndarray]:
    """Draws a folder as the page's example reads it; masks by image and category."""
    drawn = {}
    for number, (split, categories) in enumerate((("train", ["red"]), ("train", ["red", "striped"]), ("val", ["red"]))):
        (folder / split).mkdir(parents=True, exist_ok=True)
        picture, mask = np.full((20, 30, 3), 40 * number, np.uint8), np.zeros((20, 30), np.uint8)
        mask[4:12, 5:15] = 1
        picture[mask > 0] = 200
        Image.fromarray(picture).save(folder / split / f"{number}.png")
        for category in categories:
            Image.fromarray(255 * mask).save(folder / split / f"{number}.{category}.png")
            drawn[number, category] = mask
    return drawn
