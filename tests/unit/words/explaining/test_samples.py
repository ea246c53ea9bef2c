"""Objects and attended samples come together, and the parts to learn from and to choose by share no image."""

import numpy as np
import pytest
from tests.unit.words.explaining.learning import TRAINING, VALIDATION, samples

from filterscope.words.explaining.samples import ExplainerSamples, Gathered, split_samples


def test_shuffling_keeps_activations_and_the_number_of_each_label():
    shuffled = TRAINING.shuffled_labels(3)
    assert np.array_equal(shuffled.activations, TRAINING.activations)
    assert np.array_equal(shuffled.targets.sum(0), TRAINING.targets.sum(0))
    assert not np.array_equal(shuffled.targets, TRAINING.targets)


def gathered(objects=100, attended=60, images=20, scored=6, seed=0):
    """Objects, then attended samples; the first numbers of images are training images. A sample's first activation
    is the number of its image."""
    chance = np.random.default_rng(seed)
    own = samples(objects + attended, seed)
    ids = np.concatenate([chance.integers(0, images, objects), chance.integers(0, images - scored, attended)])
    activations = own.activations.copy()
    activations[:, 0] = ids
    return Gathered(ExplainerSamples(activations, own.targets, attended), ids, ids < images - scored)


def images_of(part):
    return set(part.activations[:, 0].astype(int).tolist())


@pytest.mark.parametrize("share", [0.1, 0.25, 0.9])
@pytest.mark.parametrize("seed", range(5))
def test_three_parts_of_the_images_are_never_mixed(share, seed):
    """Scored images are in none; those that choose are no others' images, of objects and of attended samples."""
    everything = gathered(seed=seed)
    training = set(everything.image_ids[everything.training].tolist())
    parts = split_samples(everything, share, seed)
    learn, choose, final = (images_of(part) for part in (parts.learn, parts.choose, parts.final))
    assert not learn & choose
    assert learn | choose == final == training
    assert len(choose) == round(share * len(training))
    assert len(parts.learn) + len(parts.choose) == len(parts.final) == everything.training.sum()
    for part, ids in ((parts.learn, learn), (parts.choose, choose), (parts.final, training)):
        own = np.isin(everything.image_ids, list(ids)) & everything.training
        assert np.array_equal(part.activations, everything.samples.activations[own])
        assert np.array_equal(part.targets, everything.samples.targets[own])
        assert part.attended == own[100:].sum()
    again = split_samples(everything, share, seed)
    assert np.array_equal(parts.choose.activations, again.choose.activations)
    assert images_of(split_samples(everything, share, seed + 1).choose) != choose


def test_the_published_ways_let_scored_images_choose():
    everything = gathered()
    training = set(everything.image_ids[everything.training].tolist())
    parts = split_samples(everything, 0.25, 0, scored_choose=True)
    assert parts.final is None
    assert images_of(parts.learn) == training
    assert images_of(parts.choose) == set(everything.image_ids.tolist()) - training
    by_instance = split_samples(everything, 0.25, 0, by_instance=True)
    assert by_instance.final is None
    assert len(by_instance.learn) == everything.training.sum()
    assert images_of(by_instance.learn) & images_of(by_instance.choose)  # an image's objects are in both
    again = split_samples(everything, 0.25, 0, by_instance=True)
    assert np.array_equal(by_instance.choose.activations, again.choose.activations)


@pytest.mark.parametrize(("share", "count"), [(0.01, 0), (0.99, 4)])
def test_too_few_images_for_two_parts_are_refused(share, count):
    few = gathered(images=6, scored=2)
    with pytest.raises(ValueError, match=rf"training\.choosing is {share}: {count} of 4 training images with objects"):
        split_samples(few, share, 0)


def test_attended_samples_follow_the_objects():
    objects = Gathered(TRAINING, np.arange(100), np.ones(100, bool))
    shown = Gathered(VALIDATION, np.arange(40), np.ones(40, bool))
    both = Gathered.joined(objects, shown)
    assert (len(both.samples), both.samples.attended) == (140, 40)
    assert np.array_equal(both.samples.activations[100:], VALIDATION.activations)
    assert np.array_equal(both.image_ids, np.concatenate([np.arange(100), np.arange(40)]))
    assert both.counted() == "100 objects and 40 attended samples"
    assert both.counted() == "100 objects and 40 attended samples"
    assert Gathered.joined(objects, None) is objects
    none = Gathered(VALIDATION.those(np.zeros(40, bool)), np.zeros(0, int), np.zeros(0, bool))
    assert Gathered.joined(objects, none) is objects
