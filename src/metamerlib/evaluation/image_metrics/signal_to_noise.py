"""Peak signal-to-noise ratio."""

from __future__ import annotations

import torch
from torch import Tensor

from metamerlib.evaluation.image_metrics.inputs import unit_pair


def psnr(images: Tensor, references: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio in decibels; higher is closer, infinite for identical images.

    ``10 log10(data_range² / MSE)``, with the mean squared error taken over the pixels and channels of one
    image, so that an image's value does not depend on the others in the batch. With images in range it is
    never negative.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``.
    data_range
        The value of white. It is never guessed from the data, which would make the value depend on the
        batch.

    Returns
    -------
    Tensor
        (N,) float64 in [0, ∞].

    References
    ----------
    Huynh-Thu and Ghanbari (2012), The accuracy of PSNR in predicting video quality for different video
    scenes and frame rates; the paper's Table 1.
    """
    from torchmetrics.functional.image import peak_signal_noise_ratio

    images, references = unit_pair(images, references, data_range, smallest=1, metric="PSNR")
    return peak_signal_noise_ratio(images, references, data_range=1.0, reduction="none", dim=(1, 2, 3)).to(
        torch.float64
    )
