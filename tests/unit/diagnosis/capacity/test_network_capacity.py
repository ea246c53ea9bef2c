"""Capacity of networks: known answers, every kind of graph by both ways of reading it, and bad networks."""

import itertools

import pytest
import torch
import torchvision
from torch import nn

from configuration.diagnosis import classifiers
from filterscope.data.networks.settings import NetworkSettings
from filterscope.diagnosis.capacity.blueprint import blueprint
from filterscope.diagnosis.capacity.hooked_graph import watched
from filterscope.diagnosis.capacity.network_capacity import capacities, layer_rows, network_capacity
from filterscope.diagnosis.labelled import DiagnosisError


def dense(*widths):
    layers = [nn.Linear(before, after) for before, after in itertools.pairwise(widths)]
    return nn.Sequential(*[part for layer in layers for part in (layer, nn.ReLU())][:-1])


def by_watching(network, shape):
    """The same network as if torch.fx could not read it."""
    with torch.no_grad():
        device = next(network.parameters()).device
        return capacities(watched(network.eval(), torch.zeros(1, *shape, device=device)).needed())


def bits(network, *shape):
    found = network_capacity(network, shape)
    assert found.found_by == "graph"
    assert sum(layer.capacity for layer in by_watching(network, shape)) == found.bits
    return found.bits


def of_kind(found, *kinds):
    return [layer.capacity for layer in found.layers if layer.kind in kinds]


# --- known answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("widths", "held"),
    [
        ((2, 2, 1), [6, 2]),
        ((2, 4, 1), [12, 4]),
        ((2, 4, 4, 1), [12, 4, 4]),
        ((784, 256, 128, 10), [200960, 256, 128]),
        ((784, 10, 100, 10), [7850, 10, 10]),  # 7960 without the bottleneck
    ],
)
def test_dense_networks(widths, held):
    assert of_kind(network_capacity(dense(*widths), widths[:1]), "Linear") == held
    assert bits(dense(*widths), widths[0]) == sum(held)


def test_alexnet():
    with torch.device("meta"):
        network = torchvision.models.alexnet()
    found = network_capacity(network, (3, 224, 224))
    assert of_kind(found, "Conv2d", "Linear") == [23296, 46656, 32448, 32448, 32448, 9216, 4096, 4096]
    assert found.bits == bits(network, 3, 224, 224) == 184_704
    assert found.printed == 24_122  # sums of shapes and one bottleneck


class CaffeNet(nn.Sequential):
    """As Caffe's reference model: convolutions in groups, normalisation after the first two poolings."""

    def __init__(self):
        def normalised():
            return [nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), nn.LocalResponseNorm(5)]

        super().__init__(
            *(nn.Conv2d(3, 96, 11, stride=4), *normalised()),
            *(nn.Conv2d(96, 256, 5, padding=2, groups=2), *normalised()),
            *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU()),
            *(nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True)),
            *(nn.Flatten(), nn.Linear(9216, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000)),
        )


def test_caffenet():
    with torch.device("meta"):
        network = CaffeNet()
    found = network_capacity(network, (3, 227, 227))
    assert found.parameters == 60_965_224
    assert of_kind(found, "Conv2d", "Linear") == [34944, 69984, 43264, 43264, 43264, 9216, 4096, 4096]
    assert found.bits == 252_128


def test_resnet18():
    with torch.device("meta"):
        network = torchvision.models.resnet18()
    assert bits(network, 3, 224, 224) == 999_616
    assert of_kind(network_capacity(network, (3, 224, 224)), "BatchNorm2d") == [0] * 20
    counted = network_capacity(network, (3, 224, 224), "counted")
    assert counted.bits == 999_616 + sum(m.num_features * 2 for m in network.modules() if isinstance(m, nn.BatchNorm2d))


# --- the rules ------------------------------------------------------------------------------------------


class Branches(nn.Module):
    """Two paths of 3 and 5 outputs that join; the second has a narrow layer."""

    def __init__(self, join):
        super().__init__()
        self.join = join
        self.first = nn.Linear(10, 5)
        self.narrow = nn.Linear(10, 2)
        self.second = nn.Linear(2, 5)
        self.last = nn.Linear(10 if join == "concat" else 5, 4)

    def forward(self, x):
        a, b = self.first(x), self.second(self.narrow(x))
        return self.last(torch.cat([a, b], 1) if self.join == "concat" else a + b)


@pytest.mark.parametrize(("join", "reaching"), [("concat", 5 + 2), ("sum", 5)])
def test_branches_have_bottlenecks_of_their_own(join, reaching):
    """The printed algorithm's one running minimum would let the narrow branch limit the other: 2 bits at the end."""
    found = network_capacity(Branches(join), (10,))
    held = {layer.name: layer.capacity for layer in found.layers if layer.parameters}
    assert held == {"first": 55, "narrow": 22, "second": 2, "last": reaching}
    assert bits(Branches(join), 10) == sum(held.values())
    assert found.layers[-1].printed == 2


def test_groups_and_depthwise_convolutions_hold_less():
    def convolution(groups):
        return nn.Conv2d(8, 8, 3, padding=1, groups=groups)

    for groups, parameters in ((1, 584), (2, 296), (8, 80)):
        assert bits(convolution(groups), 8, 9, 9) == parameters
        assert bits(nn.Sequential(nn.Conv2d(1, 8, 1), nn.MaxPool2d(3), convolution(groups)), 1, 9, 9) == 16 + min(
            72, parameters
        )


def test_layers_without_parameters_hold_nothing_and_still_limit():
    found = network_capacity(nn.Sequential(nn.Linear(50, 40), nn.AdaptiveAvgPool1d(3), nn.Linear(3, 100)), (50,))
    assert [layer.capacity for layer in found.layers] == [2040, 0, 3]
    assert found.layers[1].passing == 3


def test_an_input_that_is_only_reshaped_or_rescaled_limits_nothing():
    """A network that begins by flattening its picture, as most on MNIST do, holds what it would hold of a vector."""
    layers = list(dense(784, 256, 128, 10))
    assert bits(nn.Sequential(nn.Flatten(), *layers), 1, 28, 28) == 201_344
    assert bits(nn.Sequential(nn.BatchNorm2d(1), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(196, 9)), 1, 28, 28) == 1773


@pytest.mark.parametrize(("join", "held"), [("concat", 22 + 2 + 1050), ("sum", 22 + 2 + 550)])
@pytest.mark.parametrize("flattened", [False, True])
def test_an_input_that_joins_a_branch_limits_nothing(join, held, flattened):
    """The branch is narrow, but past it everything reaches the last layer."""

    class Beside(nn.Module):
        def __init__(self):
            super().__init__()
            self.narrow, self.wide = nn.Linear(10, 2), nn.Linear(2, 10)
            self.last = nn.Linear(20 if join == "concat" else 10, 50)

        def forward(self, x):
            x = x.flatten(1) if flattened else x
            branch = self.wide(self.narrow(x))
            return self.last(torch.cat([x, branch], 1) if join == "concat" else x + branch)

    assert bits(Beside(), 10) == held


def test_a_module_that_is_used_twice_holds_its_parameters_once():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(6, 6)

        def forward(self, x):
            return self.layer(torch.relu(self.layer(x)))

    assert bits(Twice(), 6) == 42


def test_parameters_outside_layers_count_where_they_are_used():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(6, 6)
            self.scale = nn.Parameter(torch.ones(4, 6))
            self.token = nn.Parameter(torch.ones(1, 1, 6))

        def forward(self, x):
            x = self.first(x)[:, None] * self.scale
            return torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1)

    found = network_capacity(Scaled(), (6,))
    assert [layer.capacity for layer in found.layers if layer.parameters] == [42, 6, 6]
    assert bits(Scaled(), 6) == 54


def test_layers_that_the_output_does_not_need_do_not_count():
    class WithHead(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head, self.unused = nn.Linear(6, 4), nn.Linear(4, 2), nn.Linear(6, 100)

        def forward(self, x):
            self.unused(x)
            return self.head(self.body(x))

    assert bits(WithHead(), 6) == 28 + 4


def test_control_flow_that_depends_on_the_data_is_followed_by_watching():
    class Choosing(nn.Module):
        def __init__(self):
            super().__init__()
            self.small, self.large = nn.Linear(6, 2), nn.Linear(6, 200)
            self.last = nn.Linear(2, 3)

        def forward(self, x):
            return self.last(self.small(x)) if x.sum() <= 0 else self.large(x)

    network = Choosing().train()
    found = network_capacity(network, (6,))
    assert (found.found_by, found.bits) == ("run", 14 + 2)
    assert [layer.name for layer in found.layers if layer.parameters] == ["small", "last"]
    assert network.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


@pytest.mark.parametrize(
    "name",
    [
        "googlenet",
        "densenet121",
        "squeezenet1_1",
        "shufflenet_v2_x0_5",
        "mnasnet0_5",
        "convnext_tiny",
        "vit_b_32",
        "efficientnet_b0",
    ],
)
def test_both_ways_of_reading_agree_on_real_architectures(name):
    network = blueprint(NetworkSettings("torchvision", architecture=name))
    assert bits(network, 3, 224, 224) > 1e5


def test_bits_are_bounded_by_parameters_and_by_what_reaches_a_layer():
    with torch.device("meta"):
        found = network_capacity(torchvision.models.googlenet(aux_logits=False, init_weights=False), (3, 96, 96))
    for layer in found.layers:
        assert layer.capacity <= layer.parameters
        assert layer.passing is None or layer.passing <= layer.outputs
        assert layer.reaching is None or layer.capacity <= layer.reaching
    rows = layer_rows(found)
    assert rows["number"].tolist() == list(range(len(found.layers)))
    assert rows["reaching"].isna().sum() >= 1
    assert rows["passing"].notna().any()


def test_every_name_that_the_config_accepts_is_torchvisions():
    assert set(classifiers()) == set(torchvision.models.list_models(module=torchvision.models))


def test_a_builder_that_computes_with_tensors_is_built_in_memory():
    network = blueprint(NetworkSettings("torchvision", architecture="regnet_x_400mf"))
    assert next(network.parameters()).device.type == "cpu"
    assert network_capacity(network, (3, 64, 64)).bits > 0


# --- bad networks ---------------------------------------------------------------------------------------


def test_a_sample_that_does_not_fit_is_named():
    with pytest.raises(DiagnosisError, match=r"cannot take a sample of shape \[5\]"):
        network_capacity(dense(4, 2), (5,))


def test_a_network_that_ignores_its_input_is_refused():
    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.value = nn.Parameter(torch.ones(3))

        def forward(self, x):
            return self.value * 2

    with pytest.raises(DiagnosisError, match="does not depend on its input"):
        network_capacity(Constant(), (5,))


def test_unknown_treatment_of_batch_norm_is_refused():
    with pytest.raises(DiagnosisError, match="should be one of folded, counted"):
        network_capacity(dense(4, 2), (4,), "ignored")
