"""Total variation: how much neighbouring pixels differ."""

from __future__ import annotations

from torch import Tensor

from metamerlib.evaluation.image_metrics.inputs import unit_images


def tv(images: Tensor, references: Tensor | None = None, *, data_range: float = 1.0, per_pixel: bool = True) -> Tensor:
    """Total variation of the images; lower is smoother.

    The sum of the absolute differences between vertical and horizontal neighbours. It looks at one image
    only: there is no perfect value, and the references' own value is what to compare with.

    Parameters
    ----------
    images
        (N, 3, H, W) in ``[0, data_range]``.
    references
        Not used; accepted so that all metrics are called alike.
    data_range
        The value of white.
    per_pixel
        Divide the sum by the number of pixels and channels, so that images of different sizes compare.
        Otherwise the plain sum, which is what torchmetrics gives.

    Returns
    -------
    Tensor
        (N,) float64; in [0, 2) per pixel.

    References
    ----------
    Rudin, Osher and Fatemi (1992), Nonlinear total variation based noise removal algorithms; the paper's
    Table 1.
    """
    from torchmetrics.functional.image import total_variation

    images = unit_images(images, data_range, smallest=1, metric="TV")
    total = total_variation(images, reduction="none")
    return total / images[0].numel() if per_pixel else total
