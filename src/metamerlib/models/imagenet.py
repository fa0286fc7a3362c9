"""The architectures of the paper's 31 networks at full size, from torchvision's and timm's own constructors.

Nothing is downloaded here. RobustBench's entries among them are those of version 1.1.1, compared module by module (the
tests do so again): stock architectures of torchvision and timm behind a normalisation, and one vision transformer with
a stem of convolutions.
"""

import itertools
from fnmatch import fnmatchcase

import timm
from torch import Tensor, nn
from torchvision import models

from metamerlib.models.cornet import CORnetS
from metamerlib.models.registry import ARCHITECTURES

Network = tuple[nn.Module, list[str]]
"""A module without trained weights, and the dotted names of its sequential blocks."""


def build_architecture(architecture: str) -> Network:
    """Build a module with 1000 logits, and name its sequential blocks."""
    # torchvision's and timm's plain EfficientNet-B0 have as many parameters as MEAL V2's (TensorFlow's), but pad
    # convolutions of stride 2 on the other side: the released weights would load and misclassify.
    row = ARCHITECTURES[architecture]
    if row["library"] == "torchvision":
        network = models.get_model(row["constructor"], weights=None)
    elif row["library"] == "timm":
        network = timm.create_model(row["constructor"], pretrained=False)
    else:
        network = CORnetS()
    if architecture == "vit_base_convstem":
        network.patch_embed.proj = ConvolutionalStem()
    return network, find_modules(network, row["blocks"])


def find_modules(network: nn.Module, patterns: str) -> list[str]:
    """Name the modules that patterns of names stand for, some with a type, pattern by pattern.

    The sequential blocks are the stem, every residual or transformer block, and in plain networks every rectified
    convolution and hidden fully connected layer. A vision transformer adds positions and class token after
    patch_embed: norm_pre is where the first block's input passes. A single layer of a DenseNet only returns the
    channels that it adds, a side branch.
    """
    found = []
    for pattern in patterns.split():
        place, _, kind = pattern.partition(":")
        parts = place.split(".")
        for name, module in network.named_modules():
            own = name.split(".")
            fits = len(own) == len(parts) and all(map(fnmatchcase, own, parts))
            if fits and kind in ("", type(module).__name__):
                found.append(name)
    return found


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
