"""Claims are measured as scikit-learn and numpy measure them, in one pass whatever the grouping of images."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score, jaccard_score

from filterscope.words.bootstrap import resample_weights
from filterscope.words.firing import Thresholds
from filterscope.words.heatmaps import upsample
from filterscope.words.scoring.bins import BINS, ActivationBins, bin_edges
from filterscope.words.scoring.claims import METRICS, ClaimScores, average_precision
from filterscope.words.truth import ImageTruth

CPU = torch.device("cpu")
FILTERS, TOKENS, IMAGES, CELLS, SIDE = 4, 3, 7, 6, 24


def pictures(seed=0, levels=None, offset=0.0):
    """Maps [d, 6, 6] and scenes of 24 px whose masks are made of whole cells; token 2 is seen once only."""
    chance = np.random.default_rng(seed)
    for number in range(IMAGES):
        maps = chance.exponential(1.0, (FILTERS, CELLS, CELLS))
        if levels is not None:
            maps = levels[chance.integers(0, len(levels), maps.shape)]
        tokens = np.array([0, 1, 2]) if number == 4 else np.flatnonzero(chance.random(2) < 0.7)
        cells = chance.random((len(tokens), CELLS, CELLS)) < 0.3
        maps[0] += cells[0] if len(cells) else 0  # filter 0 knows something
        masks = torch.from_numpy(cells.repeat(4, 1).repeat(4, 2))
        yield (
            torch.from_numpy(maps).float() + offset,
            ImageTruth(masks, torch.eye(TOKENS, dtype=torch.bool)[tokens], tokens, masks),
        )


LABELS = {"one": np.array([0, 1, 2, -1]), "other": np.array([1, 1, 0, 2])}
THRESHOLDS = np.array([1.5, 1.0, 2.0, 0.5])


def collected(seen, weights=None, order=None, every=False, thresholds=THRESHOLDS):
    seen = list(seen)
    weights = np.ones((1, len(seen)), np.float32) if weights is None else weights
    claims = ClaimScores(LABELS, thresholds, TOKENS, weights, SIDE, CPU, every=every)
    for place in range(len(seen)) if order is None else order:
        claims.add(place, *seen[place])
    return claims


def of_token(scene, token, resolution):
    """The token's mask of one image at a resolution that divides the masks' own."""
    mask = np.zeros((SIDE, SIDE), bool)
    if token in scene.tokens:
        mask = scene.token_masks[list(scene.tokens).index(token)].numpy()
    step = SIDE // resolution
    return mask[::step, ::step]


@pytest.mark.parametrize("offset", [0.0, 10.0])
def test_equals_scikit_learn_and_numpy(offset):
    """IoU, F1, pixel-wise recall and precision of the region; correlation of the map. Offset: far from zero mean."""
    seen = list(pictures(offset=offset))
    thresholds = THRESHOLDS + offset
    found = collected(seen, thresholds=thresholds).metrics()
    for row, labels in enumerate(LABELS.values()):
        for number, token in enumerate(labels):
            regions = np.concatenate(
                [(upsample(maps, (SIDE, SIDE))[number] > thresholds[number]).numpy().ravel() for maps, _ in seen]
            )
            masks = np.concatenate([of_token(scene, token, SIDE).ravel() for _, scene in seen])
            if token < 0:
                assert all(found[name][0, row, number] == 0 for name in METRICS)
                continue
            assert found["iou"][0, row, number] == pytest.approx(jaccard_score(masks, regions))
            assert found["f1"][0, row, number] == pytest.approx(f1_score(masks, regions))
            both = (masks & regions).sum()
            assert found["pixel_recall"][0, row, number] == pytest.approx(both / masks.sum())
            assert found["pixel_precision"][0, row, number] == pytest.approx(both / regions.sum())
            values = np.concatenate([maps[number].numpy().ravel() for maps, _ in seen])
            cells = np.concatenate([of_token(scene, token, CELLS).ravel() for _, scene in seen])
            correlation = np.corrcoef(values.astype(np.float64), cells)[0, 1]
            assert found["correlation"][0, row, number] == pytest.approx(correlation, abs=1e-4)


def test_masks_are_sampled_at_the_centres_of_the_grid():
    """A grid of 8 px over masks of 24: the middle one of every three pixels counts."""
    mask = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    mask[:, 1::3, 1::3] = True
    claims = ClaimScores({"one": np.zeros(1, int)}, np.array([0.5]), 1, np.ones((1, 1), np.float32), 8, CPU)
    claims.add(
        0, torch.ones(1, CELLS, CELLS), ImageTruth(mask, torch.ones(1, 1, dtype=torch.bool), np.array([0]), mask)
    )
    assert claims.metrics()["iou"][0, 0, 0] == 1


def precisions(seen, token, number):
    values = np.concatenate([maps[number].numpy().ravel() for maps, _ in seen])
    cells = np.concatenate([of_token(scene, token, CELLS).ravel() for _, scene in seen])
    return average_precision_score(cells, values)


def test_auprc_is_exact_where_no_two_levels_share_a_bin():
    # Filter 0 adds 1 where its token is: all eight levels lie in bins of their own.
    seen = list(pictures(levels=np.array([0.05, 0.3, 0.75, 2.5])))
    found = collected(seen, every=True)
    auprc = found.metrics()["auprc"]
    for row, labels in enumerate(LABELS.values()):
        for number, token in enumerate(labels):
            if token >= 0:
                assert auprc[0, row, number] == pytest.approx(precisions(seen, token, number), abs=1e-6)
    for number in range(FILTERS):
        for token in range(TOKENS):
            assert found.every_auprc()[number, token] == pytest.approx(precisions(seen, token, number), abs=1e-6)


def test_auprc_of_fine_activations_is_close():
    seen = list(pictures())
    auprc = collected(seen).metrics()["auprc"]
    for number, token in enumerate(LABELS["other"]):
        assert auprc[0, 1, number] == pytest.approx(precisions(seen, token, number), abs=0.02)


def test_auprc_of_shares_weighs_by_them():
    """A cell that is half covered is half a positive."""
    positives = torch.tensor([[0.0, 0.5, 1.0]])
    everything = torch.tensor([[5.0, 2.0, 1.0]])
    # From the highest bin: precision 1 at recall 2/3, then 1.5/3 at recall 1.
    assert average_precision(positives, everything).item() == pytest.approx(2 / 3 + 0.5 / 3)
    assert average_precision(positives * 0, everything).item() == 0


def test_weights_equal_naive_resampling():
    """A resample measured by weights equals one whose images are really repeated."""
    seen = list(pictures())
    weights = resample_weights(IMAGES, 6, seed=3)
    weighed = collected(seen, weights).metrics()
    for resample, counts in enumerate(weights.astype(int)):
        drawn = [seen[place] for place in np.repeat(np.arange(IMAGES), counts)]
        naive = collected(drawn).metrics()
        for name in METRICS:
            np.testing.assert_allclose(weighed[name][resample], naive[name][0], atol=1e-5)


@pytest.mark.parametrize("offset", [0.0, -40.0])
def test_grouping_and_order_do_not_matter(monkeypatch, offset):
    """To the bit, also of a layer without a ReLU whose activations lie far below the thresholds."""
    seen = list(pictures(offset=offset))
    weights = resample_weights(IMAGES, 3, seed=1)
    expected = collected(seen, weights, every=True)
    for buffered, order in ((1, range(IMAGES)), (2, reversed(range(IMAGES))), (32, [3, 1, 0, 6, 5, 2, 4])):
        monkeypatch.setattr("filterscope.words.scoring.claims.BUFFERED", buffered)
        found = collected(seen, weights, order, every=True)
        assert all(len(each) < buffered for each in (found._waiting, *found._of_pairs))
        np.testing.assert_array_equal(found.every_auprc(), expected.every_auprc())
        for name, values in expected.metrics().items():
            np.testing.assert_array_equal(found.metrics()[name], values)


@pytest.mark.parametrize("every", [True, False])
def test_many_pairs_are_summed_up_as_few_are(monkeypatch, every):
    seen, weights = list(pictures()), resample_weights(IMAGES, 3, seed=1)
    expected = collected(seen, weights, every=every)
    monkeypatch.setattr("filterscope.words.scoring.claims.FEW", 0)
    monkeypatch.setattr("filterscope.words.scoring.claims.BUFFERED", 2)
    found = collected(seen, weights, every=every)
    for name, values in expected.metrics().items():
        np.testing.assert_array_equal(found.metrics()[name], values)


def test_memory_does_not_grow_with_the_images():
    def held(repeats):
        seen = list(pictures()) * repeats
        claims = collected(seen, np.ones((4, len(seen)), np.float32))
        claims._flush()
        tensors = [each for own in (claims, claims.filters) for each in vars(own).values()]
        numbers = sum(each.numel() for each in tensors if isinstance(each, torch.Tensor))
        return numbers - 2 * claims.weights.numel()

    assert held(1) == held(20)


def test_a_token_that_is_never_there_scores_zero_not_nan():
    seen = [
        (maps, ImageTruth(scene.objects[:0], scene.object_tokens[:0], scene.tokens[:0], scene.token_masks[:0]))
        for maps, scene in pictures()
    ]
    found = collected(seen, every=True)
    for name, values in found.metrics().items():
        assert np.array_equal(values, np.zeros_like(values)), name
    assert not found.every_auprc().any()


def test_a_silent_filter_scores_no_better_than_its_share():
    """Its AUPRC is the share of the token's pixels, everything else is zero."""
    seen = [(maps * 0, scene) for maps, scene in pictures()]
    found = collected(seen, thresholds=np.zeros(FILTERS)).metrics()
    share = np.mean([of_token(scene, 0, CELLS).mean() for _, scene in seen])
    assert found["auprc"][0, 0, 0] == pytest.approx(share)
    for name in ("iou", "f1", "correlation", "pixel_recall", "pixel_precision"):
        assert not found[name].any()


def clipped():
    """The pictures with maps clipped at 1.2, which many cells of all filters reach; others come near it."""
    for maps, scene in pictures(levels=np.array([0.3, 0.6, 1.19, 1.2])):
        yield maps.clamp(max=1.2), scene


SATURATED = Thresholds(torch.full((FILTERS,), 1.2), torch.ones(FILTERS, dtype=torch.bool))


def test_auprc_of_saturated_filters_tells_the_bound_from_what_comes_near_it():
    seen = list(clipped())
    found = collected(seen, every=True, thresholds=SATURATED)
    for number in range(FILTERS):
        for token in range(TOKENS):
            assert found.every_auprc()[number, token] == pytest.approx(precisions(seen, token, number), abs=1e-6)


def test_saturated_filters_have_a_region():
    """Read with > they would fire nowhere, and IoU, F1 and pixel-wise scores would all be zero."""
    seen = list(clipped())
    found = collected(seen, thresholds=SATURATED).metrics()
    for number, token in enumerate(LABELS["other"]):
        regions = np.concatenate(
            [(upsample((maps == 1.2).float(), (SIDE, SIDE))[number] > 0.5).numpy().ravel() for maps, _ in seen]
        )
        masks = np.concatenate([of_token(scene, token, SIDE).ravel() for _, scene in seen])
        assert found["iou"][0, 1, number] == pytest.approx(jaccard_score(masks, regions))
        assert found["iou"][0, 1, number] > 0


def test_bins_reach_beyond_ordinary_thresholds_and_end_at_the_bound():
    limits = Thresholds(torch.tensor([2.0, 2.0, 0.0]), torch.tensor([False, True, False]))
    ordinary, bounded, never = bin_edges(limits)
    assert ordinary[-1] == pytest.approx(8)
    assert bounded[-1] == 2
    assert bounded[-2] == np.nextafter(np.float32(2), np.float32(0))
    assert (bounded.diff() > 0).all()
    assert bounded[1] == ordinary[1] == pytest.approx(0.02)
    assert never.max() < 1e-10


@pytest.mark.parametrize("threshold", [5.0, 5.5, 5.9, 5.99, 5.9999])
def test_a_nearly_saturated_filter_is_scored_as_all_others(threshold):
    """ReLU6: between its threshold and its bound there is hardly any room, and no more than that is above it."""
    chance = np.random.default_rng(0)
    truth = chance.random((40, 1, 8, 8)) < 0.2
    maps = np.minimum(chance.exponential(1.0, truth.shape) + truth * chance.uniform(0, 7, truth.shape), 6)
    maps = torch.from_numpy(maps).float()
    claims = ClaimScores({"own": np.array([0])}, np.array([threshold]), 1, np.ones((1, 40), np.float32), 8, CPU)
    for image, (own, masks) in enumerate(zip(maps, torch.from_numpy(truth), strict=True)):
        claims.add(image, own, ImageTruth(masks, torch.eye(1, dtype=torch.bool), np.array([0]), masks))
    found = claims.metrics()
    assert all(np.isfinite(values).all() for values in found.values())
    exact = average_precision_score(truth.ravel(), maps.numpy().ravel())
    assert found["auprc"][0, 0, 0] == pytest.approx(exact, abs=0.05)
    assert found["iou"][0, 0, 0] > 0


def test_binned_maps_serve_several_collectors():
    """What they were binned for changes nothing, nor does another collector that took them in first."""
    seen = list(pictures())
    weights = np.ones((1, len(seen)), np.float32)
    one, other = (ClaimScores(LABELS, THRESHOLDS, TOKENS, weights, SIDE, CPU, every=True) for _ in range(2))
    for place, (maps, scene) in enumerate(seen):
        binned = one.binned(maps)
        other.add(place, binned, seen[place - 1][1])
        one.add(place, binned, scene)
    expected = collected(seen, every=True)
    for name, values in expected.metrics().items():
        np.testing.assert_array_equal(one.metrics()[name], values)
    np.testing.assert_array_equal(one.every_auprc(), expected.every_auprc())
    assert not np.array_equal(other.every_auprc(), expected.every_auprc())


def test_auprc_of_the_pairs_by_parts_is_that_of_the_whole(monkeypatch):
    expected = collected(pictures()).metrics()["auprc"]
    monkeypatch.setattr("filterscope.words.scoring.claims.CACHED", 2 * BINS)
    np.testing.assert_array_equal(collected(pictures()).metrics()["auprc"], expected)


@pytest.mark.parametrize("saturated", [False, True])
def test_bins_are_those_of_a_search_among_the_edges(saturated):
    """Also of values at an edge and just beside it, of zeros, and of what is far below or above."""
    chance = np.random.default_rng(0)
    values = torch.tensor([1e-12, 1e-3, 0.7, 1.0, 6.0, 1e4])
    limits = Thresholds(values, torch.full((6,), saturated))
    edges = bin_edges(limits)
    beside = [torch.nextafter(edges, torch.full_like(edges, end)) for end in (-torch.inf, torch.inf)]
    spread = values[:, None] * torch.from_numpy(10 ** chance.uniform(-4, 2, (6, 5000))).float()
    signs = torch.tensor([[0.0, -0.0, -1.0, -1e-30, 1e-30, 1e30]]).expand(6, -1)
    activations = torch.cat([edges, *beside, spread, -spread, signs], 1)
    expected = torch.searchsorted(edges, activations).clamp(max=BINS - 1)
    assert torch.equal(ActivationBins(limits).of(activations), expected)
