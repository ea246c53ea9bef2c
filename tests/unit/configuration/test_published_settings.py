"""What studies repeat, they repeat with the settings that were printed."""

from __future__ import annotations

import re

import pandas as pd
import pytest
import yaml
from tests.unit.configuration.test_studies import within

from filterscope.apt.scheduling import ScheduleSettings

ACTCOOLR, LAVISE, SURVEY = "ActCooLR", "the reproduction of LaViSE", "the survey of debugging tools"
# Study, key, what was printed, and where.
PRINTED = [
    *(
        ("actcoolr", f"temperature.training.{key}", value, f"{ACTCOOLR}, {where}")
        for key, value, where in (
            ("flip", True, "E: random horizontal flips, of CIFAR-10 too"),
            ("batch_size", 256, "E"),
            ("weight_decay", 5e-5, "table 2"),
            ("validation", 0.01, "E"),
            ("every", 10, "D"),
            ("label_smoothing", 0.0, "E: of ImageNet only"),
            ("epochs", 25, "table 2"),
        )
    ),
    *(
        ("actcoolr", f"temperature.training_of.{key}", value, f"{ACTCOOLR}, {where}")
        for key, value, where in (
            ("fashion_mnist.batch_size", 64, "E"),
            ("fashion_mnist.epochs", 200, "table 3"),
            ("fashion_mnist.weight_decay", 0.0, "table 3"),
            ("fashion_mnist.analysed", 59400, "C: all that is trained on"),
            ("cifar10_50.epochs", 50, "table 2"),
            ("cifar10_300.epochs", 300, "table 3"),
            ("tiny_imagenet.batch_size", 128, "E"),
            ("tiny_imagenet.analysed", 4096, "C"),
            ("imagenet.batch_size", 128, "E"),
            ("imagenet.epochs", 20, "E"),
            ("imagenet.weight_decay", 1e-5, "table 3"),
            ("imagenet.label_smoothing", 0.1, "E"),
            ("imagenet.validation", 0.05, "E"),
            ("imagenet.analysed", 4096, "C"),
        )
    ),
    *(
        ("reproduction", key, value, f"{LAVISE}, {where}")
        for key, value, where in (
            ("training.epochs", 30, "4.3"),
            ("training.batch_size", 2048, "4.4"),
            ("training.optimiser", "dadapt_adam", "4.4"),
            ("training.dropout", 0.1, "4.1"),
            ("training.averaging", 0, "4.3: the model with the best validation loss"),
            ("training.vocabulary_negatives", 0, "3.1"),
            ("training.margin", 1.0, "3.1"),
            ("training.batch_norm", "train", "4.1"),
            ("activations.quantile", 0.995, "4.3: the top 0.5 %"),
            ("scores.overlap", 0.04, "4.3"),
            ("scores.recall_at", [5, 10, 20], "table 2"),
            ("words.method", "attention", "3.2"),
            ("words.split", "val", "4.3"),
            ("datasets.visual_genome.passes", "reproduction", "4.2"),
            ("probes.resnet18_layer4.layer", "layer4", "4.3"),
            ("probes.alexnet_unpooled.layer", "features", "4.3"),
        )
    ),
    *(
        ("visual_genome", f"datasets.visual_genome.{key}", value, f"{LAVISE}, {where}")
        for key, value, where in (
            ("min_count", 100, "4.2"),
            ("train", 0.9, "table 1"),
            ("supervised", 0.7, "table 1"),
        )
    ),
    ("coco", "training.batch_size", 2048, f"{LAVISE}, 4.4"),
    ("coco", "training.optimiser", "dadapt_adam", f"{LAVISE}, 4.4"),
    *(
        ("debugger", f"diagnosis.{key}", value, f"{SURVEY}, {where}")
        for key, value, where in (
            ("robustness.start", 30720, "table 1"),
            ("resampling.ties", "strict", "3.3.2"),
            ("complexity.separability.neighbours", 3, "Branchaud-Charron et al., 2019, their code"),
            ("complexity.separability.per_class", 250, "Branchaud-Charron et al., 2019, their code"),
        )
    ),
]


@pytest.fixture
def study(repository, default_config, check):
    """A study's whole config, with what the schema adds."""

    def study(name):
        return check(default_config(yaml.safe_load((repository / "studies" / f"{name}.yaml").read_text())))

    return study


@pytest.mark.parametrize(("name", "key", "printed", "where"), PRINTED, ids=[f"{row[0]}: {row[1]}" for row in PRINTED])
def test_settings_are_those_that_were_printed(name, key, printed, where, study):
    assert within(study(name), key) == printed, where


def test_the_survey_shrinks_networks_of_two_families_from_the_need_of_cifar10_by_halves(study):
    sets = study("debugger")["diagnosis"]["robustness"]["sets"]
    assert [(each["samples"], each["family"], each["shares"][:2]) for each in sets] == [
        ("cifar10", "alexnet", [100, 50]),
        ("cifar10", "resnet", [100, 50]),
    ]


# How the table of published errors writes settings: the pattern, and the settings that its groups are.
WRITTEN = (
    (r"learning rate ([\d.]+) to ([\d.]+)", ("initial", "learning_rate")),
    (r"(?<!first )learning rate ([\d.]++)(?! to)", ("learning_rate",)),
    (r"first learning rate ([\d.]+)", ("learning_rate",)),
    (r"peak ([\d.]+)", ("peak",)),
    (r"momentum ([\d.]+) to ([\d.]+)", ("lowest_momentum", "momentum")),
    (r"momentum ([\d.]++)(?! to)", ("momentum",)),
    (r"T0 ([\d.]+)", ("initial_temperature",)),
    (r"exponent ([\d.]+)", ("exponent",)),
)


def settings_of(printed: str) -> dict[str, float]:
    found = {}
    for pattern, names in WRITTEN:
        match = re.search(pattern, printed)
        if match:
            found |= dict(zip(names, map(float, match.groups()), strict=True))
    if "initial" in found:  # printed as a learning rate, set as a share of the highest
        found["initial"] /= found["learning_rate"]
    return found


def test_settings_are_read_as_they_are_written():
    assert settings_of("learning rate 1.7, peak 0.7, momentum 0.765 to 0.9, weight decay 5e-5") == {
        "learning_rate": 1.7,
        "peak": 0.7,
        "lowest_momentum": 0.765,
        "momentum": 0.9,
    }
    assert settings_of("learning rate 0.5 to 1.0, peak 0.1") == {"initial": 0.5, "learning_rate": 1.0, "peak": 0.1}
    assert settings_of("T0 4.905, exponent 7, first learning rate 0.5, momentum 0.5, weight decay 1e-5") == {
        "initial_temperature": 4.905,
        "exponent": 7.0,
        "learning_rate": 0.5,
        "momentum": 0.5,
    }


def test_every_published_training_is_repeated_with_its_settings_and_without_a_guard(repository, study):
    """Tables 2 and 3 of ActCooLR, as studies/published_training.csv has them."""
    temperature = study("actcoolr")["temperature"]
    published = pd.read_csv(repository / "studies" / "published_training.csv", keep_default_na=False)
    duels = {duel["experiment"]: duel for duel in temperature["duels"] if duel.get("experiment")}
    assert set(duels) == set(published["experiment"])
    for line in published.itertuples():
        duel = duels[line.experiment]
        training = temperature["training"] | temperature["training_of"].get(duel["samples"], {})
        assert training["epochs"] == line.epochs
        decay = re.search(r"weight decay (\S+)", line.settings)
        assert decay is None or training["weight_decay"] == float(decay[1]), line
        wanted = settings_of(line.settings)
        entries = [temperature["schedules"][name] for name in duel["schedules"]]
        same = [
            chosen
            for chosen in (
                ScheduleSettings.from_mapping({key: value for key, value in entry.items() if key != "search"})
                for entry in entries
                if entry["method"] == line.method and not entry.get("search")
            )
            if all(getattr(chosen, key) == pytest.approx(value) for key, value in wanted.items())
        ]
        assert len(same) == 1, f"{line.experiment}: {line.settings}"
        assert line.method != "actcoolr" or not same[0].guarded


def test_figure_5_begins_at_six_learning_rates(study):
    temperature = study("actcoolr")["temperature"]
    (start,) = temperature["starts"]
    chosen = [
        ScheduleSettings.from_mapping({k: v for k, v in temperature["schedules"][name].items() if k != "search"})
        for name in start["schedules"]
    ]
    given = [each for each in chosen if each.begin == "given"]
    assert [each.learning_rate for each in given] == [1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5]
    for each in chosen:
        assert (each.initial_temperature, each.exponent, each.momentum, each.guarded) == (3.03, 1.0, 0.9, False)
    assert temperature["training_of"][start["samples"]]["epochs"] == 50
    assert temperature["networks"][start["network"]]["architecture"] == "resnet32"
