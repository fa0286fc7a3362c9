"""Spatial correlation coefficient: whether fine details lie in the same places."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from metamerlib.evaluation.image_metrics.inputs import unit_pair

WINDOW = 8
"""Side in pixels of the local windows."""

FLAT = 1e-6
"""Standard deviation, as a share of white, below which a window of the filtered image holds no detail."""


def scc(images: Tensor, references: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Spatial correlation coefficient; higher is closer, 1 for identical images.

    Both images pass a Laplacian (8 in the middle, -1 around it); the Pearson correlation of the two is taken
    in each window of 8 x 8 pixels, and averaged over windows and channels.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``, at least 8 x 8 pixels.
    data_range
        The value of white.

    Returns
    -------
    Tensor
        (N,) float64 in [-1, 1].

    Notes
    -----
    The borders (mirrored before the filter, zeros before the windows) are torchmetrics', and on images with
    detail everywhere so is the value. torchmetrics counts a window without any detail as 0 even when it is
    empty in both images, so that an image with a plain background does not correlate with itself; here such
    a window counts as 1, and as 0 where only one of the two is empty.

    References
    ----------
    Zhou, Civco and Silander (1998), A wavelet transform method to merge Landsat TM and SPOT panchromatic
    data; the paper's Table 1.
    """
    images, references = unit_pair(images, references, data_range, WINDOW, metric="SCC")
    first, second = _windows(_laplacian(images)), _windows(_laplacian(references))
    mean_1, mean_2 = _box(first), _box(second)
    deviation_1 = (_box(first**2) - mean_1**2).clamp_min(0).sqrt()
    deviation_2 = (_box(second**2) - mean_2**2).clamp_min(0).sqrt()
    covariance = _box(first * second) - mean_1 * mean_2
    flat_1, flat_2 = deviation_1 < FLAT, deviation_2 < FLAT
    flat = flat_1 | flat_2
    correlation = covariance / (deviation_1 * deviation_2).masked_fill(flat, 1.0)
    # Rounding alone can carry a perfect correlation past 1.
    correlation = torch.where(flat, (flat_1 & flat_2).double(), correlation.clamp(-1, 1))
    return correlation.mean(dim=(1, 2, 3))


def _laplacian(images: Tensor) -> Tensor:
    kernel = -torch.ones(3, 3, dtype=images.dtype)
    kernel[1, 1] = 8
    # One mirrored pixel with the edge repeated is the same as repeating the edge.
    padded = functional.pad(images, (1, 1, 1, 1), mode="replicate")
    channels = images.shape[1]
    return functional.conv2d(padded, kernel.expand(channels, 1, 3, 3), groups=channels)


def _windows(filtered: Tensor) -> Tensor:
    before, after = WINDOW // 2, WINDOW - 1 - WINDOW // 2
    return functional.pad(filtered, (before, after, before, after))


def _box(values: Tensor) -> Tensor:
    return functional.avg_pool2d(values, WINDOW, stride=1)
