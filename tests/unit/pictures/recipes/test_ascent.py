"""Steps and chance that do not meet between the pictures of a batch."""

import pytest
import torch

from filterscope.pictures.recipes.ascent import DEAD, OPTIMISED, STOPPED, Adam, Chance, Watch
from filterscope.pictures.recipes.objectives import Slope

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
    assert torch.equal(together.uniform(4)[1], alone.uniform(4)[0])


def slope(values, gradients, silent=(False,) * 4):
    return Slope(torch.tensor(values), torch.tensor(gradients)[:, None], torch.tensor(silent))


def test_watch_stops_what_is_not_finite_and_names_the_step():
    watch, nan, pictures = Watch(4), float("nan"), torch.full((4, 3, 2, 2), 2.0)
    _, may = watch.look(slope([1.0] * 4, [1.0, 0, nan, 1]), "step 1", pictures)
    assert may.tolist() == [True, False, False, True]
    _, may = watch.look(slope([2.0] * 4, [1.0, 1, 1, 0], (False, True, False, False)), "step 2", pictures)
    assert may.tolist() == [True, True, False, False]  # the second moves by a redirected gradient
    watch.look(slope([3.0] * 4, [1.0] * 4, (False, True, False, False)), "step 3", pictures)
    done = watch.finished(pictures)
    assert done.status == [OPTIMISED, DEAD, STOPPED, OPTIMISED]
    assert done.notes == [
        "",
        "zero gradient in 3 of 3 steps",
        "NaN or infinite at step 1; no picture was good before, the first is kept",
        "zero gradient in 1 of 3 steps",
    ]
    assert done.history[:, 0].tolist() == [1, 2, 3]
    assert done.pictures.max() == 1


def test_watch_puts_a_stopped_picture_back_to_its_last_good_state():
    """At the size that the pictures have grown to meanwhile; the others stay as they are."""
    watch, nan = Watch(3), float("nan")
    first, second, third = (torch.full((3, 3, size, size), value) for size, value in ((4, 0.1), (4, 0.2), (6, 0.3)))
    kept, _ = watch.look(slope([1.0] * 3, [1.0] * 3, (False,) * 3), "step 1", first)
    assert torch.equal(kept, first)
    kept, may = watch.look(slope([1.0] * 3, [1.0, nan, 1.0], (False,) * 3), "step 2", second)
    assert may.tolist() == watch.alive.tolist() == [True, False, True]
    assert torch.equal(kept, torch.stack([second[0], first[1], second[2]]))
    kept, _ = watch.look(slope([1.0, 1.0, nan], [1.0] * 3, (False,) * 3), "step 3", third)
    assert torch.equal(kept[:2], third[:2])
    assert torch.allclose(kept[2], torch.full((3, 6, 6), 0.2))
    assert watch.finished(kept).notes == [""] + [
        f"NaN or infinite at step {step}; the last good picture is kept" for step in (2, 3)
    ]


def test_dead_is_what_was_silent_for_long_and_at_last():
    """Woken in the last step, silent only there, silent for long."""
    watch, pictures = Watch(3), torch.zeros(3, 3, 2, 2)
    for silent in ((True, False, True), (True, False, True), (False, True, True)):
        watch.look(slope([1.0] * 3, [1.0] * 3, silent), "a step", pictures)
    assert watch.finished(pictures).status == [OPTIMISED, OPTIMISED, DEAD]
