"""A set of labelled images: what is loaded, what metamers are made of, what they are compared with."""

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from metamerlib.checks import check_images, entries_of, names, shown


@dataclass(frozen=True)
class UnreadableImage:
    """A file that was asked for and is not in the set (its path in the folder that was loaded), and why, in words."""

    source: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


@dataclass(frozen=True, eq=False)
class StimulusSet:
    """Labelled images, checked once when the set is made.

    Attributes
    ----------
    images
        float32, (N, 3, H, W), RGB, in [0, 1].
    labels
        int64, (N,), indices into `categories`.
    categories
        The names that the labels index. A category may be without any image.
    sources
        Where each image comes from: a path in its folder, or a recipe such as ``"objects16/seed=0/cat/0003"``.
    unreadable
        Files that were left out because they could not be read.

    Raises
    ------
    TypeError
        If `images` or `labels` is not a tensor of the type given above.
    ValueError
        If the set is empty, its parts do not fit together, or a value is outside its range.
    """

    images: Tensor
    labels: Tensor
    categories: tuple[str, ...]
    sources: tuple[str, ...]
    unreadable: tuple[UnreadableImage, ...] = ()

    def __post_init__(self) -> None:
        for field in ("categories", "sources", "unreadable"):
            object.__setattr__(self, field, tuple(entries_of(getattr(self, field), field, "entries")))
        object.__setattr__(self, "categories", names(self.categories, "categories"))
        check_images(self.images)
        _check_labels(self.labels, count=len(self.images), categories=self.categories)
        if len(self.sources) != len(self.images):
            raise ValueError(
                f"sources: expected one per image, got {len(self.sources)} for {len(self.images)} images: "
                f"{shown(self.sources)}"
            )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int | slice | Sequence[int] | Sequence[bool] | Tensor) -> "StimulusSet":
        """Return the chosen images as a set of their own; a single index gives a set of one."""
        index = index.cpu().numpy() if isinstance(index, Tensor) else index
        chosen = torch.from_numpy(np.atleast_1d(np.arange(len(self))[index]).copy())
        return dataclasses.replace(
            self,
            images=self.images[chosen.to(self.images.device)],
            labels=self.labels[chosen.to(self.labels.device)],
            sources=tuple(self.sources[position] for position in chosen.tolist()),
        )

    def __repr__(self) -> str:
        height, width = self.size
        present = len(set(self.labels.tolist()))
        left_out = f", {len(self.unreadable)} unreadable left out" if self.unreadable else ""
        return (
            f"StimulusSet({len(self)} images of {height}x{width} px, "
            f"{present} of {len(self.categories)} categories{left_out})"
        )

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images in pixels."""
        return self.images.shape[2], self.images.shape[3]

    @property
    def category_names(self) -> list[str]:
        """The category of each image by name."""
        return [self.categories[label] for label in self.labels.tolist()]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the pixels, the labels and the category names, wherever the images came from."""
        digest = hashlib.sha256()
        digest.update(repr((tuple(self.images.shape), self.categories)).encode())
        for tensor, stored_as in ((self.images, "<f4"), (self.labels, "<i8")):
            digest.update(np.ascontiguousarray(tensor.detach().cpu().numpy(), dtype=stored_as))
        return digest.hexdigest()


def _check_labels(labels: Tensor, *, count: int, categories: tuple[str, ...]) -> None:
    if not isinstance(labels, Tensor) or labels.dtype != torch.int64:
        raise TypeError(f"labels: expected an int64 torch.Tensor, got {shown(labels)}")
    if labels.shape != (count,):
        raise ValueError(f"labels: expected shape ({count},), one per image, got {tuple(labels.shape)}")
    low, high = labels.min().item(), labels.max().item()
    if not (low >= 0 and high < len(categories)):
        raise ValueError(
            f"labels: expected indices 0 to {len(categories) - 1} into the {len(categories)} categories, "
            f"got {low} to {high}"
        )
