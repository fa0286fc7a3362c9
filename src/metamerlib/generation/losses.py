"""What is minimised: the distance between an image's activations and the reference's.

A loss is built once from the reference activations of a batch and then called on the activations of the images at
every update, so that nothing about the reference is computed twice. It gives one number per image: the solver adds
them up, and since no image enters another one's number, a metamer does not depend on what else is in the batch.
"""

import torch
from torch import Tensor


class InversionLoss:
    """The paper's inversion loss ‖a′ − a‖₂ / ‖a‖₂ over the flattened activations (section 3.2; Feather et al. 2023).

    Parameters
    ----------
    reference
        (N, …) activations a of the reference images, without a gradient.

    Examples
    --------
    >>> import torch
    >>> InversionLoss(torch.tensor([[3.0, 4.0]]))(torch.tensor([[3.0, 3.0]]))
    tensor([0.2000])
    """

    def __init__(self, reference: Tensor) -> None:
        self._reference = reference.detach()
        self._norm = torch.linalg.vector_norm(self._reference.flatten(1), dim=1)

    def __call__(self, activations: Tensor) -> Tensor:
        """Measure each image's loss.

        Parameters
        ----------
        activations
            (N, …) activations a′ of the images, of the reference's shape.

        Returns
        -------
        Tensor
            (N,) losses ≥ 0; 1 is the distance of all-zero activations. Not finite where the reference's activations
            are all zero. The gradient at a′ = a is zero.
        """
        return self._relative_distance(activations)

    def residuals(self, activations: Tensor) -> Tensor:
        """Measure how far each image is from being a metamer, in the same unit whatever the loss.

        Parameters
        ----------
        activations
            (N, …) activations a′ of the images, of the reference's shape.

        Returns
        -------
        Tensor
            (N,) residuals ‖a′ − a‖₂ / ‖a‖₂, without a gradient.
        """
        return self._relative_distance(activations.detach())

    def _relative_distance(self, activations: Tensor) -> Tensor:
        return torch.linalg.vector_norm((activations - self._reference).flatten(1), dim=1) / self._norm


class SquaredInversionLoss(InversionLoss):
    """The inversion loss squared: ‖a′ − a‖₂² / ‖a‖₂².

    Its gradient has the inversion loss's direction and shrinks with the distance. Under normalised gradients, one
    model at a time, both losses therefore make the same metamers; they part ways with raw gradients, and in the
    joint mode, where the square gives the worst-matched model more weight.
    """

    def __call__(self, activations: Tensor) -> Tensor:
        """Measure each image's loss.

        Parameters
        ----------
        activations
            (N, …) activations a′ of the images, of the reference's shape.

        Returns
        -------
        Tensor
            (N,) losses ≥ 0.
        """
        return (activations - self._reference).flatten(1).square().sum(dim=1) / self._norm.square()


LOSSES: dict[str, type[InversionLoss]] = {
    "inversion": InversionLoss,
    "squared_inversion": SquaredInversionLoss,
}
"""The losses by the name that `GenerationConfig.loss` gives them."""
