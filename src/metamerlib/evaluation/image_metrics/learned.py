"""FID, KID and LPIPS: distances in the feature space of a network, which is named beside every number."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from metamerlib.checks import shown
from metamerlib.evaluation.image_metrics.inputs import MetricUnavailableError, check_size, unit_pair
from metamerlib.models import Classifier
from metamerlib.models.device import without_autocast
from metamerlib.models.independence import check_independence
from metamerlib.models.stages import Stage

INCEPTION_FILE = "pt_inception-2015-12-05-6726825d.pth"
ALEXNET_FILE = "alexnet-owt-7be5be79.pth"

_SMALLEST_ALEXNET = 32  # side in pixels below which AlexNet's pooling layers run out of positions


@dataclass(frozen=True, eq=False)
class Backbone:
    """A classifier that lends its activations to FID, KID and LPIPS.

    Parameters
    ----------
    label
        Its name in tables, such as ``"mini ResNet-18"``; the classifier's own name if not given.
    feature_stage
        Where FID and KID read, averaged over positions: the last block by default.
    patch_stages
        Where LPIPS reads.
    channels_last
        True if 4-dimensional activations are (N, H, W, C), as a Swin transformer's. Those of three dimensions are
        always tokens, (N, T, C).
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
        """Average the activations over positions: (N, channels) float64 on the CPU."""
        return torch.cat([patches.mean(dim=2) for patches in self.patches(images, self.feature_stage)]).double()

    @torch.no_grad()
    def patches(self, images: Tensor, stage: Stage) -> Iterator[Tensor]:
        """Yield activations batch by batch: (B, channels, positions) on the CPU."""
        check_independence(self.classifier, images, stage)
        for batch in images.split(self.batch_size):
            with without_autocast(self.classifier.device):
                activations = self.classifier.activations(batch.float().to(self.classifier.device), stage).cpu()
            if activations.ndim == 3 or (activations.ndim == 4 and self.channels_last):
                activations = activations.movedim(-1, 1)
            activations = activations.flatten(2) if activations.ndim > 2 else activations.unsqueeze(2)
            if activations.is_complex():  # real and imaginary parts are channels of their own
                activations = torch.view_as_real(activations).movedim(-1, 1).flatten(1, 2)
            yield activations


Network = Classifier | Backbone | str
"""A network of the zoo or of one's own, or a downloaded one by its name."""


def as_backbone(backbone: Classifier | Backbone) -> Backbone:
    """Take a bare classifier for a backbone with the default stages."""
    if isinstance(backbone, Backbone):
        return backbone
    if hasattr(backbone, "activations") and hasattr(backbone, "name"):
        return Backbone(backbone)
    raise TypeError(f"backbone is {shown(backbone)}: give a Classifier, a Backbone, or a downloaded network's name.")


def fid(images: Tensor, references: Tensor, *, backbone: Network = "inception", data_range: float = 1.0) -> Tensor:
    """Fréchet distance between the two sets' features; lower is closer, 0 for identical sets.

    ``‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½)``, the squared Wasserstein distance between fitted normal distributions.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``, N ≥ 2.
    backbone
        ``"inception"``: the Inception-v3 weights the score is defined by, if they are on this machine. Or a
        classifier, whose pooled last block takes their place: comparable with no published FID.

    Returns
    -------
    Tensor
        Scalar, float64, in [0, ∞).

    Notes
    -----
    The score is biased upwards, noticeably below some 2048 images: compare only scores of equal N.

    References
    ----------
    Heusel et al. (2017), GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium.
    """
    return frechet_distance(*_features(images, references, backbone, data_range, "FID"))


def kid(images: Tensor, references: Tensor, *, backbone: Network = "inception", data_range: float = 1.0) -> Tensor:
    """Kernel distance between the two sets' features; lower is closer, 0 for identical sets.

    The unbiased estimate of the squared maximum mean discrepancy under the kernel ``(x·y/d + 1)³``, d being the
    number of features. Its expectation does not depend on N; for sets that are alike it can be slightly negative.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``, N ≥ 2.
    backbone
        As for :func:`fid`.

    Returns
    -------
    Tensor
        Scalar, float64.

    Notes
    -----
    All N images enter at once, not random subsets. Image i was made from reference i, so the two are no independent
    draws: the pairs (i, i) are left out of the cross term (Gretton et al. 2012, equation 4), without which identical
    sets would score below 0.

    References
    ----------
    Bińkowski et al. (2018), Demystifying MMD GANs; Gretton et al. (2012), A kernel two-sample test.
    """
    return kernel_distance(*_features(images, references, backbone, data_range, "KID"))


def frechet_distance(first: Tensor, second: Tensor) -> Tensor:
    """Compute the Fréchet distance between the normal distributions fitted to samples (N, D) and (M, D)."""
    first, second = first.double(), second.double()
    centred_1, centred_2 = first - first.mean(dim=0), second - second.mean(dim=0)
    centred_1, centred_2 = centred_1 / (len(first) - 1) ** 0.5, centred_2 / (len(second) - 1) ** 0.5
    mean_term = ((first.mean(dim=0) - second.mean(dim=0)) ** 2).sum()
    # The trace of (Σ₁Σ₂)^½ is the nuclear norm of X₁X₂ᵀ. With fewer images than features Σ₁Σ₂ is singular, and the
    # usual route over its eigenvalues loses half of the digits there.
    cross = torch.linalg.svdvals(centred_1 @ centred_2.T).sum()
    return (mean_term + (centred_1**2).sum() + (centred_2**2).sum() - 2 * cross).clamp_min(0)


def kernel_distance(first: Tensor, second: Tensor) -> Tensor:
    """Estimate the squared maximum mean discrepancy of two paired samples (N, D) without bias; cubic kernel."""
    first, second = first.double(), second.double()
    n, dimensions = first.shape

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return ((a @ b.T) / dimensions + 1) ** 3

    cross = kernel(first, second)
    pairs = kernel(first, first) + kernel(second, second) - cross - cross.T
    return (pairs.sum() - pairs.trace()) / (n * (n - 1))


def _features(
    images: Tensor, references: Tensor, backbone: Network, data_range: float, metric: str
) -> tuple[Tensor, Tensor]:
    images, references = unit_pair(images, references, data_range, smallest=1, metric=metric)
    if len(images) < 2:
        raise ValueError(f"{metric} compares two sets of images and needs at least 2 in each, got {len(images)}.")
    if isinstance(backbone, str):
        if backbone != "inception":
            raise ValueError(f"backbone={backbone!r} is unknown for {metric}: pass 'inception' or a Classifier.")
        return inception_features(images), inception_features(references)
    backbone = as_backbone(backbone)
    return backbone.features(images), backbone.features(references)


def downloaded_weights(file_name: str, metric: str, hint: str) -> Path:
    """Find weights in PyTorch's download folder; nothing is ever downloaded from here."""
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
    """Compute the (N, 2048) features of the Inception-v3 network that FID is defined by, from 8-bit images."""
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


def lpips(images: Tensor, references: Tensor, *, backbone: Network = "alex", data_range: float = 1.0) -> Tensor:
    """Learned perceptual distance; lower is closer, 0 for identical images.

    At several layers, the activations at each position are scaled to unit length over the channels; the squared
    distance between the two images' activations is averaged over positions.

    Parameters
    ----------
    images, references
        (N, 3, H, W) in ``[0, data_range]``.
    backbone
        ``"alex"``: the published metric, AlexNet with weights fitted to human judgements, if it is on this machine. Or
        a classifier: then all channels count alike (the "baseline" of Zhang et al.), and the mean over its
        ``patch_stages`` is taken.

    Returns
    -------
    Tensor
        (N,) float64; in [0, 4] for a classifier, in practice below 1.

    Raises
    ------
    ValueError
        If `backbone` is another string.

    References
    ----------
    Zhang et al. (2018), The Unreasonable Effectiveness of Deep Features as a Perceptual Metric.
    """
    images, references = unit_pair(images, references, data_range, smallest=1, metric="LPIPS")
    if not isinstance(backbone, str):
        return _unfitted(images, references, as_backbone(backbone))
    if backbone != "alex":
        raise ValueError(f"backbone={backbone!r} is unknown for LPIPS: pass 'alex' or a Classifier.")
    return _alexnet(images, references)


def _unfitted(images: Tensor, references: Tensor, backbone: Backbone) -> Tensor:
    total = torch.zeros(len(images), dtype=torch.float64)
    for stage in backbone.patch_stages:
        batches = zip(backbone.patches(images, stage), backbone.patches(references, stage), strict=True)
        distances = [((_unit(one) - _unit(other)) ** 2).sum(dim=1).mean(dim=1) for one, other in batches]
        total += torch.cat(distances)
    return total / len(backbone.patch_stages)


def _unit(patches: Tensor) -> Tensor:
    patches = patches.double()
    return patches / patches.norm(dim=1, keepdim=True).clamp_min(1e-10)


def _alexnet(images: Tensor, references: Tensor, batch_size: int = 32) -> Tensor:
    check_size(images, _SMALLEST_ALEXNET, "LPIPS on AlexNet")
    downloaded_weights(
        ALEXNET_FILE,
        "LPIPS on AlexNet",
        "`metamerlib zoo fetch alexnet` with this folder as --folder puts it there; or let a network of the zoo take "
        "its place (metric_backbone, backbone=).",
    )
    from torchmetrics.functional.image import learned_perceptual_image_patch_similarity

    values = [
        # normalize=True says that the input is in [0, 1]; without it [-1, 1] is presumed, silently.
        learned_perceptual_image_patch_similarity(
            first.float(), second.float(), net_type="alex", reduction="none", normalize=True
        ).reshape(-1)
        for first, second in zip(images.split(batch_size), references.split(batch_size), strict=True)
    ]
    return torch.cat(values).double()
