"""Photographs from a folder of category sub-folders."""

import hashlib
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from metamerlib.stimuli.categories import CATEGORIES
from metamerlib.stimuli.decoding import decode_photograph
from metamerlib.stimuli.stimulus_set import StimulusSet, UnreadableImage

# What systems leave in folders by themselves, besides names that begin with a dot.
_LITTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


class UnreadableImagesError(ValueError):
    """Some files of an image folder could not be read; the message names every one.

    Attributes
    ----------
    unreadable
        The files with their reasons.
    """

    def __init__(self, root: Path, unreadable: Sequence[UnreadableImage]) -> None:
        self.unreadable = tuple(unreadable)
        super().__init__(
            f"{_listing(root, unreadable)}\nMend or remove them, or leave them out with on_unreadable='report'."
        )


class UnreadableImagesWarning(UserWarning):
    """Some files of an image folder could not be read and were left out; the message names every one."""


def image_folder(
    root: str | os.PathLike[str],
    *,
    n_per_class: int | None = None,
    seed: int = 0,
    size: int | None = None,
    categories: Sequence[str] | None = None,
    on_unreadable: Literal["raise", "report"] = "raise",
) -> StimulusSet:
    """Read photographs from a folder that has one sub-folder per category.

    Every file in a sub-folder is expected to be a JPEG, PNG or WebP image, whatever its name ends in; hidden
    files are passed over. `decode_photograph` tells how one file becomes an array.

    Parameters
    ----------
    root
        The folder. Images that lie in it directly, or deeper than one sub-folder, are not read and count as
        unreadable.
    n_per_class
        Images to take from every sub-folder; None takes all. Which ones depends only on `seed` and the file
        names, so the choice is the same on every machine, and a larger number adds to a smaller one's.
    seed
        Of that choice.
    size
        Height and width of the returned images in pixels; None means 224, as in the paper.
    categories
        The names that the labels index, for example those of your own model; each sub-folder must be one of
        them, while some of them may be without a sub-folder. None means the sixteen of `CATEGORIES` if every
        sub-folder is one of those, else the sub-folder names in alphabetical order.
    on_unreadable
        What to do about files that cannot be read: ``"raise"`` one error that names them all, or ``"report"``:
        leave them out, issue an `UnreadableImagesWarning` and list them in ``StimulusSet.unreadable``. With
        `n_per_class`, the next file in the order of the choice takes the place of an unreadable one.

    Returns
    -------
    StimulusSet
        Images (N, 3, size, size), ordered by category and then by file name.

    Raises
    ------
    ValueError
        If an argument is outside its range, a sub-folder is not one of the categories, or there are fewer
        images than asked for.
    FileNotFoundError
        If `root` does not exist.
    NotADirectoryError
        If `root` is a file.
    UnreadableImagesError
        If files cannot be read and `on_unreadable` is ``"raise"``.
    """
    root, size = Path(root), 224 if size is None else size
    if size < 1:
        raise ValueError(f"size: expected a number of pixels from 1, got {size}")
    if n_per_class is not None and n_per_class < 1:
        raise ValueError(f"n_per_class: expected a number of images from 1, or None for all, got {n_per_class}")
    if on_unreadable not in ("raise", "report"):
        raise ValueError(f"on_unreadable: expected 'raise' or 'report', got {on_unreadable!r}")
    files, strays = _survey(root)
    names = _label_names(root, tuple(files), categories)
    _check_counts(root, {category: len(found) for category, found in files.items()}, n_per_class, strays)

    photographs, unreadable = (
        [],
        [UnreadableImage(stray, "not directly in a category sub-folder") for stray in strays],
    )
    for category in sorted(files, key=names.index):
        readable, refused = _read_category(root, category, files[category], n_per_class, seed, size)
        photographs += sorted(readable, key=lambda item: item[0])
        unreadable += refused
    unreadable.sort(key=lambda image: image.source)
    if unreadable and on_unreadable == "raise":
        raise UnreadableImagesError(root, unreadable)
    if unreadable:
        warnings.warn(f"left out: {_listing(root, unreadable)}", UnreadableImagesWarning, stacklevel=2)
        remaining = dict.fromkeys(files, 0)
        for source, _ in photographs:
            remaining[_category_of(source)] += 1
        _check_counts(root, remaining, n_per_class, strays)

    pixels = np.stack([pixels for _, pixels in photographs])
    return StimulusSet(
        images=torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous().to(torch.float32) / 255,
        labels=torch.tensor([names.index(_category_of(source)) for source, _ in photographs]),
        categories=names,
        sources=tuple(source for source, _ in photographs),
        unreadable=tuple(unreadable),
    )


def _survey(root: Path) -> tuple[dict[str, list[str]], list[str]]:
    """Return each sub-folder's file names, and the paths of files and folders that are in the wrong place."""
    if not root.exists():
        raise FileNotFoundError(f"root: expected a folder of category sub-folders, but {str(root)!r} does not exist")
    if not root.is_dir():
        raise NotADirectoryError(f"root: expected a folder of category sub-folders, but {str(root)!r} is a file")
    files: dict[str, list[str]] = {}
    strays: list[str] = []
    for entry in _visible(root):
        if not entry.is_dir():
            strays.append(entry.name)
            continue
        files[entry.name] = []
        for inner in _visible(entry):
            if inner.is_dir():
                strays.append(f"{entry.name}/{inner.name}/")
            else:
                files[entry.name].append(inner.name)
    if not files:
        found = f"{len(strays)} files" if strays else "nothing"
        raise ValueError(
            f"root: expected a folder of category sub-folders with JPEG, PNG or WebP images in them, such as "
            f"{root.name}/cat/tabby.jpg, but {str(root)!r} holds {found} and no sub-folder"
        )
    return files, strays


def _visible(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not entry.name.startswith(".") and entry.name.casefold() not in _LITTER:
            yield entry


def _label_names(root: Path, folders: tuple[str, ...], categories: Sequence[str] | None) -> tuple[str, ...]:
    if categories is None:
        return CATEGORIES if set(folders) <= set(CATEGORIES) else tuple(sorted(folders))
    if isinstance(categories, str):
        raise ValueError(f"categories: expected a sequence of names, got one string {categories!r}")
    if unknown := sorted(set(folders) - set(categories)):
        raise ValueError(
            f"categories: {str(root)!r} has sub-folders that are not among them: {', '.join(unknown)}; "
            f"expected only {', '.join(categories)}. Move them away, add them to categories, or leave categories "
            "out to take the sub-folders' own names"
        )
    return tuple(categories)


def _check_counts(root: Path, counts: dict[str, int], n_per_class: int | None, strays: Sequence[str]) -> None:
    """Refuse categories with fewer images than asked for; a sub-folder without any is always an oversight."""
    expected = 1 if n_per_class is None else n_per_class
    short = {category: count for category, count in counts.items() if count < expected}
    if not short:
        return
    asked = "at least one readable image" if n_per_class is None else f"n_per_class={n_per_class} readable images"
    have = ", ".join(f"{category} has {count}" for category, count in short.items())
    fix = "add images or remove the sub-folder" if n_per_class is None else "ask for fewer or add images"
    elsewhere = f". Not directly in a category sub-folder: {', '.join(strays)}" if strays else ""
    raise ValueError(
        f"expected {asked} (JPEG, PNG or WebP) in each sub-folder of {str(root)!r}, but {have}; {fix}{elsewhere}"
    )


def _read_category(
    root: Path, category: str, file_names: list[str], n_per_class: int | None, seed: int, size: int
) -> tuple[list[tuple[str, np.ndarray]], list[UnreadableImage]]:
    """Read files in the order of the seeded choice until there are enough."""

    def lot(file_name: str) -> bytes:
        # A file's lot does not depend on which other files there are, unlike a place in a shuffled list.
        return hashlib.sha256(f"{seed}/{category}/{file_name}".encode()).digest()

    readable: list[tuple[str, np.ndarray]] = []
    refused: list[UnreadableImage] = []
    for file_name in sorted(file_names, key=lot):
        if len(readable) == n_per_class:
            break
        source = f"{category}/{file_name}"
        try:
            readable.append((source, decode_photograph(root / category / file_name, size)))
        except OSError as error:
            refused.append(UnreadableImage(source, str(error)))
    return readable, refused


def _category_of(source: str) -> str:
    return source.split("/", 1)[0]


def _listing(root: Path, unreadable: Sequence[UnreadableImage]) -> str:
    lines = "".join(f"\n  {image}" for image in unreadable)
    return f"{len(unreadable)} files under {str(root)!r} could not be read as images:{lines}"
