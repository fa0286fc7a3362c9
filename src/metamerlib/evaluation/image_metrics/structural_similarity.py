"""Structural similarity."""

from __future__ import annotations

from torch import Tensor

from metamerlib.evaluation.image_metrics.inputs import unit_pair

SMALLEST = 11
"""Side in pixels of the Gaussian window (σ = 1.5)."""


def ssim(images: Tensor, references: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Structural similarity; higher is closer, 1 for identical images.

    Gaussian windows of 11 x 11 pixels (σ = 1.5) that lie wholly inside the image, constants 0.01 and 0.03,
    averaged over windows and channels.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``, at least 11 x 11 pixels.
    data_range
        The value of white.

    Returns
    -------
    Tensor
        (N,) float64 in [-1, 1].

    Notes
    -----
    Some versions of torchmetrics average over windows that reach beyond the border too, where the image is
    mirrored; here its map of windows is cut to those inside the image, as in the original.

    References
    ----------
    Wang, Bovik, Sheikh and Simoncelli (2004), Image quality assessment: from error visibility to structural
    similarity; the paper's Table 1.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    images, references = unit_pair(images, references, data_range, SMALLEST, metric="SSIM")
    # In single precision: PyTorch's double-precision convolution is some twenty times slower on a CPU, and the
    # constants keep the error below 1e-5, in nearly plain images below 1e-3. Only "equal" must not be a matter of
    # rounding.
    _, windows = structural_similarity_index_measure(
        images.float(), references.float(), data_range=1.0, return_full_image=True
    )
    border = SMALLEST // 2
    similarity = windows[..., border:-border, border:-border].double().mean(dim=(1, 2, 3))
    return similarity.clamp(-1, 1).masked_fill((images == references).flatten(1).all(dim=1), 1.0)
