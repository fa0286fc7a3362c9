"""Where an image starts: the initial stimulus x'₀.

The noise of an image depends on the seed and the image's index alone, never on the batch it is in or on the device:
each image has a random stream of its own, drawn on the CPU in float64.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

Stream = np.random.Generator

Initializer = Callable[..., np.ndarray]
"""(random stream, reference (3, H, W), *, radius, constant, mix) to one initial stimulus, before it is clamped."""


def l1_ball(stream: Stream, reference: np.ndarray, *, radius: float, constant: float, mix: float) -> np.ndarray:
    """Draw uniformly from the ℓ₁ ball over all values of an image, moved to a constant (Table 3).

    Over D values a point of the ball is on average radius / (D + 1) from the constant per value. At 224 px that is
    less than a millionth: literally read, the paper starts from flat grey.
    """
    # D + 1 exponentials divided by their sum are uniform on the simplex; leaving one out makes the rest uniform in
    # the corner {x ≥ 0, Σx ≤ 1}, and random signs spread that over the ball (Barthe et al. 2005).
    parts = stream.standard_exponential(reference.size + 1)
    magnitudes = parts[:-1] / parts.sum()
    signs = stream.integers(0, 2, reference.size) * 2 - 1
    return constant + radius * (signs * magnitudes).reshape(reference.shape)


def uniform_offset(stream: Stream, reference: np.ndarray, *, radius: float, constant: float, mix: float) -> np.ndarray:
    """Draw each value by itself from U(constant − radius, constant + radius)."""
    return constant + stream.uniform(-radius, radius, reference.shape)


def normal(stream: Stream, reference: np.ndarray, *, radius: float, constant: float, mix: float) -> np.ndarray:
    """Draw each value by itself from the normal distribution N(constant, radius); Feather et al. use N(0.5, 0.05)."""
    return stream.normal(constant, radius, reference.shape)


def uniform(stream: Stream, reference: np.ndarray, *, radius: float, constant: float, mix: float) -> np.ndarray:
    """Draw each value by itself from U(0, 1)."""
    return stream.random(reference.shape)


def from_reference(stream: Stream, reference: np.ndarray, *, radius: float, constant: float, mix: float) -> np.ndarray:
    """Start at the reference itself. Its residual is 0 and so is its gradient: alone it moves no image."""
    return reference


def mixed(stream: Stream, reference: np.ndarray, *, radius: float, constant: float, mix: float) -> np.ndarray:
    """Mix the reference (its share is `mix`) with U(0, 1) noise."""
    return mix * reference + (1 - mix) * stream.random(reference.shape)


INITIALIZERS: dict[str, Initializer] = {
    "l1_ball": l1_ball,
    "uniform_offset": uniform_offset,
    "normal": normal,
    "uniform": uniform,
    "reference": from_reference,
    "mix": mixed,
}
"""The initialisers by the name that `GenerationConfig.initializer` gives them."""


def initial_stimuli(
    references: Tensor, initializer: str, *, radius: float, constant: float, mix: float, seed: int, first: int = 0
) -> Tensor:
    """Draw the initial stimulus of each image; the i-th has the random stream (seed, first + i)."""
    draw = INITIALIZERS[initializer]
    stimuli = np.empty(tuple(references.shape))
    for index, reference in enumerate(references.detach().cpu().double().numpy()):
        stream = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(first + index,)))
        stimuli[index] = draw(stream, reference, radius=radius, constant=constant, mix=mix)
    # Clamped after the conversion: rounding to float32 could otherwise leave [0, 1] again.
    return torch.from_numpy(stimuli).to(references.dtype).clamp_(0, 1).to(references.device)
