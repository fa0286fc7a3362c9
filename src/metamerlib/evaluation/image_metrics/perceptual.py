"""Learned perceptual image patch similarity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from metamerlib.evaluation.image_metrics.backbone import (
    ALEXNET_FILE,
    Backbone,
    as_backbone,
    downloaded_weights,
)
from metamerlib.evaluation.image_metrics.inputs import check_size, unit_pair

if TYPE_CHECKING:
    from metamerlib.models import Classifier

SMALLEST_ALEXNET = 32
"""Side in pixels below which AlexNet's pooling layers run out of positions."""


def lpips(
    images: Tensor,
    references: Tensor,
    *,
    backbone: Classifier | Backbone | str = "alex",
    data_range: float = 1.0,
) -> Tensor:
    """Learned perceptual distance; lower is closer, 0 for identical images.

    At several layers of a network, the activations at each position are scaled to unit length over the
    channels; the squared distance between the two images' activations is averaged over positions.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``.
    backbone
        ``"alex"``: the published metric, five layers of ImageNet's AlexNet with the weights that Zhang et al.
        fitted to human judgements, if AlexNet is on this machine. Or a classifier: then nothing is fitted,
        all channels count alike (the "baseline" of Zhang et al.), and the mean over its ``patch_stages`` is
        taken.
    data_range
        The value of white.

    Returns
    -------
    Tensor
        (N,) float64; in [0, 4] for a classifier, in practice below 1.

    Raises
    ------
    ValueError
        If a string other than ``"alex"`` is given.

    References
    ----------
    Zhang, Isola, Efros, Shechtman and Wang (2018), The Unreasonable Effectiveness of Deep Features as a
    Perceptual Metric; the paper's Table 1.
    """
    images, references = unit_pair(images, references, data_range, smallest=1, metric="LPIPS")
    if not isinstance(backbone, str):
        return _unfitted(images, references, as_backbone(backbone))
    if backbone != "alex":
        raise ValueError(f"backbone={backbone!r} is unknown for LPIPS: pass 'alex' or a Classifier.")
    return _alexnet(images, references)


def _unfitted(images: Tensor, references: Tensor, backbone: Backbone) -> Tensor:
    total = torch.zeros(len(images), dtype=torch.float64)
    for stage in backbone.patch_stages:
        batches = zip(backbone.patches(images, stage), backbone.patches(references, stage), strict=True)
        distances = [((_unit(first) - _unit(second)) ** 2).sum(dim=1).mean(dim=1) for first, second in batches]
        total += torch.cat(distances)
    return total / len(backbone.patch_stages)


def _unit(patches: Tensor) -> Tensor:
    """Scale to unit length over channels; where all channels are silent the zero vector stays."""
    return patches / patches.norm(dim=1, keepdim=True).clamp_min(1e-10)


def _alexnet(images: Tensor, references: Tensor, batch_size: int = 32) -> Tensor:
    check_size(images, SMALLEST_ALEXNET, "LPIPS on AlexNet")
    downloaded_weights(
        ALEXNET_FILE,
        "LPIPS on AlexNet",
        "`metamerlib zoo fetch alexnet` with this folder as --folder puts it there; or let a network of the zoo take "
        "its place (metric_backbone, backbone=).",
    )
    from torchmetrics.functional.image import learned_perceptual_image_patch_similarity

    values = [
        # normalize=True says that the input is in [0, 1]; without it [-1, 1] is presumed, silently.
        learned_perceptual_image_patch_similarity(
            first.float(), second.float(), net_type="alex", reduction="none", normalize=True
        ).reshape(-1)
        for first, second in zip(images.split(batch_size), references.split(batch_size), strict=True)
    ]
    return torch.cat(values).double()
