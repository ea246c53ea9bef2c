"""How much memory a probe takes is told by its layers, and what is too much says what to lower."""

import pytest
import torch

from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.needs import OWN, MemoryLimitError, parts, refuse_too_large
from filterscope.activations.tails import Tail


def line(layer="layer4", filters=2048, side=7, largest=802_816, weights=94_000_000):
    return {
        "layer": layer,
        "filters": filters,
        "height": side,
        "width": side,
        "largest": largest,
        "weights": weights,
    }


def bytes_of(found, what):
    (own,) = (part.bytes for part in found if what in part.what)
    return own


def test_the_parts_are_what_a_job_holds():
    found = parts([line()], ExtractionSettings(batch_size=10), pictures=1000)
    assert bytes_of(found, "weights") == 94_000_000
    assert bytes_of(found, "forward pass") == 4 * 10 * 3 * 802_816
    assert bytes_of(found, "maps of") == 4 * 10 * 3 * 2048 * 49
    assert [part.bytes for part in found] == sorted((part.bytes for part in found), reverse=True)
    # Of the tails, what one of such a layer really comes to hold.
    tail = Tail(4, 0.995, 1000 * 49)
    for _ in range(1000):
        tail.add(torch.rand(1, 4, 7, 7))
    tail.table()
    assert bytes_of(found, "largest activations") == 2 * 4 * tail.values.numel() / 4 * 2048


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"batch_size": 20}, "maps of"),
        ({"batch_size": 20}, "forward pass"),
        ({"quantile": 0.99}, "largest activations"),
    ],
)
def test_what_is_to_be_lowered_lowers_it(change, what):
    less, more = (parts([line()], ExtractionSettings(**{"batch_size": 10, **own}), 1000) for own in ({}, change))
    assert bytes_of(more, what) > 1.9 * bytes_of(less, what)


def test_layers_of_one_pass_share_it_and_the_weights():
    one, other = line(), line("layer1", filters=256, side=56)
    settings = ExtractionSettings(batch_size=10)
    found = parts([one, other], settings, 1000)
    assert bytes_of(found, "weights") == 94_000_000
    for what in ("maps of", "largest activations"):
        apart = [bytes_of(parts([each], settings, 1000), what) for each in (one, other)]
        assert bytes_of(found, what) == sum(apart)
    native = parts([one], ExtractionSettings(batch_size=10, pool="native"), 1000)
    assert bytes_of(native, "masked maps") == 4 * 10 * 8 * 2048 * 49


def test_too_much_names_bytes_limit_and_what_to_lower():
    settings = ExtractionSettings(batch_size=32)
    refuse_too_large("deep", [line()], settings, 100_000, None)
    refuse_too_large("deep", [line()], settings, 100_000, 2.1)
    total = OWN + sum(part.bytes for part in parts([line()], settings, 100_000))
    with pytest.raises(MemoryLimitError) as caught:
        refuse_too_large("deep", [line()], settings, 100_000, 0.5)
    said = str(caught.value)
    assert said.startswith(
        f"probe deep, layer layer4: needs about {total / 1e9:.3g} GB ({total:,} bytes), max_memory allows 0.5 GB"
    )
    assert "1.2 GB are Python's, its libraries' and of what is under way; most of the rest: " in said
    assert "(name fewer or later layers, or raise activations.quantile)" in said
    assert "(lower activations.batch_size or input.crop)" in said
    with pytest.raises(MemoryLimitError, match="probe deep, 2 layers: needs about"):
        refuse_too_large("deep", [line(), line("layer3")], settings, 100_000, 0.5)


def test_a_number_of_pictures_that_nobody_told_is_called_a_guess():
    settings = ExtractionSettings(batch_size=32)
    with pytest.raises(MemoryLimitError, match=r"activations of 10,000 pictures \(a guess\), for thresholds"):
        refuse_too_large("deep", [line("layer1", 256, 56)], settings, 10_000, 0.5, guessed=True)
    with pytest.raises(MemoryLimitError, match="activations of 10,000 pictures, for thresholds"):
        refuse_too_large("deep", [line("layer1", 256, 56)], settings, 10_000, 0.5)
