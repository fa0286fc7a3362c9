"""The image metrics of the paper's Table 1, with one signature for all.

Each is called ``metric(images, references, *, data_range=1.0)`` with two batches (N, 3, H, W) and returns one value per
image, or one for the set where only sets have a value. `METRICS` says which way is better and in which range the values
lie; `measure_images` measures everything into one table.
"""

from metamerlib import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "full_reference": ("psnr", "rase", "rase_corrected", "scc", "ssim", "tv", "vif"),
        "image_text": ("DownloadedClip", "ImageTextModel", "clip_iqa"),
        "inputs": ("MetricUnavailableError",),
        "learned": ("Backbone", "fid", "kid", "lpips"),
        "table": ("METRICS", "ImageMetric", "measure_images"),
    },
)
