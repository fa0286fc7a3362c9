"""Photographs from a folder of category sub-folders."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from metamerlib.checks import file_path, names
from metamerlib.stimuli.categories import CATEGORIES
from metamerlib.stimuli.photographs import Photograph, read_photographs
from metamerlib.stimuli.stimulus_set import StimulusSet, UnreadableImage

# What systems leave in folders by themselves, besides names that begin with a dot.
_LITTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


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
    TypeError
        If `root` is no path, or `categories` no list of names.
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
    root, size = file_path(root, "root"), 224 if size is None else size
    files, strays = _survey(root)
    names = _label_names(root, tuple(files), categories)
    return read_photographs(
        root,
        {
            category: [Photograph(f"{category}/{name}", root / category / name) for name in found]
            for category, found in files.items()
        },
        names,
        n_per_class=n_per_class,
        seed=seed,
        size=size,
        on_unreadable=on_unreadable,
        check_counts=lambda counts: _check_counts(root, counts, n_per_class, strays),
        strays=[UnreadableImage(stray, "not directly in a category sub-folder") for stray in strays],
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
    categories = names(categories, "categories")
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
