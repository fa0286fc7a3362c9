"""Photographs out of files: a seeded choice, read until there are enough, and what could not be read."""

import hashlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from metamerlib.checks import shown
from metamerlib.stimuli.decoding import decode_photograph
from metamerlib.stimuli.stimulus_set import StimulusSet, UnreadableImage

_MOST_LISTED = 50  # a folder that holds something else altogether would fill the screen


class UnreadableImagesError(ValueError):
    """Some files of an image folder are unreadable; the message names them, of very many the first.

    Attributes
    ----------
    unreadable
        All of these files with their reasons.
    """

    def __init__(self, root: Path, unreadable: Sequence[UnreadableImage]) -> None:
        self.unreadable = tuple(unreadable)
        super().__init__(
            f"{_listing(root, unreadable)}\nMend or remove them, or leave them out with on_unreadable='report'."
        )


class UnreadableImagesWarning(UserWarning):
    """Some files of an image folder were left out, being unreadable; the message names them, of very many the first."""


@dataclass(frozen=True)
class Photograph:
    """A file that may be read.

    Attributes
    ----------
    source
        How the stimulus set calls it.
    path
        Where it is.
    """

    source: str
    path: Path


def read_photographs(
    root: Path,
    files: Mapping[str, Sequence[Photograph]],
    categories: tuple[str, ...],
    *,
    n_per_class: int | None,
    seed: int,
    size: int,
    on_unreadable: Literal["raise", "report"],
    check_counts: Callable[[dict[str, int]], None],
    strays: Sequence[UnreadableImage] = (),
) -> StimulusSet:
    """Read photographs of each category.

    Parameters
    ----------
    root
        The folder that is read, for messages.
    files
        What there is of each category.
    categories
        The names that the labels index.
    n_per_class
        How many to take of each category; None takes all. Which ones depends only on `seed`, the category and the
        names of the files, and a larger number adds to a smaller one's.
    seed
        Of that choice.
    size
        Height and width of the images in pixels.
    on_unreadable
        "raise" one error that names all files that cannot be read, or "report": leave them out, take the next ones in
        their place, issue an `UnreadableImagesWarning` and list them in ``StimulusSet.unreadable``.
    check_counts
        Raises an error if there are not enough images of a category; called with their numbers, before reading and
        again if some were left out.
    strays
        Files that do not belong there, which count as unreadable.

    Returns
    -------
    StimulusSet
        Images (N, 3, size, size), ordered by category and then by source.

    Raises
    ------
    ValueError
        If an argument is outside its range, or from `check_counts`.
    UnreadableImagesError
        If files cannot be read and `on_unreadable` is "raise".
    """
    if size < 1:
        raise ValueError(f"size: expected a number of pixels from 1, got {size}")
    if n_per_class is not None and n_per_class < 1:
        raise ValueError(f"n_per_class: expected a number of images from 1, or None for all, got {n_per_class}")
    if not isinstance(on_unreadable, str) or on_unreadable not in ("raise", "report"):
        raise ValueError(f"on_unreadable: expected 'raise' or 'report', got {shown(on_unreadable)}")
    check_counts({category: len(found) for category, found in files.items()})
    photographs: list[tuple[str, str, np.ndarray]] = []
    unreadable = list(strays)
    for category in sorted(files, key=categories.index):
        readable, refused = _read_category(category, files[category], n_per_class, seed, size)
        photographs += sorted(((source, category, pixels) for source, pixels in readable), key=lambda item: item[0])
        unreadable += refused
    unreadable.sort(key=lambda image: image.source)
    if unreadable and on_unreadable == "raise":
        raise UnreadableImagesError(root, unreadable)
    if unreadable:
        warnings.warn(f"left out: {_listing(root, unreadable)}", UnreadableImagesWarning, stacklevel=3)
        remaining = dict.fromkeys(files, 0)
        for _, category, _ in photographs:
            remaining[category] += 1
        check_counts(remaining)
    pixels = np.stack([pixels for _, _, pixels in photographs])
    return StimulusSet(
        images=torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous().to(torch.float32) / 255,
        labels=torch.tensor([categories.index(category) for _, category, _ in photographs]),
        categories=categories,
        sources=tuple(source for source, _, _ in photographs),
        unreadable=tuple(unreadable),
    )


def _read_category(
    category: str, files: Sequence[Photograph], n_per_class: int | None, seed: int, size: int
) -> tuple[list[tuple[str, np.ndarray]], list[UnreadableImage]]:
    """Read files in the order of the seeded choice until there are enough."""

    def lot(photograph: Photograph) -> bytes:
        # A file's lot does not depend on which other files there are, unlike a place in a shuffled list.
        return hashlib.sha256(f"{seed}/{category}/{photograph.path.name}".encode()).digest()

    readable: list[tuple[str, np.ndarray]] = []
    refused: list[UnreadableImage] = []
    for photograph in sorted(files, key=lot):
        if len(readable) == n_per_class:
            break
        try:
            readable.append((photograph.source, decode_photograph(photograph.path, size)))
        except OSError as error:
            refused.append(UnreadableImage(photograph.source, str(error)))
    return readable, refused


def _listing(root: Path, unreadable: Sequence[UnreadableImage]) -> str:
    lines = "".join(f"\n  {image}" for image in unreadable[:_MOST_LISTED])
    if len(unreadable) > _MOST_LISTED:
        lines += f"\n  … and {len(unreadable) - _MOST_LISTED} more"
    return f"{len(unreadable)} files under {str(root)!r} could not be read as images:{lines}"
