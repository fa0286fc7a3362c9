"""Relative average spectral error: as torchmetrics computes it, and corrected."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from metamerlib.evaluation.image_metrics.inputs import unit_pair

WINDOW = 8
"""Side in pixels of the sliding window."""

SMALLEST = 2 * WINDOW
"""Side in pixels below which hardly a window lies inside the image."""


def rase(images: Tensor, references: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Relative average spectral error as torchmetrics computes it; lower is closer, 0 for identical images.

    torchmetrics divides the reference's local mean by the window's area although it is a mean already, so
    its value is ``8² = 64`` times the percentage that the definition means: see :func:`rase_corrected`. It is
    kept because the paper, which used torchmetrics, must have reported this number. torchmetrics also
    averages the error over the batch before it squares; here every image is measured by itself.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``, at least 16 x 16 pixels.
    data_range
        The value of white. RASE is a ratio: the scale drops out.

    Returns
    -------
    Tensor
        (N,) float64 in [0, ∞]; infinite or NaN where a whole window of the reference is black.

    References
    ----------
    Wald (2002), Data Fusion: Definitions and Architectures; the paper's Table 1.
    """
    from torchmetrics.functional.image import relative_average_spectral_error

    images, references = unit_pair(images, references, data_range, SMALLEST, metric="RASE")
    values = [
        relative_average_spectral_error(images[[i]], references[[i]], window_size=WINDOW) for i in range(len(images))
    ]
    return torch.stack(values)


def rase_corrected(images: Tensor, references: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Relative average spectral error in per cent; lower is closer, 0 for identical images.

    In each window of 8 x 8 pixels: 100 times the root of the squared error, averaged over pixels and
    channels, divided by the reference's mean over pixels and channels; then the mean over windows.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``, at least 16 x 16 pixels.
    data_range
        The value of white.

    Returns
    -------
    Tensor
        (N,) float64 in [0, ∞), in per cent. Where no window of the reference is darker than one 8-bit grey
        level it is :func:`rase` divided by 64.

    Notes
    -----
    A window's mean counts as at least one 8-bit grey level, 1/255 of white: without that floor one black
    window would make the image's error infinite, and that of two identical images undefined.

    References
    ----------
    Wald (2002), Data Fusion: Definitions and Architectures.
    """
    images, references = unit_pair(images, references, data_range, SMALLEST, metric="RASE")
    # The last row and column of windows is left out, as torchmetrics does, so that the two differ by 64 only.
    squared_error = functional.avg_pool2d((images - references) ** 2, WINDOW, stride=1)[..., :-1, :-1]
    mean = functional.avg_pool2d(references, WINDOW, stride=1)[..., :-1, :-1]
    error = squared_error.mean(dim=1).sqrt() / mean.mean(dim=1).clamp_min(1 / 255)
    return 100 * error.mean(dim=(1, 2))
