"""All recipes: known answers, batches, dead units, NaN."""

import dataclasses
import re

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.pictures.conftest import UNIT

from filterscope.pictures.recipes import octaves, registry
from filterscope.pictures.recipes.ascent import DEAD, OPTIMISED, STOPPED, Chance
from filterscope.pictures.recipes.fourier import Fourier
from filterscope.pictures.recipes.maco import Maco
from filterscope.pictures.recipes.octaves import TABLES, Octaves
from filterscope.pictures.recipes.plain import Plain
from filterscope.pictures.recipes.registry import maximise, recipe
from filterscope.pictures.recipes.upscale import PRESETS, Upscale
from filterscope.pictures.recipes.vital import Vital

CPU = torch.device("cpu")
RED, GREEN, EDGES, SILENT, POISON = range(5)  # filters of `opponents`
QUICK = {
    "upscale": {"method": "upscale", "size": 12, "rounds": 3, "steps": 6, "blur": 3},
    "octaves": {"method": "octaves", "shorten": 10},
    "fourier": {"method": "fourier", "steps": 30},
    "maco": {"method": "maco", "steps": 60},
    "vital": {"method": "vital", "steps": 30, "likeness": 0.1},
    "plain": {"method": "plain", "steps": 30},
}


class Functional(torch.nn.Module):
    """A ReLU that no module is."""

    def forward(self, values):
        return torch.nn.functional.relu(values)


class Fused(torch.nn.Sequential):
    """A network that gives NaN as soon as a filter's mean activation is above a limit."""

    def __init__(self, network, limit):
        super().__init__(network, torch.nn.Identity())
        self.limit = limit

    def forward(self, images):
        maps = self[0](images)
        return self[1](torch.where(maps.mean((2, 3), keepdim=True) > self.limit, float("nan"), maps))


each_recipe = pytest.mark.parametrize("method", QUICK)


# --- known answers --------------------------------------------------------------------------------------


def test_sizes_and_steps_of_upscale():
    """Of 12 rounds, 11 enlarge; 408 px at the end (Amirli, 4)."""
    assert Upscale().sizes == [56, 67, 80, 96, 115, 138, 165, 198, 237, 284, 340, 408]
    assert [Upscale().steps_of(number) for number in range(12)] == [20] * 7 + [26] * 5


def test_presets_of_upscale():
    assert (Upscale().learning_rate, Upscale().weight_decay) == (1e-2, 1e-7)
    assert (Upscale("code").learning_rate, Upscale("code").weight_decay) == (1e-1, 1e-6)
    assert (Upscale("code", learning_rate=0.5).learning_rate, Upscale().blur) == (0.5, 5)


def test_upscale_raises_red_and_nothing_else(red, goal_of):
    """One 1 x 1 convolution, one round: red rises by the learning rate per step, the rest is bit-identical."""
    goal, start = goal_of(red, "0", 0), torch.full((1, 3, 56, 56), 0.5)
    done = Upscale(rounds=1, weight_decay=0.0).maximise(goal, Chance([0], CPU), start)
    assert torch.allclose(done.pictures[:, 0], torch.full((1, 56, 56), 0.5 + 20 * 1e-2), atol=1e-3)
    assert torch.equal(done.pictures[:, 1:], start[:, 1:])
    noise = Upscale(rounds=1, steps=1, weight_decay=0.0).maximise(goal, Chance([0], CPU))
    assert noise.pictures[:, 1:].min() >= 128 / 255
    assert noise.pictures[:, 1:].max() <= 148 / 255


SPREAD = dataclasses.replace(UNIT, mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.5))
ONE_STEP = {
    "upscale, paper": (Upscale("paper", size=24, rounds=1, steps=2), 1e-2, 1e-7),
    "upscale, code": (Upscale("code", size=24, rounds=1, steps=2), 1e-1, 1e-6),
    "octaves, mean": (Octaves("mean"), 1, None),
    "octaves, centre": (Octaves("centre"), 11, None),
    "fourier": (Fourier(steps=2), 0.05, None),
    "maco": (Maco(steps=2), 0.5, None),
    "vital": (Vital(steps=2, likeness=0), 0.05, None),
    "plain": (Plain(steps=2), 0.05, None),
}


def first_step(chosen, goal, start):
    """What a recipe optimises before and after its first step, and the gradient between."""
    seen, gradient = [], goal.gradient

    def noting(parameters, *args, **named):
        slope = gradient(parameters, *args, **named)
        seen.append((parameters.clone(), slope.gradient.clone()))
        return slope

    goal.gradient = noting
    chosen.maximise(goal, Chance([0], CPU), start)
    (before, slope), (after, _) = seen[:2]
    return before, after, slope


@pytest.mark.parametrize("name", ONE_STEP)
def test_one_step_of_every_preset_is_as_long_as_was_published(name, red, goal_of):
    """In the units of each recipe: of the network's input (upscale), of 255 (octaves), of what Adam moves (others)."""
    chosen, length, decay = ONE_STEP[name]
    start = torch.full((1, 3, 24, 24), 0.5)
    goal = goal_of(red, "0", 0, inputs=SPREAD)
    before, after, slope = first_step(chosen, goal, start)
    moved = after - before
    if name.startswith("upscale"):  # without a gradient, the decay alone moves towards the mean
        units = torch.tensor([(0.5 - mean) / std for mean, std in zip(SPREAD.mean, SPREAD.std, strict=True)])
        assert torch.allclose(before, units.view(1, 3, 1, 1).expand_as(before), atol=1e-5)
        assert torch.allclose(moved[:, 0], torch.tensor(length), rtol=1e-3)
        decayed = -length * decay * units / ((decay * units).abs() + 1e-8)
        assert torch.allclose(moved.mean((0, 2, 3))[1:], decayed[1:], rtol=1e-2, atol=1e-6)
        assert torch.allclose(goal.pixels(after)[:, 0], torch.tensor(0.5 + length * SPREAD.std[0]), atol=1e-5)
    elif name.startswith("octaves"):  # red has all of a gradient whose mean is over three channels
        assert torch.allclose(255 * moved[:, 0], torch.tensor(3.0 * length), atol=1e-2)
        assert 255 * moved[:, 1:].abs().mean() < 0.2, "nothing but what denoising does"
    else:
        told = slope.abs() > 1e-5 * slope.abs().max()
        expected = length * slope / (slope.abs() + 1e-8)
        assert told.float().mean() > 0.1
        assert torch.allclose(moved[told], expected[told], rtol=1e-3, atol=1e-6)


def test_one_step_is_known_of_every_preset():
    named = {*(f"upscale, {preset}" for preset in PRESETS), *(f"octaves, {table}" for table in TABLES)}
    assert {*ONE_STEP} == named | {name for name in registry.RECIPES if name not in ("upscale", "octaves")}


def test_objective_rises_in_every_round_of_upscale(opponents, goal_of):
    done = Upscale(size=12, rounds=4, steps=10, blur=3).maximise(goal_of(opponents, "relu", EDGES), Chance([0], CPU))
    ends = [9, 19, 29, 42]
    starts = [0, 10, 20, 30]
    assert all(done.history[end, 0] > done.history[start, 0] for start, end in zip(starts, ends, strict=True))


def test_normalised_step():
    """g = (1, -3, 0, 0), step 2: (2, -6, 0, 0), where the mean includes the zeros."""
    gradient = torch.tensor([1.0, -3, 0, 0]).view(1, 1, 2, 2)
    assert (2 * octaves.normalised(gradient)).flatten().tolist() == [2, -6, 0, 0]
    assert octaves.normalised(torch.zeros(1, 3, 2, 2)).abs().sum() == 0


def test_margin():
    """Of 227 px, margin 50 leaves 127 x 127 in every channel."""
    inside = octaves._within(torch.ones(1, 3, 227, 227), 50)
    assert inside.sum((2, 3)).tolist() == [[127**2] * 3]


def test_denoising_weights():
    """The listing's slip, .39789 to .79579; linear stays at .4."""
    octave = TABLES["mean"][0]
    listing, linear = Octaves(denoising="listing"), Octaves()
    found = [listing.weight(octave, step, 190) for step in (0, 189)]
    assert found == pytest.approx([0.39789, 0.79579], abs=1e-5)
    assert [linear.weight(octave, step, 190) for step in (0, 189)] == [0.4, 0.4]


@pytest.mark.parametrize(("table", "octaves_", "size"), [("mean", 4, 272), ("centre", 5, 326)])
def test_final_sizes_of_octaves(table, octaves_, size):
    side = 227
    for octave in TABLES[table]:
        side = round(side * octave.scale)
    assert (len(TABLES[table]), side) == (octaves_, size)
    assert sum(octave.steps for octave in TABLES[table]) == Octaves(table).total_steps


@settings(max_examples=50)
@given(st.integers(0, 99), st.integers(0, 200), st.floats(0.05, 1))
def test_offsets_lie_in_the_room_around_its_centre(seed, room, window):
    drawn = octaves.offsets(Chance(range(seed, seed + 40), CPU), room, window)
    assert all(0 <= value <= room for corner in drawn for value in corner)
    if room > 20:
        mean = sum(y for y, _ in drawn) / len(drawn)
        assert abs(mean - room / 2) < 0.5 * room


def test_the_plain_ascent_is_not_smoothed(red, goal_of):
    """Every pixel of red climbs by Adam's step, the noise of the others stays bit for bit; nothing leaves 0 to 1."""
    goal, start = goal_of(red, "0", 0), torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    done = Plain(steps=4, learning_rate=0.1).maximise(goal, Chance([0], CPU), start)
    assert torch.allclose(done.pictures[:, 0], (start[:, 0] + 0.4).clamp(max=1), atol=1e-4)
    assert torch.equal(done.pictures[:, 1:], start[:, 1:])


# --- what holds for all ---------------------------------------------------------------------------------


@each_recipe
def test_filters_get_what_they_look_for(method, opponents, goal_of):
    done = maximise(goal_of(opponents, "relu", RED, GREEN), recipe(QUICK[method]), seeds=[1, 2]).optimised
    assert done.status == [OPTIMISED] * 2
    colours = done.pictures.mean((2, 3))
    assert colours[0, 0] > colours[0, 1:].max() or method == "maco"  # its mean colour is fixed
    assert done.history[-1].gt(done.history[0]).all()
    assert done.pictures.min() >= 0
    assert done.pictures.max() <= 1


@each_recipe
def test_a_picture_does_not_depend_on_its_batch(method, opponents, goal_of):
    goal = goal_of(opponents, "relu", RED, EDGES, GREEN)
    together = maximise(goal, recipe(QUICK[method]), seeds=[5, 6, 7])
    alone = maximise(goal.part(slice(1, 2)), recipe(QUICK[method]), seeds=[6])
    chunks = maximise(goal, recipe(QUICK[method]), seeds=[5, 6, 7], chunk=2)
    # Where a gradient is next to nothing Adam's step amplifies how a convolution rounds.
    assert torch.allclose(together.optimised.pictures[1], alone.optimised.pictures[0], atol=1e-3)
    assert torch.allclose(together.optimised.pictures, chunks.optimised.pictures, atol=1e-3)
    assert torch.allclose(together.activation, chunks.activation, atol=1e-4)
    assert chunks.optimised.status == [OPTIMISED] * 3


@pytest.mark.parametrize("method", ["fourier", "octaves", "plain"])
def test_a_picture_of_a_real_architecture_does_not_depend_on_its_batch(method, goal_of):
    """Through 26 convolutions rounding would grow in an ascent until it is seen; a lone picture is the hardest case."""
    torch.manual_seed(0)
    network = torchvision.models.squeezenet1_1(weights=None).eval().requires_grad_(False)
    goal = goal_of(network, "classifier.1", 1, 2, 3, inputs=dataclasses.replace(UNIT, resize=64, crop=64))
    together = maximise(goal, recipe(QUICK[method]), seeds=[5, 6, 7]).optimised.pictures
    alone = maximise(goal, recipe(QUICK[method]), seeds=[5, 6, 7], chunk=1).optimised.pictures
    assert torch.allclose(together, alone, atol=1e-3)


@each_recipe
def test_same_seed_same_picture_other_seed_another(method, opponents, goal_of):
    goal = goal_of(opponents, "relu", EDGES, EDGES)
    first = maximise(goal, recipe(QUICK[method]), seeds=[1, 2]).optimised.pictures
    again = maximise(goal, recipe(QUICK[method]), seeds=[1, 2]).optimised.pictures
    assert torch.equal(first, again)
    assert not torch.allclose(first[0], first[1], atol=1e-2)


@each_recipe
def test_a_dead_unit_is_reported_and_does_not_disturb(method, opponents, goal_of):
    goal = goal_of(opponents, "relu", RED, SILENT)
    done = maximise(goal, recipe(QUICK[method]), seeds=[1, 2])
    assert done.optimised.status == [OPTIMISED, DEAD]
    assert "zero gradient in" in done.optimised.notes[1]
    alone = maximise(goal.part(slice(0, 1)), recipe(QUICK[method]), seeds=[1])
    assert torch.allclose(done.optimised.pictures[0], alone.optimised.pictures[0], atol=1e-3)


@each_recipe
@pytest.mark.parametrize("last", [torch.nn.ReLU(inplace=True), torch.nn.ReLU6(), Functional()])
def test_a_filter_that_is_silent_at_grey_is_woken(method, last, goal_of):
    """After its ReLU, what is not redder than it is green and blue is nothing to this filter."""
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 1, 1), last).requires_grad_(False)
    network[0].weight[:] = torch.tensor([1.0, -0.6, -0.6]).view(1, 3, 1, 1)
    network[0].bias.zero_()
    done = maximise(goal_of(network, "1", 0), recipe(QUICK[method]), seeds=[1])
    assert done.optimised.status == [OPTIMISED]
    assert done.activation > 0.01


def test_a_filter_that_is_woken_late_has_a_picture(goal_of):
    """Silent in most of the steps, but not in the last."""
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 1, 1), torch.nn.ReLU()).requires_grad_(False)
    network[0].weight[:], network[0].bias[:] = torch.tensor([1.0, -0.6, -0.6]).view(1, 3, 1, 1), -0.2
    done = maximise(goal_of(network, "1", 0), recipe(QUICK["octaves"]), seeds=[1])
    assert done.optimised.status == [OPTIMISED]
    silent, steps = map(int, re.fullmatch(r"zero gradient in (\d+) of (\d+) steps", done.optimised.notes[0]).groups())
    assert silent > steps / 2
    assert done.activation > 0.05


@each_recipe
def test_nan_stops_the_picture_names_the_step_and_keeps_the_last_good_one(method, opponents, goal_of):
    """The filter answers NaN as soon as red passes 0.8, on the way there."""
    settings_ = {**QUICK[method], **({"learning_rate": 0.05} if method == "upscale" else {})}
    start = torch.full((2, 3, 24, 24), 0.7) + 0.02 * torch.rand(
        2, 3, 24, 24, generator=torch.Generator().manual_seed(0)
    )
    done = maximise(goal_of(opponents, "relu", POISON, GREEN), recipe(settings_), [1, 2], starts=start).optimised
    assert done.status == [STOPPED, OPTIMISED]
    assert "NaN or infinite at" in done.notes[0]
    assert "step" in done.notes[0]
    assert torch.isfinite(done.pictures).all()
    assert torch.isfinite(done.history).all() or method == "maco"  # random phases may be poisonous at once


@each_recipe
def test_the_picture_that_is_kept_after_nan_is_good(method, opponents, goal_of):
    """The network is shown the whole picture in every step, so that the finished one is what it was shown."""
    whole = {
        "fourier": {"scale": 0, "angle": 0, "shift": 0},
        "maco": {"size": 24, "crops": 1, "smallest": 1, "largest": 1, "noise": 0},
        "vital": {"size": 24, "crops": 1, "smallest": 1, "largest": 1, "noise": 0, "angle": 0, "mirror": False},
    }
    chosen = recipe(QUICK[method] | whole.get(method, {}))
    free = maximise(goal_of(Fused(opponents, float("inf")), "1", EDGES), chosen, [1]).optimised.history[:, 0]
    limit = float(free[0] + free[-1]) / 2
    done = maximise(goal_of(Fused(opponents, limit), "1", EDGES), chosen, [1])
    assert done.optimised.status == [STOPPED]
    assert done.optimised.notes[0].endswith("the last good picture is kept")
    assert torch.isfinite(done.activation).all()


def test_a_stopped_picture_is_enlarged_but_not_blurred(opponents, goal_of):
    """Stripes of blue, which the filter does not see, outlast the rounds after it was stopped."""
    start = torch.full((1, 3, 12, 12), 0.79)
    start[:, 2] = (torch.arange(12) // 2 % 2).float()
    goal = goal_of(opponents, "relu", POISON)
    done = maximise(goal, Upscale(size=12, rounds=6, steps=4, learning_rate=0.05), [1], starts=start).optimised
    assert done.status == [STOPPED]
    assert done.pictures[:, 2].std() > 0.4


@each_recipe
def test_starts_lead_to_different_pictures_of_one_unit(method, opponents, goal_of):
    """Facets: one target, several start images in one batch."""
    starts = torch.zeros(2, 3, 24, 24)
    starts[0, :, :12], starts[1, :, :, :12] = 0.6, 0.6
    goal = goal_of(opponents, "relu", EDGES, EDGES)
    done = maximise(goal, recipe(QUICK[method]), seeds=[3, 3], starts=starts).optimised
    assert done.status == [OPTIMISED] * 2
    assert (done.pictures[0] - done.pictures[1]).abs().mean() > 0.01


@pytest.mark.parametrize("table", TABLES)
def test_softmax_octaves_can_be_asked_for(table, opponents, goal_of):
    goal = goal_of(opponents, "layer", RED)
    logits = Octaves(table, shorten=10).maximise(goal, Chance([0], CPU))
    softmax = Octaves(table, shorten=10, probabilities=True).maximise(goal, Chance([0], CPU))
    assert torch.equal(logits.pictures, softmax.pictures) == (table == "mean")


def test_start_images_smaller_than_the_input_are_refused(opponents, goal_of):
    goal = goal_of(opponents, "relu", RED)
    with pytest.raises(ValueError, match=r"start images are 20 px wide, smaller than the network's input of 24 px"):
        Octaves().maximise(goal, Chance([0], CPU), torch.zeros(1, 3, 20, 20))
    with pytest.raises(ValueError, match=r"start images are \[2, 3, 30, 30\], should be \[1, 3, S, S\]"):
        Octaves().maximise(goal, Chance([0], CPU), torch.zeros(2, 3, 30, 30))


def test_margins_of_small_networks_shrink_with_them(opponents, goal_of):
    done = Octaves(shorten=10).maximise(goal_of(opponents, "relu", RED), Chance([0], CPU))
    assert done.pictures.shape == (1, 3, 29, 29)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            {"method": "deepdream"},
            "recipe method is 'deepdream', should be one of upscale, octaves, .*, plain",
        ),
        ({"method": "fourier", "step": 3}, "recipe fourier: .*step"),
        ({"method": "upscale", "preset": "best"}, "preset is 'best', should be one of paper, code"),
        ({"method": "upscale", "blur": 4}, "blur is 4 px, should be odd"),
        ({"method": "maco", "smallest": 0.9, "largest": 0.5}, "smallest is 0.9 and largest 0.5"),
        ({"method": "octaves", "table": "edge"}, "table is 'edge', should be one of mean, centre"),
    ],
)
def test_wrong_settings_are_named(entry, said):
    with pytest.raises(ValueError, match=said):
        recipe(entry)


def test_every_recipe_has_the_interface():
    assert set(QUICK) == set(registry.RECIPES)
    for name in registry.RECIPES:
        made = recipe({"method": name})
        assert dataclasses.is_dataclass(made)
        assert made.total_steps > 0


def test_steps_are_reported(opponents, goal_of):
    said = []
    Maco(steps=3).maximise(goal_of(opponents, "relu", RED), Chance([0], CPU), report=said.append)
    assert said == ["step 1", "step 2", "step 3"]
