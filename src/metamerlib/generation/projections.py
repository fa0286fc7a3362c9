"""Where an image may go: the set S around its centre (paper, section 3.1), within [0, 1].

Each factory prepares a constraint for a batch once. Called on images, the constraint moves them, in place, first
into the ball and then into [0, 1]. Since the centre is in [0, 1] itself, the result is in both.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

Constraint = Callable[[Tensor], Tensor]
"""Moves a batch of images in place to where they are allowed, and returns it."""


def linf(center: Tensor, epsilon: float) -> Constraint:
    """Keep every value within ε of the centre's; from ε = 1 on only [0, 1] binds, as with the paper's 10 000."""
    if epsilon >= 1:
        return none(center, epsilon)
    low, high = (center - epsilon).clamp_(0, 1), (center + epsilon).clamp_(0, 1)
    return lambda images: images.clamp_(low, high)


def l2(center: Tensor, epsilon: float) -> Constraint:
    """Keep each image's Euclidean distance from the centre, over all its values, within ε."""
    if epsilon >= math.sqrt(center[0].numel()):  # no two images in [0, 1] are further apart
        return none(center, epsilon)

    def project(images: Tensor) -> Tensor:
        difference = images - center
        length = torch.linalg.vector_norm(difference, dim=(1, 2, 3), keepdim=True)
        shrink = (epsilon / length).clamp_(max=1)  # ε / 0 is infinite and becomes 1
        return images.copy_(center + difference * shrink).clamp_(0, 1)

    return project


def none(center: Tensor, epsilon: float) -> Constraint:
    """Allow all of [0, 1]."""
    return lambda images: images.clamp_(0, 1)


PROJECTIONS: dict[str, Callable[[Tensor, float], Constraint]] = {"linf": linf, "l2": l2, "none": none}
"""The projections by the name that `GenerationConfig.projection` gives them."""
