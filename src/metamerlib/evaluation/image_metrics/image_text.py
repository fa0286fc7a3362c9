"""CLIP image quality assessment: which of two opposite descriptions an image-text model prefers."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from metamerlib.evaluation.image_metrics.inputs import MetricUnavailableError, unit_images

CLIP_PROMPT_PAIRS: dict[str, tuple[str, str]] = {
    "natural": ("Natural photo.", "Synthetic photo."),
    "brightness": ("Bright photo.", "Dark photo."),
    "noisiness": ("Clean photo.", "Noisy photo."),
    "sharpness": ("Sharp photo.", "Blurry photo."),
    "quality": ("Good photo.", "Bad photo."),
}
"""The pairs of opposite descriptions that the published CLIP is asked with, by quality."""


@runtime_checkable
class ImageTextModel(Protocol):
    """What CLIP-IQA needs of an image-text model: for each quality its description and the opposite one."""

    name: str
    prompt_pairs: Mapping[str, tuple[str, str]]

    def pair_logits(self, images: Tensor) -> Tensor:
        """Compare float32 images (N, 3, H, W) in [0, 1] with the descriptions: (N, pairs, 2) scaled similarities."""
        ...


def clip_iqa(
    images: Tensor,
    references: Tensor | None = None,
    *,
    scorer: ImageTextModel,
    data_range: float = 1.0,
) -> Tensor:
    """How much the image-text model prefers the good description to the bad one; higher is better.

    The softmax over each pair of opposite descriptions, averaged over the pairs.

    Parameters
    ----------
    images
        (N, 3, H, W) in ``[0, data_range]``.
    references
        Not used; accepted so that all metrics are called alike.

    Returns
    -------
    Tensor
        (N,) float64 in [0, 1]; 0.5 is indifference.

    Raises
    ------
    ValueError
        If the scorer's logits have another shape than promised.

    References
    ----------
    Wang, Chan and Loy (2022), Exploring CLIP for Assessing the Look and Feel of Images.
    """
    images = unit_images(images, data_range, smallest=1, metric="CLIP-IQA")
    with torch.no_grad():
        logits = scorer.pair_logits(images.float())
    expected = (len(images), len(scorer.prompt_pairs), 2)
    if logits.shape != expected:
        raise ValueError(
            f"scorer {scorer.name!r} gave logits of shape {tuple(logits.shape)}; expected {expected}: images, pairs of "
            "prompts, two."
        )
    return logits.cpu().double().softmax(dim=2)[..., 0].mean(dim=1)


class DownloadedClip:
    """OpenAI's CLIP, through torchmetrics: the published CLIP-IQA, where packages and weights are at hand."""

    name = "openai/clip-vit-base-patch16"
    prompt_pairs = CLIP_PROMPT_PAIRS

    def pair_logits(self, images: Tensor) -> Tensor:
        """Compare images with the descriptions, as `ImageTextModel` says."""
        try:
            from torchmetrics.functional.multimodal import clip_image_quality_assessment
        except ImportError as error:
            raise MetricUnavailableError(
                'CLIP-IQA needs the packages transformers and piq: pip install "torchmetrics[multimodal]".'
            ) from error
        folder = str(self._folder())
        logging.getLogger("transformers").setLevel(logging.ERROR)  # it remarks on how the weights were saved
        prompts = tuple(self.prompt_pairs.values())
        parts = []
        for batch in images.split(64):
            try:
                # 8-bit values: the weights' own preprocessing divides by 255, whatever range torchmetrics is told.
                pixels = (255 * batch).round()
                answer = clip_image_quality_assessment(
                    pixels, model_name_or_path=folder, data_range=1.0, prompts=prompts
                )
            except OSError as error:
                raise MetricUnavailableError(f"CLIP-IQA: {folder} does not hold {self.name} whole: {error}") from error
            except AttributeError as error:
                raise MetricUnavailableError(
                    f"CLIP-IQA: the installed versions of torchmetrics and transformers do not go together ({error}). "
                    'torchmetrics 1.9 goes with "transformers<5".'
                ) from error
            parts.append(torch.stack([column.reshape(-1) for column in answer.values()], dim=1))
        share = torch.cat(parts)
        return torch.stack([share.log(), torch.log1p(-share)], dim=2)

    def _folder(self) -> Path:
        """Find the weights among what Hugging Face's tools have downloaded; given a name, those would download."""
        cache = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface") / "hub"
        cache = Path(os.environ.get("HF_HUB_CACHE") or cache).expanduser()
        kept = cache / f"models--{self.name.replace('/', '--')}"
        newest = kept / "refs" / "main"
        if not newest.is_file():
            raise MetricUnavailableError(
                f"CLIP-IQA: {self.name} is not in {cache}. Download it once with `hf download {self.name}`, or copy "
                f"the folder {kept.name} there from a machine that has it."
            )
        return kept / "snapshots" / newest.read_text("utf8").strip()
