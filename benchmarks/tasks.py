"""What is measured on: networks, layers, references and initial stimuli."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from metamerlib import CATEGORIES, Classifier, ModelZoo, load_stimuli
from metamerlib.generation.initializers import initial_stimuli
from metamerlib.models.imagenet import build_architecture

STAGE = "late"


@dataclass(frozen=True)
class Task:
    """Metamers to be made.

    Attributes
    ----------
    title
        As tables name it.
    models
        The ensemble.
    references, initial
        (N, 3, H, W) references and initial stimuli.
    steps
        Updates with each model in a repetition, the unit of timing.
    """

    title: str
    models: list[Classifier]
    references: Tensor
    initial: Tensor
    steps: int = 10

    @property
    def layers(self) -> list[str]:
        """The tapped module of each model."""
        return [model.layer(STAGE) for model in self.models]


def _images(count: int, size: int) -> tuple[Tensor, Tensor]:
    references = load_stimuli("objects16", n_per_class=-(-count // 16), seed=0, size=size).images[:count]
    initial = initial_stimuli(references, "l1_ball", radius=0.1, constant=0.5, mix=0.5, seed=0)
    return references, initial


def _miniatures(name: str, *keys: str, count: int) -> Task:
    zoo = ModelZoo("mini")
    return Task(f"{name}, 64 px, {count} images", [zoo[key] for key in keys], *_images(count, 64))


def _full_size() -> Task:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # torchvision's constructors draw weights from the global state
        module, blocks = build_architecture("resnet18")
    model = Classifier(
        module,
        name="resnet18",
        categories=CATEGORIES,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        blocks=blocks,
        outputs_of_category=[[index] for index in range(len(CATEGORIES))],
    )
    return Task("torchvision ResNet-18, 224 px, 4 images", [model], *_images(4, 224), steps=2)


TASKS: dict[str, Callable[[], Task]] = {
    "vgg19": lambda: _miniatures("mini VGG-19", "vgg19", count=16),
    "resnet18": lambda: _miniatures("mini ResNet-18", "resnet18", count=16),
    "vit_base": lambda: _miniatures("mini ViT-B", "vit_base", count=16),
    "resnet18_224": _full_size,
    "cnns": lambda: _miniatures("4 mini CNNs", *ModelZoo("mini").model_sets["CNN"], count=8),
    "transformers": lambda: _miniatures("4 mini transformers", *ModelZoo("mini").model_sets["Transformers"], count=8),
    "vgg19_8": lambda: _miniatures("mini VGG-19", "vgg19", count=8),
    "resnet18_8": lambda: _miniatures("mini ResNet-18", "resnet18", count=8),
    "small": lambda: _miniatures("mini ResNet-18", "resnet18", count=4),
}
"""The tasks by name, each built when it is called. "small" is for a quick look."""


def build(name: str, device: str) -> Task:
    """Build a task on a device.

    Parameters
    ----------
    name
        One of `TASKS`.
    device
        A torch device.

    Returns
    -------
    Task
        Its models and images on the device.
    """
    task = TASKS[name]()
    models = [model.to(device) for model in task.models]
    return Task(task.title, models, task.references.to(device), task.initial.to(device), task.steps)
