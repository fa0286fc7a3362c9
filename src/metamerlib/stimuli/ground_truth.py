"""Which class a numbered validation image of ILSVRC 2012 is of: the lists that go around, in one form."""

import csv
import io
import re
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from metamerlib.stimuli.categories import SYNSETS

NUMBERED = re.compile(r"ILSVRC2012_val_(\d{8})(?:\.JPE?G)?", re.IGNORECASE)
"""The name of a validation image, with its number, from 1."""

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


def read_ground_truth(folder: Path, root: Path, labels: Path | None = None) -> dict[int, str]:
    """Find and read a list of the images' classes.

    Parameters
    ----------
    folder
        Where the images are.
    root
        That folder or one above it; the list may lie in either, anywhere between, or beside `root`.
    labels
        The list itself, or the folder of the development kit; None looks for one.

    Returns
    -------
    dict of int to str
        Number of the image to WordNet id of its class. Where a list gives indices, images of classes beyond the
        207 are missing.

    Raises
    ------
    ValueError
        If there is no list, or it is not understood.
    """
    if labels is not None:
        kit = [labels / _TRUTH, labels / "data" / _TRUTH, labels / _KIT / "data" / _TRUTH]
        found = next((path for path in [*kit, labels] if path.is_file()), None)
        if found is None:
            raise ValueError(f"labels: expected a list of classes or the development kit, but {str(labels)!r} is none")
    else:
        found = next((path for path in _candidates(folder, root) if path.is_file()), None)
        if found is None:
            raise ValueError(
                f"root: the images in {str(folder)!r} lie side by side, and no list of their classes is near them; put "
                f"{_KIT}.tar.gz (or {', '.join(_LISTS[3:5])}) beside them, or name a list with labels=…"
            )
    classes = _read(found)
    if not set(classes.values()) & set(_BY_INDEX.values()):
        raise ValueError(f"labels: {str(found)!r} names no class of the sixteen categories; is it another data set's?")
    return classes


def _candidates(folder: Path, root: Path) -> Iterator[Path]:
    places = [folder, *(parent for parent in folder.parents if parent.is_relative_to(root)), root.absolute().parent]
    for place in places:
        for name in _LISTS:
            yield place / name


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
    pairs = [(number[1], value) for name, value in rows if (number := NUMBERED.fullmatch(Path(name).name))]
    indices = [int(value) for _, value in pairs if value.isdigit()]
    first = 1 if indices and max(indices) == 1000 and min(indices) > 0 else 0
    classes = {
        int(number): _BY_INDEX.get(int(value) - first, "") if value.isdigit() else value for number, value in pairs
    }
    if not classes:
        raise ValueError(
            f"labels: {str(path)!r} is not understood; expected lines such as 'ILSVRC2012_val_00000001.JPEG n01751748' "
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
        raise ValueError(f"labels: {str(path)!r} is not ILSVRC 2012's development kit, or damaged: {error}") from error


def _from_kit(truth: str, meta: bytes | None, path: Path) -> dict[int, str]:
    """Translate the kit's own numbers of the classes, which are not in the usual order, by its meta.mat."""
    from scipy.io import loadmat

    if meta is None:
        raise ValueError(f"labels: {str(path)!r} needs the kit's {_META} beside it, which tells what its numbers mean")
    try:
        synsets = loadmat(io.BytesIO(meta), squeeze_me=True)["synsets"]
        wnids = {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in synsets}
        return {number: wnids[int(line)] for number, line in enumerate(truth.split(), start=1)}
    except Exception as error:  # loadmat meets arbitrary bytes and raises whatever comes of them
        raise ValueError(f"labels: the development kit at {str(path)!r} is not understood: {error}") from error
