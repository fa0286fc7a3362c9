"""The paper's 31 networks as published: how each is built, what it wants, where its weights are.

Nothing is downloaded here. torchvision and timm say themselves where their weights are: those addresses are read
from the installed packages, so that they stay right. The others are written down from the authors' release pages.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import timm
from timm.models import get_pretrained_cfg, swin_transformer, vision_transformer, xcit
from torch import nn
from torchvision import models

from metamerlib.models import imagenet
from metamerlib.models.checkpoints import StateDict, rename
from metamerlib.models.registry import ZOO, ZooEntry
from metamerlib.models.weights import zoo_folder

SIDE = 224
"""Side in pixels of the images that the networks are made for."""

RAW = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
"""Mean and standard deviation that leave images in [0, 1] as they are."""

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of ImageNet's pixels."""

HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""Mean and standard deviation that map images in [0, 1] to [-1, 1]."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """A published file of weights.

    Attributes
    ----------
    url
        Where it is downloaded from.
    file
        Its name in the cache folder.
    page
        Where a person reads about it.
    sha256
        The first digits of its SHA-256 that are published with it, or all of them; empty if none are.
    sha1
        Its SHA-1, where only that is published.
    megabytes
        Its size in units of 1024² bytes as published, where it is.
    member
        The name of the weights within the tar archive that `url` leads to; empty where it leads to them directly.
    hub
        The repository on the Hugging Face Hub that it lies in; empty if it lies elsewhere.
    licence
        The weights' licence, where it is known.
    """

    url: str
    file: str
    page: str
    sha256: str = ""
    sha1: str = ""
    megabytes: float | None = None
    member: str = ""
    hub: str = ""
    licence: str | None = None


def torchvision_release(name: str) -> Release:
    """Find weights of torchvision's in the installed package.

    The first version is the one that ``pretrained=True`` of PyTorch Hub gave, the paper's source; the second
    versions of some networks were trained with another recipe to several points more.
    """
    entry = models.get_model_weights(name)["IMAGENET1K_V1"]
    file = PurePosixPath(urlsplit(entry.url).path).name
    return Release(
        url=entry.url,
        file=file,
        page=f"https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.{name}.html",
        sha256=file.rpartition("-")[2].removesuffix(".pth"),
        megabytes=entry.meta.get("_file_size"),
        licence="BSD-3-Clause (torchvision)",
    )


def timm_release(name: str) -> Release:
    """Find weights of timm's; the tag in `name` pins one training, as timm's defaults have changed before."""
    try:
        config = get_pretrained_cfg(name, allow_unregistered=False)
    except RuntimeError:  # an architecture or a tag that this version does not have
        config = None
    if config is None or not config.hf_hub_id:
        raise ValueError(f"timm {timm.__version__} does not know the weights {name!r}: install timm 1.0.9 or later.")
    hub, page = config.hf_hub_id, f"https://huggingface.co/{config.hf_hub_id}"
    url = f"{page}/resolve/main/model.safetensors"
    return Release(url=url, file=f"{name}.safetensors", page=page, licence=config.license, hub=hub)


def robustbench_release(
    entry: str, drive: str = "", github: str = "", threat: str = "Linf", file: str | None = None
) -> Release:
    """Name weights that RobustBench distributes, on Google Drive or in its GitHub releases; no hash is published."""
    # usercontent is where Drive's own page for large files leads; confirm=t answers its question about viruses.
    url = f"https://drive.usercontent.google.com/download?id={drive}&export=download&confirm=t"
    page = "https://github.com/RobustBench/robustbench"
    if github:
        url = f"{page}/releases/download/{github}"
    file = file or f"robustbench-{threat}-{entry}.pt"
    return Release(url=url, file=file, page=page, licence="MIT (RobustBench's default)")


RELEASES = json.loads((zoo_folder() / "releases.json").read_text("utf-8"))
"""Of single authors: MEAL V2; CORnet-S, whose SHA-1 is published with Brain-Score's copy of the same file; and an
AlexNet trained against perturbations of 8/255, out of Feather et al.'s (2023) archive of visual networks."""


@dataclass(frozen=True)
class PublishedNetwork:
    """One of the paper's networks as published.

    Attributes
    ----------
    architecture
        Builds the module without weights and names its blocks.
    release
        Names its published weights; None for a network that is only initialised.
    normalisation
        Mean and standard deviation per channel that it wants.
    accuracy
        As in `ZooEntry`.
    translate
        Brings the names of the published weights to those of the module.
    """

    architecture: Callable[[], imagenet.Network]
    release: Callable[[], Release] | None
    normalisation: tuple[tuple[float, float, float], tuple[float, float, float]] = IMAGENET
    accuracy: float | None = None
    translate: Callable[[StateDict, nn.Module], StateDict] | None = None


_NORMALISATIONS = {"none": RAW, "imagenet": IMAGENET, "half": HALF}

# torchvision renames its own file in the same way; the dots date from names that modules may no longer have.
_DENSENET_NAMES = rename((r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.", r"\1\2."))

_CORNET_NAMES = rename(
    (r"^V1\.conv1\.", "V1.0."),
    (r"^V1\.norm1\.", "V1.1."),
    (r"^V1\.conv2\.", "V1.4."),
    (r"^V1\.norm2\.", "V1.5."),
    (r"\.norm([123])_(\d)\.", r".norms\1.\2."),
    (r"^decoder\.linear\.", "decoder.2."),
)

TRANSLATIONS: dict[str, Callable[[StateDict, nn.Module], StateDict]] = {
    "deit_small": vision_transformer.checkpoint_filter_fn,
    "swin_base": swin_transformer.checkpoint_filter_fn,
    "xcit_small": xcit.checkpoint_filter_fn,
    "cornet_s": _CORNET_NAMES,
    "densenet121": _DENSENET_NAMES,
}
"""By architecture: what brings the names of published weights to those of the module."""


def _release(entry: ZooEntry) -> Release:
    publisher, _, name = entry.weights.partition(":")
    if publisher in ("drive", "github"):
        threat = "corruptions" if "corruptions" in entry.trained_on else "Linf"
        return robustbench_release(entry.entry, **{publisher: name}, threat=threat)
    finders = {"torchvision": torchvision_release, "timm": timm_release}
    return finders[publisher](name) if publisher in finders else Release(**RELEASES[entry.weights])


def _published(entry: ZooEntry) -> PublishedNetwork:
    return PublishedNetwork(
        partial(imagenet.build_architecture, entry.architecture),
        partial(_release, entry) if entry.weights else None,
        _NORMALISATIONS[entry.normalisation],
        entry.accuracy,
        TRANSLATIONS.get(entry.architecture),
    )


PUBLISHED = {key: _published(entry) for key, entry in ZOO.items()}
"""The networks by key, in the order of the registry."""
