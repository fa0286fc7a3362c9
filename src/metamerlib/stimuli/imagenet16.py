"""ImageNet-16: the paper's photographs, from a validation folder of ILSVRC 2012 as people have it."""

import csv
import io
import os
import re
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from metamerlib.stimuli.categories import CATEGORIES, SYNSETS
from metamerlib.stimuli.folders import by_source, read_photographs
from metamerlib.stimuli.stimulus_set import StimulusSet

_BELOW = ("", "val", "validation", "ILSVRC2012_img_val", "ILSVRC/Data/CLS-LOC/val", "Data/CLS-LOC/val")
"""Where the images lie below the folder that a user names, in usual copies of the data set."""

_SYNSET = re.compile(r"n\d{8}")

_CATEGORY = {wnid: category for category, synsets in SYNSETS.items() for wnid, _ in synsets}

_NUMBERED = re.compile(r"ILSVRC2012_val_(\d{8})(?:\.JPE?G)?", re.IGNORECASE)

_KIT = "ILSVRC2012_devkit_t12"
_TRUTH, _META = "ILSVRC2012_validation_ground_truth.txt", "meta.mat"
_LISTS = (
    _TRUTH,
    f"{_KIT}/data/{_TRUTH}",
    f"{_KIT}.tar.gz",
    "LOC_val_solution.csv",
    "imagenet_2012_validation_synset_labels.txt",
    "synset_labels.txt",
    "val.txt",
    "imagenet_val.txt",
    "ILSVRC2012_val.txt",
)

_BY_INDEX = {index: wnid for synsets in SYNSETS.values() for wnid, index in synsets}


def imagenet16(
    root: Path,
    *,
    n_per_class: int | None = None,
    seed: int = 0,
    size: int | None = None,
    categories: Sequence[str] | None = None,
    on_unreadable: Literal["raise", "report"] = "raise",
) -> StimulusSet:
    """Draw photographs of the sixteen categories out of the validation images of ILSVRC 2012: 25 each in the paper."""
    # The images of a category are those of all its classes, 207 in all (Geirhos et al. 2018; reading 11); the draw is
    # uniform over them, and the same from every layout of the folder: sub-folders named by WordNet ids, or all images
    # side by side as they were published, with a list of their classes near them.
    if not root.is_dir():
        raise FileNotFoundError(f"root: expected the validation folder of ILSVRC 2012, but {str(root)!r} is no folder")
    chosen = CATEGORIES if categories is None else categories
    if unknown := [name for name in chosen if name not in CATEGORIES]:
        raise ValueError(f"categories: expected some of {', '.join(CATEGORIES)}, got {', '.join(unknown)}")
    files = {category: {} for category in CATEGORIES if category in chosen}
    for wnid, paths in _survey(root).items():
        if (category := _CATEGORY.get(wnid)) in files:
            files[category] |= by_source(wnid, paths)
    count = 25 if n_per_class is None else n_per_class
    options = {"n_per_class": count, "seed": seed, "size": size, "on_unreadable": on_unreadable}
    return read_photographs(root, files, CATEGORIES, **options)


def holds_validation_images(root: str | os.PathLike[str]) -> bool:
    """Return whether a folder holds sub-folders named by WordNet ids, or images named as ILSVRC 2012's are."""
    return _locate(Path(root).expanduser()) is not None


def _locate(root: Path) -> tuple[Path, list[str], bool] | None:
    """Find the folder of the images; gives the names in it and whether the images lie side by side."""
    for below in _BELOW:
        if not (folder := root / below).is_dir():
            continue
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
        if any(_SYNSET.fullmatch(name) and (folder / name).is_dir() for name in names):
            return folder, names, False
        if any(_NUMBERED.fullmatch(name) for name in names):
            return folder, names, True
    return None


def _survey(root: Path) -> dict[str, list[Path]]:
    """Find the images of each class."""
    if (located := _locate(root)) is not None:
        folder, names, side_by_side = located
        if not side_by_side:
            return _in_sub_folders(folder)
        classes = _read_ground_truth(folder, root)
        found: dict[str, list[Path]] = {}
        for name in names:
            if (numbered := _NUMBERED.fullmatch(name)) and (wnid := classes.get(int(numbered[1]))):
                found.setdefault(wnid, []).append(folder / name)
        return found
    raise ValueError(
        f"root: expected the validation images of ILSVRC 2012, but {str(root)!r} holds neither sub-folders such as "
        "n02123045 nor files such as ILSVRC2012_val_00000001.JPEG; for other photographs use name='folder'"
    )


def _in_sub_folders(folder: Path) -> dict[str, list[Path]]:
    if missing := [wnid for wnid in _CATEGORY if not (folder / wnid).is_dir()]:
        raise ValueError(
            f"root: {len(missing)} of the {len(_CATEGORY)} classes have no sub-folder in {str(folder)!r}, such as "
            f"{', '.join(missing[:3])}; for a part of the data set use name='folder' with sub-folders named by category"
        )
    return {
        wnid: [path for path in sorted((folder / wnid).iterdir()) if path.name[0] != "." and path.is_file()]
        for wnid in _CATEGORY
    }


def _read_ground_truth(folder: Path, root: Path) -> dict[int, str]:
    """Find and read a list of the images' classes: by number the WordNet id, where it is one of the 207."""
    # The list may lie beside the images, in root, anywhere between, or beside root.
    places = [folder, *(parent for parent in folder.parents if parent.is_relative_to(root)), root.absolute().parent]
    found = next((place / name for place in places for name in _LISTS if (place / name).is_file()), None)
    if found is None:
        raise ValueError(
            f"root: the images in {str(folder)!r} lie side by side, and no list of their classes is near them; put "
            f"{_KIT}.tar.gz (or {', '.join(_LISTS[3:5])}) beside them"
        )
    classes = _read(found)
    if not set(classes.values()) & set(_BY_INDEX.values()):
        raise ValueError(f"root: {str(found)!r} names no class of the sixteen categories; is it another data set's?")
    return classes


def _read(path: Path) -> dict[int, str]:
    if path.name.endswith((".tar.gz", ".tgz", ".tar")):
        return _read_kit_archive(path)
    text = path.read_text("utf-8-sig", errors="replace")
    if path.name == _TRUTH:
        return _from_kit(text, (path.parent / _META).read_bytes() if (path.parent / _META).is_file() else None, path)
    if path.suffix == ".csv":
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
        return _named([(row[0], row[1].split()[0]) for row in rows if len(row) > 1 and row[1].split()], path)
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if lines and all(len(line) == 1 and re.fullmatch(r"n\d{8}", line[0]) for line in lines):
        return {number: line[0] for number, line in enumerate(lines, start=1)}
    return _named([(line[0], line[1]) for line in lines if len(line) > 1], path)


def _named(rows: Sequence[tuple[str, str]], path: Path) -> dict[int, str]:
    """Read file names with WordNet ids or indices."""
    pairs = [(number[1], value) for name, value in rows if (number := _NUMBERED.fullmatch(Path(name).name))]
    indices = [int(value) for _, value in pairs if value.isdigit()]
    first = 1 if indices and max(indices) == 1000 and min(indices) > 0 else 0
    classes = {
        int(number): _BY_INDEX.get(int(value) - first, "") if value.isdigit() else value for number, value in pairs
    }
    if not classes:
        raise ValueError(
            f"root: {str(path)!r} is not understood; expected lines such as 'ILSVRC2012_val_00000001.JPEG n01751748' "
            "or one WordNet id per line"
        )
    return {number: wnid for number, wnid in classes.items() if wnid}


def _read_kit_archive(path: Path) -> dict[int, str]:
    try:
        with tarfile.open(path) as kit:
            members = {Path(member.name).name: member for member in kit if member.isfile()}
            truth, meta = (kit.extractfile(members[name]) for name in (_TRUTH, _META))
            return _from_kit(truth.read().decode(), meta.read(), path)
    except (tarfile.TarError, zlib.error, EOFError, KeyError, OSError) as error:
        raise ValueError(f"root: {str(path)!r} is not ILSVRC 2012's development kit, or damaged: {error}") from error


def _from_kit(truth: str, meta: bytes | None, path: Path) -> dict[int, str]:
    """Translate the kit's own numbers of the classes, which are not in the usual order, by its meta.mat."""
    from scipy.io import loadmat

    if meta is None:
        raise ValueError(f"root: {str(path)!r} needs the kit's {_META} beside it, which tells what its numbers mean")
    try:
        synsets = loadmat(io.BytesIO(meta), squeeze_me=True)["synsets"]
        wnids = {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in synsets}
        return {number: wnids[int(line)] for number, line in enumerate(truth.split(), start=1)}
    except Exception as error:  # loadmat meets arbitrary bytes and raises whatever comes of them
        raise ValueError(f"root: the development kit at {str(path)!r} is not understood: {error}") from error
