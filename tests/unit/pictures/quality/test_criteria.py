"""The five criteria: what each of them sees, and what it must not see."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.data import astronaut, cat, coffee, rocket

from filterscope.pictures.quality import criteria
from filterscope.pictures.quality.criteria import CRITERIA, LIKENESSES, MEASURES, Norm, Picture, norms_of, scores

SIDE = 96


def crops(photograph, count, seed):
    """Square cuts of a photograph, SIDE px after shrinking."""
    chance, made = np.random.default_rng(seed), []
    for _ in range(count):
        size = int(chance.integers(150, 280))
        y, x = (int(chance.integers(0, side - size)) for side in photograph.shape[:2])
        cut = photograph[y : y + size, x : x + size, :3]
        made.append(np.asarray(criteria.Image.fromarray(cut).resize((SIDE, SIDE), criteria.Image.Resampling.BOX)))
    return made


@pytest.fixture(scope="module")
def photographs():
    """Cuts of four public photographs [n][SIDE, SIDE, 3], in random order."""
    found = [each for number, make in enumerate((astronaut, cat, coffee, rocket)) for each in crops(make(), 20, number)]
    return [found[index] for index in np.random.default_rng(9).permutation(len(found))]


def noise(seed, sd=60):
    return np.clip(128 + sd * np.random.default_rng(seed).standard_normal((SIDE, SIDE, 3)), 0, 255).astype(np.uint8)


def disc(radius, place=(0.5, 0.5), colour=(200, 30, 30), ground=(120, 130, 140)):
    """A disc on an even ground."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    picture = np.full((SIDE, SIDE, 3), ground, np.uint8)
    picture[np.hypot(y - place[0], x - place[1]) < radius] = colour
    return picture


def measured(name, pixels):
    return {**LIKENESSES, **MEASURES}[name](Picture.of(pixels))


def test_photographs_lead_their_means_and_noise_in_every_respect(photographs):
    norms = norms_of([Picture.of(each) for each in photographs[:50]])
    means = [np.mean(photographs[50 + n : 65 + n], 0).astype(np.uint8) for n in range(0, 15, 3)]
    groups = [photographs[50:], means, [noise(seed) for seed in range(8)]]
    real, averaged, noisy = (scores([Picture.of(each) for each in group], norms) for group in groups)
    for name in CRITERIA:
        middle = [np.median(each[name]) for each in (real, averaged, noisy)]
        assert min(middle[:2]) > middle[2], name
        # Means of cuts of four photographs have a context like theirs.
        assert middle[0] > middle[1] or name == "clear_context", name


def test_norms_give_photographs_about_minus_one(photographs):
    norms = norms_of([Picture.of(each) for each in photographs[:60]])
    found = scores([Picture.of(each) for each in photographs[60:]], norms)
    for name in LIKENESSES:
        assert -1.6 < found[name].mean() < -0.6


def test_likeness_is_the_mahalanobis_distance():
    features = np.random.default_rng(0).standard_normal((4000, 3)) * [1, 5, 0.1] + [0, 2, 7]
    norm = Norm.of(features)
    assert norm.likeness(np.array([[0, 2, 7], [3, 2, 7], [0, 17, 7.0]])) == pytest.approx(
        [0, -(3**0.5), -(3**0.5)], abs=0.12
    )


def test_too_few_photographs_are_no_norm():
    with pytest.raises(ValueError, match="9 photographs are too few to say what is natural, at least 10 are"):
        Norm.of(np.zeros((9, 2)))


# --- each criterion -------------------------------------------------------------------------------------


def test_unnatural_colours_are_noticed(photographs):
    norm = Norm.of(np.array([measured("natural_colours", each) for each in photographs]))
    swapped = [each[..., [2, 0, 1]] for each in photographs]
    likeness = [
        norm.likeness(np.array([measured("natural_colours", x) for x in group])) for group in (photographs, swapped)
    ]
    assert np.median(likeness[0]) > np.median(likeness[1]) + 0.2


def test_colours_are_those_of_areas():
    """Fine coloured noise is grey to the eye."""
    grey = np.full((SIDE, SIDE, 3), 128, np.uint8)
    coloured, even = (measured("natural_colours", each) for each in (noise(0, sd=30), grey))
    assert np.abs(coloured[1:3] - even[1:3]).max() < 3


@pytest.mark.parametrize("other", [disc(0.2, (0.15, 0.15)), disc(0.2, colour=(130, 125, 140)), disc(0.02)])
def test_one_object_in_the_middle_is_seen(other):
    assert measured("single_central_object", disc(0.2)) > 1.5 * measured("single_central_object", other)


def test_many_objects_are_not_one():
    many = disc(0.06, (0.5, 0.5))
    for y in (0.2, 0.5, 0.8):
        for x in (0.2, 0.5, 0.8):
            many = np.where(disc(0.09, (y, x)) != disc(0.0), disc(0.09, (y, x)), many)
    assert measured("single_central_object", disc(0.2)) > 2 * measured("single_central_object", many.astype(np.uint8))


def test_an_empty_picture_has_no_object_and_no_details():
    empty = np.full((SIDE, SIDE, 3), 90, np.uint8)
    assert measured("single_central_object", empty) == 0
    assert measured("clarity_of_details", empty) == 0
    assert np.isfinite(measured("global_structure", empty)).all()
    assert np.isfinite(measured("clear_context", empty)).all()


def test_structure_knows_stripes_from_scatter():
    stripes = np.full((SIDE, SIDE, 3), 255, np.uint8)
    stripes[:, np.arange(SIDE) // 16 % 2 == 0] = 0
    assert measured("global_structure", stripes)[-1] > measured("global_structure", noise(1))[-1] + 0.5


def test_blur_and_noise_cost_details(photographs):
    values = {"sharp": photographs}
    values["blurred"] = [ndimage.gaussian_filter(each, (4, 4, 0)) for each in photographs]
    chance = np.random.default_rng(0)
    noisy = [each + chance.normal(0, 60, each.shape) for each in photographs]
    values["noisy"] = [each.clip(0, 255).astype(np.uint8) for each in noisy]
    found = {name: np.mean([measured("clarity_of_details", x) for x in group]) for name, group in values.items()}
    assert found["sharp"] > 1.5 * found["blurred"]
    assert found["sharp"] > 1.5 * found["noisy"]
    assert measured("clarity_of_details", noise(3)) < 0.02


def test_context_differs_where_the_surroundings_do():
    plain, framed = (measured("clear_context", each) for each in (disc(0.0), disc(0.2)))
    assert framed[0] > plain[0] + 1
    assert measured("clear_context", noise(0))[2] > framed[2] + 1


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(8, 70), st.integers(8, 70))
def test_every_picture_has_finite_features(seed, height, width):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    for name in CRITERIA:
        assert np.isfinite(measured(name, pixels)).all()


def test_mirrored_pictures_score_the_same(photographs):
    norms = norms_of([Picture.of(each) for each in photographs[:40]])
    given_ = [np.asarray(criteria.Image.fromarray(each).resize((64, 64))) for each in photographs[:6]]
    mirrored = [each[:, ::-1].copy() for each in given_]
    first, second = (scores([Picture.of(each) for each in group], norms) for group in (given_, mirrored))
    for name in CRITERIA:
        assert first[name] == pytest.approx(second[name], abs=0.05), name


WRONG = [np.zeros((20, 20), np.uint8), np.zeros((20, 20, 3)), np.zeros((4, 20, 3), np.uint8)]


@pytest.mark.parametrize("pixels", WRONG)
def test_what_is_no_picture_is_refused(pixels):
    with pytest.raises(ValueError, match=r"should be uint8 \[H, W, 3\] of at least 8 x 8 px"):
        Picture.of(pixels)
