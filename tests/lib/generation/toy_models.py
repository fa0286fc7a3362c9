"""Small networks whose metamers are known, or whose misbehaviour is."""

import weakref

import torch
from torch import nn

from metamerlib.models import Classifier
from metamerlib.models.independence import trust

CATEGORIES = ("cat", "dog")


def wrap(tap, name="toy", *, head=None, **options):
    """A classifier that is tapped at `tap`, its stage "late" (and every other one); trusted, so that passes count."""
    options = {"categories": CATEGORIES, "blocks": ["tap"], **options}
    return trust(Classifier(Body(tap, head or nn.Flatten()), name=name, **options))


class Body(nn.Module):
    def __init__(self, tap, head):
        super().__init__()
        self.tap, self.head = tap, head

    def forward(self, images):
        return self.head(self.tap(images))


class Linear(nn.Module):
    """Some linear measurements of the pixels: an image's metamers are an affine subspace."""

    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, images):
        return images.flatten(1) @ self.weight.T


def measurements(count, size, seed=0):
    weight = torch.randn(count, 3 * size * size, generator=torch.Generator().manual_seed(seed))
    return weight / weight.norm(dim=1, keepdim=True)


class Pixels(nn.Module):
    """Passes on some columns of the image."""

    def __init__(self, columns):
        super().__init__()
        self.columns = columns

    def forward(self, images):
        return images[..., self.columns]


class Smooth(nn.Sequential):
    """A small smooth convolutional network."""

    def __init__(self, seed=0, channels=6):
        super().__init__(nn.Conv2d(3, channels, 3, padding=1), nn.Tanh(), nn.Conv2d(channels, channels, 3, stride=2))
        generator = torch.Generator().manual_seed(seed)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3


class Rectified(nn.Sequential):
    """A small convolutional network that ends in a ReLU."""

    def __init__(self, seed=0, inplace=False):
        super().__init__(*Smooth(seed), nn.ReLU(inplace))


class Function(nn.Module):
    """A module made of a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, images):
        return self.function(images)


class Spy(nn.Module):
    """Counts the forward passes, keeps an eye on the outputs that are still alive, and can break down."""

    def __init__(self, inner, fail_at=None):
        super().__init__()
        self.inner, self.fail_at = inner, fail_at
        self.calls, self.most_alive, self._outputs = 0, 0, []

    def forward(self, images):
        self.calls += 1
        if self.calls == self.fail_at:
            raise KeyboardInterrupt
        self._outputs = [output for output in self._outputs if output() is not None]
        self.most_alive = max(self.most_alive, len(self._outputs))
        output = self.inner(images)
        self._outputs.append(weakref.ref(output))
        return output


def random_images(count=4, size=8, seed=0, low=0.0, high=1.0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, size, size, generator=generator) * (high - low) + low


class ConvolutionalStem(nn.Module):
    """Convolution, batch norm and tokens, as at the bottom of some transformers."""

    def __init__(self, seed=0, channels=8):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.convolution = nn.Conv2d(3, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.mix = nn.Linear(channels, channels)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3

    def forward(self, images):
        return self.mix(self.norm(self.convolution(images)).flatten(2).transpose(1, 2))
