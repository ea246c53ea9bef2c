"""Codes: the penultimate vector of any network, or a named layer."""

import pytest
import torch
import torchvision
from torch import nn

from filterscope.data.networks.building import normalise
from filterscope.data.networks.layers import LayerError, Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.pictures.facets.codes import coding

CPU = torch.device("cpu")

SMALL = InputSettings(resize=64, crop=64)


@pytest.fixture
def pictures():
    return torch.randint(0, 256, (3, 3, 64, 64), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def codes(network, layer, pictures, of=None, inputs=SMALL):
    with Reader(network, layer, input_size=inputs.crop) as reader, coding(network, reader, inputs, CPU, of) as coder:
        found, activations = coder(pictures)
        again, _ = coder(pictures[1:])
    assert torch.allclose(found[1:], again, atol=1e-5)
    return found, activations


class TestPenultimate:
    def test_of_a_classifier_is_what_its_last_linear_layer_is_given(self, pictures):
        """AlexNet: fc7 after its ReLU (MFV, 3.2.2)."""
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = torchvision.models.AlexNet(num_classes=7).eval()
        network.classifier = nn.Sequential(  # as AlexNet's, narrower
            nn.Dropout(), nn.Linear(9216, 32), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(32, 16),
            nn.ReLU(inplace=True), nn.Linear(16, 7),
        ).eval()  # fmt: skip
        found, activations = codes(network, "classifier", pictures)
        with torch.no_grad():
            flat = network.avgpool(network.features(normalise(pictures, SMALL))).flatten(1)
            wanted = network.classifier[:6](flat)
            units = network.classifier[6](wanted)
        assert found.shape == (3, 16)
        assert (found >= 0).all()
        assert torch.allclose(found, wanted, atol=1e-5)
        assert torch.allclose(activations, units, atol=1e-5)

    def test_of_maps_is_their_mean(self, pictures):
        """SqueezeNet ends in a convolution: its 512 maps, pooled."""
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = torchvision.models.squeezenet1_1(num_classes=6).eval()
        found, activations = codes(network, "classifier.1", pictures)
        with torch.no_grad():
            maps = network.features(normalise(pictures, SMALL))
            units = network.classifier[1](maps).mean((2, 3))
        assert found.shape == (3, 512)
        assert torch.allclose(found, maps.mean((2, 3)), atol=1e-5)
        assert torch.allclose(activations, units, atol=1e-4)

    def test_a_network_without_weights_has_none(self, pictures):
        with pytest.raises(LayerError, match="no convolution or linear layer comes before layer '0'"):
            codes(nn.Sequential(nn.ReLU(), nn.Conv2d(3, 2, 1)), "0", pictures)


class TestNamedLayer:
    @pytest.fixture
    def network(self):
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 2, 1), nn.ReLU()).eval()

    def test_is_its_output_before_anything_changes_it(self, network, pictures):
        found, _ = codes(network, "2", pictures, of="0")
        with torch.no_grad():
            wanted = network[0](normalise(pictures, SMALL)).mean((2, 3))
        assert torch.allclose(found, wanted, atol=1e-5)

    def test_may_be_the_probe_itself(self, network, pictures):
        found, activations = codes(network, "2", pictures, of="2")
        assert torch.allclose(found, activations, atol=1e-5)

    def test_after_the_probe_gives_none(self, network, pictures):
        with pytest.raises(LayerError, match="layer '3' is not used before layer '2': it gives no codes"):
            codes(network, "2", pictures, of="3")

    def test_that_is_not_there_is_named_with_its_neighbours(self, network, pictures):
        with pytest.raises(LayerError, match="the network has no layer '4'; the nearest names are"):
            codes(network, "2", pictures, of="4")

    def test_no_hook_stays(self, network, pictures):
        codes(network, "2", pictures, of="0")
        codes(network, "2", pictures)
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
