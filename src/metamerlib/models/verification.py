"""Does a network see images as it was trained to? Its accuracy beside the published one tells."""

import math
import re
from collections.abc import Iterable, Mapping

import pandas as pd
import torch
from scipy.stats import binomtest
from timm.data import ImageNetInfo
from torch import Tensor

from metamerlib.checks import check_classifiers
from metamerlib.models.classifier import Classifier
from metamerlib.models.published import HALF, IMAGENET, RAW
from metamerlib.stimuli import StimulusSet

_OTHERS = {"none": RAW, "ImageNet's mean and std": IMAGENET, "mean and std 0.5": HALF}

_MARGIN = 0.05
"""How far below the published accuracy a network may stay for other reasons: crops, the selection of classes."""


def verify(
    networks: Iterable[Classifier], stimuli: StimulusSet, published: Mapping[str, float | None], *, batch_size: int = 64
) -> pd.DataFrame:
    """Measure clean accuracy beside the published one, and look for a wrong normalisation.

    A network is suspected if its accuracy is surely below the published one (`published`, by its name), or if it
    recognizes surely more images under another normalisation than under its own.
    """
    return pd.DataFrame(
        [_row(network, stimuli, published.get(network.name), batch_size) for network in networks],
        columns=["key", "n", "accuracy", "low", "high", "accuracy_1000", "published", "suspicion"],
    )


def _row(network: Classifier, stimuli: StimulusSet, published: float | None, batch_size: int) -> dict[str, object]:
    check_classifiers([network], "networks", categories=stimuli.categories)
    correct = network.predict(stimuli.images, batch_size) == stimuli.labels
    interval = binomtest(int(correct.sum()), len(correct)).proportion_ci(0.95, method="wilson")
    found = []
    if published is not None and interval.high < published - _MARGIN:
        found.append(f"accuracy is at most {interval.high:.2f}, published is {published:.2f}")
    for name, (mean, std) in _OTHERS.items() if published is not None else ():
        if torch.allclose(torch.tensor([mean, std]), torch.tensor([network.mean, network.std])):
            continue
        otherwise = network.predict(_as_if(network, stimuli.images, mean, std), batch_size) == stimuli.labels
        gained, lost = int((otherwise & ~correct).sum()), int((correct & ~otherwise).sum())
        if gained - lost > 3 * math.sqrt(gained + lost):  # McNemar's test at three standard deviations
            share = otherwise.float().mean()
            found.append(f"with the normalisation {name} it would be {share:.2f}: its own is likely wrong")
    return {
        "key": network.name,
        "n": len(correct),
        "accuracy": int(correct.sum()) / len(correct),
        "low": interval.low,
        "high": interval.high,
        "accuracy_1000": _accuracy_among_1000(network, stimuli, batch_size),
        "published": math.nan if published is None else published,
        "suspicion": "; ".join(found),
    }


def _as_if(network: Classifier, images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Change images so that the network's own normalisation makes of them what another one would have made."""
    own_mean, own_std, mean_, std_ = (
        torch.tensor(values, dtype=images.dtype, device=images.device).view(1, 3, 1, 1)
        for values in (network.mean, network.std, mean, std)
    )
    return (images - mean_) / std_ * own_std + own_mean


@torch.no_grad()
def _accuracy_among_1000(network: Classifier, stimuli: StimulusSet, batch_size: int) -> float:
    ids = [re.search(r"\bn\d{8}(?=\b|_)", source) for source in stimuli.sources]
    classes = {name: index for index, name in enumerate(ImageNetInfo("imagenet-1k").label_names())}
    if network.outputs_of_category is None or not all(found and found[0] in classes for found in ids):
        return math.nan
    wanted = torch.tensor([classes[found[0]] for found in ids if found])
    bare = [network.outputs(batch.to(network.device)).argmax(1).cpu() for batch in stimuli.images.split(batch_size)]
    return float((torch.cat(bare) == wanted).float().mean())
