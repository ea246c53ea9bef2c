"""Training learns, repeats itself bit by bit, and keeps the best of its epochs (LaViSE, 4.3)."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.unit.words.explaining.learning import (
    CATEGORIES,
    CLASSES,
    DIMENSION,
    OTHERS,
    QUICK,
    SETTINGS,
    STEERED,
    TRAINING,
    VALIDATION,
    same,
    samples,
    trained,
)

from filterscope import tables
from filterscope.apt.steering import Steering
from filterscope.faithful import Faithful
from filterscope.words.explaining import training as training_module
from filterscope.words.explaining.samples import ExplainerSamples, Parts
from filterscope.words.explaining.training import ExplainerSettings, evaluate, fit, in_words, train


def test_same_seed_same_weights_and_another_seed_others():
    torch.manual_seed(123)
    before = torch.get_rng_state()
    first, history = trained()
    assert torch.equal(torch.get_rng_state(), before)  # nobody else's chance is touched
    torch.manual_seed(456)
    second, again = trained()
    assert same(first, second)
    assert history == again
    other, _ = train(TRAINING, VALIDATION, CATEGORIES, QUICK, 8)
    assert not same(first, other)


@pytest.mark.parametrize("settings", list(SETTINGS.values())[:3], ids=list(SETTINGS)[:3])
def test_learns(settings):
    longer = replace(settings, epochs=20)
    model, history = train(TRAINING, VALIDATION, CATEGORIES, longer, 0, others=OTHERS)
    assert history[-1]["train_loss"] < 0.7 * history[0]["train_loss"]
    points = torch.nn.functional.normalize(model(torch.from_numpy(VALIDATION.activations)), dim=1)
    right = (points @ CATEGORIES.T).argmax(1).numpy() == VALIDATION.targets.argmax(1)
    assert right.mean() > 0.9


# So few patterns do not all change, which the schedule warns of.
@pytest.mark.filterwarnings("ignore::filterscope.apt.model.ModelWarning")
@pytest.mark.parametrize("method", STEERED)
def test_learns_with_a_schedule_of_the_temperature_room(method):
    measured = []
    model, history = trained(replace(SETTINGS[method], epochs=20), measured=measured.append)
    assert history[-1]["train_loss"] < 0.7 * history[0]["train_loss"]
    table = tables.checked(measured[0], "temperatures").to_pandas()
    steps = 20 * 7  # batches of 16, the last of 4
    assert table["step"].tolist() == list(range(0, steps, 10))
    assert table["positions"].isin([16, 4]).all()
    points = torch.nn.functional.normalize(model(torch.from_numpy(VALIDATION.activations)), dim=1)
    assert ((points @ CATEGORIES.T).argmax(1).numpy() == VALIDATION.targets.argmax(1)).mean() >= 0.9


@pytest.mark.filterwarnings("ignore::filterscope.apt.model.ModelWarning")
def test_such_a_schedule_knows_the_losses(monkeypatch):
    """An explainer that knows its objects by heart does not change any more, and that is no reason to heat it."""
    begun = []

    class Kept(Steering):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            begun.append(self)

    monkeypatch.setattr(training_module, "Steering", Kept)
    easy = replace(SETTINGS["actcoolr"], epochs=30, margin=0.2, dropout=0.0)
    train(samples(100, noise=0.05), None, torch.eye(CLASSES, DIMENSION), easy, 7)
    assert begun[0].held["fitted"] >= 1


def test_a_training_without_such_a_schedule_measures_nothing():
    measured = []
    trained(measured=measured.append)
    assert not len(measured[0])
    with pytest.raises(ValueError, match=r"training\.optimiser is 'dadapt_adam': only adamw follows a schedule"):
        replace(QUICK, optimiser="dadapt_adam", steering={"method": "cosine"})


def test_shuffled_labels_are_not_learnt():
    own, _ = trained()
    _, history = train(TRAINING.shuffled_labels(3), VALIDATION.shuffled_labels(4), CATEGORIES, QUICK, 7)
    data = torch.from_numpy(VALIDATION.activations), torch.from_numpy(VALIDATION.targets)
    loss, _ = evaluate(own, data, CATEGORIES, QUICK)
    assert min(row["val_loss"] for row in history) > loss + 0.5


def test_keeps_the_weights_of_least_validation_loss():
    """An epoch later the weights are others; those that come back give the least loss of the history."""
    kept = {}

    def save(state):
        kept[state.epoch] = {name: each.clone() for name, each in state.model.items()}

    model, history = trained(replace(QUICK, learning_rate=0.3, epochs=12, schedule="constant"), save=save)
    best = [row for row in history if row["best"]]
    assert len(best) == 1
    assert best[0]["val_loss"] == min(row["val_loss"] for row in history)
    assert best[0]["epoch"] < 12  # or the test would not tell the best from the last
    for name, each in model.state_dict().items():
        assert torch.equal(each, kept[best[0]["epoch"]][name])
    assert not model.training
    data = torch.from_numpy(VALIDATION.activations), torch.from_numpy(VALIDATION.targets)
    assert evaluate(model, data, CATEGORIES, QUICK)[0] == pytest.approx(best[0]["val_loss"])


def test_the_chosen_epoch_is_told():
    history = [{"epoch": number, "val_loss": loss, "best": number == 2} for number, loss in ((1, 0.5), (2, 0.25049))]
    assert in_words(history) == "epoch 2, loss 0.250"


def test_averaging_steadies_the_validation_loss():
    """A learning rate this high leaps about; the running mean of its weights does not."""
    leaping = replace(QUICK, learning_rate=0.1, epochs=30)

    def leaps(settings):
        losses = [row["val_loss"] for row in trained(settings)[1]]
        return np.abs(np.diff(losses[10:])).mean()

    assert leaps(replace(leaping, averaging=3.0)) < 0.5 * leaps(leaping)


def test_averaged_weights_are_the_exponential_mean_of_the_steps():
    """One step an epoch, so that the saved states are all that is averaged; e^-1/3 of the past stays at each."""
    settings = replace(QUICK, batch_size=len(TRAINING), averaging=3.0)
    seen, means = [], []

    def save(state):
        seen.append({name: each.clone() for name, each in state.model.items()})
        means.append({name: each.clone() for name, each in state.averaged.items()})

    trained(settings, save=save)
    for name in ("layers.2.weight", "layers.4.running_var"):
        mean = seen[0][name]
        for state, averaged in zip(seen, means, strict=True):
            mean = np.exp(-1 / 3) * mean + (1 - np.exp(-1 / 3)) * state[name]
            torch.testing.assert_close(averaged[f"module.{name}"], mean)


def test_schedule_free_averages_itself():
    """Its own mean is what is judged and kept, whatever `averaging` is."""
    own, history = trained(SETTINGS["schedule_free"])
    model, again = trained(replace(SETTINGS["schedule_free"], averaging=3.0))
    assert again == history
    assert same(model, own)


def test_negatives_push_foreign_words_away():
    longer = replace(QUICK, epochs=15)
    far = replace(longer, vocabulary_negatives=32)
    data = torch.from_numpy(VALIDATION.activations)

    def closeness(settings):
        points = torch.nn.functional.normalize(trained(settings, others=OTHERS)[0](data), dim=1)
        return (points @ OTHERS.T).mean().item()

    assert closeness(far) < closeness(longer) - 0.02


def test_tokens_are_nobodys_negatives():
    """Where the vocabulary holds nothing but the tokens there is nothing to push away."""
    plain, _ = trained()
    settings = replace(QUICK, vocabulary_negatives=16)
    only_tokens, _ = trained(settings, others=CATEGORIES, own_rows=np.arange(CLASSES))
    assert same(plain, only_tokens)
    mixed = torch.cat([OTHERS, CATEGORIES])
    drawn, _ = trained(settings, others=mixed, own_rows=np.arange(len(OTHERS), len(mixed)))
    expected, _ = trained(settings, others=OTHERS)
    assert same(drawn, expected)


def test_losses_of_the_history_can_be_compared():
    """With negatives, too, both are over the categories: on the same data they are alike."""
    settings = replace(QUICK, vocabulary_negatives=16, dropout=0.0, batch_norm="frozen", learning_rate=1e-9)
    _, history = train(TRAINING, TRAINING, CATEGORIES, settings, 0, others=OTHERS)
    assert history[0]["train_loss"] == pytest.approx(history[0]["val_loss"], rel=1e-3)


def test_evaluation_follows_its_definition():
    model, _ = trained()
    data = torch.from_numpy(VALIDATION.activations), torch.from_numpy(VALIDATION.targets)
    whole = evaluate(model, data, CATEGORIES, QUICK)
    assert evaluate(model, data, CATEGORIES, QUICK, chunk=7) == pytest.approx(whole)
    assert whole[1] == 1.0  # of four categories a right one is always among five


def test_each_epoch_shows_as_many_attended_samples_as_objects_in_turn(monkeypatch):
    """30 objects and 70 attended samples: 30 others every epoch, and all of them in three."""
    mixed = samples(100)
    mixed = ExplainerSamples(mixed.activations, mixed.targets, 70)
    shown = []
    order = training_module._order
    monkeypatch.setattr(training_module, "_order", lambda *given: shown.append(order(*given)) or shown[-1])
    train(mixed, VALIDATION, CATEGORIES, replace(QUICK, epochs=3), 0)
    for each in shown:
        assert len(each) == 60
        assert sorted(each[each < 30].tolist()) == list(range(30))
        assert len(set(each.tolist())) == 60
    assert set(torch.cat(shown).tolist()) == set(range(100))


def test_the_epoch_is_chosen_and_then_all_is_learnt_from_so_long():
    """As two trainings by hand: one on the first part, judged by the second; one on both, of as many epochs."""
    parts = Parts(TRAINING, VALIDATION, samples(140, 3))
    settings = replace(QUICK, learning_rate=0.3, epochs=12)
    model, history = fit(parts, CATEGORIES, settings, 7)
    _, expected = train(TRAINING, VALIDATION, CATEGORIES, settings, 7)
    assert history == expected
    best = next(row["epoch"] for row in history if row["best"])
    assert 1 <= best < 12  # or the test would not tell the best from the last
    final, last = train(parts.final, None, CATEGORIES, replace(settings, epochs=best), 7)
    assert same(model, final)
    assert [row["best"] for row in last] == [False] * (best - 1) + [True]
    kept, _ = fit(Parts(TRAINING, VALIDATION, None), CATEGORIES, settings, 7)
    assert same(kept, train(TRAINING, VALIDATION, CATEGORIES, settings, 7)[0])


def test_the_published_way_of_learning():
    ours = replace(QUICK, loss="softmax", power=0.5, hidden=5, attended=4.0)
    assert ours.faithful(Faithful.only("published_words")) == QUICK
    assert ours.faithful(Faithful.only("scored_images_choose")) == ours


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match=r"training\.loss is 'hinge', should be one of csmr, softmax"):
        ExplainerSettings(loss="hinge")


def test_a_batch_of_one_is_left_out():
    """Batch norm needs two: 17 objects in batches of 16."""
    _, history = train(samples(17), VALIDATION, CATEGORIES, QUICK, 0)
    assert np.isfinite(history[-1]["train_loss"])


@pytest.mark.parametrize("which", ["training", "validation"])
def test_too_few_objects_are_refused(which):
    parts = [samples(1), VALIDATION] if which == "training" else [TRAINING, samples(1)]
    with pytest.raises(ValueError, match=f"1 {which} objects, at least 2"):
        train(*parts, CATEGORIES, QUICK, 0)


def test_a_loss_that_is_not_finite_stops():
    spoilt = ExplainerSamples(TRAINING.activations.copy(), TRAINING.targets)
    spoilt.activations[5, 2] = np.nan
    with pytest.raises(ValueError, match="epoch 1: the loss is nan"):
        train(spoilt, VALIDATION, CATEGORIES, QUICK, 0)


def test_an_unknown_optimiser_is_refused():
    with pytest.raises(ValueError, match=r"training\.optimiser is 'sgd'.*adamw, dadapt_adam"):
        ExplainerSettings(optimiser="sgd")


def test_frozen_batch_norm_is_a_switch():
    assert QUICK.faithful(Faithful.only("frozen_batch_norm")).batch_norm == "frozen"
    assert QUICK.faithful(Faithful.only("mask_scale")) == QUICK
