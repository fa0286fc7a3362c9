"""The image metrics of the paper's Table 1 in its order, each with its direction and range."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from metamerlib.evaluation.image_metrics import (
    feature_distance,
    image_text,
    information_fidelity,
    perceptual,
    signal_to_noise,
    spatial_correlation,
    spectral_error,
    structural_similarity,
    total_variation,
)


@dataclass(frozen=True)
class ImageMetric:
    """What is to be known about a metric before reading its numbers.

    Attributes
    ----------
    key
        Short name in tables.
    label
        Name in figures.
    function
        ``function(images, references, *, data_range=1.0)``; learned metrics also take what ``needs`` names.
    direction
        ``"higher"`` or ``"lower"``: which is better.
    low, high
        Ends of the range.
    perfect
        Value for an image that is its reference; None for a metric that looks at one image only.
    per_image
        Whether each image has a value of its own, or only the whole set.
    needs
        ``"backbone"``, ``"scorer"`` or None: what a learned metric must be given.
    smallest
        Smallest height and width in pixels.
    undefined
        When the value is no finite number although the images differ, in words; empty if it always is one.
    """

    key: str
    label: str
    function: Callable[..., Tensor]
    direction: str
    low: float
    high: float
    perfect: float | None
    per_image: bool = True
    needs: str | None = None
    smallest: int = 1
    undefined: str = ""


METRICS: dict[str, ImageMetric] = {
    metric.key: metric
    for metric in (
        ImageMetric("fid", "FID", feature_distance.fid, "lower", 0, math.inf, 0, per_image=False, needs="backbone"),
        ImageMetric(
            "kid", "KID", feature_distance.kid, "lower", -math.inf, math.inf, 0, per_image=False, needs="backbone"
        ),
        ImageMetric(
            "ssim", "SSIM", structural_similarity.ssim, "higher", -1, 1, 1, smallest=structural_similarity.SMALLEST
        ),
        ImageMetric("psnr", "PSNR (dB)", signal_to_noise.psnr, "higher", 0, math.inf, math.inf),
        ImageMetric(
            "vif", "VIF", information_fidelity.vif, "higher", 0, math.inf, 1, smallest=information_fidelity.SMALLEST
        ),
        ImageMetric("lpips", "LPIPS", perceptual.lpips, "lower", 0, math.inf, 0, needs="backbone"),
        ImageMetric(
            "rase",
            "RASE (torchmetrics)",
            spectral_error.rase,
            "lower",
            0,
            math.inf,
            0,
            smallest=spectral_error.SMALLEST,
            undefined="a window of the reference is black",
        ),
        ImageMetric(
            "rase_corrected",
            "RASE (%)",
            spectral_error.rase_corrected,
            "lower",
            0,
            math.inf,
            0,
            smallest=spectral_error.SMALLEST,
        ),
        ImageMetric("scc", "SCC", spatial_correlation.scc, "higher", -1, 1, 1, smallest=spatial_correlation.WINDOW),
        ImageMetric("tv", "TV", total_variation.tv, "lower", 0, 2, None),
        ImageMetric("clip_iqa", "CLIP-IQA", image_text.clip_iqa, "higher", 0, 1, None, needs="scorer"),
    )
}
"""Every metric by its key, in the order of the paper's Table 1; KID stands beside FID, the corrected RASE
beside torchmetrics' own."""
