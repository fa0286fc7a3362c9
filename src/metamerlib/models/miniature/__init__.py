"""Small versions of the paper's 31 networks, for the 16 categories at 64 px.

Each belongs to the family of the network it stands for and is built by the same library's class wherever that
takes sizes. A robust network has the architecture of its standard twin (the vision transformer's is a little smaller).
"""

from collections.abc import Callable

from torch import nn

from metamerlib.models.miniature import attention, convolutional
from metamerlib.models.miniature.attention import SIDE
from metamerlib.models.miniature.convolutional import kaiming_normal

MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
"""The miniatures' normalisation of images in [0, 1]."""

_BUILDERS: dict[str, Callable[[int], tuple[nn.Module, list[str]]]] = {
    "alexnet": convolutional.alexnet,
    "alexnet_robust": convolutional.alexnet,
    "alexnet_random": convolutional.alexnet,
    "vgg19": convolutional.vgg19,
    "resnet50": convolutional.resnet50,
    "resnet50_robust": convolutional.resnet50,
    "resnet50_random": convolutional.resnet50,
    "resnet18": convolutional.resnet18,
    "resnet18_robust": convolutional.resnet18,
    "wide_resnet50": convolutional.wide_resnet50,
    "wide_resnet50_robust": convolutional.wide_resnet50,
    "resnext50": convolutional.resnext50,
    "convnext_base": convolutional.convnext,
    "convnext_base_robust": convolutional.convnext,
    "deit_small": attention.deit_small,
    "deit_small_robust": attention.deit_small,
    "vit_base": attention.vit_base,
    "vit_base_robust": attention.vit_robust,
    "mlp_mixer": attention.mixer,
    "swin_base": attention.swin,
    "swin_base_robust": attention.swin,
    "xcit_small": attention.xcit,
    "xcit_small_robust": attention.xcit,
    "meal_v1_resnet50": convolutional.resnet50,
    "meal_v2_resnet50": convolutional.resnet50,
    "meal_v2_efficientnet_b0": convolutional.efficientnet_b0,
    "cornet_s": convolutional.cornet_s,
    "squeezenet": convolutional.squeezenet,
    "mobilenet_v2": convolutional.mobilenet_v2,
    "shufflenet_v2": convolutional.shufflenet_v2,
    "densenet121": convolutional.densenet121,
    # Two further trainings of one architecture, for the transfer between differently trained instances.
    "resnet18_seed1": convolutional.resnet18,
    "resnet18_seed2": convolutional.resnet18,
}

MINIATURES: tuple[str, ...] = tuple(_BUILDERS)
"""The keys of all miniatures."""

RANDOM_SEEDS = {"alexnet_random": 1, "resnet50_random": 2}
"""The networks that are only initialised (Kaiming normal) and the seeds of their weights."""


def build_miniature(key: str, classes: int = 16) -> tuple[nn.Module, list[str]]:
    """Build a miniature without trained weights, and name its sequential blocks, first to last.

    Initial weights come from torch's global generator, those of the random networks from a fixed seed.
    """
    if key not in _BUILDERS:
        raise KeyError(f"no miniature {key!r}: there are {', '.join(MINIATURES)}.")
    network, blocks = _BUILDERS[key](classes)
    if key in RANDOM_SEEDS:
        kaiming_normal(network, RANDOM_SEEDS[key])
    return network, blocks


__all__ = ["MEAN", "MINIATURES", "RANDOM_SEEDS", "SIDE", "STD", "build_miniature", "kaiming_normal"]
