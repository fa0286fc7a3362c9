"""What is optimised, and how it becomes an image: the one place that knows.

The solver asks three things of a parametrisation: `parameter`, the leaf tensor that the optimiser moves, whose first
dimension counts the images; `images()`, what it stands for, differentiable; and `constrain_()` after each step.
"""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from metamerlib.generation.projections import PROJECTIONS

_MARGIN = 1 / 510  # half a step of an 8-bit image


class Parametrization(Protocol):
    """What the solver asks for; `parameter` (N, …) is the leaf that is optimised."""

    parameter: Tensor

    def images(self) -> Tensor:
        """Return (N, 3, H, W) images in [0, 1] as a differentiable function of the parameter."""

    def constrain_(self) -> None:
        """Move the parameter back to where it may be."""


class Pixels:
    """The image as its own parameter: what the paper optimises. The initial stimuli are projected at once."""

    def __init__(self, initial: Tensor, center: Tensor, projection: str, epsilon: float, exponent: float = 1.0) -> None:
        self._constrain = PROJECTIONS[projection](center, epsilon)
        start = initial.detach().clone(memory_format=torch.contiguous_format)
        self.parameter = self._constrain(start).requires_grad_()

    def images(self) -> Tensor:
        """Return the parameter itself."""
        return self.parameter

    @torch.no_grad()
    def constrain_(self) -> None:
        """Move the images back into the allowed set."""
        self._constrain(self.parameter)


class Fourier:
    """Coefficients of a real Fourier transform, scaled by 1/f^α, through a sigmoid (Olah et al. 2017, with α = 1).

    The scale's mean square over the frequencies is 1, so that a learning rate means the same at any size of image. The
    sigmoid's range is the interval that each value may lie in: [0, 1], cut by the ℓ∞ ball. So nothing has to be
    projected. Initial values are moved at least 1/510 of the interval away from its ends, where the sigmoid has no
    inverse.

    `parameter` is (N, 3, H, W // 2 + 1, 2), real and imaginary parts of the coefficients of the sigmoid's argument,
    divided by the scale.
    """

    def __init__(self, initial: Tensor, center: Tensor, projection: str, epsilon: float, exponent: float = 1.0) -> None:
        self._size = tuple(initial.shape[2:])
        self._interval: tuple[Tensor, Tensor] | None = None
        start = initial.detach()
        if projection == "linf" and epsilon < 1:
            low, high = (center - epsilon).clamp_(0, 1), (center + epsilon).clamp_(0, 1)
            self._interval = low, high - low
            start = (start - low) / (high - low)
        self._scale = _inverse_frequencies(*self._size, exponent).to(start)[..., None]
        coefficients = torch.fft.rfft2(torch.logit(start, eps=_MARGIN), norm="ortho")
        self.parameter = (torch.view_as_real(coefficients) / self._scale).requires_grad_()

    def images(self) -> Tensor:
        """Return images in [0, 1] and in the ball as a differentiable function of the parameter."""
        coefficients = torch.view_as_complex(self.parameter * self._scale)
        share = torch.sigmoid(torch.fft.irfft2(coefficients, s=self._size, norm="ortho"))
        if self._interval is None:
            return share
        low, width = self._interval
        return low + width * share

    def constrain_(self) -> None:
        """Do nothing: every parameter stands for an allowed image."""


def _inverse_frequencies(height: int, width: int, exponent: float) -> Tensor:
    """Compute 1/f^α for the coefficients of `rfft2`, with a mean square of 1 over all of `fft2`'s."""
    vertical = torch.fft.fftfreq(height, dtype=torch.float64, device="cpu")[:, None]
    horizontal = torch.fft.fftfreq(width, dtype=torch.float64, device="cpu")
    # The mean of an image, at f = 0, gets the scale of the lowest frequency of the longer side.
    scale = torch.hypot(vertical, horizontal).clamp_(min=1 / max(height, width)) ** -exponent
    return (scale / scale.square().mean().sqrt())[:, : width // 2 + 1]


PARAMETRIZATIONS: dict[str, Callable[[Tensor, Tensor, str, float, float], Parametrization]] = {
    "pixels": Pixels,
    "fourier": Fourier,
}
"""The parametrisations by the name that `GenerationConfig.parametrization` gives them.

Each takes initial stimuli, the ball's centre, projection and radius, and the exponent of the frequencies' scale."""
