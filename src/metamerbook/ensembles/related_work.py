"""One picture altered in known ways, to see what the image metrics make of it (paper, section 2, Table 1)."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from metamerlib.evaluation import METRICS, measure_images

PLAIN = tuple(key for key, metric in METRICS.items() if metric.per_image and metric.needs is None and key != "rase")
"""Metrics that one picture has without a network; of RASE the corrected one (reading 18)."""


@dataclass(frozen=True, eq=False)
class Distortions:
    """A picture, copies of it that were altered, and what the metrics say of them.

    Attributes
    ----------
    images
        Name of the alteration to (3, H, W) in [0, 1]; the first is the picture itself.
    metrics
        One row per alteration and metric: alteration, and what `image_metrics` returns.
    """

    images: dict[str, Tensor]
    metrics: pd.DataFrame


def distortions(image: Tensor, *, seed: int = 0) -> Distortions:
    """Alter a picture and measure it against itself, by the metrics that need no network.

    Parameters
    ----------
    image
        (3, H, W) in [0, 1].
    seed
        Of the noise.

    Returns
    -------
    Distortions
        A copy; one moved by three pixels; one blurred over 5 × 5 pixels; one with normal noise (standard deviation
        0.1); one with the colours inverted; and a grey picture, as metamers start from.
    """
    batch = image[None]
    noise = torch.randn(batch.shape, generator=torch.Generator().manual_seed(seed))
    altered = {
        "copy": batch,
        "moved": torch.roll(batch, (3, 3), dims=(2, 3)),
        "blurred": functional.avg_pool2d(functional.pad(batch, [2] * 4, mode="reflect"), 5, stride=1),
        "noisy": (batch + 0.1 * noise).clamp(0, 1),
        "inverted": 1 - batch,
        "grey": torch.full_like(batch, 0.5),
    }
    tables = [measure_images(one, batch, metrics=PLAIN).assign(alteration=name) for name, one in altered.items()]
    return Distortions({name: one[0] for name, one in altered.items()}, pd.concat(tables, ignore_index=True))
