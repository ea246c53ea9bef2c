"""The explainer has the shape that the text gives it, and reads back only what fits (LaViSE, 4.1)."""

import pytest
import torch

from filterscope.words.explaining.explainer import Explainer, load_explainer


@pytest.mark.parametrize(("filters", "parameters"), [(512, 418_604), (2048, 4_819_244), (7, 7 * 7 + 305 * 7 + 300)])
def test_known_number_of_parameters(filters, parameters):
    assert sum(each.numel() for each in Explainer(filters, 300).parameters()) == parameters


def test_is_what_the_text_says():
    kinds = [type(layer).__name__ for layer in Explainer(4, 3).layers]
    assert kinds == ["BatchNorm1d", "Dropout", "Linear", "ReLU", "BatchNorm1d", "Dropout", "Linear"]
    sizes = [layer.num_features for layer in Explainer(4, 3).layers if hasattr(layer, "num_features")]
    assert sizes == [4, 4]


@pytest.mark.parametrize("frozen", [False, True])
def test_frozen_batch_norm_never_learns_its_statistics(frozen):
    model = Explainer(4, 3, dropout=0.0, frozen_batch_norm=frozen).train()
    inputs = torch.arange(32.0).view(8, 4) * 10
    model(inputs)
    norm = model.layers[0]
    assert torch.equal(norm.running_mean, torch.zeros(4)) is frozen
    assert torch.equal(norm.running_var, torch.ones(4)) is frozen
    assert model.layers[1].training  # dropout trains all the same
    # Even so its scale and shift are learnt.
    assert all(each.requires_grad for each in norm.parameters())


@pytest.mark.parametrize(("power", "hidden"), [(1.0, None), (0.5, None), (0.5, 2), (0.25, 9)])
def test_reads_back_what_was_written(tmp_path, power, hidden):
    """Also the power of its inputs and the width of its hidden layer, which no setting tells the reader."""
    model = Explainer(5, 3, power=power, hidden=hidden).train()
    model(torch.randn(16, 5, generator=torch.Generator().manual_seed(0)))
    torch.save(model.state_dict(), tmp_path / "explainer.pt")
    loaded = load_explainer(tmp_path / "explainer.pt", 5, 3)
    inputs = torch.linspace(0, 4, 10).view(2, 5)
    assert not loaded.training
    assert float(loaded.power) == power
    assert torch.equal(loaded(inputs), model.eval()(inputs))


@pytest.mark.parametrize("needed", [(6, 3), (5, 4)])
def test_another_layer_or_vocabulary_is_refused(tmp_path, needed):
    torch.save(Explainer(5, 3).state_dict(), tmp_path / "explainer.pt")
    match = rf"explainer\.pt: explains 5 inputs in 3 dimensions, needed are {needed[0]} and {needed[1]}"
    with pytest.raises(ValueError, match=match):
        load_explainer(tmp_path / "explainer.pt", *needed)


def test_the_power_is_of_the_inputs_with_their_sign():
    torch.manual_seed(0)  # three hidden units: at random all may be dead for these inputs
    plain, rooted = Explainer(3, 2).eval(), Explainer(3, 2, power=0.5).eval()
    rooted.load_state_dict({**plain.state_dict(), "power": torch.tensor(0.5)})
    inputs, roots = torch.tensor([[4.0, 0.0, -9.0]]), torch.tensor([[2.0, 0.0, -3.0]])
    torch.testing.assert_close(rooted(inputs), plain(roots))
    assert not torch.allclose(rooted(inputs), plain(inputs))


def test_the_hidden_layer_is_as_wide_as_asked_for():
    sizes = [tuple(each.weight.shape) for each in Explainer(6, 3, hidden=2).layers if each._get_name() == "Linear"]
    assert sizes == [(2, 6), (3, 2)]
