"""Visual information fidelity, in its pixel-domain form."""

from __future__ import annotations

import torch
from torch import Tensor

from metamerlib.evaluation.image_metrics.inputs import unit_pair

SMALLEST = 41
"""Side in pixels below which the coarsest of the four scales has no window left."""


def vif(images: Tensor, references: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Visual information fidelity; higher is closer, 1 for identical images.

    The information that a model of the visual system extracts from the image about the reference, as a share
    of what it extracts from the reference itself. More contrast than the reference's can bring it above 1.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``, at least 41 x 41 pixels.
    data_range
        The value of white. Internally 255: the variance of the visual noise, 2, presumes 8-bit grey levels,
        and images in [0, 1] would drown in it.

    Returns
    -------
    Tensor
        (N,) float64 in [0, ∞): the mean over the colour channels.

    Notes
    -----
    A channel in which the reference is flat carries no information, so its ratio is 0/0; the mean is taken
    over the other channels. If all are flat, the value is 1 for an identical image and 0 for any other.

    References
    ----------
    Sheikh and Bovik (2006), Image information and visual quality; the paper's Table 1.
    """
    from torchmetrics.functional.image import visual_information_fidelity

    images, references = unit_pair(images, references, data_range, SMALLEST, metric="VIF")
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
