"""What every image metric does with its two batches before it measures."""

from torch import Tensor

from metamerlib.checks import check_images, check_pair


class MetricUnavailableError(RuntimeError):
    """A learned metric's network or weights are not on this machine; the message says how to get them."""


def unit_pair(
    images: Tensor, references: Tensor, data_range: float, smallest: int, metric: str
) -> tuple[Tensor, Tensor]:
    """Check two batches and bring them to float64 in [0, 1] on the CPU."""
    # Double precision because most of these metrics subtract two nearly equal moments, and on the CPU because not every
    # accelerator has doubles.
    _check_data_range(data_range)
    check_pair(images, references, high=data_range)
    check_size(images, smallest, metric)
    return images.detach().cpu().double() / data_range, references.detach().cpu().double() / data_range


def unit_images(images: Tensor, data_range: float, smallest: int, metric: str) -> Tensor:
    """Check one batch and bring it to float64 in [0, 1] on the CPU."""
    _check_data_range(data_range)
    check_images(images, high=data_range, any_float=True)
    check_size(images, smallest, metric)
    return images.detach().cpu().double() / data_range


def check_size(images: Tensor, smallest: int, metric: str) -> None:
    """Refuse images whose shorter side is smaller than the metric's windows."""
    height, width = images.shape[-2:]
    if min(height, width) < smallest:
        raise ValueError(
            f"{metric} needs images of at least {smallest} x {smallest} pixels, got {height} x {width}: make larger "
            f"images, or leave {metric} out."
        )


def _check_data_range(data_range: float) -> None:
    if not data_range > 0:
        raise ValueError(f"data_range is the value of white and must be positive, got {data_range!r}.")
