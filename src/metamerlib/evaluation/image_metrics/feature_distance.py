"""Distances between two sets of images in a network's feature space: FID and KID."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from metamerlib.evaluation.image_metrics.backbone import Backbone, as_backbone, inception_features
from metamerlib.evaluation.image_metrics.inputs import unit_pair

if TYPE_CHECKING:
    from metamerlib.models import Classifier


def fid(
    images: Tensor,
    references: Tensor,
    *,
    backbone: Classifier | Backbone | str = "inception",
    data_range: float = 1.0,
) -> Tensor:
    """Fréchet distance between the two sets' features; lower is closer, 0 for identical sets.

    Normal distributions are fitted to the features of the images and to those of the references;
    ``‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½)`` is the squared Wasserstein distance between them.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``, N ≥ 2.
    backbone
        ``"inception"``: the Inception-v3 weights the score is defined by, if they are on this machine. Or a
        classifier, whose pooled last block takes their place: then the number is that network's, and
        comparable with no published FID.
    data_range
        The value of white.

    Returns
    -------
    Tensor
        Scalar, float64, in [0, ∞).

    Notes
    -----
    The score is biased upwards, noticeably below some 2048 images, and the more the fewer there are: print
    N beside it, compare only scores of equal N, and read :func:`kid` along with it.

    The trace of ``(Σ₁Σ₂)^½`` is computed as the nuclear norm of ``X₁X₂ᵀ`` of the centred features, which is
    the same number. With fewer images than features Σ₁Σ₂ is singular, and the usual route over its
    eigenvalues loses half of the digits there.

    References
    ----------
    Heusel et al. (2017), GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium;
    the paper's Table 1.
    """
    first, second = _features(images, references, backbone, data_range, "FID")
    return frechet_distance(first, second)


def kid(
    images: Tensor,
    references: Tensor,
    *,
    backbone: Classifier | Backbone | str = "inception",
    data_range: float = 1.0,
) -> Tensor:
    """Kernel distance between the two sets' features; lower is closer, 0 for identical sets.

    The unbiased estimate of the squared maximum mean discrepancy under the kernel ``(x·y/d + 1)³``, d being
    the number of features. Unlike :func:`fid` its expectation does not depend on the number of images; it
    can come out slightly negative for sets that are alike.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``, N ≥ 2.
    backbone
        As for :func:`fid`.
    data_range
        The value of white.

    Returns
    -------
    Tensor
        Scalar, float64.

    Notes
    -----
    All N images enter at once, instead of the random subsets of other implementations, so the value is
    deterministic. Image i was made from reference i, so the two are no independent draws: the pairs (i, i)
    are left out of the cross term (Gretton et al. 2012, equation 4), without which the estimate would be
    biased downwards and identical sets would score below 0.

    References
    ----------
    Bińkowski et al. (2018), Demystifying MMD GANs; Gretton et al. (2012), A kernel two-sample test.
    """
    first, second = _features(images, references, backbone, data_range, "KID")
    return kernel_distance(first, second)


def frechet_distance(first: Tensor, second: Tensor) -> Tensor:
    """Fréchet distance between the normal distributions fitted to two samples.

    Parameters
    ----------
    first, second
        (N, D) and (M, D) samples, N and M ≥ 2.

    Returns
    -------
    Tensor
        Scalar, float64, ≥ 0.
    """
    first, second = first.double(), second.double()
    centred_1, centred_2 = first - first.mean(dim=0), second - second.mean(dim=0)
    centred_1, centred_2 = centred_1 / (len(first) - 1) ** 0.5, centred_2 / (len(second) - 1) ** 0.5
    mean_term = ((first.mean(dim=0) - second.mean(dim=0)) ** 2).sum()
    cross = torch.linalg.svdvals(centred_1 @ centred_2.T).sum()
    return (mean_term + (centred_1**2).sum() + (centred_2**2).sum() - 2 * cross).clamp_min(0)


def kernel_distance(first: Tensor, second: Tensor) -> Tensor:
    """Unbiased squared maximum mean discrepancy of two paired samples, cubic polynomial kernel.

    Parameters
    ----------
    first, second
        (N, D) samples, N ≥ 2, row i of the one paired with row i of the other.

    Returns
    -------
    Tensor
        Scalar, float64.
    """
    first, second = first.double(), second.double()
    n, dimensions = first.shape

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return ((a @ b.T) / dimensions + 1) ** 3

    cross = kernel(first, second)
    pairs = kernel(first, first) + kernel(second, second) - cross - cross.T
    return (pairs.sum() - pairs.trace()) / (n * (n - 1))


def _features(
    images: Tensor, references: Tensor, backbone: Classifier | Backbone | str, data_range: float, metric: str
) -> tuple[Tensor, Tensor]:
    images, references = unit_pair(images, references, data_range, smallest=1, metric=metric)
    if len(images) < 2:
        raise ValueError(f"{metric} compares two sets of images and needs at least 2 in each, got {len(images)}.")
    if isinstance(backbone, str):
        if backbone != "inception":
            raise ValueError(f"backbone={backbone!r} is unknown for {metric}: pass 'inception' or a Classifier.")
        return inception_features(images), inception_features(references)
    backbone = as_backbone(backbone)
    return backbone.features(images), backbone.features(references)
