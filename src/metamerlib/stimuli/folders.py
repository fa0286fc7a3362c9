"""Photographs out of folders: a seeded choice of files, each decoded to a square of pixels."""

import hashlib
import os
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from metamerlib.checks import names
from metamerlib.stimuli.categories import CATEGORIES
from metamerlib.stimuli.stimulus_set import StimulusSet, UnreadableImage

FORMATS = ("JPEG", "PNG", "WEBP")

BACKGROUND = (255, 255, 255)
"""What shows through transparent pixels: white, as in most viewers."""

# What systems leave in folders by themselves, besides names that begin with a dot.
_LITTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})

_MOST_LISTED = 50  # a folder that holds something else altogether would fill the screen

# Pillow scales grey levels of fewer bits up to 8, and 16-bit colours down, but not the transparent level beside them.
_SCALED_UP = {"L;2": 85, "L;4": 17}


class UnreadablePhotographError(OSError):
    """A file is not an image that can be read; the message says in words why."""


class UnreadableImagesError(ValueError):
    """Some files of an image folder are unreadable: all are in `unreadable`, the message names them or the first."""

    def __init__(self, root: Path, unreadable: Sequence[UnreadableImage]) -> None:
        self.unreadable = tuple(unreadable)
        super().__init__(
            f"{_listing(root, unreadable)}\nMend or remove them, or leave them out with on_unreadable='report'."
        )


class UnreadableImagesWarning(UserWarning):
    """Some files of an image folder were left out, being unreadable; the message names them, of very many the first."""


def image_folder(
    root: Path,
    *,
    n_per_class: int | None = None,
    seed: int = 0,
    size: int | None = None,
    categories: Sequence[str] | None = None,
    on_unreadable: Literal["raise", "report"] = "raise",
) -> StimulusSet:
    """Read photographs from a folder that has one sub-folder per category, as `load_stimuli` describes."""
    files, strays = _survey(root)
    labels = _label_names(root, tuple(files), categories)
    return read_photographs(
        root,
        {name: by_source(normal(name), files[normal(name)]) for name in labels if normal(name) in files},
        labels,
        n_per_class=n_per_class,
        seed=seed,
        size=size,
        on_unreadable=on_unreadable,
        strays=strays,
    )


def normal(name: str) -> str:
    """Write a file's name so that it is the same text on every system, and can be printed and stored as UTF-8."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


def by_source(folder: str, paths: Iterable[Path]) -> dict[str, Path]:
    """Name files as a stimulus set does, two that differ in their Unicode form only by their exact spelling."""
    found: dict[str, Path] = {}
    for path in paths:
        source = f"{folder}/{normal(path.name)}"
        found[f"{source} ({path.name!a})" if source in found else source] = path
    return found


def _survey(root: Path) -> tuple[dict[str, list[Path]], list[str]]:
    """Return each sub-folder's files, and the paths of files and folders that are in the wrong place."""
    if not root.exists():
        raise FileNotFoundError(f"root: expected a folder of category sub-folders, but {str(root)!r} does not exist")
    if not root.is_dir():
        raise NotADirectoryError(f"root: expected a folder of category sub-folders, but {str(root)!r} is a file")
    files: dict[str, list[Path]] = {}
    strays: list[str] = []
    for entry in _visible(root):
        name = normal(entry.name)
        if not entry.is_dir():
            strays.append(name)
            continue
        if name in files:
            raise ValueError(f"root: {str(root)!r} has two sub-folders {name!r} in different Unicode forms: merge them")
        files[name] = []
        for inner in _visible(entry):
            if inner.is_dir():
                strays.append(f"{name}/{normal(inner.name)}/")
            else:
                files[name].append(inner)
    if not files:
        found = f"{len(strays)} files" if strays else "nothing"
        raise ValueError(
            f"root: expected a folder of category sub-folders with JPEG, PNG or WebP images in them, such as "
            f"{normal(root.name)}/cat/tabby.jpg, but {str(root)!r} holds {found} and no sub-folder"
        )
    return files, strays


def _visible(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir(), key=lambda entry: (normal(entry.name), entry.name)):
        if not entry.name.startswith(".") and entry.name.casefold() not in _LITTER:
            yield entry


def _label_names(root: Path, folders: tuple[str, ...], categories: Sequence[str] | None) -> tuple[str, ...]:
    if categories is None:
        return CATEGORIES if set(folders) <= set(CATEGORIES) else tuple(sorted(folders))
    categories = names(categories, "categories")
    if unknown := sorted(set(folders) - {normal(category) for category in categories}):
        raise ValueError(
            f"categories: {str(root)!r} has sub-folders that are not among them: {', '.join(unknown)}; "
            f"expected only {', '.join(categories)}. Move them away, add them to categories, or leave categories "
            "out to take the sub-folders' own names"
        )
    return categories


def read_photographs(
    root: Path,
    files: Mapping[str, Mapping[str, Path]],
    categories: tuple[str, ...],
    *,
    n_per_class: int | None,
    seed: int,
    size: int | None,
    on_unreadable: Literal["raise", "report"],
    strays: Sequence[str] = (),
) -> StimulusSet:
    """Read photographs of each category, given as source and path, as squares of 224 pixels or of another size."""
    _check_counts(root, {category: len(found) for category, found in files.items()}, n_per_class, strays)
    photographs: list[tuple[str, str, np.ndarray]] = []
    unreadable = [UnreadableImage(stray, "not directly in a category sub-folder") for stray in strays]
    counts = {}
    for category in sorted(files, key=categories.index):
        readable, refused = _read_category(category, files[category], n_per_class, seed, size or 224)
        photographs += [(source, category, readable[source]) for source in sorted(readable)]
        counts[category] = len(readable)
        unreadable += refused
    unreadable.sort(key=lambda image: image.source)
    if unreadable and on_unreadable == "raise":
        raise UnreadableImagesError(root, unreadable)
    if unreadable:
        warnings.warn(f"left out: {_listing(root, unreadable)}", UnreadableImagesWarning, stacklevel=4)
        _check_counts(root, counts, n_per_class, strays)
    pixels = np.stack([pixels for _, _, pixels in photographs])
    return StimulusSet(
        images=torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous().to(torch.float32) / 255,
        labels=torch.tensor([categories.index(category) for _, category, _ in photographs]),
        categories=categories,
        sources=tuple(source for source, _, _ in photographs),
        unreadable=tuple(unreadable),
    )


def _check_counts(root: Path, counts: dict[str, int], n_per_class: int | None, strays: Sequence[str]) -> None:
    """Refuse categories with fewer images than asked for; a sub-folder without any is always an oversight."""
    short = {category: count for category, count in counts.items() if count < (n_per_class or 1)}
    if not short:
        return
    asked = "at least one readable image" if n_per_class is None else f"n_per_class={n_per_class} readable images"
    have = ", ".join(f"{category} has {count}" for category, count in short.items())
    fix = "add images or remove the sub-folder" if n_per_class is None else "ask for fewer or add images"
    elsewhere = f". Not directly in a category sub-folder: {', '.join(strays)}" if strays else ""
    raise ValueError(
        f"expected {asked} per category in {str(root)!r} (JPEG, PNG or WebP), but {have}; {fix}{elsewhere}"
    )


def _read_category(
    category: str, files: Mapping[str, Path], n_per_class: int | None, seed: int, size: int
) -> tuple[dict[str, np.ndarray], list[UnreadableImage]]:
    """Read files in the order of the seeded choice until there are enough."""

    def lot(source: str) -> bytes:
        # A file's lot does not depend on which other files there are, unlike a place in a shuffled list.
        return hashlib.sha256(f"{seed}/{normal(category)}/{normal(files[source].name)}".encode()).digest()

    readable: dict[str, np.ndarray] = {}
    refused: list[UnreadableImage] = []
    for source in sorted(files, key=lot):
        if len(readable) == n_per_class:
            break
        try:
            readable[source] = decode_photograph(files[source], size)
        except OSError as error:
            refused.append(UnreadableImage(source, str(error)))
    return readable, refused


def _listing(root: Path, unreadable: Sequence[UnreadableImage]) -> str:
    lines = "".join(f"\n  {image}" for image in unreadable[:_MOST_LISTED])
    if len(unreadable) > _MOST_LISTED:
        lines += f"\n  … and {len(unreadable) - _MOST_LISTED} more"
    return f"{len(unreadable)} files under {str(root)!r} could not be read as images:{lines}"


def decode_photograph(path: str | os.PathLike[str], size: int) -> np.ndarray:
    """Read an image file as a square of RGB bytes, (size, size, 3) uint8; raises `UnreadablePhotographError`."""
    # In this order: turned upright as EXIF says; the largest centred square cut out; 16-bit grey levels rounded to 8
    # bits; transparent pixels composited on white; CMYK, grey and palette made RGB; resized with a bilinear filter that
    # widens with the reduction (antialiasing). Colour profiles are not applied. Of an animation, the first frame.
    with warnings.catch_warnings():
        # Pillow warns from half of its limit on, and of odd metadata; an image is read or it is refused.
        warnings.simplefilter("ignore")
        if os.path.exists(path) and not os.path.isfile(path):  # reading a named pipe waits for ever
            raise UnreadablePhotographError("not a file")
        try:
            with Image.open(path, formats=FORMATS) as file:
                _scale_transparent_level(file)
                image = _rgb(_upright_square(file))
        except UnidentifiedImageError:
            empty = os.path.getsize(path) == 0
            reason = "the file is empty" if empty else f"not a {', '.join(FORMATS[:-1])} or WebP image"
            raise UnreadablePhotographError(reason) from None
        except Image.DecompressionBombError as error:
            raise UnreadablePhotographError(
                f"too large: {error} Raise PIL.Image.MAX_IMAGE_PIXELS if you trust it"
            ) from None
        except OSError as error:
            raise UnreadablePhotographError(error.strerror or f"damaged: {error}") from error
        except Exception as error:  # decoders meet arbitrary bytes and raise whatever comes of them
            raise UnreadablePhotographError(f"damaged: {type(error).__name__}: {error}") from error
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))


def _scale_transparent_level(file: Image.Image) -> None:
    level, stored_as = file.info.get("transparency"), file.tile[0][3] if file.tile else None
    if isinstance(level, int) and stored_as in _SCALED_UP:
        file.info["transparency"] = level * _SCALED_UP[stored_as]
    elif isinstance(level, tuple) and stored_as == "RGB;16B":
        file.info["transparency"] = tuple(value >> 8 for value in level)


def _upright_square(file: Image.Image) -> Image.Image:
    ImageOps.exif_transpose(file, in_place=True)
    side = min(file.size)
    left, top = (file.width - side) // 2, (file.height - side) // 2
    return file.crop((left, top, left + side, top + side))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "I;16", "I;16B", "I;16L"):
        # Pillow hands out 16-bit grey levels as they are, and its own conversion would clip them at 255.
        levels = np.asarray(image, dtype=np.uint32)
        grey = ((levels + 128) // 257).astype(np.uint8)
        grey[levels == image.info.get("transparency", -1)] = BACKGROUND[0]
        return Image.fromarray(grey).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, (*BACKGROUND, 255)), layer)
    return image.convert("RGB")
