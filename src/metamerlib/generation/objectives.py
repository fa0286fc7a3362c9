"""What is minimised: a number per image, computed from the activations at a tapped layer.

An objective is built once from a batch's reference activations and then called at every update. The solver adds its
numbers up; since no image enters another one's number, a result does not depend on what else is in the batch.
"""

from typing import Protocol

import torch
from torch import Tensor


class Objective(Protocol):
    """What the solver lowers."""

    def __call__(self, activations: Tensor) -> Tensor:
        """Compute (N,) losses of (N, …) activations, differentiable."""

    def residuals(self, activations: Tensor) -> Tensor:
        """Compute (N,) distances from what is wanted, in the same unit whatever the loss, without a gradient."""


class InversionLoss:
    """The paper's inversion loss ‖a′ − a‖₂ / ‖a‖₂ over the flattened activations (section 3.2; Feather et al. 2023).

    1 is the distance of all-zero activations. Not finite where the reference's activations are all zero; the gradient
    at a′ = a is zero.
    """

    def __init__(self, reference: Tensor) -> None:
        self._reference = reference.detach()
        self._norm = torch.linalg.vector_norm(self._reference.flatten(1), dim=1)

    def __call__(self, activations: Tensor) -> Tensor:
        """Compute each image's loss."""
        return self._relative_distance(activations)

    def residuals(self, activations: Tensor) -> Tensor:
        """Compute ‖a′ − a‖₂ / ‖a‖₂ of each image, without a gradient."""
        return self._relative_distance(activations.detach())

    def _relative_distance(self, activations: Tensor) -> Tensor:
        return torch.linalg.vector_norm((activations - self._reference).flatten(1), dim=1) / self._norm


class SquaredInversionLoss(InversionLoss):
    """The inversion loss squared: ‖a′ − a‖₂² / ‖a‖₂².

    Under normalised gradients, one model at a time, both losses make the same metamers; they part ways with raw
    gradients, and in the joint mode, where the square gives the worst-matched model more weight.
    """

    def __call__(self, activations: Tensor) -> Tensor:
        """Compute each image's loss."""
        return (activations - self._reference).flatten(1).square().sum(dim=1) / self._norm.square()


LOSSES: dict[str, type[InversionLoss]] = {
    "inversion": InversionLoss,
    "squared_inversion": SquaredInversionLoss,
}
"""The objectives by the name that `GenerationConfig.loss` gives them."""
