"""The image metrics of the paper's Table 1: one file per family, one signature for all.

Each is called ``metric(images, references, *, data_range=1.0)`` with two batches (N, 3, H, W) and returns one
value per image, or one for the set where only sets have a value. :data:`METRICS` declares which way is better
and in which range the values lie; :func:`image_metrics` measures everything into one table.
"""

from metamerlib.evaluation.image_metrics.backbone import Backbone
from metamerlib.evaluation.image_metrics.feature_distance import (
    fid,
    frechet_distance,
    kernel_distance,
    kid,
)
from metamerlib.evaluation.image_metrics.image_text import DownloadedClip, ImageTextModel, clip_iqa
from metamerlib.evaluation.image_metrics.information_fidelity import vif
from metamerlib.evaluation.image_metrics.inputs import MetricUnavailableError
from metamerlib.evaluation.image_metrics.perceptual import lpips
from metamerlib.evaluation.image_metrics.registry import METRICS, ImageMetric
from metamerlib.evaluation.image_metrics.signal_to_noise import psnr
from metamerlib.evaluation.image_metrics.spatial_correlation import scc
from metamerlib.evaluation.image_metrics.spectral_error import rase, rase_corrected
from metamerlib.evaluation.image_metrics.structural_similarity import ssim
from metamerlib.evaluation.image_metrics.table import image_metrics
from metamerlib.evaluation.image_metrics.total_variation import tv

__all__ = [
    "METRICS",
    "Backbone",
    "DownloadedClip",
    "ImageMetric",
    "ImageTextModel",
    "MetricUnavailableError",
    "clip_iqa",
    "fid",
    "frechet_distance",
    "image_metrics",
    "kernel_distance",
    "kid",
    "lpips",
    "psnr",
    "rase",
    "rase_corrected",
    "scc",
    "ssim",
    "tv",
    "vif",
]
