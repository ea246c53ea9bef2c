"""Steps and chance that do not meet between the pictures of a batch."""

import pytest
import torch

from filterscope.pictures.ascent import DEAD, OPTIMISED, STOPPED, Adam, Chance, Watch, lively

CPU = torch.device("cpu")


@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_adam_is_torchs(weight_decay):
    start = torch.randn(3, 2, 5, generator=torch.Generator().manual_seed(0))
    theirs = start.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([theirs], lr=0.1, weight_decay=weight_decay, maximize=False)
    ours, adam = start.clone(), Adam(start, 0.1, weight_decay)
    for _ in range(20):
        optimiser.zero_grad()
        (-theirs.sin().sum()).backward()
        optimiser.step()
        ours = adam.climb(ours, ours.cos(), torch.ones(3, dtype=torch.bool))
    assert torch.allclose(ours, theirs.detach(), atol=1e-6)


def test_adam_leaves_pictures_that_may_not_move():
    start = torch.zeros(2, 3)
    moved = Adam(start, 0.1).climb(
        start, torch.tensor([[1.0, 1, 1], [float("nan"), 1, 1]]), torch.tensor([True, False])
    )
    assert moved[0].tolist() == pytest.approx([0.1] * 3)
    assert moved[1].tolist() == [0, 0, 0]


def test_chance_of_a_picture_is_its_own():
    together, alone = Chance([5, 6, 7], CPU), Chance([6], CPU)
    assert torch.equal(together.normal(2, 3)[1], alone.normal(2, 3)[0])
    some = together.uniform(4, only=torch.tensor([False, True, False]))
    assert torch.equal(some[1], alone.uniform(4)[0])
    assert some[0].abs().sum() == 0


def test_watch_stops_what_is_not_finite_and_names_the_step():
    watch = Watch(4)
    nan = float("nan")
    gradient = torch.tensor([[1.0], [0.0], [nan], [1.0]])
    assert watch.look(torch.ones(4), gradient, "step 1").tolist() == [True, False, False, True]
    gradient = torch.tensor([[1.0], [0.0], [1.0], [0.0]])
    assert watch.look(torch.tensor([2.0, 2, 2, 2]), gradient, "step 2").tolist() == [True, False, False, False]
    done = watch.finished(torch.full((4, 3, 2, 2), 2.0))
    assert done.status == [OPTIMISED, DEAD, STOPPED, OPTIMISED]
    assert done.notes == [
        "",
        "zero gradient in all 2 steps",
        "NaN or infinite at step 1; the last good picture is kept",
        "zero gradient in 1 steps",
    ]
    assert done.history[:, 0].tolist() == [1, 2]
    assert done.pictures.max() == 1


def test_silent_starts_are_drawn_again():
    chance = Chance([0, 1], CPU)
    drawn = []

    def draw(only, attempt):
        assert attempt == len(drawn)
        drawn.append(only)
        return chance.uniform(1, only=only)

    # The first picture answers everywhere, the second nowhere.
    start = lively(draw, lambda starts: torch.tensor([[1.0], [0.0]]), 2)
    assert len(drawn) == 8
    assert all(only.tolist() == [False, True] for only in drawn[1:])
    assert start[0] == Chance([0], CPU).uniform(1)[0]
