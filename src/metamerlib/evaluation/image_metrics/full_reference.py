"""Metrics that compare an image with its reference pixel by pixel or window by window, and total variation."""

import torch
from torch import Tensor
from torch.nn import functional

from metamerlib.evaluation.image_metrics.inputs import unit_images, unit_pair

# Smallest sides in pixels.
SSIM_SMALLEST = 11  # the Gaussian window's (σ = 1.5)
VIF_SMALLEST = 41  # below, the coarsest of the four scales has no window left
SCC_WINDOW = RASE_WINDOW = 8
RASE_SMALLEST = 2 * RASE_WINDOW  # below, hardly a window lies inside the image

FLAT = 1e-6
"""Standard deviation, as a share of white, below which a window of the filtered image holds no detail for SCC."""


def psnr(images: Tensor, references: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio in decibels; higher is closer, infinite for identical images.

    ``10 log10(data_range² / MSE)``, with the mean squared error taken over the pixels and channels of one image.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``.

    Returns
    -------
    Tensor
        (N,) float64 in [0, ∞].

    References
    ----------
    Huynh-Thu and Ghanbari (2012), The accuracy of PSNR in predicting video quality.
    """
    from torchmetrics.functional.image import peak_signal_noise_ratio

    images, references = unit_pair(images, references, data_range, smallest=1, metric="PSNR")
    return peak_signal_noise_ratio(images, references, data_range=1.0, reduction="none", dim=(1, 2, 3)).double()


def ssim(images: Tensor, references: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Structural similarity; higher is closer, 1 for identical images.

    Gaussian windows of 11 x 11 pixels (σ = 1.5) that lie wholly inside the image, constants 0.01 and 0.03, averaged
    over windows and channels.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``, at least 11 x 11 pixels.

    Returns
    -------
    Tensor
        (N,) float64 in [-1, 1].

    Notes
    -----
    Some versions of torchmetrics average over windows that reach beyond the border too; the original does not.

    References
    ----------
    Wang et al. (2004), Image quality assessment: from error visibility to structural similarity.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    images, references = unit_pair(images, references, data_range, SSIM_SMALLEST, metric="SSIM")
    # In single precision: PyTorch's double-precision convolution is some twenty times slower on a CPU, and the
    # constants keep the error below 1e-5, in nearly plain images below 1e-3. Only "equal" must not be a matter of
    # rounding.
    _, windows = structural_similarity_index_measure(
        images.float(), references.float(), data_range=1.0, return_full_image=True
    )
    border = SSIM_SMALLEST // 2
    similarity = windows[..., border:-border, border:-border].double().mean(dim=(1, 2, 3))
    return similarity.clamp(-1, 1).masked_fill((images == references).flatten(1).all(dim=1), 1.0)


def vif(images: Tensor, references: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Visual information fidelity in its pixel-domain form; higher is closer, 1 for identical images.

    The information that a model of the visual system extracts from the image about the reference, as a share of what
    it extracts from the reference itself. More contrast than the reference's can bring it above 1.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``, at least 41 x 41 pixels. They are scaled to 255: the variance of the visual
        noise, 2, presumes 8-bit grey levels.

    Returns
    -------
    Tensor
        (N,) float64 in [0, ∞): the mean over the channels in which the reference is not flat; if all are flat, 1 for
        an identical image and 0 for any other.

    References
    ----------
    Sheikh and Bovik (2006), Image information and visual quality.
    """
    from torchmetrics.functional.image import visual_information_fidelity

    images, references = unit_pair(images, references, data_range, VIF_SMALLEST, metric="VIF")
    # Only variances and covariances enter, so the common level can go: what is left is small enough for single
    # precision, in which PyTorch's convolutions are ten times faster on a CPU. A flat reference becomes exactly 0.
    level = references.mean(dim=(2, 3), keepdim=True)
    flat = (references == references[..., :1, :1]).all(dim=3, keepdim=True).all(dim=2, keepdim=True)
    level = torch.where(flat, references[..., :1, :1], level)
    planes = [(255 * (x - level)).float().flatten(0, 1).unsqueeze(1) for x in (images, references)]
    per_channel = visual_information_fidelity(*planes, reduction="none").double().view(len(images), -1)
    identical = (images == references).flatten(1).all(dim=1)
    # Where all channels are flat the mean over none of them is NaN, and a different image shows nothing of it.
    return per_channel.nanmean(dim=1).nan_to_num(nan=0.0).masked_fill(identical, 1.0)


def rase(images: Tensor, references: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Relative average spectral error as torchmetrics computes it; lower is closer, 0 for identical images.

    torchmetrics divides the reference's local mean by the window's area although it is a mean already, so its value
    is ``8² = 64`` times the percentage of the definition, :func:`rase_corrected`. The paper, which used torchmetrics,
    must have reported this number. Unlike there, every image is measured by itself.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``, at least 16 x 16 pixels.

    Returns
    -------
    Tensor
        (N,) float64 in [0, ∞]; infinite or NaN where a whole window of the reference is black.

    References
    ----------
    Wald (2002), Data Fusion: Definitions and Architectures.
    """
    from torchmetrics.functional.image import relative_average_spectral_error

    images, references = unit_pair(images, references, data_range, RASE_SMALLEST, metric="RASE")
    pairs = zip(images.split(1), references.split(1), strict=True)
    return torch.stack([relative_average_spectral_error(*pair, window_size=RASE_WINDOW) for pair in pairs])


def rase_corrected(images: Tensor, references: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Relative average spectral error in per cent; lower is closer, 0 for identical images.

    In each window of 8 x 8 pixels: 100 times the root of the squared error, averaged over pixels and channels,
    divided by the reference's mean over pixels and channels; then the mean over windows.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``, at least 16 x 16 pixels.

    Returns
    -------
    Tensor
        (N,) float64 in [0, ∞), in per cent. A window's mean counts as at least one 8-bit grey level; where no window
        of the reference is darker it is :func:`rase` divided by 64.

    References
    ----------
    Wald (2002), Data Fusion: Definitions and Architectures.
    """
    images, references = unit_pair(images, references, data_range, RASE_SMALLEST, metric="RASE")
    # The last row and column of windows is left out, as torchmetrics does, so that the two differ by 64 only.
    squared_error = functional.avg_pool2d((images - references) ** 2, RASE_WINDOW, stride=1)[..., :-1, :-1]
    mean = functional.avg_pool2d(references, RASE_WINDOW, stride=1)[..., :-1, :-1]
    error = squared_error.mean(dim=1).sqrt() / mean.mean(dim=1).clamp_min(1 / 255)
    return 100 * error.mean(dim=(1, 2))


def scc(images: Tensor, references: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Spatial correlation coefficient; higher is closer, 1 for identical images.

    Both images pass a Laplacian (8 in the middle, -1 around it); the Pearson correlation of the two is taken in each
    window of 8 x 8 pixels, and averaged over windows and channels.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``, at least 8 x 8 pixels.

    Returns
    -------
    Tensor
        (N,) float64 in [-1, 1].

    Notes
    -----
    As torchmetrics', borders included, but for windows without any detail: torchmetrics counts them as 0 even when
    they are empty in both images; here as 1, and as 0 where only one of the two is empty.

    References
    ----------
    Zhou, Civco and Silander (1998), A wavelet transform method to merge Landsat TM and SPOT panchromatic data.
    """
    images, references = unit_pair(images, references, data_range, SCC_WINDOW, metric="SCC")
    first, second = _laplacian(images), _laplacian(references)
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
    detail = functional.conv2d(padded, kernel.expand(3, 1, 3, 3), groups=3)
    before, after = SCC_WINDOW // 2, SCC_WINDOW - 1 - SCC_WINDOW // 2
    return functional.pad(detail, (before, after, before, after))


def _box(values: Tensor) -> Tensor:
    return functional.avg_pool2d(values, SCC_WINDOW, stride=1)


def tv(images: Tensor, references: Tensor | None = None, *, data_range: float = 1.0) -> Tensor:
    """Total variation: the absolute differences between neighbouring pixels, per pixel; lower is smoother.

    torchmetrics gives the sum; divided by the number of pixels and channels it compares images of different sizes.

    Parameters
    ----------
    images
        (N, 3, H, W) in ``[0, data_range]``.
    references
        Not used; accepted so that all metrics are called alike.

    Returns
    -------
    Tensor
        (N,) float64 in [0, 2).

    References
    ----------
    Rudin, Osher and Fatemi (1992), Nonlinear total variation based noise removal algorithms; the paper's Table 1.
    """
    from torchmetrics.functional.image import total_variation

    images = unit_images(images, data_range, smallest=1, metric="TV")
    return total_variation(images, reduction="none") / images[0].numel()
