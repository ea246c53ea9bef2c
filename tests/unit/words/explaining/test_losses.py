"""The losses: known answers of the cosine margin loss, and cross entropy as torch has it."""

import pytest
import torch

from filterscope.words.explaining.losses import csmr_loss, softmax_loss

# Unit vectors with just these cosines: the points are axes, a third axis of its own fills each category up.
COSINES = torch.tensor([[0.9, 0.2, -0.5], [0.1, 0.4, 0.3]], dtype=torch.float64)
POINTS = torch.eye(2, 5, dtype=torch.float64)
CATEGORIES = torch.cat([COSINES.T, torch.diag((1 - COSINES.square().sum(0)).sqrt())], 1)


def hot(*tokens):
    return torch.tensor([[place in own for place in range(3)] for own in tokens])


@pytest.mark.parametrize(
    ("targets", "each", "mean"),
    [(hot({0}, {1}), (0.3, 1.6), 0.95), (hot({0, 2}, {1}), (1.0, 1.6), 1.3)],
)
def test_known_answers(targets, each, mean):
    assert csmr_loss(POINTS, targets, CATEGORIES).item() == pytest.approx(mean)
    for row, expected in enumerate(each):
        own = slice(row, row + 1)
        assert csmr_loss(POINTS[own], targets[own], CATEGORIES).item() == pytest.approx(expected)


def test_uses_cosines_not_dot_products():
    points = torch.tensor([[3.0, 4.0], [1.0, 0.0]])
    categories = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    targets = hot({0}, {1})
    assert csmr_loss(points, targets, categories).item() == pytest.approx(1.6)
    assert csmr_loss(points[:1], targets[:1], categories).item() == pytest.approx(1.2)
    assert csmr_loss(points * 7, targets, categories * 0.1).item() == pytest.approx(1.6)


def test_follows_its_formula_on_random_cases():
    """Naive loops, any margin, several own tokens."""
    chance = torch.Generator().manual_seed(0)
    points, categories = torch.randn(6, 4, generator=chance), torch.randn(5, 4, generator=chance)
    targets = torch.rand(6, 5, generator=chance) < 0.4
    targets[:, 0] |= ~targets.any(1)
    cosine = torch.nn.functional.cosine_similarity(points[:, None], categories[None], dim=2)
    total = 0.0
    for b in range(6):
        own = cosine[b][targets[b]].mean()
        total += sum(max(0.0, 0.3 - own + cosine[b, c]) for c in range(5) if not targets[b, c])
    assert csmr_loss(points, targets, categories, margin=0.3).item() == pytest.approx(float(total / 6), rel=1e-5)


def test_negatives_count_as_much_as_all_categories():
    """Their mean hinge times the number of categories: one negative equal to a category costs three hinges."""
    targets = hot({0}, {1})
    negative = CATEGORIES[2:3]
    with_negative = csmr_loss(POINTS, targets, CATEGORIES, negatives=negative)
    hinges = (1 - 0.9 - 0.5, 1 - 0.4 + 0.3)
    expected = 0.95 + 3 * sum(max(0, hinge) for hinge in hinges) / 2
    assert with_negative.item() == pytest.approx(expected)
    assert csmr_loss(POINTS, targets, CATEGORIES, negatives=negative.repeat(4, 1)).item() == pytest.approx(expected)
    assert csmr_loss(POINTS, targets, CATEGORIES, negatives=negative[:0]).item() == pytest.approx(0.95)


def test_an_object_without_a_token_is_refused():
    with pytest.raises(ValueError, match="object 1 of the batch has no token"):
        csmr_loss(POINTS, hot({0}, set()), CATEGORIES)


@pytest.mark.parametrize("negatives", [0, 6])
@pytest.mark.parametrize("scale", [1.0, 8.0])
def test_softmax_is_the_cross_entropy_of_scaled_cosines(scale, negatives):
    """Of torch, whose targets may be shares: an object's own tokens have equal ones, foreign words none."""
    chance = torch.Generator().manual_seed(0)
    points, categories = torch.randn(7, 4, generator=chance), torch.randn(5, 4, generator=chance)
    others = torch.randn(negatives, 4, generator=chance)
    targets = torch.rand(7, 5, generator=chance) < 0.4
    targets[:, 0] |= ~targets.any(1)
    assert targets.sum(1).max() > 1
    logits = scale * torch.nn.functional.cosine_similarity(
        points[:, None], torch.cat([categories, others])[None], dim=2
    )
    wanted = torch.nn.functional.pad(targets / targets.sum(1, keepdim=True), (0, negatives))
    expected = torch.nn.functional.cross_entropy(logits, wanted)
    found = softmax_loss(points, targets, categories, scale, others if negatives else None)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    longer = softmax_loss(points * 7, targets, categories * 0.1, scale, 3 * others)
    assert longer.item() == pytest.approx(expected.item(), rel=1e-5)


def test_softmax_refuses_an_object_without_a_token():
    with pytest.raises(ValueError, match="object 1 of the batch has no token"):
        softmax_loss(POINTS, hot({0}, set()), CATEGORIES)
