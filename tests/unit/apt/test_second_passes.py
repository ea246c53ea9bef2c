"""What a second pass over a batch writes, into the batch, buffers or other tensors, is put back."""

import pytest
import torch
from tests.unit.apt.watched import mlp, seeded, shake, touch, vectors
from torch import nn

from filterscope.apt.monitor import TemperatureMonitor


class Overwriting(nn.Module):
    """Halves its batch in place, which a second pass over the same memory would do again."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)

    def forward(self, inputs):
        return torch.relu(self.layer(inputs.mul_(0.5).relu_()))


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize(
    "build", [lambda: nn.Sequential(nn.ReLU(inplace=True), *mlp()), Overwriting], ids=["relu", "scaling"]
)
def test_a_network_may_write_into_its_batch(build, own):
    """It is measured on what it was given; afterwards the batch is what the network's one pass has made of it."""
    network, batch, plain = seeded(build), vectors(), vectors()
    with torch.no_grad():
        network(plain)
    with TemperatureMonitor(network) as monitor, monitor.step(*([batch] if own else [])):
        if own:
            assert torch.equal(batch, vectors()), "the monitor's own pass leaves nothing behind"
        network(batch)
        touch(network)
    assert monitor.reading.mean == 0
    assert torch.equal(batch, plain)
    with monitor, monitor.step(*([vectors()] if own else [])):
        network(vectors())
        shake(network)
    assert monitor.reading.mean > 0


class Counting(nn.Module):
    """Puts a new buffer in the place of the old one at every pass, and another where there was none."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)
        self.register_buffer("count", torch.zeros(1))
        self.register_buffer("seen", None)

    def forward(self, inputs):
        self.count = self.count + 1
        self.seen = inputs.mean(0) if self.seen is None else self.seen + inputs.mean(0)
        return torch.relu(self.layer(inputs) + self.count + self.seen)


@pytest.mark.parametrize("own", [False, True])
def test_buffers_that_a_pass_replaces_are_put_back(own):
    network, batch = seeded(Counting), vectors()
    with TemperatureMonitor(network) as monitor:
        for step in range(1, 4):
            with monitor.step(*([batch] if own else [])):
                network(batch)
                touch(network)
            assert network.count == step, "only the training's own pass counts"
            torch.testing.assert_close(network.seen, step * batch.mean(0))
            assert monitor.reading.mean == 0


class Keeping(nn.Module):
    """Counts in tensors that are no buffers, in place, one of them a part of another; a view of its weights lies by."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)
        self.count = torch.zeros(2)
        self.half, self.wide = self.count[:1], self.count[1:].expand(8)
        self.seen = self.view = None

    def forward(self, inputs):
        self.view = self.layer.weight.detach()
        self.count += 1
        self.half += 1
        self.seen = inputs
        return torch.relu(self.layer(inputs) + 0.05 * (self.half + self.wide))


@pytest.mark.parametrize("own", [False, True])
def test_tensors_that_a_pass_writes_into_are_put_back(own):
    network, batch = seeded(Keeping), vectors()
    optimiser, plain = torch.optim.SGD(network.parameters(), lr=0.0), seeded(Keeping)
    with TemperatureMonitor(network) as monitor:
        for step in range(1, 4):
            with monitor.step(*([batch] if own else [])):
                network(batch).sum().backward()
                optimiser.step()
            assert network.count.tolist() == [2 * step, step], "only the training's own pass counts"
            assert network.half.data_ptr() == network.count.data_ptr()
            assert monitor.reading.mean == 0
        weight = network.layer.weight.detach().clone()
        with monitor.step(*([batch] if own else [])):
            network(batch)
            shake(network)
        assert monitor.reading.mean > 0
        assert not torch.equal(network.layer.weight, weight), "the step is not undone"
    shake(plain)
    torch.testing.assert_close(network.layer.weight, plain.layer.weight)


@pytest.mark.parametrize("own", [False, True])
def test_a_module_may_keep_the_batch_that_it_writes_into(own):
    class Halving(Overwriting):
        def forward(self, inputs):
            self.seen = inputs
            return super().forward(inputs)

    network, batch = seeded(Halving), vectors()
    with TemperatureMonitor(network) as monitor:
        for _ in range(3):
            batch.copy_(vectors())
            with monitor.step(*([batch] if own else [])):
                network(batch)
                touch(network)
            assert monitor.reading.mean == 0
            torch.testing.assert_close(batch, (vectors() / 2).relu())
