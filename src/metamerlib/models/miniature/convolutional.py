"""Miniature convolutional networks: torchvision's and timm's own classes with few channels, for 64 px images."""

from functools import partial

import torch
from timm.models.convnext import ConvNeXt
from timm.models.resnet import BasicBlock, Bottleneck, ResNet
from torch import nn
from torchvision import models
from torchvision.models.efficientnet import MBConvConfig
from torchvision.models.squeezenet import Fire
from torchvision.models.vgg import make_layers

from metamerlib.models.cornet import CORnetS

Network = tuple[nn.Module, list[str]]
"""A module without trained weights, and the dotted names of its sequential blocks."""


def rectified_convolutions(features: nn.Sequential, prefix: str) -> list[str]:
    """Name the rectifications of a plain network: each ends one convolutional or fully connected block."""
    return [f"{prefix}.{index}" for index, layer in enumerate(features) if isinstance(layer, nn.ReLU)]


def alexnet(classes: int) -> Network:
    """Five convolutions and three fully connected layers, as torchvision's AlexNet (which takes no sizes)."""
    features = nn.Sequential(
        nn.Conv2d(3, 24, 7, stride=2, padding=3),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(24, 48, 5, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(48, 80, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(80, 64, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(64, 64, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
    )
    network = nn.Sequential()
    network.add_module("features", features)
    network.add_module("avgpool", nn.AdaptiveAvgPool2d(3))
    network.add_module(
        "classifier",
        nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(64 * 9, 256),
            nn.ReLU(inplace=True),
            nn.Dropout(0.2),
            nn.Linear(256, 256),
            nn.ReLU(inplace=True),
            nn.Linear(256, classes),
        ),
    )
    return network, [
        *rectified_convolutions(features, "features"),
        *rectified_convolutions(network.classifier, "classifier"),
    ]


def vgg19(classes: int) -> Network:
    """Sixteen 3x3 convolutions in five groups, three fully connected layers; with batch normalisation."""
    widths = [10, 10, "M", 18, 18, "M", 32, 32, 32, 32, "M", 48, 48, 48, 48, "M", 56, 56, 56, 56]
    network = models.VGG(make_layers(widths, batch_norm=True), num_classes=classes)
    network.avgpool = nn.AdaptiveAvgPool2d(2)
    network.classifier = nn.Sequential(
        nn.Linear(56 * 4, 192),
        nn.ReLU(inplace=True),
        nn.Dropout(0.2),
        nn.Linear(192, 192),
        nn.ReLU(inplace=True),
        nn.Dropout(0.2),
        nn.Linear(192, classes),
    )
    return network, [
        *rectified_convolutions(network.features, "features"),
        *rectified_convolutions(network.classifier, "classifier"),
    ]


def resnet(
    classes: int, *, block: type, layers: tuple[int, ...], channels: tuple[int, ...], **options: object
) -> Network:
    """Timm's ResNet with few channels; also Wide ResNet and ResNeXt: the stem and every residual block."""
    network = ResNet(block, layers, num_classes=classes, channels=channels, stem_width=16, **options)
    blocks = [f"layer{stage}.{index}" for stage, depth in enumerate(layers, 1) for index in range(depth)]
    return network, ["maxpool", *blocks]


resnet18 = partial(resnet, block=BasicBlock, layers=(2, 2, 2, 2), channels=(16, 24, 48, 96))
resnet50 = partial(resnet, block=Bottleneck, layers=(3, 4, 6, 3), channels=(8, 12, 24, 48))
wide_resnet50 = partial(resnet, block=Bottleneck, layers=(3, 4, 6, 3), channels=(8, 12, 20, 36), base_width=128)
resnext50 = partial(
    resnet, block=Bottleneck, layers=(3, 4, 6, 3), channels=(8, 16, 32, 48), cardinality=8, base_width=16
)


def convnext(classes: int) -> Network:
    """Timm's ConvNeXt with few channels: the stem and every block."""
    depths = (2, 2, 4, 2)
    network = ConvNeXt(
        num_classes=classes,
        depths=depths,
        dims=(32, 48, 72, 112),
        patch_size=4,
        stem_type="overlap_tiered",
        ls_init_value=None,
    )
    # The published initialisation (a standard deviation of .02) is made for several hundred channels; with few, the
    # signal all but vanishes.
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
        elif isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight)
    return network, ["stem", *(f"stages.{s}.blocks.{b}" for s, depth in enumerate(depths) for b in range(depth))]


def squeezenet(classes: int) -> Network:
    """SqueezeNet 1.0 out of torchvision's Fire modules, with batch normalisation after the stem."""
    features = nn.Sequential(
        nn.Conv2d(3, 24, 7, stride=2, padding=3),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(24, 8, 24, 24),
        Fire(48, 8, 24, 24),
        Fire(48, 12, 40, 40),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(80, 12, 40, 40),
        Fire(80, 16, 56, 56),
        Fire(112, 16, 56, 56),
        Fire(112, 20, 72, 72),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(144, 20, 72, 72),
    )
    final = nn.Conv2d(144, classes, 1)
    network = nn.Sequential()
    network.add_module("features", features)
    network.add_module("classifier", nn.Sequential(nn.Dropout(0.1), final, nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    nn.init.normal_(final.weight, std=0.01)
    fires = [index for index, layer in enumerate(features) if isinstance(layer, Fire)]
    return network, ["features.1", *(f"features.{index}" for index in fires)]


def mobilenet_v2(classes: int) -> Network:
    """Torchvision's MobileNetV2 at a third of the width, with three downsamplings less late in the network."""
    setting = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 128, 1, 1]]
    network = models.MobileNetV2(
        num_classes=classes, width_mult=0.5, inverted_residual_setting=setting, round_nearest=4
    )
    # The published head (1280 channels) would be most of a miniature's weights.
    width = network.features[-1][0].in_channels
    network.features[-1] = models.mobilenetv2.Conv2dNormActivation(width, 160, kernel_size=1, activation_layer=nn.ReLU6)
    network.classifier = nn.Sequential(nn.Dropout(0.1), nn.Linear(160, classes))
    return network, [f"features.{index}" for index in range(len(network.features))]


def shufflenet_v2(classes: int) -> Network:
    """Torchvision's ShuffleNetV2 with few channels: the stem, every unit and the last convolution."""
    repeats = (4, 8, 4)
    network = models.ShuffleNetV2(list(repeats), [16, 48, 96, 192, 192], num_classes=classes)
    units = [f"stage{stage}.{unit}" for stage, depth in enumerate(repeats, 2) for unit in range(depth)]
    return network, ["maxpool", *units, "conv5"]


def densenet121(classes: int) -> Network:
    """Torchvision's DenseNet with four dense blocks of half the depth: the stem, the blocks and the transitions."""
    network = models.DenseNet(growth_rate=10, block_config=(3, 6, 12, 8), num_init_features=20, num_classes=classes)
    names = ["pool0", "denseblock1", "transition1", "denseblock2", "transition2", "denseblock3", "transition3"]
    return network, [f"features.{name}" for name in [*names, "denseblock4"]]


def efficientnet_b0(classes: int) -> Network:
    """Torchvision's EfficientNet-B0 plan with few channels and a stride less."""
    plan = [
        (1, 3, 1, 16, 12, 1),
        (6, 3, 2, 12, 16, 2),
        (6, 5, 2, 16, 24, 2),
        (6, 3, 2, 24, 40, 3),
        (6, 5, 1, 40, 48, 3),
        (6, 3, 1, 48, 64, 1),
    ]
    setting = [MBConvConfig(*row) for row in plan]
    network = models.EfficientNet(
        setting, dropout=0.1, stochastic_depth_prob=0.05, last_channel=160, num_classes=classes
    )
    blocks = ["features.0"]
    blocks += [f"features.{group}.{index}" for group, row in enumerate(plan, 1) for index in range(row[-1])]
    return network, [*blocks, f"features.{len(plan) + 1}"]


def cornet_s(classes: int) -> Network:
    """CORnet-S with few channels."""
    network = CORnetS(classes, channels=(16, 24, 40, 64), scale=2)
    return network, ["V1.3", "V1", "V2", "V4", "IT"]


def kaiming_normal(network: nn.Module, seed: int) -> None:
    """Draw all weights anew from Kaiming normal distributions, with a generator of its own; biases become zero."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
