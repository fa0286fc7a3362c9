"""Toy classifiers whose answer is seen at a glance, and images made for them."""

import torch
from torch import nn

from metamerlib.models import Classifier
from metamerlib.stimuli import StimulusSet

COLOURS = ("red", "green", "blue")


class ChannelMeans(nn.Module):
    """Logit c is the mean of channel ``order[c]``: the class is the strongest colour."""

    def __init__(self, order=(0, 1, 2)):
        super().__init__()
        self.order = order
        self.pixels = nn.Identity()
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x):
        return self.pool(self.pixels(x)).flatten(1)[:, list(self.order)]


def colour_classifier(name="colour", order=(0, 1, 2), categories=COLOURS, **options):
    return Classifier(ChannelMeans(order), name=name, categories=categories, blocks=["pixels", "pool"], **options)


def random_network(name="net", seed=0, categories=COLOURS, width=8):
    """A small convolutional network with random weights."""
    generator = torch.Generator().manual_seed(seed)
    module = nn.Sequential(
        nn.Conv2d(3, width, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(width, len(categories)),
    )
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
    return Classifier(module, name=name, categories=categories, blocks=["0", "1", "2", "3", "6"])


def coloured_images(labels, size=8):
    """Images whose strongest channel is the label's."""
    images = torch.full((len(labels), 3, size, size), 0.2)
    images[torch.arange(len(labels)), torch.as_tensor(labels)] = 0.8
    return images


def textured_images(n=4, size=64, seed=0):
    """Smooth random fields plus some texture, well inside [0, 1]: no flat patch anywhere."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(n, 3, 6, 6, generator=generator)
    smooth = nn.functional.interpolate(coarse, (size, size), mode="bicubic", align_corners=False)
    fine = torch.randn(n, 3, size, size, generator=generator)
    return (0.5 + 0.12 * smooth + 0.04 * fine).clamp(0.02, 0.98)


def stimulus_set(images, labels, categories=COLOURS):
    return StimulusSet(
        images=images,
        labels=torch.as_tensor(labels),
        categories=tuple(categories),
        sources=tuple(f"toy/{i}" for i in range(len(images))),
    )
