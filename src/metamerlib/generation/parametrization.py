"""What is optimised, and how it becomes an image: the one place that knows.

The solver asks three things of a parametrisation: `parameter`, the leaf tensor that the gradient is taken to and the
optimiser moves; `images()`, the images that it stands for, as a differentiable function of it; and `constrain_()`,
which puts it back to where it may be after each step. Another one, such as Fourier coefficients, offers the same
three, its parameter's first dimension counting the images.
"""

import torch
from torch import Tensor

from metamerlib.generation.projections import Constraint


class Pixels:
    """The image as its own parameter: what the paper optimises.

    Parameters
    ----------
    initial
        (N, 3, H, W) initial stimuli.
    constrain
        Moves images in place to where they are allowed. The initial stimuli are moved there at once.

    Attributes
    ----------
    parameter : Tensor
        (N, 3, H, W), the images.
    """

    def __init__(self, initial: Tensor, constrain: Constraint) -> None:
        self._constrain = constrain
        self.parameter = constrain(initial.detach().clone(memory_format=torch.contiguous_format)).requires_grad_()

    def images(self) -> Tensor:
        """Return the images as a differentiable function of the parameter.

        Returns
        -------
        Tensor
            (N, 3, H, W) in [0, 1]; here the parameter itself.
        """
        return self.parameter

    @torch.no_grad()
    def constrain_(self) -> None:
        """Move the images back into the allowed set."""
        self._constrain(self.parameter)
