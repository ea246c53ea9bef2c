"""A killed training ends as an undisturbed one does; checkpoints of others are not taken up."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.unit.words.explaining.learning import (
    CATEGORIES,
    FILTERS,
    OTHERS,
    QUICK,
    SETTINGS,
    TRAINING,
    VALIDATION,
    same,
    samples,
    trained,
)

from filterscope import resumption
from filterscope.words.explaining.resumption import Checkpoint, beside
from filterscope.words.explaining.samples import Parts
from filterscope.words.explaining.training import ExplainerState, fit


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


def test_slow_saves_take_a_tenth_of_the_time(tmp_path, monkeypatch):
    """A disk that others fill takes long to hold a checkpoint; a training is not to wait for it most of its time."""
    seconds = iter([10.0, 10.0, 30.0, 200.0, 211.0, 211.0, 220.0])
    monkeypatch.setattr(resumption.time, "monotonic", lambda: next(seconds))
    checkpoint = Checkpoint(tmp_path / "c", "d", _saved=0.0)
    checkpoint.save(states()[-1])  # of 20 seconds
    checkpoint.path.unlink()
    checkpoint.save(states()[-1])  # at 200
    assert not checkpoint.path.exists()
    checkpoint.save(states()[-1])  # at 211
    assert checkpoint.path.exists()
