"""The image metrics of the paper's Table 1 in its order, and all of them on a set of metamers as one tidy table."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from metamerlib.checks import check_choice, check_pair, entries_of, images_of, real_number
from metamerlib.evaluation.image_metrics import full_reference as direct
from metamerlib.evaluation.image_metrics.image_text import DownloadedClip, ImageTextModel, clip_iqa
from metamerlib.evaluation.image_metrics.inputs import MetricUnavailableError
from metamerlib.evaluation.image_metrics.learned import Backbone, as_backbone, fid, kid, lpips
from metamerlib.models import Classifier
from metamerlib.stimuli import StimulusSet

_AT_ONCE = 64


@dataclass(frozen=True)
class ImageMetric:
    """What is to be known about a metric before reading its numbers.

    Attributes
    ----------
    key, label
        Short name in tables, and name in figures.
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
        Smallest side in pixels.
    undefined
        When the value is not finite although the images differ, in words.
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
        ImageMetric("fid", "FID", fid, "lower", 0, math.inf, 0, per_image=False, needs="backbone"),
        ImageMetric("kid", "KID", kid, "lower", -math.inf, math.inf, 0, per_image=False, needs="backbone"),
        ImageMetric("ssim", "SSIM", direct.ssim, "higher", -1, 1, 1, smallest=direct.SSIM_SMALLEST),
        ImageMetric("psnr", "PSNR (dB)", direct.psnr, "higher", 0, math.inf, math.inf),
        ImageMetric("vif", "VIF", direct.vif, "higher", 0, math.inf, 1, smallest=direct.VIF_SMALLEST),
        ImageMetric("lpips", "LPIPS", lpips, "lower", 0, math.inf, 0, needs="backbone"),
        ImageMetric(
            *("rase", "RASE (torchmetrics)", direct.rase, "lower", 0, math.inf, 0),
            smallest=direct.RASE_SMALLEST,
            undefined="a window of the reference is black",
        ),
        ImageMetric(
            "rase_corrected", "RASE (%)", direct.rase_corrected, "lower", 0, math.inf, 0, smallest=direct.RASE_SMALLEST
        ),
        ImageMetric("scc", "SCC", direct.scc, "higher", -1, 1, 1, smallest=direct.SCC_WINDOW),
        ImageMetric("tv", "TV", direct.tv, "lower", 0, 2, None),
        ImageMetric("clip_iqa", "CLIP-IQA", clip_iqa, "higher", 0, 1, None, needs="scorer"),
    )
}
"""Every metric by its key; KID stands beside FID, the corrected RASE beside torchmetrics' own."""

COLUMNS = ["metric", "label", "image", "n", "value", "reference_value", "direction", "backbone", "reason"]


def measure_images(
    images: Tensor,
    references: StimulusSet | Tensor,
    *,
    metrics: Sequence[str] | None = None,
    backbone: Classifier | Backbone | str | Mapping[str, Classifier | Backbone | str] | None = None,
    scorer: ImageTextModel | str | None = None,
    data_range: float = 1.0,
) -> pd.DataFrame:
    """Measure metamers against their references with the metrics of the paper's Table 1.

    A metric that cannot be had (no network, images too small) keeps its row: NaN, and the reason in words.

    Parameters
    ----------
    images
        Metamers, (N, 3, H, W) in ``[0, data_range]``; metamer i was made from reference i.
    references
        The N references, at the same size.
    backbone
        The network of FID, KID and LPIPS: a classifier, a :class:`Backbone`, or ``"downloaded"`` for the published
        Inception-v3 and AlexNet, if they are on this machine. A mapping gives each of the three metrics its own.
    scorer
        The image-text model of CLIP-IQA, or ``"downloaded"`` for OpenAI's CLIP.

    Returns
    -------
    pandas.DataFrame
        One row per metric and image, or one per metric where only the set has a value. Columns: ``metric`` (key),
        ``label`` (with the network's name, as in ``"FID · mini ResNet-18"``), ``image`` (index, missing for a value of
        the set), ``n`` (images that went into the value), ``value``, ``reference_value`` (the perfect value, or for
        metrics of a single image the reference's own), ``direction`` (``"higher"`` or ``"lower"`` is better),
        ``backbone`` (network's name or missing) and ``reason`` (why there is no finite value; empty otherwise).
    """
    references = images_of(references)
    data_range = real_number(data_range, "data_range", above=0)
    check_pair(images, references, high=data_range)
    metrics = None if metrics is None else entries_of(metrics, "metrics", "names of metrics")
    for key in metrics or ():
        check_choice(key, list(METRICS), "metrics")
    rows: list[dict[str, Any]] = []
    for metric in METRICS.values():
        if metrics is None or metric.key in metrics:
            rows += _measure(metric, images, references, _network(metric, backbone, scorer), data_range)
    return pd.DataFrame(rows, columns=COLUMNS).astype({"image": "Int64", "backbone": "string"})


def _network(metric: ImageMetric, backbone: Any, scorer: Any) -> Any:
    """Look up what a learned metric runs on: a network, a downloaded network's name, or None."""
    if metric.needs == "scorer":
        return DownloadedClip() if isinstance(scorer, str) and scorer == "downloaded" else scorer
    if metric.needs is None:
        return None
    chosen = backbone.get(metric.key) if isinstance(backbone, Mapping) else backbone
    if isinstance(chosen, str) and chosen == "downloaded":
        return "alex" if metric.key == "lpips" else "inception"
    return chosen if chosen is None or isinstance(chosen, str) else as_backbone(chosen)


def _name(network: Any) -> str | None:
    if network is None or isinstance(network, str):
        return {"inception": "Inception-v3", "alex": "AlexNet"}.get(network, network)
    return getattr(network, "label", None) or getattr(network, "name", str(network))


def _measure(
    metric: ImageMetric, images: Tensor, references: Tensor, network: Any, data_range: float
) -> list[dict[str, Any]]:
    name = _name(network)
    label = f"{metric.label} · {name}" if name else metric.label
    common = {"metric": metric.key, "label": label, "direction": metric.direction, "backbone": name, "reason": ""}
    of_set = common | {"image": None, "n": len(images), "value": math.nan, "reference_value": math.nan}
    if metric.needs is not None and network is None:
        kind = "network" if metric.needs == "backbone" else "image-text model"
        return [of_set | {"reason": f"no {kind} given: pass {metric.needs}="}]
    side = min(images.shape[-2:])
    if side < metric.smallest:
        return [of_set | {"reason": f"needs images of {metric.smallest} pixels or more, these have {side}"}]
    if not metric.per_image and len(images) < 2:
        return [of_set | {"reason": "compares sets of images and needs at least two"}]
    options = {} if metric.needs is None else {metric.needs: network}
    try:
        values = _values(metric, images, references, data_range, options)
        if metric.perfect is None:
            of_references = _values(metric, references, references, data_range, options).tolist()
        else:
            of_references = [float(metric.perfect)] * len(images)
    except MetricUnavailableError as error:
        return [of_set | {"reason": str(error)}]
    if not metric.per_image:
        return [of_set | {"value": float(values), "reference_value": of_references[0]}]
    return [
        common
        | {"image": i, "n": 1, "value": value, "reference_value": of_reference}
        | {"reason": "" if math.isfinite(value) else metric.undefined}
        for i, (value, of_reference) in enumerate(zip(values.tolist(), of_references, strict=True))
    ]


def _values(
    metric: ImageMetric, images: Tensor, references: Tensor, data_range: float, options: dict[str, Any]
) -> Tensor:
    """Apply a metric; to some images at a time where each has its own value: windows of 224 px take 40 MB an image."""
    count = _AT_ONCE if metric.per_image else len(images)
    parts = zip(images.split(count), references.split(count), strict=True)
    values = [metric.function(*pair, data_range=data_range, **options) for pair in parts]
    return torch.cat(values) if metric.per_image else values[0]
