"""Small versions of the paper's 31 networks, for the 16 categories at 64 px.

Each belongs to the family of the network it stands for and is built by the same library's class wherever that
takes sizes. A robust network has the architecture of its standard twin (the vision transformer's is a little smaller).
"""

from metamerlib.models.device import standard_defaults
from metamerlib.models.imagenet import Network, find_modules
from metamerlib.models.miniature import attention, convolutional
from metamerlib.models.miniature.attention import SIDE
from metamerlib.models.miniature.convolutional import kaiming_normal
from metamerlib.models.registry import ARCHITECTURES, EXTRA_INSTANCES, ZOO

MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
"""The miniatures' normalisation of images in [0, 1]."""

MINIATURES: tuple[str, ...] = (*ZOO, *EXTRA_INSTANCES)
"""The keys of all miniatures."""

RANDOM_SEEDS = {"alexnet_random": 1, "resnet50_random": 2}
"""The networks that are only initialised (Kaiming normal) and the seeds of their weights."""

_BUILDERS = convolutional.BUILDERS | attention.BUILDERS


def build_miniature(key: str) -> Network:
    """Build a miniature without trained weights, and name its sequential blocks, first to last.

    Initial weights come from torch's global generator, those of the random networks from a fixed seed.
    """
    architecture = ARCHITECTURES[ZOO[key.partition("_seed")[0]].architecture]
    with standard_defaults():
        network = _BUILDERS[architecture["architecture"]](num_classes=16)
        if key in RANDOM_SEEDS:
            kaiming_normal(network, RANDOM_SEEDS[key])
    return network, find_modules(network, architecture["blocks_of_miniature"] or architecture["blocks"])


__all__ = ["MEAN", "MINIATURES", "RANDOM_SEEDS", "SIDE", "STD", "build_miniature", "kaiming_normal"]
