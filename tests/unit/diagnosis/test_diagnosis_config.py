"""The diagnosis section of the config: what does not fit is named before anything runs."""

import pytest
import yaml

import configuration
from configuration.diagnosis import EMBEDDINGS, PIXEL_ATTACKS
from configuration.schema import fill
from filterscope.diagnosis.capacity.network_capacity import BATCH_NORMS
from filterscope.diagnosis.complexity import spaces
from filterscope.diagnosis.complexity.separability import SeparabilitySettings
from filterscope.diagnosis.resampling.evaluation import CLASSIFIERS
from filterscope.diagnosis.resampling.methods import ResamplingSettings
from filterscope.diagnosis.robustness.attacks import ATTACKS, PIXELS
from filterscope.diagnosis.scaled.families import FAMILIES
from filterscope.diagnosis.scaled.settings import ScaledTrainingSettings

MEASURED = {"samples": "xor"}
PAIR = {"network": "alexnet", "samples": "digits"}
RESAMPLED = {"samples": "digits", "rare": "8", "kept": 0.1}
ROBUST = {"samples": "digits", "family": "plain", "shares": [100], "seeds": 1}


@pytest.fixture
def mistakes(repository, default_config):
    """The lines of the complaint about a diagnosis section with these updates."""

    def mistakes(updates):
        with pytest.raises(configuration.ConfigError) as error:
            configuration.check(default_config(updates), repository / "rules/config.schema.yaml")
        return [line.removeprefix("  - ") for line in str(error.value).splitlines()[1:]]

    return mistakes


@pytest.mark.parametrize(
    ("updates", "said"),
    [
        (
            {"complexity": {"sets": [{"samples": "xorr"}]}, "fit": {"pairs": []}},
            "diagnosis.complexity.sets[0].samples is 'xorr', which samples does not define; did you mean xor",
        ),
        (
            {"complexity": {"sets": [MEASURED, MEASURED]}, "fit": {"pairs": []}},
            "diagnosis.complexity.sets[1] repeats xor of an earlier entry: join them",
        ),
        (
            {"complexity": {"sets": [{"samples": "xor", "embeddings": ["tnse"]}]}, "fit": {"pairs": []}},
            "diagnosis.complexity.sets[0].embeddings has 'tnse', which is no embedding and no probe; did you mean tsne",
        ),
        (
            {"capacity": {"networks": ["alexnett"]}, "fit": {"pairs": []}},
            "diagnosis.capacity.networks[0] is 'alexnett', which neither networks nor torchvision defines",
        ),
        (
            {"fit": {"pairs": [{**PAIR, "network": "vgg16"}]}},
            "diagnosis.fit.pairs[0].network is 'vgg16', which is not among diagnosis.capacity.networks",
        ),
        (
            {"fit": {"pairs": [{**PAIR, "samples": "digit"}]}},
            "diagnosis.fit.pairs[0].samples is 'digit', which is not among diagnosis.complexity.sets",
        ),
        ({"fit": {"pairs": [PAIR, PAIR]}}, "diagnosis.fit.pairs[1] repeats an earlier entry"),
        (
            {"resampling": {"sets": [{"samples": "moons"}]}},
            "diagnosis.resampling.sets[0].samples is 'moons', which samples does not define; did you mean moon",
        ),
        (
            {"resampling": {"sets": [RESAMPLED, {**RESAMPLED, "kept": 0.5}]}},
            "diagnosis.resampling.sets[1] repeats digits in the space values of an earlier entry: keep one",
        ),
        (
            {"resampling": {"sets": [{"samples": "digits", "kept": 0.5}]}},
            "diagnosis.resampling.sets[0].kept is 0.5, but rare does not say of which class",
        ),
        ({"resampling": {"seeds": 4}}, "diagnosis.resampling.seeds is 4"),
        ({"resampling": {"methods": ["adasyn"]}}, "diagnosis.resampling.methods.0 is 'adasyn'"),
        (
            {"robustness": {"sets": [ROBUST, ROBUST]}},
            "diagnosis.robustness.sets[1] repeats digits and plain of an earlier entry: join them",
        ),
        (
            {"robustness": {"sets": [{**ROBUST, "samples": "digit"}]}},
            "diagnosis.robustness.sets[0].samples is 'digit', which samples does not define; did you mean digits",
        ),
        ({"robustness": {"search": "bounded"}}, "diagnosis.robustness.search is 'bounded'"),
        (
            {"robustness": {"attacks": {"greedy": {"rival": 3}}}},
            "diagnosis.robustness.attacks.greedy.rival is not known",
        ),
        ({"fit": {"tolerance": 1}}, "diagnosis.fit.tolerance is 1"),
        ({"complexity": {"norm": "l2"}}, "diagnosis.complexity.norm is 'l2'"),
        ({"complexity": {"separability": {"k": 3}}}, "diagnosis.complexity.separability.k is not known"),
    ],
)
def test_mistakes_are_named(mistakes, updates, said):
    (line,) = mistakes({"diagnosis": updates})
    assert line.startswith(said)


def test_one_attack_at_least_counts_pixels(repository, default_config):
    config = default_config()
    config["diagnosis"]["robustness"] |= {"attacks": {"bounded": {}}, "search": None}
    with pytest.raises(configuration.ConfigError, match="has bounded alone, which counts no pixels: add greedy or"):
        configuration.check(config, repository / "rules/config.schema.yaml")
    config["diagnosis"]["robustness"]["attacks"]["sparse"] = {}
    configuration.check(config, repository / "rules/config.schema.yaml")
    assert set(PIXEL_ATTACKS) == {name for name, kind in ATTACKS.items() if kind.unit == PIXELS}


def test_probe_cannot_have_the_name_of_an_embedding(mistakes):
    (line,) = mistakes({"probes": {"tsne": {"network": "planted", "layer": "detectors"}}})
    assert line.startswith("probes.tsne: an embedding of the diagnosis has this name")


def test_choices_and_defaults_are_those_of_the_library(repository, default_config):
    config = default_config()
    configuration.check(config, repository / "rules/config.schema.yaml")
    section = config["diagnosis"]
    assert SeparabilitySettings(**section["complexity"]["separability"]) == SeparabilitySettings()
    assert section["capacity"]["batch_norm"] in BATCH_NORMS
    assert section["fit"]["family"] in FAMILIES
    assert EMBEDDINGS == (spaces.RAW, spaces.TSNE, spaces.AUTOENCODER, spaces.AUTOENCODER_TSNE)
    spaces.EmbeddingSettings(**section["complexity"]["embedding"])
    chosen = section["resampling"]
    fields = ("neighbours", "ties", "iterations", "patience")
    assert ResamplingSettings(**{name: chosen[name] for name in fields}) == ResamplingSettings()
    assert set(chosen["classifiers"]) <= set(CLASSIFIERS)
    assert set(section["robustness"]["attacks"]) == set(ATTACKS)
    schema = yaml.safe_load((repository / "rules/config.schema.yaml").read_text())
    described = schema["properties"]["diagnosis"]["properties"]["robustness"]
    for name, kind in ATTACKS.items():
        filled = {"attacks": {name: {}}}
        fill(filled, described)
        assert kind.settings(**filled["attacks"][name]) == kind.settings()
    ScaledTrainingSettings(**section["robustness"]["training"])
