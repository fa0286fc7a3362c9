"""Chapter 02: one picture altered in known ways, to see what the image metrics make of it (paper, section 2, Table 1).

Nothing is computed by tasks here.
"""

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from metamerlib.evaluation import METRICS, measure_images

PLAIN = tuple(key for key, metric in METRICS.items() if metric.per_image and metric.needs is None and key != "rase")
"""Metrics that one picture has without a network; of RASE the corrected one (reading 18)."""


def distortions(image: Tensor, *, seed: int = 0) -> tuple[dict[str, Tensor], pd.DataFrame]:
    """Alter a picture (3, H, W) and measure it against itself, by the metrics that need no network.

    Returned are the images (3, H, W) in [0, 1] by name of the distortion, the first being the picture itself, and what
    `measure_images` says of them, by distortion.
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
    tables = [measure_images(one, batch, metrics=PLAIN).assign(distortion=name) for name, one in altered.items()]
    return {name: one[0] for name, one in altered.items()}, pd.concat(tables, ignore_index=True)
