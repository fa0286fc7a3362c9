"""The architectures of the paper's 31 networks at full size, from torchvision's and timm's own constructors.

Nothing is downloaded here: a constructor gives a module without trained weights and the names of its blocks. The
blocks follow the rules of the miniatures (see `metamerlib.models.stages`): the stem, every residual or transformer
block, and in plain networks every rectified convolution and hidden fully connected layer.

RobustBench's entries among them are those of version 1.1.1, compared module by module (the tests do so again): stock
architectures of torchvision and timm behind a normalisation, and one vision transformer with a stem of convolutions.
"""

import itertools
from collections.abc import Callable

import timm
from torch import Tensor, nn
from torchvision import models

from metamerlib.models.cornet import CORnetS
from metamerlib.models.miniature.convolutional import Network, rectified_convolutions

Architecture = Callable[[], Network]
"""Builds a module with 1000 logits, and names its sequential blocks."""


def alexnet() -> Network:
    """Build torchvision's AlexNet: five rectified convolutions, two hidden fully connected layers."""
    return _plain(models.alexnet())


def vgg19() -> Network:
    """Build torchvision's VGG-19 without batch normalisation: sixteen rectified convolutions, two hidden layers."""
    return _plain(models.vgg19())


def residual(name: str) -> Architecture:
    """Choose one of torchvision's residual networks, such as "resnet50": the stem and every residual block."""

    def build() -> Network:
        network = models.get_model(name, weights=None)
        stages = ("layer1", "layer2", "layer3", "layer4")
        return network, ["maxpool", *_children(network, stages)]

    return build


def squeezenet() -> Network:
    """Build torchvision's SqueezeNet 1.0: the stem and every Fire module."""
    network = models.squeezenet1_0()
    fires = [index for index, layer in enumerate(network.features) if type(layer).__name__ == "Fire"]
    return network, ["features.1", *(f"features.{index}" for index in fires)]


def mobilenet_v2() -> Network:
    """Build torchvision's MobileNetV2: the stem, every inverted residual and the last convolution."""
    network = models.mobilenet_v2()
    return network, _children(network, ("features",))


def shufflenet_v2() -> Network:
    """Build torchvision's ShuffleNetV2 x1.0: the stem, every unit and the last convolution."""
    network = models.shufflenet_v2_x1_0()
    return network, ["maxpool", *_children(network, ("stage2", "stage3", "stage4")), "conv5"]


def densenet121() -> Network:
    """Build torchvision's DenseNet-121: the stem, the dense blocks and the transitions.

    A single dense layer only returns the channels that it adds, so its output is a side branch.
    """
    names = ["pool0", "denseblock1", "transition1", "denseblock2", "transition2", "denseblock3", "transition3"]
    return models.densenet121(), [f"features.{name}" for name in [*names, "denseblock4"]]


def convnext_base() -> Network:
    """Build timm's ConvNeXt-Base: the stem and every block."""
    network = timm.create_model("convnext_base", pretrained=False)
    return network, ["stem", *_children(network, [f"stages.{stage}.blocks" for stage in range(4)])]


def vision_transformer(name: str) -> Architecture:
    """Choose one of timm's plain vision transformers: the embedding with its positions and every block."""

    def build() -> Network:
        network = timm.create_model(name, pretrained=False)
        # Positions and class token are added after patch_embed; norm_pre is where the first block's input passes.
        return network, ["norm_pre", *_children(network, ("blocks",))]

    return build


def mlp_mixer() -> Network:
    """Build timm's MLP-Mixer B/16: the embedding and every mixer block."""
    network = timm.create_model("mixer_b16_224", pretrained=False)
    return network, ["stem", *_children(network, ("blocks",))]


def swin_base() -> Network:
    """Build timm's Swin-Base for 4 px patches and windows of 7: the embedding and every transformer block."""
    network = timm.create_model("swin_base_patch4_window7_224", pretrained=False)
    return network, ["patch_embed", *_children(network, [f"layers.{stage}.blocks" for stage in range(4)])]


def xcit_small() -> Network:
    """Build timm's XCiT-S12 for 16 px patches: the embedding, every cross-covariance and class-attention block."""
    network = timm.create_model("xcit_small_12_p16_224", pretrained=False)
    return network, ["pos_drop", *_children(network, ("blocks", "cls_attn_blocks"))]


def efficientnet_b0() -> Network:
    """Build timm's EfficientNet-B0 with TensorFlow's padding, for which MEAL V2 was released."""
    # torchvision's and timm's plain EfficientNet-B0 have as many parameters, but pad convolutions of stride 2 on the
    # other side and normalise with another epsilon: the released weights would load and misclassify.
    network = timm.create_model("tf_efficientnet_b0", pretrained=False)
    stages = [f"blocks.{stage}" for stage in range(len(network.blocks))]
    return network, ["bn1", *_children(network, stages), "bn2"]


def cornet_s() -> Network:
    """Build CORnet-S: V1 (two convolutions), V2, V4, IT."""
    return CORnetS(), ["V1.3", "V1", "V2", "V4", "IT"]


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of an image, at each of its places."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        norm = nn.LayerNorm(channels, eps=1e-6)
        # The published weights have these two tensors directly in the layer.
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

    def forward(self, images: Tensor) -> Tensor:
        last = images.movedim(1, -1)
        return nn.functional.layer_norm(last, self.weight.shape, self.weight, self.bias, self.eps).movedim(-1, 1)


class ConvolutionalStem(nn.Module):
    """Embed 16 px patches by four stride-2 convolutions (Singh et al. 2023, section 3)."""

    def __init__(self, width: int = 48, out_channels: int = 768) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise([3, width, 2 * width, 4 * width, 8 * width]):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), ChannelNorm(after), nn.GELU()]
        self.stem = nn.Sequential(*layers, nn.Conv2d(8 * width, out_channels, 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.stem(images)


def vit_base_convstem() -> Network:
    """Build the vision transformer of Singh et al. (2023): the embedding with its positions and every block."""
    network = timm.create_model("vit_base_patch16_224", pretrained=False)
    network.patch_embed.proj = ConvolutionalStem()
    return network, ["norm_pre", *(f"blocks.{index}" for index in range(len(network.blocks)))]


def _plain(network: nn.Module) -> Network:
    blocks = rectified_convolutions(network.features, "features")
    return network, [*blocks, *rectified_convolutions(network.classifier, "classifier")]


def _children(network: nn.Module, parents: tuple[str, ...] | list[str]) -> list[str]:
    """Name the direct children of some modules, in order."""
    return [f"{parent}.{child}" for parent in parents for child, _ in network.get_submodule(parent).named_children()]
