"""The networks behind the learned metrics, named so that no number stands without its network."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from metamerlib.evaluation.image_metrics.inputs import MetricUnavailableError

if TYPE_CHECKING:
    from metamerlib.models import Classifier
    from metamerlib.models.stages import Stage

INCEPTION_FILE = "pt_inception-2015-12-05-6726825d.pth"
ALEXNET_FILE = "alexnet-owt-7be5be79.pth"


@dataclass(frozen=True, eq=False)
class Backbone:
    """A classifier that lends its activations to FID, KID and LPIPS.

    Parameters
    ----------
    classifier
        The network.
    label
        Its name in tables, such as ``"mini ResNet-18"``; the classifier's own name if not given.
    feature_stage
        Where FID and KID read: the last block by default, averaged over positions, which is what a usual
        network hands to its last layer.
    patch_stages
        Where LPIPS reads.
    channels_last
        True if 4-dimensional activations are (N, H, W, C), as those of a Swin transformer are. Activations
        with three dimensions are always tokens, (N, T, C).
    batch_size
        Images per forward pass.
    """

    classifier: Classifier
    label: str = ""
    feature_stage: Stage = 1.0
    patch_stages: tuple[Stage, ...] = ("early", "middle", "late")
    channels_last: bool = False
    batch_size: int = field(default=64, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label or self.classifier.name)
        object.__setattr__(self, "patch_stages", tuple(self.patch_stages))
        if not self.patch_stages:
            raise ValueError("patch_stages is empty: LPIPS needs at least one stage to read from.")

    def features(self, images: Tensor) -> Tensor:
        """One vector per image, averaged over positions.

        Parameters
        ----------
        images
            (N, 3, H, W) in [0, 1].

        Returns
        -------
        Tensor
            (N, C) float64 on the CPU.
        """
        parts = [activations.mean(dim=2) for activations in self._activations(images, self.feature_stage)]
        return torch.cat(parts).double()

    def patches(self, images: Tensor, stage: Stage) -> Iterator[Tensor]:
        """Activations by channel and position, one batch after the other.

        Parameters
        ----------
        images
            (N, 3, H, W) in [0, 1].
        stage
            Where to read.

        Yields
        ------
        Tensor
            (B, C, positions) float64 on the CPU.
        """
        for activations in self._activations(images, stage):
            yield activations.double()

    @torch.no_grad()
    def _activations(self, images: Tensor, stage: Stage) -> Iterator[Tensor]:
        for batch in images.split(self.batch_size):
            activations = self.classifier.activations(batch.float().to(self.classifier.device), stage).cpu()
            if activations.ndim == 3 or (activations.ndim == 4 and self.channels_last):
                activations = activations.movedim(-1, 1)
            yield activations.flatten(2) if activations.ndim > 2 else activations.unsqueeze(2)


def as_backbone(backbone: Classifier | Backbone) -> Backbone:
    """Take a bare classifier for a backbone with the default stages.

    Parameters
    ----------
    backbone
        Either.

    Returns
    -------
    Backbone
        The backbone.

    Raises
    ------
    TypeError
        If it is neither.
    """
    if isinstance(backbone, Backbone):
        return backbone
    if hasattr(backbone, "activations") and hasattr(backbone, "name"):
        return Backbone(backbone)
    raise TypeError(
        f"backbone must be a Classifier, a Backbone, or the name of a downloaded network, got {backbone!r}."
    )


def downloaded_weights(file_name: str, metric: str, hint: str) -> Path:
    """Find weights in PyTorch's download folder; nothing is ever downloaded from here.

    Parameters
    ----------
    file_name
        Name of the file of weights.
    metric
        The metric that wants it, for the message.
    hint
        What to do when it is missing, for the message.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MetricUnavailableError
        If the file is not there, or is not what its name promises.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / file_name
    if not path.is_file():
        raise MetricUnavailableError(f"{metric}: {file_name} is not in {path.parent}. {hint}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    # PyTorch's convention: the name ends with the first digits of the content's hash.
    promised = path.stem.rpartition("-")[2]
    if not found.startswith(promised):
        raise MetricUnavailableError(
            f"{metric}: {path} is damaged (its SHA-256 begins with {found[: len(promised)]}, not {promised}). "
            f"Delete it. {hint}"
        )
    return path


def inception_features(images: Tensor, batch_size: int = 32) -> Tensor:
    """Compute the 2048 features of the Inception-v3 network that FID is defined by.

    Parameters
    ----------
    images
        (N, 3, H, W) in [0, 1]; rounded to 8 bits and resized to 299 x 299 on the way in, as the definition
        has it.
    batch_size
        Images per forward pass.

    Returns
    -------
    Tensor
        (N, 2048) float64.

    Raises
    ------
    MetricUnavailableError
        If the package torch-fidelity or the weights are missing.
    """
    from torchmetrics.image.fid import NoTrainInceptionV3

    path = downloaded_weights(
        INCEPTION_FILE,
        "FID and KID on Inception-v3",
        "Put it there once from https://github.com/toshas/torch-fidelity/releases (weights-inception-2015-12-05), "
        "or let a network of the zoo take its place (metric_backbone, backbone=).",
    )
    try:
        network = NoTrainInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(path))
    except ModuleNotFoundError as error:
        raise MetricUnavailableError(
            'FID and KID on Inception-v3 need the package torch-fidelity: pip install "torchmetrics[image]".'
        ) from error
    with torch.no_grad():
        parts = [network((255 * batch).round().to(torch.uint8)) for batch in images.cpu().split(batch_size)]
    return torch.cat(parts).double()
