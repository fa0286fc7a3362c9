"""What every image metric does with its two batches before it measures."""

from __future__ import annotations

from torch import Tensor

from metamerlib.checks import check_images, check_pair


class MetricUnavailableError(RuntimeError):
    """A learned metric whose network or weights are not on this machine; the message names the hint."""


def unit_pair(
    images: Tensor, references: Tensor, data_range: float, smallest: int, metric: str
) -> tuple[Tensor, Tensor]:
    """Check two batches and bring them to float64 in [0, 1] on the CPU.

    Double precision because most of these metrics subtract two nearly equal moments, and on the CPU because
    not every accelerator has doubles.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``, row i of the one beside row i of the other.
    data_range
        The value of white.
    smallest
        Smallest height and width in pixels that the metric is defined for.
    metric
        The metric's name, for messages.

    Returns
    -------
    tuple of Tensor
        Both batches, float64 in [0, 1].

    Raises
    ------
    ValueError
        If an image is smaller than the metric's smallest size, or ``data_range`` is not positive.
    """
    _check_data_range(data_range)
    check_pair(images, references, high=data_range)
    check_size(images, smallest, metric)
    return images.detach().cpu().double() / data_range, references.detach().cpu().double() / data_range


def unit_images(images: Tensor, data_range: float, smallest: int, metric: str) -> Tensor:
    """Check one batch and bring it to float64 in [0, 1] on the CPU.

    Parameters
    ----------
    images
        (N, 3, H, W) in ``[0, data_range]``.
    data_range
        The value of white.
    smallest
        Smallest height and width in pixels that the metric is defined for.
    metric
        The metric's name, for messages.

    Returns
    -------
    Tensor
        The batch, float64 in [0, 1].

    Raises
    ------
    ValueError
        If an image is smaller than the metric's smallest size, or ``data_range`` is not positive.
    """
    _check_data_range(data_range)
    check_images(images, high=data_range, any_float=True)
    check_size(images, smallest, metric)
    return images.detach().cpu().double() / data_range


def check_size(images: Tensor, smallest: int, metric: str) -> None:
    """Refuse images that are smaller than the metric's windows.

    Parameters
    ----------
    images
        (N, 3, H, W).
    smallest
        Smallest height and width in pixels.
    metric
        The metric's name, for the message.

    Raises
    ------
    ValueError
        If the height or the width is below ``smallest``.
    """
    height, width = images.shape[-2:]
    if min(height, width) < smallest:
        raise ValueError(
            f"{metric} needs images of at least {smallest} x {smallest} pixels, got {height} x {width}: make larger "
            f"images, or leave {metric} out."
        )


def _check_data_range(data_range: float) -> None:
    if not data_range > 0:
        raise ValueError(f"data_range is the value of white and must be positive, got {data_range!r}.")
