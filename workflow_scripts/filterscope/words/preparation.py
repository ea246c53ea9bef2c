"""What a trial works on and by, from a job's files and parameters."""

from __future__ import annotations

from collections.abc import Mapping

from filterscope import tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.readable import readable
from filterscope.activations.streaming import Annotations
from filterscope.data.networks.settings import InputSettings
from filterscope.data.rejection import stop
from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.faithful import Faithful
from filterscope.words.explaining.candidates import read_allowed
from filterscope.words.explaining.evidence import EvidenceSettings
from filterscope.words.explaining.explanation import ExplanationSettings
from filterscope.words.explaining.proposals import ProposalSettings
from filterscope.words.explaining.targets import token_list
from filterscope.words.explaining.training import ExplainerSettings
from filterscope.words.in_memory_run import MiningSettings, TrialMaterial, TrialSettings
from filterscope.words.scoring.scores import ScoreSettings


def material(paths: Mapping[str, str], folder: str, inputs: InputSettings) -> TrialMaterial:
    """Read images, annotations, categories, vocabulary and, if given, the allowed words.

    Images that the extraction (`image_activations`) had to leave out are left out here too.
    """
    images = tables.read(paths["images"], "images").to_pandas()
    images = readable(images, tables.column(paths["image_activations"], "image_activations", "image_id"))
    vocabulary = Vocabulary.from_table(tables.read(paths["vocabulary"], "vocabulary"))
    annotations = Annotations(tables.read(paths["annotations"], "annotations"), images["image_id"].to_numpy()).table
    categories = tables.read(paths["categories"], "categories").to_pandas()
    vocabulary = vocabulary.including(token_list(categories, supervised_only=False))
    allowed = read_allowed(paths.get("allowed"))
    return TrialMaterial(folder, images, annotations, categories, vocabulary, allowed, inputs, stop)


def trial(params, threads: int) -> dict:
    """Settings, seed and defects of a trial from a rule's parameters of these names, for so many threads."""
    activations = ExtractionSettings(**params.activations, workers=threads)
    words = params.words
    return {
        "settings": TrialSettings(
            activations,
            ExplainerSettings(**params.training),
            MiningSettings(
                words["split"],
                words["top_images"],
                words["voting"],
                words["weighting"],
                words["top_share"],
                ProposalSettings(words["evidence"], words["novelty"]),
                EvidenceSettings.from_mapping(words),
            ),
            ExplanationSettings.of(words, activations),
            ScoreSettings(**params.scores),
        ),
        "seed": params.seed,
        "defects": Faithful(**dict(params.get("faithful", {}))),
    }
