"""The paper's robust networks: what RobustBench's definitions of them are, without RobustBench.

The eight entries of RobustBench 1.1.1 that the paper uses were read and compared module by module (`tests/models/
test_robustbench.py` does so again wherever that package is installed). Seven are torchvision's or timm's stock
architectures behind a fixed normalisation; one, the vision transformer of Singh et al., replaces the patch
embedding by four convolutions. They are written out here and in `metamerlib.models.published` because the package
itself is hard to keep installed beside anything else: it pins timm to 1.0.9 and gdown to 5.1.0, imports
`autoattack` where it depends on `pyautoattack`, needs setuptools below 81 for `pkg_resources`, and its constructor
of one network downloads at once while that of another raises. The weights are the files that it names.

What each network expects of its input, as in RobustBench:

=============================  ===============================================  ==========================
Salman et al. 2020             torchvision's ResNet-18, ResNet-50, Wide         ImageNet's mean and std
                               ResNet-50-2
Liu et al. 2023                timm's ConvNeXt-Base and Swin-Base               ImageNet's mean and std
Tian et al. 2022               timm's DeiT-Small                                ImageNet's mean and std
Singh et al. 2023              timm's ViT-Base with `ConvolutionalStem`         images in [0, 1] as they are
Debenedetti et al. 2022        timm's XCiT-S12, 16 px patches                   images in [0, 1] as they are
=============================  ===============================================  ==========================

AlexNet Robust, the ninth, is Feather et al.'s (2023) own training of torchvision's AlexNet.
"""

import itertools

import timm
from torch import Tensor, nn

from metamerlib.models.miniature.convolutional import Network


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of an image, at each of its places.

    Parameters
    ----------
    channels
        Number of channels.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        norm = nn.LayerNorm(channels, eps=1e-6)
        # The published weights have these two tensors directly in the layer.
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

    def forward(self, images: Tensor) -> Tensor:
        """Normalise.

        Parameters
        ----------
        images
            (N, channels, H, W).

        Returns
        -------
        Tensor
            Of the same shape.
        """
        last = images.movedim(1, -1)
        return nn.functional.layer_norm(last, self.weight.shape, self.weight, self.bias, self.eps).movedim(-1, 1)


class ConvolutionalStem(nn.Module):
    """Embed 16 px patches by four stride-2 convolutions (Singh et al. 2023, section 3).

    Parameters
    ----------
    width
        Channels after the first convolution; each further one doubles them.
    out_channels
        Token dimension.
    """

    def __init__(self, width: int = 48, out_channels: int = 768) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise([3, width, 2 * width, 4 * width, 8 * width]):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), ChannelNorm(after), nn.GELU()]
        self.stem = nn.Sequential(*layers, nn.Conv2d(8 * width, out_channels, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Embed images.

        Parameters
        ----------
        images
            (N, 3, H, W).

        Returns
        -------
        Tensor
            (N, out_channels, H/16, W/16).
        """
        return self.stem(images)


def vit_base_convstem() -> Network:
    """Build the vision transformer with a convolutional stem of Singh et al. (2023).

    Returns
    -------
    tuple
        The module and its blocks: the embedding with its positions and every transformer block.
    """
    network = timm.create_model("vit_base_patch16_224", pretrained=False)
    network.patch_embed.proj = ConvolutionalStem()
    return network, ["norm_pre", *(f"blocks.{index}" for index in range(len(network.blocks)))]
