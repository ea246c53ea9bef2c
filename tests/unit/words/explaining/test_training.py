"""Training learns, repeats itself bit by bit, and a killed one ends as an undisturbed one does (LaViSE, 4.3)."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from filterscope import tables
from filterscope.apt.steering import Steering
from filterscope.faithful import Faithful
from filterscope.words.explaining import training as training_module
from filterscope.words.explaining.resumption import Checkpoint, beside
from filterscope.words.explaining.samples import ExplainerSamples, Gathered, Parts, split_samples
from filterscope.words.explaining.training import ExplainerSettings, ExplainerState, evaluate, fit, train

FILTERS, DIMENSION, CLASSES = 6, 8, 4
QUICK = ExplainerSettings(epochs=6, batch_size=16, learning_rate=0.01)


def unit(rows, seed):
    vectors = torch.randn(rows, DIMENSION, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(vectors, dim=1)


CATEGORIES, OTHERS = unit(CLASSES, 1), unit(50, 2)


def samples(n, seed=0, noise=0.3):
    """Filter c fires for category c, the last two filters for nothing in particular."""
    chance = np.random.default_rng(seed)
    labels = chance.integers(0, CLASSES, n)
    activations = chance.exponential(noise, (n, FILTERS))
    activations[np.arange(n), labels] += 1
    return ExplainerSamples(activations.astype(np.float32), np.eye(CLASSES, dtype=bool)[labels])


TRAINING, VALIDATION = samples(100), samples(40, 1)


def trained(settings=QUICK, **kwargs):
    return train(TRAINING, VALIDATION, CATEGORIES, settings, 7, **kwargs)


def same(first, second):
    states = first.state_dict(), second.state_dict()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


SETTINGS = {
    "adamw": QUICK,
    "dadapt_adam": replace(QUICK, optimiser="dadapt_adam", batch_size=64),
    "negatives": replace(QUICK, vocabulary_negatives=16),
    "both": replace(QUICK, optimiser="dadapt_adam", vocabulary_negatives=16, batch_norm="frozen"),
    "averaging": replace(QUICK, averaging=2.0),
    "ours": replace(QUICK, loss="softmax", power=0.5, hidden=5, vocabulary_negatives=16),
    "actcoolr": replace(
        QUICK, steering={"method": "actcoolr", "learning_rate": 0.01, "initial_temperature": 2.0}, averaging=2.0
    ),
    "one_cycle": replace(QUICK, steering={"method": "one_cycle", "learning_rate": 0.02}),
    "schedule_free": replace(QUICK, steering={"method": "schedule_free", "learning_rate": 0.02}),
}
STEERED = ("actcoolr", "one_cycle", "schedule_free")


@pytest.mark.filterwarnings("ignore::filterscope.apt.model.ModelWarning")  # so few patterns do not all change
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("killed_after", [1, 4, 6])
def test_resumed_training_equals_an_undisturbed_one(settings, killed_after, tmp_path):
    """Through a checkpoint on disk, as the workflow does it; the kill comes after an epoch was saved."""
    whole, history = trained(settings, others=OTHERS)

    class KilledError(Exception):
        pass

    checkpoint = Checkpoint(tmp_path / "checkpoint", "digest", interval=0)

    def save(state):
        checkpoint.save(state)
        if state.epoch == killed_after:
            raise KilledError

    with pytest.raises(KilledError):
        trained(settings, others=OTHERS, save=save)
    state = checkpoint.load()
    assert state.epoch == killed_after
    resumed, resumed_history = trained(settings, others=OTHERS, resume=state)
    assert resumed_history == history
    assert [row["epoch"] for row in history] == list(range(1, 7))
    assert same(whole, resumed)


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


def test_shuffling_keeps_activations_and_the_number_of_each_label():
    shuffled = TRAINING.shuffled_labels(3)
    assert np.array_equal(shuffled.activations, TRAINING.activations)
    assert np.array_equal(shuffled.targets.sum(0), TRAINING.targets.sum(0))
    assert not np.array_equal(shuffled.targets, TRAINING.targets)


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
    assert Gathered.joined(objects, None) is objects
    none = Gathered(VALIDATION.those(np.zeros(40, bool)), np.zeros(0, int), np.zeros(0, bool))
    assert Gathered.joined(objects, none) is objects


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


@pytest.mark.parametrize(("phase", "epoch"), [("choosing", 2), ("choosing", 6), ("final", 1), ("final", 3)])
def test_a_fit_that_was_killed_goes_on_in_either_training(phase, epoch, tmp_path):
    parts = Parts(TRAINING, VALIDATION, samples(140, 3))
    settings = SETTINGS["ours"]
    whole, history = fit(parts, CATEGORIES, settings, 7, others=OTHERS)
    best = next(row["epoch"] for row in history if row["best"])
    assert best >= 3  # or the final training would be over before it is killed

    class KilledError(Exception):
        pass

    saves = []

    def kept(killed):
        def checkpoint(part, own, name):
            each = beside(tmp_path / name, part.activations, part.targets, own, 7)
            each.interval = 0
            save = each.save

            def saving(state):
                save(state)
                saves.append((name, state.epoch))
                if killed and saves[-1] == (phase, epoch):
                    raise KilledError

            each.save = saving
            return each

        return checkpoint

    with pytest.raises(KilledError):
        fit(parts, CATEGORIES, settings, 7, others=OTHERS, checkpoint=kept(True))
    resumed, again = fit(parts, CATEGORIES, settings, 7, others=OTHERS, checkpoint=kept(False))
    assert again == history
    assert same(whole, resumed)
    trainings = [("choosing", settings.epochs), ("final", best)]
    assert saves == [(name, number) for name, count in trainings for number in range(1, count + 1)]


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


# --- checkpoints ----------------------------------------------------------------------------------------


def states(count=2):
    """The states that a training saves."""
    kept = []
    trained(replace(QUICK, epochs=count), save=lambda state: kept.append(replace(state)))
    return kept


def test_a_checkpoint_gives_back_what_was_saved(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", "d", interval=0)
    state = states()[-1]
    checkpoint.save(state)
    loaded = checkpoint.load()
    assert isinstance(loaded, ExplainerState)
    assert (loaded.epoch, loaded.best_loss, loaded.history) == (state.epoch, state.best_loss, state.history)
    assert all(torch.equal(loaded.model[name], each) for name, each in state.model.items())
    checkpoint.remove()
    assert checkpoint.load() is None
    checkpoint.remove()  # gone already


def test_a_checkpoint_of_other_data_or_settings_is_not_resumed(tmp_path):
    parts = [TRAINING.activations, TRAINING.targets, CATEGORIES.numpy(), QUICK, 7]
    checkpoint = beside(tmp_path / "explainer.pt", *parts)
    checkpoint.interval = 0
    checkpoint.save(states()[-1])
    assert beside(tmp_path / "explainer.pt", *parts).load().epoch == 2
    changed = TRAINING.activations.copy()
    changed[0, 0] += 1
    others = [
        (0, changed),
        (0, TRAINING.activations.astype(np.float64)),
        (0, TRAINING.activations.reshape(FILTERS, -1)),
        (1, ~TRAINING.targets),
        (3, replace(QUICK, dropout=0.2)),
        (4, 8),
    ]
    for place, other in others:
        assert beside(tmp_path / "explainer.pt", *parts[:place], other, *parts[place + 1 :]).load() is None


@pytest.mark.parametrize("share", [0.0, 0.00001, 0.5, 0.99])
def test_a_truncated_checkpoint_starts_anew(tmp_path, share, caplog):
    checkpoint = Checkpoint(tmp_path / "c", "d", interval=0)
    checkpoint.save(states()[-1])
    content = checkpoint.path.read_bytes()
    checkpoint.path.write_bytes(content[: int(len(content) * share) or int(share > 0)])
    with caplog.at_level("WARNING", "filterscope"):
        assert checkpoint.load() is None
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize("content", [["a list"], {"digest": "d"}, {"digest": "d", "epoch": 1, "unknown": 2}])
def test_a_checkpoint_of_another_make_starts_anew(tmp_path, content):
    checkpoint = Checkpoint(tmp_path / "c", "d")
    torch.save(content, checkpoint.path)
    assert checkpoint.load() is None


def test_a_pickle_with_code_is_not_run(tmp_path):
    class Code:
        def __reduce__(self):
            return (tmp_path.joinpath("ran").write_text, ("it did",))

    checkpoint = Checkpoint(tmp_path / "c", "d")
    torch.save({"digest": "d", "model": Code()}, checkpoint.path)
    assert checkpoint.load() is None
    assert not (tmp_path / "ran").exists()


def test_saves_at_most_once_per_interval(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c", "d", interval=1000)
    checkpoint.save(states()[-1])
    assert not checkpoint.path.exists()
