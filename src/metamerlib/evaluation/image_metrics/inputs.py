"""What every image metric does with its two batches before it measures."""

from torch import Tensor

from metamerlib.checks import check_images, check_pair, real_number


class MetricUnavailableError(RuntimeError):
    """A learned metric's network or weights are not on this machine; the message says how to get them."""


def unit_pair(
    images: Tensor, references: Tensor, data_range: float, smallest: int, metric: str
) -> tuple[Tensor, Tensor]:
    """Check two batches and bring them to float64 in [0, 1] on the CPU."""
    first = unit_images(images, data_range, smallest, metric)
    check_pair(images, references, high=data_range)
    return first, unit_images(references, data_range, smallest, metric)


def unit_images(images: Tensor, data_range: float, smallest: int, metric: str) -> Tensor:
    """Check one batch and bring it to float64 in [0, 1] on the CPU."""
    # Double precision because most of these metrics subtract two nearly equal moments, and on the CPU because not every
    # accelerator has doubles.
    check_images(images, high=real_number(data_range, "data_range", above=0), any_float=True)
    check_size(images, smallest, metric)
    return images.detach().cpu().double() / data_range


def check_size(images: Tensor, smallest: int, metric: str) -> None:
    """Refuse images whose shorter side is smaller than the metric's windows."""
    if min(images.shape[-2:]) < smallest:
        raise ValueError(
            f"{metric} needs images of at least {smallest} x {smallest} pixels, got {images.shape[-2]} x "
            f"{images.shape[-1]}: make larger images, or leave {metric} out."
        )
