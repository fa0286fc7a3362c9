"""Where the trained weights of the paper's networks are published, and what is known about the files.

Nothing is downloaded here. torchvision and timm say themselves where their weights are: those addresses are read
from the installed packages, so that they stay right. The others are written down from the authors' release pages.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import timm
from timm.models import get_pretrained_cfg
from torchvision import models


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
    archive_megabytes
        The size of that archive.
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
    archive_megabytes: float | None = None
    licence: str | None = None

    @property
    def host(self) -> str:
        """The server that the weights come from."""
        return urlsplit(self.url).hostname or ""


def torchvision_release(name: str, weights: str = "IMAGENET1K_V1") -> Release:
    """Find weights of torchvision's in the installed package.

    The first version is the one that ``pretrained=True`` of PyTorch Hub gave, the paper's source; the second
    versions of some networks were trained with another recipe to several points more.

    Parameters
    ----------
    name
        The architecture, as for `torchvision.models.get_model`.
    weights
        Which of its weights.

    Returns
    -------
    Release
        The file; its name holds the first digits of its SHA-256.
    """
    entry = models.get_model_weights(name)[weights]
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
    """Find weights of timm's in the installed package.

    Parameters
    ----------
    name
        Architecture and tag, such as "swin_base_patch4_window7_224.ms_in22k_ft_in1k": the tag pins one training, as
        timm's default for an architecture has changed before.

    Returns
    -------
    Release
        The file on the Hugging Face Hub, whose server gives its SHA-256 with the download.

    Raises
    ------
    ValueError
        If the installed timm does not know these weights.
    """
    try:
        config = get_pretrained_cfg(name, allow_unregistered=False)
    except RuntimeError:  # an architecture or a tag that this version does not have
        config = None
    if config is None or not config.hf_hub_id:
        raise ValueError(f"timm {timm.__version__} does not know the weights {name!r}: install timm 1.0.9 or later.")
    return Release(
        url=f"https://huggingface.co/{config.hf_hub_id}/resolve/main/model.safetensors",
        file=f"{name}.safetensors",
        page=f"https://huggingface.co/{config.hf_hub_id}",
        licence=config.license,
    )


def robustbench_release(entry: str, drive: str = "", github: str = "", threat: str = "Linf") -> Release:
    """Name weights that RobustBench distributes.

    Parameters
    ----------
    entry
        RobustBench's name of the network.
    drive
        The identifier of the file on Google Drive.
    github
        Or its path below RobustBench's GitHub releases.
    threat
        RobustBench's threat model: "Linf" or "corruptions".

    Returns
    -------
    Release
        The file. No hash is published.
    """
    return Release(
        # usercontent is where Drive's own page for large files leads; confirm=t answers its question about viruses.
        url=f"https://github.com/RobustBench/robustbench/releases/download/{github}"
        if github
        else f"https://drive.usercontent.google.com/download?id={drive}&export=download&confirm=t",
        file=f"robustbench-{threat}-{entry}.pt",
        page="https://github.com/RobustBench/robustbench",
        licence="MIT (RobustBench's default)",
    )


def meal_release(file: str) -> Release:
    """Name weights of the MEAL V2 release.

    Parameters
    ----------
    file
        The file's name.

    Returns
    -------
    Release
        The file. No hash is published.
    """
    return Release(
        url=f"https://github.com/szq0214/MEAL-V2/releases/download/v1.0.0/{file}",
        file=file,
        page="https://github.com/szq0214/MEAL-V2",
    )


CORNET_S = Release(
    url="https://s3.amazonaws.com/cornet-models/cornet_s-1d3f7974.pth",
    file="cornet_s-1d3f7974.pth",
    page="https://github.com/dicarlolab/CORnet",
    sha1="a4bfd8eda33b45fd945da1b972ab0b7cad38d60f",  # published with Brain-Score's copy of the same file
    licence="GPL-3.0-or-later (CORnet)",
)
"""CORnet-S as released by its authors (Kubilius et al. 2019)."""

ALEXNET_ROBUST = Release(
    url="https://mcdermottlab.mit.edu/jfeather/model_metamers_assets/pytorch_metamers_visual_model_checkpoints.tar",
    file="alexnet_linf_8_robust_training.pt",
    page="https://github.com/jenellefeather/model_metamers_pytorch",
    member="alexnet_linf_8_robust_training.pt",
    archive_megabytes=5500,
    licence="MIT (model_metamers_pytorch)",
)
"""AlexNet trained against perturbations of 8/255, out of Feather et al.'s (2023) archive of visual networks."""
