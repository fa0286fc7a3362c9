"""Stimuli of every kind, by name."""

import os
from collections.abc import Sequence
from typing import Literal

from metamerlib.checks import LARGEST_SEED, check_choice, file_path, names, whole_number
from metamerlib.stimuli.categories import CATEGORIES
from metamerlib.stimuli.folders import image_folder
from metamerlib.stimuli.imagenet16 import imagenet16
from metamerlib.stimuli.objects16 import objects16
from metamerlib.stimuli.stimulus_set import StimulusSet

_MOST_IMAGES = 1_000_000
_LARGEST_SIZE = 16_384

STIMULI = ("objects16", "folder", "imagenet16")


def load_stimuli(
    name: str = "objects16",
    *,
    n_per_class: int | None = None,
    seed: int = 0,
    size: int | None = None,
    root: str | os.PathLike[str] | None = None,
    categories: Sequence[str] | None = None,
    on_unreadable: Literal["raise", "report"] = "raise",
) -> StimulusSet:
    """Load labelled images by name.

    Parameters
    ----------
    name
        ``"objects16"`` draws the sixteen categories; ``"folder"`` reads a folder of category sub-folders of
        photographs; ``"imagenet16"`` takes photographs out of ILSVRC 2012's validation images, as in the paper.
    n_per_class
        Images per category. None means 3 drawings, every photograph of the folder, or 25 of ILSVRC's.
    seed
        Which images are drawn, or which photographs are chosen when `n_per_class` leaves some out.
    size
        Height and width in pixels. None means 64 for drawings and 224 for photographs.
    root
        The folder, for ``name="folder"`` and ``"imagenet16"`` only.
    categories
        Which categories to draw (None means all sixteen), or for ``"folder"`` the names that the labels index
        (None means the sixteen if every sub-folder is one of them, else the sorted sub-folder names).
    on_unreadable
        For photographs: ``"raise"`` names all unreadable files in one error; ``"report"`` leaves them out, warns, and
        lists them in ``StimulusSet.unreadable``.

    Returns
    -------
    StimulusSet
        Images (N, 3, size, size), by category and then by index or file name.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `root` is no folder.
    UnreadableImagesError
        If files cannot be read and `on_unreadable` is ``"raise"``.
    ValueError
        If there are no stimuli of that name, a value is out of range or does not fit the folder, a category has fewer
        images than asked for, or `root` is given without being needed or the other way round.

    Notes
    -----
    Which photographs are chosen depends on `seed` and the files' names alone, and a larger number adds to a smaller
    one's. Files count as images (JPEG, PNG or WebP) whatever their names end in. Each is turned upright, its largest
    centred square is cut out, laid on white and resized.
    """
    check_choice(name, STIMULI, "name")
    if n_per_class is not None:
        n_per_class = whole_number(n_per_class, "n_per_class", at_least=1, at_most=_MOST_IMAGES)
    if size is not None:
        size = whole_number(size, "size", at_least=1, at_most=_LARGEST_SIZE)
    seed = whole_number(seed, "seed", at_most=LARGEST_SEED)
    check_choice(on_unreadable, ("raise", "report"), "on_unreadable")
    categories = None if categories is None else names(categories, "categories")
    root = None if root is None else file_path(root, "root")
    if name == "objects16":
        if root is not None:
            raise ValueError(f"root: objects16 is drawn, not read, but got {os.fspath(root)!r}; use name='folder'")
        return objects16(
            n_per_class=3 if n_per_class is None else n_per_class,
            seed=seed,
            size=64 if size is None else size,
            categories=CATEGORIES if categories is None else categories,
        )
    if root is None:
        what = "category sub-folders" if name == "folder" else "ILSVRC 2012's validation images"
        raise ValueError(f"root: expected the path of a folder of {what}, got None")
    read = image_folder if name == "folder" else imagenet16
    options = {"n_per_class": n_per_class, "seed": seed, "size": size, "categories": categories}
    return read(root, **options, on_unreadable=on_unreadable)
