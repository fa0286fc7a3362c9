"""Miniature convolutional networks: torchvision's and timm's own classes with few channels, for 64 px images."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import torch
from timm.models.convnext import ConvNeXt
from timm.models.resnet import BasicBlock, Bottleneck, ResNet
from torch import nn
from torchvision import models
from torchvision.models.efficientnet import MBConvConfig
from torchvision.models.squeezenet import Fire
from torchvision.models.vgg import make_layers

from metamerlib.models.imagenet import CORnetS


def _hidden(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Linear(inputs, outputs), nn.ReLU(inplace=True)


def _alexnet(num_classes: int) -> nn.Module:
    """Five convolutions and three fully connected layers, as torchvision's AlexNet (which takes no sizes)."""
    features, channels = nn.Sequential(), 3
    for row in ((24, 7, 2), None, (48, 5, 1), None, (80, 3, 1), (64, 3, 1), (64, 3, 1), None):
        if row is None:
            features.append(nn.MaxPool2d(3, 2))
            continue
        width, size, stride = row
        features.append(nn.Conv2d(channels, width, size, stride, padding=size // 2)).append(nn.ReLU(inplace=True))
        channels = width
    classifier = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), *_hidden(64 * 9, 256), nn.Dropout(0.2))
    classifier.extend([*_hidden(256, 256), nn.Linear(256, num_classes)])
    return nn.Sequential(OrderedDict(features=features, avgpool=nn.AdaptiveAvgPool2d(3), classifier=classifier))


def _vgg19(num_classes: int) -> nn.Module:
    """Sixteen 3x3 convolutions in five groups, three fully connected layers; with batch normalisation."""
    widths = [10, 10, "M", 18, 18, "M", 32, 32, 32, 32, "M", 48, 48, 48, 48, "M", 56, 56, 56, 56]
    network = models.VGG(make_layers(widths, batch_norm=True), num_classes=num_classes)
    network.avgpool = nn.AdaptiveAvgPool2d(2)
    network.classifier = nn.Sequential(*_hidden(56 * 4, 192), nn.Dropout(0.2), *_hidden(192, 192), nn.Dropout(0.2))
    network.classifier.append(nn.Linear(192, num_classes))
    return network


def _convnext(num_classes: int) -> nn.Module:
    options = {"depths": (2, 2, 4, 2), "dims": (32, 48, 72, 112), "patch_size": 4, "stem_type": "overlap_tiered"}
    network = ConvNeXt(num_classes=num_classes, ls_init_value=None, **options)
    # The published initialisation (a standard deviation of .02) is made for several hundred channels; with few, the
    # signal all but vanishes.
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
        elif isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight)
    return network


def _squeezenet(num_classes: int) -> nn.Module:
    """SqueezeNet 1.0 out of torchvision's Fire modules, with batch normalisation after the stem."""
    features = nn.Sequential(nn.Conv2d(3, 24, 7, stride=2, padding=3), nn.ReLU(inplace=True))
    pool = partial(nn.MaxPool2d, 3, 2, ceil_mode=True)
    features.extend([pool(), Fire(24, 8, 24, 24), Fire(48, 8, 24, 24), Fire(48, 12, 40, 40), pool()])
    features.extend([Fire(80, 12, 40, 40), Fire(80, 16, 56, 56), Fire(112, 16, 56, 56), Fire(112, 20, 72, 72)])
    features.extend([pool(), Fire(144, 20, 72, 72)])
    final = nn.Conv2d(144, num_classes, 1)
    classifier = nn.Sequential(nn.Dropout(0.1), final, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = nn.Sequential(OrderedDict(features=features, classifier=classifier))
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    nn.init.normal_(final.weight, std=0.01)
    return network


def _mobilenet_v2(num_classes: int) -> nn.Module:
    """Torchvision's MobileNetV2 at a third of the width, with three downsamplings less late in the network."""
    setting = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 128, 1, 1]]
    network = models.MobileNetV2(num_classes, width_mult=0.5, inverted_residual_setting=setting, round_nearest=4)
    # The published head (1280 channels) would be most of a miniature's weights.
    width = network.features[-1][0].in_channels
    network.features[-1] = models.mobilenetv2.Conv2dNormActivation(width, 160, kernel_size=1, activation_layer=nn.ReLU6)
    network.classifier = nn.Sequential(nn.Dropout(0.1), nn.Linear(160, num_classes))
    return network


def _efficientnet_b0(num_classes: int) -> nn.Module:
    """Torchvision's EfficientNet-B0 plan with few channels and a stride less."""
    plan = [
        (1, 3, 1, 16, 12, 1),
        (6, 3, 2, 12, 16, 2),
        (6, 5, 2, 16, 24, 2),
        (6, 3, 2, 24, 40, 3),
        (6, 5, 1, 40, 48, 3),
    ]
    setting = [MBConvConfig(*row) for row in [*plan, (6, 3, 1, 48, 64, 1)]]
    return models.EfficientNet(setting, 0.1, stochastic_depth_prob=0.05, last_channel=160, num_classes=num_classes)


_resnet = partial(ResNet, stem_width=16)
_bottlenecks = partial(_resnet, Bottleneck, (3, 4, 6, 3))

BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "alexnet": _alexnet,
    "vgg19": _vgg19,
    "resnet18": partial(_resnet, BasicBlock, (2, 2, 2, 2), channels=(16, 24, 48, 96)),
    "resnet50": partial(_bottlenecks, channels=(8, 12, 24, 48)),
    "wide_resnet50": partial(_bottlenecks, channels=(8, 12, 20, 36), base_width=128),
    "resnext50": partial(_bottlenecks, channels=(8, 16, 32, 48), cardinality=8, base_width=16),
    "convnext_base": _convnext,
    "squeezenet": _squeezenet,
    "mobilenet_v2": _mobilenet_v2,
    "shufflenet_v2": partial(models.ShuffleNetV2, [4, 8, 4], [16, 48, 96, 192, 192]),
    "densenet121": partial(models.DenseNet, growth_rate=10, block_config=(3, 6, 12, 8), num_init_features=20),
    "efficientnet_b0": _efficientnet_b0,
    "cornet_s": partial(CORnetS, channels=(16, 24, 40, 64), scale=2),
}
"""By architecture; each takes `num_classes`."""


def kaiming_normal(network: nn.Module, seed: int) -> None:
    """Draw all weights anew from Kaiming normal distributions, with a generator of its own; biases become zero."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
