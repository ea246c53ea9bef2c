"""Networks that torchvision does not have in this form, for the real weights (realdata/README.md)."""

import torchvision
from torch import nn


def resnet50_stride_in_1x1() -> nn.Module:
    """ResNet-50 as first published: in layers 2 to 4 the first 1 x 1 convolution has the stride, not the 3 x 3."""
    network = torchvision.models.resnet50(weights=None)
    for layer in (network.layer2, network.layer3, network.layer4):
        layer[0].conv1.stride, layer[0].conv2.stride = (2, 2), (1, 1)
    return network
