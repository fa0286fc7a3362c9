"""The architectures of the paper's 31 networks at full size, from torchvision's and timm's own constructors.

Nothing is downloaded here. RobustBench's entries among them are those of version 1.1.1, compared module by module (the
tests do so again): stock architectures of torchvision and timm behind a normalisation, and one vision transformer with
a stem of convolutions.
"""

import itertools
from collections.abc import Sequence
from fnmatch import fnmatchcase

import timm
import torch
from torch import Tensor, nn
from torchvision import models

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


class RecurrentArea(nn.Module):
    """One area of CORnet-S (Kubilius et al. 2019, arXiv 1909.06161): a bottleneck applied again to its own output.

    The first of `times` times halves the resolution. The weights are shared, and each time has its own normalisation.
    """

    def __init__(self, in_channels: int, out_channels: int, times: int, scale: int = 4) -> None:
        super().__init__()
        inner = out_channels * scale
        self.times = times
        self.conv_input = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.skip = nn.Conv2d(out_channels, out_channels, 1, stride=2, bias=False)
        self.norm_skip = nn.BatchNorm2d(out_channels)
        self.conv1 = nn.Conv2d(out_channels, inner, 1, bias=False)
        self.conv2 = nn.Conv2d(inner, inner, 3, padding=1, bias=False)
        self.conv3 = nn.Conv2d(inner, out_channels, 1, bias=False)
        self.norms1 = nn.ModuleList(nn.BatchNorm2d(inner) for _ in range(times))
        self.norms2 = nn.ModuleList(nn.BatchNorm2d(inner) for _ in range(times))
        self.norms3 = nn.ModuleList(nn.BatchNorm2d(out_channels) for _ in range(times))

    def forward(self, images: Tensor) -> Tensor:
        state = self.conv_input(images)
        for time in range(self.times):
            first = time == 0
            shortcut = self.norm_skip(self.skip(state)) if first else state
            hidden = torch.relu(self.norms1[time](self.conv1(state)))
            self.conv2.stride = (2, 2) if first else (1, 1)
            hidden = torch.relu(self.norms2[time](self.conv2(hidden)))
            state = torch.relu(self.norms3[time](self.conv3(hidden)) + shortcut)
        return state


class CORnetS(nn.Module):
    """CORnet-S for normalised RGB images; the defaults are the published network's."""

    def __init__(
        self,
        num_classes: int = 1000,
        channels: Sequence[int] = (64, 128, 256, 512),
        times: Sequence[int] = (2, 4, 2),
        scale: int = 4,
    ) -> None:
        super().__init__()
        v1, v2, v4, it = channels
        self.V1 = nn.Sequential(
            nn.Conv2d(3, v1, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(v1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
            nn.Conv2d(v1, v1, 3, padding=1, bias=False),
            nn.BatchNorm2d(v1),
            nn.ReLU(inplace=True),
        )
        self.V2 = RecurrentArea(v1, v2, times[0], scale)
        self.V4 = RecurrentArea(v2, v4, times[1], scale)
        self.IT = RecurrentArea(v4, it, times[2], scale)
        self.decoder = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(it, num_classes))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        return self.decoder(self.IT(self.V4(self.V2(self.V1(images)))))
