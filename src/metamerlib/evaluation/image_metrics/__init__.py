"""The image metrics of the paper's Table 1, with one signature for all.

Each is called ``metric(images, references, *, data_range=1.0)`` with two batches (N, 3, H, W) and returns one value per
image, or one for the set where only sets have a value. `METRICS` says which way is better and in which range the values
lie; `measure_images` measures everything into one table.
"""

from metamerlib.evaluation.image_metrics.full_reference import psnr, rase, rase_corrected, scc, ssim, tv, vif
from metamerlib.evaluation.image_metrics.image_text import DownloadedClip, ImageTextModel, clip_iqa
from metamerlib.evaluation.image_metrics.inputs import MetricUnavailableError
from metamerlib.evaluation.image_metrics.learned import Backbone, fid, kid, lpips
from metamerlib.evaluation.image_metrics.table import METRICS, ImageMetric, measure_images

__all__ = [
    "METRICS",
    "Backbone",
    "DownloadedClip",
    "ImageMetric",
    "ImageTextModel",
    "MetricUnavailableError",
    "clip_iqa",
    "fid",
    "kid",
    "lpips",
    "measure_images",
    "psnr",
    "rase",
    "rase_corrected",
    "scc",
    "ssim",
    "tv",
    "vif",
]
