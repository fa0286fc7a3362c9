"""Targeted adversarial examples, made to be compared with metamers under the same restriction (section 4.6).

The paper likens metamers in a small ball to adversarial examples, without showing any. These are made by projected
gradient descent on the same images and models, in the same balls.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from metamerlib.checks import (
    LARGEST_SEED,
    check_choice,
    check_classifiers,
    check_images,
    real_number,
    shown,
    whole_number,
)
from metamerlib.generation.projections import PROJECTIONS
from metamerlib.generation.steps import GRADIENT_RULES
from metamerlib.models import Classifier
from metamerlib.models.device import naming_batch_size
from metamerlib.models.independence import check_independence

STEP_RULES = {"linf": "sign", "l2": "normalized"}
"""Which way of taking the gradient belongs to which ball."""


@dataclass(frozen=True, eq=False)
class AdversarialExamples:
    """Images that a set of models was made to take for something else.

    Attributes
    ----------
    images
        (N, 3, H, W) in [0, 1], on the CPU, in the ball around the originals.
    targets
        (N,) int64: the class that each was pushed towards.
    predictions
        (N, models) int64: the class each of the named models gives each image.
    """

    images: Tensor
    targets: Tensor
    predictions: Tensor
    models: tuple[str, ...]

    @property
    def success(self) -> pd.DataFrame:
        """For each model, the share of images that it takes for their target: ``model``, ``n``, ``fooled``."""
        fooled = (self.predictions == self.targets[:, None]).double().mean(dim=0)
        return pd.DataFrame({"model": self.models, "n": len(self.images), "fooled": fooled.tolist()})


def adversarial_examples(
    images: Tensor,
    models: Iterable[Classifier],
    *,
    targets: Tensor | None = None,
    epsilon: float = 8 / 255,
    ball: str = "linf",
    steps: int = 100,
    step_size: float | None = None,
    seed: int = 0,
    batch_size: int = 64,
) -> AdversarialExamples:
    """Change images until all models of a set take them for a given other class.

    Projected gradient descent on the mean cross-entropy of the models, from a random point of the ball.

    Parameters
    ----------
    images
        Originals, (N, 3, H, W) in [0, 1].
    models
        The models to fool, together. They have to share their categories and their device.
    targets
        (N,) int64, the class to push each image towards; by default drawn from all but the original's likeliest.
    epsilon
        The ball's radius, in pixel values.
    ball
        ``"linf"`` (steps along the gradient's sign) or ``"l2"`` (along the normalised gradient).
    step_size
        Length of a step, in pixel values; ``2.5 epsilon / steps`` by default (Madry et al.).
    seed
        Image i's random numbers depend on the seed and on i only.

    Returns
    -------
    AdversarialExamples
        The images, their targets and what each model says.

    Raises
    ------
    TypeError
        If `targets` is no int64 tensor.
    ValueError
        If the models do not fit together, a target is not a category, or a number is out of range.

    References
    ----------
    Madry et al. (2018), Towards Deep Learning Models Resistant to Adversarial Attacks.
    """
    check_images(images, any_float=True)
    check_choice(ball, list(STEP_RULES), "ball")
    models = check_classifiers(models, "models", alike=True, at_least=2)
    if len({model.device for model in models}) > 1:
        raise ValueError(f"models are on different devices ({', '.join(str(m.device) for m in models)}): move them.")
    for model in models:
        check_independence(model, images)
    epsilon, batch_size = real_number(epsilon, "epsilon", above=0), whole_number(batch_size, "batch_size", at_least=1)
    steps, seed = whole_number(steps, "steps", at_least=1), whole_number(seed, "seed", at_most=LARGEST_SEED)
    if step_size is None:
        step_size = 2.5 * min(epsilon, _widest(images, ball)) / steps
    step_size = real_number(step_size, "step_size", above=0)
    originals = images.detach().float().cpu()
    classes = len(models[0].categories)
    streams = [np.random.default_rng(np.random.SeedSequence([seed, i])) for i in range(len(originals))]
    attacking = f"attacking {' + '.join(model.name for model in models)}"
    if targets is None:
        with naming_batch_size(attacking, batch_size):
            targets = _draw_targets(originals, models, streams, batch_size)
    if not isinstance(targets, Tensor) or targets.dtype != torch.int64:
        raise TypeError(f"targets is {shown(targets)}: give an int64 tensor with a class for each image.")
    targets = targets.cpu()
    if targets.shape != (len(originals),) or not ((targets >= 0) & (targets < classes)).all():
        raise ValueError(
            f"targets is {shown(targets)}: give a class in 0 … {classes - 1} for each of {len(originals)} images."
        )
    starts = torch.stack([_start(image, ball, epsilon, s) for image, s in zip(originals, streams, strict=True)])
    batches = zip(originals.split(batch_size), starts.split(batch_size), targets.split(batch_size), strict=True)
    with naming_batch_size(attacking, batch_size):
        fooling = torch.cat([_descend(*batch, models, ball, epsilon, steps, step_size) for batch in batches])
    predictions = torch.stack([model.predict(fooling, batch_size=batch_size).cpu() for model in models], dim=1)
    return AdversarialExamples(fooling, targets, predictions, tuple(model.name for model in models))


def _descend(
    originals: Tensor,
    starts: Tensor,
    targets: Tensor,
    models: list[Classifier],
    ball: str,
    epsilon: float,
    steps: int,
    step_size: float,
) -> Tensor:
    device = models[0].device
    targets = targets.to(device)
    constrain = PROJECTIONS[ball](originals.to(device), epsilon)
    direction_of = GRADIENT_RULES[STEP_RULES[ball]]
    images = constrain(starts.to(device))
    for _ in range(steps):
        images.requires_grad_()
        loss = sum(functional.cross_entropy(model(images), targets, reduction="sum") for model in models)
        (gradient,) = torch.autograd.grad(loss / len(models), images)
        # A gradient that is not finite moves no image.
        direction = torch.nan_to_num(direction_of(gradient), nan=0.0, posinf=0.0, neginf=0.0)
        images = constrain(images.detach() - step_size * direction)
    return images.cpu()


def _start(original: Tensor, ball: str, epsilon: float, stream: np.random.Generator) -> Tensor:
    """Draw a uniform point of the ball around an image, or of as much of it as images can use."""
    radius = min(epsilon, _widest(original[None], ball))
    if ball == "linf":
        noise = stream.uniform(-radius, radius, original.shape)
    else:
        noise = stream.standard_normal(original.shape)
        noise *= radius * stream.random() ** (1 / noise.size) / np.linalg.norm(noise)
    return (original + torch.from_numpy(noise).float()).clamp(0, 1)


def _widest(images: Tensor, ball: str) -> float:
    """Give the largest distance between two images in [0, 1]."""
    return 1.0 if ball == "linf" else float(images[0].numel() ** 0.5)


@torch.no_grad()
def _draw_targets(
    originals: Tensor, models: list[Classifier], streams: list[np.random.Generator], batch_size: int
) -> Tensor:
    batches = [batch.to(models[0].device) for batch in originals.split(batch_size)]
    mean = sum(torch.cat([model(batch).softmax(dim=1).cpu() for batch in batches]).double() for model in models)
    classes = mean.shape[1]
    # Any of the other classes with equal probability: 1 to classes - 1 steps ahead, in a circle.
    ahead = torch.tensor([int(stream.integers(1, classes)) for stream in streams])
    return (mean.argmax(dim=1) + ahead) % classes
