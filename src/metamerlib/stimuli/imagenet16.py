"""ImageNet-16: the paper's photographs, from a validation folder of ILSVRC 2012 as people have it."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from metamerlib.checks import file_path, names
from metamerlib.stimuli.categories import CATEGORIES, SYNSETS
from metamerlib.stimuli.ground_truth import NUMBERED, read_ground_truth
from metamerlib.stimuli.photographs import Photograph, read_photographs
from metamerlib.stimuli.stimulus_set import StimulusSet

_BELOW = ("", "val", "validation", "ILSVRC2012_img_val", "ILSVRC/Data/CLS-LOC/val", "Data/CLS-LOC/val")
"""Where the images lie below the folder that a user names, in usual copies of the data set."""

_SYNSET = re.compile(r"n\d{8}")

_CATEGORY = {wnid: category for category, synsets in SYNSETS.items() for wnid, _ in synsets}


def imagenet16(
    root: str | os.PathLike[str],
    *,
    n_per_class: int | None = 25,
    seed: int = 0,
    size: int | None = None,
    categories: Sequence[str] | None = None,
    labels: str | os.PathLike[str] | None = None,
    on_unreadable: Literal["raise", "report"] = "raise",
) -> StimulusSet:
    """Draw photographs of the sixteen categories out of the validation images of ILSVRC 2012.

    The images of a category are those of all its classes, 207 in all (Geirhos et al. 2018; reading 11); the draw is
    uniform over them. It depends only on `seed` and the images' numbers: the same photographs come out of every
    layout of the folder.

    Parameters
    ----------
    root
        The folder with the images, or one of those above it. They lie in sub-folders named by their classes' WordNet
        ids, such as ``n02123045/ILSVRC2012_val_00000077.JPEG``, or all side by side as they were published; then a
        list of their classes is needed, which is looked for near them.
    n_per_class
        Images per category: 25 in the paper's main tables, 5 in its appendix B. None means 25.
    seed
        Of the draw.
    size
        Height and width of the returned images in pixels; None means 224, as in the paper.
    categories
        Which categories; None means all sixteen. The labels index all sixteen in any case.
    labels
        The list of the classes, for images that lie side by side: the development kit, unpacked or as
        ``ILSVRC2012_devkit_t12.tar.gz``; a list with one WordNet id per line in the order of the images' numbers;
        Kaggle's ``LOC_val_solution.csv``; or a list of file names with WordNet ids or indices (0 to 999). None looks
        for any of these.
    on_unreadable
        What to do about files that cannot be read, as for `image_folder`.

    Returns
    -------
    StimulusSet
        Images (N, 3, size, size), ordered by category. Whatever the layout, a source is WordNet id and file name.

    Raises
    ------
    ValueError
        If there are no such images under `root`, no list of their classes, classes or images missing, or an argument
        is outside its range.
    FileNotFoundError
        If `root` does not exist.
    """
    root = file_path(root, "root")
    if not root.is_dir():
        raise FileNotFoundError(f"root: expected the validation folder of ILSVRC 2012, but {str(root)!r} is no folder")
    chosen = CATEGORIES if categories is None else names(categories, "categories")
    if unknown := [name for name in chosen if name not in CATEGORIES]:
        raise ValueError(f"categories: expected some of {', '.join(CATEGORIES)}, got {', '.join(unknown)}")
    wanted = 25 if n_per_class is None else n_per_class
    files = {category: [] for category in CATEGORIES if category in chosen}
    for wnid, path in _survey(root, None if labels is None else Path(labels)):
        if (category := _CATEGORY.get(wnid)) in files:
            files[category].append(Photograph(f"{wnid}/{path.name}", path))

    def check_counts(counts: dict[str, int]) -> None:
        if short := {category: count for category, count in counts.items() if count < wanted}:
            have = ", ".join(f"{category} has {count}" for category, count in short.items())
            raise ValueError(f"expected n_per_class={wanted} readable images per category in {str(root)!r}, but {have}")

    return read_photographs(
        root,
        files,
        CATEGORIES,
        n_per_class=wanted,
        seed=seed,
        size=224 if size is None else size,
        on_unreadable=on_unreadable,
        check_counts=check_counts,
    )


def holds_validation_images(root: str | os.PathLike[str]) -> bool:
    """Recognise a folder that `imagenet16` can be asked to read.

    Parameters
    ----------
    root
        A folder, which need not exist.

    Returns
    -------
    bool
        Whether it holds sub-folders named by WordNet ids, or images named as ILSVRC 2012's validation images.
    """
    return _locate(Path(root)) is not None


def _locate(root: Path) -> tuple[Path, list[str], bool] | None:
    """Find the folder of the images; gives the names in it and whether the images lie side by side."""
    for below in _BELOW:
        if not (folder := root / below).is_dir():
            continue
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
        if any(_SYNSET.fullmatch(name) and (folder / name).is_dir() for name in names):
            return folder, names, False
        if any(NUMBERED.fullmatch(name) for name in names):
            return folder, names, True
    return None


def _survey(root: Path, labels: Path | None) -> list[tuple[str, Path]]:
    """Find every image of the 207 classes, with its class."""
    if (located := _locate(root)) is not None:
        folder, names, side_by_side = located
        if not side_by_side:
            return _in_sub_folders(folder)
        classes = read_ground_truth(folder, root, labels)
        numbers = {name: int(found[1]) for name in names if (found := NUMBERED.fullmatch(name))}
        return [(classes[number], folder / name) for name, number in numbers.items() if number in classes]
    raise ValueError(
        f"root: expected the validation images of ILSVRC 2012, but {str(root)!r} holds neither sub-folders such as "
        "n02123045 nor files such as ILSVRC2012_val_00000001.JPEG; for other photographs use name='folder'"
    )


def _in_sub_folders(folder: Path) -> list[tuple[str, Path]]:
    if missing := [wnid for wnid in _CATEGORY if not (folder / wnid).is_dir()]:
        raise ValueError(
            f"root: {len(missing)} of the {len(_CATEGORY)} classes have no sub-folder in {str(folder)!r}, such as "
            f"{', '.join(missing[:3])}; for a part of the data set use name='folder' with sub-folders named by category"
        )
    return [
        (wnid, path)
        for wnid in _CATEGORY
        for path in sorted((folder / wnid).iterdir())
        if not path.name.startswith(".") and path.is_file()
    ]
