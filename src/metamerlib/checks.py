"""Argument checks that all of the package shares; their errors name the argument, the value and the fix."""

import difflib
import math
import numbers
import os
import reprlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import Tensor

LARGEST_SEED = 2**63 - 1
"""Of those that generators of torch and numpy take."""

_LONGEST = 120
_LARGEST = 1_000_000_000
_LONGEST_NAME = 255


def shown(value: object) -> str:
    """Write a value on one line for a message: shortened in its middle, an array as its type and shape."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{type(value).__name__} of {value.dtype} and shape {tuple(value.shape)}"
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python writes no number of more than 4300 digits
        text = reprlib.repr(type(value))
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]}…{text[-half:]}"


def listed(values: Sequence[object], limit: int = 8) -> str:
    """Write the first of several values for a message, and how many more there are."""
    text = ", ".join(map(repr, values[:limit]))
    return text if len(values) <= limit else f"{text} and {len(values) - limit} more"


def whole_number(value: object, argument: str, *, at_least: int = 0, at_most: int = _LARGEST) -> int:
    """Validate a whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{argument} is {shown(value)}: give a whole number.")
    if value < at_least:
        raise ValueError(f"{argument} is {shown(value)}: give at least {at_least}.")
    if value > at_most:
        raise ValueError(f"{argument} is {shown(value)}: give at most {at_most}.")
    return int(value)


def real_number(
    value: object,
    argument: str,
    *,
    above: float = -math.inf,
    below: float = math.inf,
    at_least: float = -math.inf,
    at_most: float = math.inf,
) -> float:
    """Validate a finite number within bounds."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{argument} is {shown(value)}: give a number.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{argument} is {shown(value)}: give a finite number.")
    if not above < number < below or not at_least <= number <= at_most:
        limits = {"above": above, "below": below, "of at least": at_least, "of at most": at_most}
        bounds = [f"{words} {limit:g}" for words, limit in limits.items() if math.isfinite(limit)]
        raise ValueError(f"{argument} is {shown(value)}: give a number {' and '.join(bounds)}.")
    return number


def file_path(value: object, argument: str) -> Path:
    """Validate text or a path that a file system can hold; a leading ``~`` becomes the home folder."""
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str):
        raise TypeError(f"{argument} is {shown(value)}: give a path, as text or Path.")
    text = os.fspath(value)
    lengths = [len(part.encode("utf-8", "surrogatepass")) for part in Path(text).parts]
    if not text or "\0" in text or max(lengths, default=0) > _LONGEST_NAME:
        raise ValueError(f"{argument} is {shown(value)}, which is no path: give the name of a file or folder.")
    try:
        return Path(text).expanduser()
    except RuntimeError:  # there is no user of the name behind the ~
        return Path(text)


def names(value: object, argument: str) -> tuple[str, ...]:
    """Validate at least one name, none twice; return them as plain text in Unicode's composed form (NFC)."""
    entries = entries_of(value, argument, "names")
    wrong = [entry for entry in entries if not isinstance(entry, str)]
    if wrong:
        raise TypeError(f"{argument} is {shown(value)}: give names as text, not {shown(wrong[0])}.")
    plain = tuple(unicodedata.normalize("NFC", str.__str__(entry)) for entry in entries)  # numpy's text and enums too
    if not plain or len(set(plain)) != len(plain):
        raise ValueError(f"{argument} is {shown(value)}: give at least one name, none of them twice.")
    return plain


def entries_of(value: object, argument: str, what: str) -> list[Any]:
    """Validate a list or the like: text and mappings have entries too, but not those that are meant."""
    scalar = getattr(value, "ndim", None) == 0
    if scalar or isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise TypeError(f"{argument} is {shown(value)}: give a list of {what}.")
    return list(value)


def check_choice(value: object, choices: Sequence[str], argument: str) -> None:
    """Validate a name out of a list."""
    if isinstance(value, str) and value in choices:
        return
    listing = ", ".join(map(repr, choices))
    raise ValueError(f"{argument}={shown(value)} is unknown; choose one of {listing}.{near(value, choices)}")


def near(value: object, known: Iterable[str]) -> str:
    """Return the sentence that proposes the known name nearest to a value; nothing where none is near."""
    close = difflib.get_close_matches(str(value)[:_LONGEST], list(known), n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""


def check_fraction(value: object, argument: str) -> float:
    """Validate a share strictly between 0 and 1."""
    return real_number(value, argument, above=0, below=1)


def resolve_seed(seed: "int | torch.Generator") -> int:
    """Validate a seed, or draw one from a generator."""
    import torch

    if isinstance(seed, torch.Generator):
        return int(torch.randint(LARGEST_SEED, (), generator=seed, device=seed.device))
    return whole_number(seed, "seed", at_most=LARGEST_SEED)


def check_batch_size(batch_size: object, images: int) -> int:
    """Validate a batch size; None and "auto" stand for all images."""
    if isinstance(batch_size, str) and batch_size != "auto":
        raise TypeError(f"batch_size={batch_size!r} is a str: give a whole number, 'auto', or None for all images.")
    return images if batch_size in (None, "auto") else whole_number(batch_size, "batch_size", at_least=1)


def check_images(images: object, argument: str = "images", *, high: float = 1.0, any_float: bool = False) -> "Tensor":
    """Validate finite RGB images (N, 3, H, W), N ≥ 1, in ``[0, high]``: float32, or any floating-point type."""
    import torch

    if not isinstance(images, torch.Tensor):
        holder = isinstance(getattr(images, "images", None), torch.Tensor)
        fix = "give its .images" if holder else f"give a torch.Tensor (N, 3, H, W), RGB in [0, {high:g}]"
        raise TypeError(f"{argument} is a {type(images).__name__}: {fix} (it is {shown(images)}).")
    if not (images.is_floating_point() if any_float else images.dtype == torch.float32):
        as_floats = f"{argument}.float()"
        fix = as_floats if images.is_floating_point() else f"{as_floats} / 255 if these are bytes"
        raise TypeError(f"{argument} has type {images.dtype}, not float32 in [0, {high:g}]: give {fix}.")
    if images.ndim != 4 or images.shape[1] != 3:
        fix = ""
        if images.ndim == 3 and images.shape[0] == 3:
            fix = f" For a single image give {argument}[None]."
        elif images.ndim == 4 and images.shape[3] == 3:
            fix = f" If the channels are last, give {argument}.permute(0, 3, 1, 2)."
        raise ValueError(f"{argument} has shape {tuple(images.shape)}, not (N, 3, H, W).{fix}")
    if images.numel() == 0:
        raise ValueError(f"{argument} has shape {tuple(images.shape)}, which is empty: give at least one image.")
    lowest, highest = (bound.item() for bound in torch.aminmax(images.detach()))
    if math.isnan(lowest) or math.isnan(highest):
        bad = images.flatten(1).isnan().any(dim=1).nonzero().flatten().tolist()
        raise ValueError(f"{argument} has NaN in image {listed(bad)}: leave those out, or repair them.")
    if lowest < 0 or highest > high:
        raise ValueError(
            f"{argument} has values from {lowest:.4g} to {highest:.4g}, not in [0, {high:g}]: divide by 255 if these "
            "are bytes, and undo any normalisation (the Classifier does its own)."
        )
    return images


def check_pair(images: object, references: object, *, high: float = 1.0) -> None:
    """Validate two batches of one shape: image i was made from reference i."""
    check_images(images, "images", high=high, any_float=True)
    check_images(references, "references", high=high, any_float=True)
    if images.shape != references.shape:
        raise ValueError(
            f"images and references must have one shape, image i made from reference i; got {tuple(images.shape)} and "
            f"{tuple(references.shape)}. Slice the references to the images they belong to, or make the metamers at "
            "the references' size."
        )


def images_of(references: object, argument: str = "references") -> "Tensor":
    """Take a tensor as it is, or a stimulus set's images."""
    import torch

    images = references if isinstance(references, torch.Tensor) else getattr(references, "images", None)
    if not isinstance(images, torch.Tensor):
        raise TypeError(f"{argument} is {shown(references)}: pass a StimulusSet or a tensor (N, 3, H, W).")
    return images


def check_classifiers(
    value: object, argument: str, *, categories: Sequence[str] | None = None, alike: bool = False, at_least: int = 1
) -> list[Any]:
    """Validate classifiers, each with its own name: with so many categories, with these, or all with the same."""
    # A classifier is known by what is asked of it: this module stands below them, and tests take stand-ins.
    classifiers = entries_of(value, argument, "Classifiers")
    if not classifiers:
        raise ValueError(f"{argument} is empty ([]): give at least one Classifier, such as zoo['resnet18'].")
    for classifier in classifiers:
        if not hasattr(classifier, "name") or not hasattr(classifier, "categories"):
            fix = "give the Classifier itself, as in zoo['resnet18']"
            if hasattr(classifier, "named_modules"):
                fix = "wrap it first: Classifier(module, name=…, blocks=[…], categories=(…))"
            raise TypeError(f"{argument} holds a {type(classifier).__name__}: {fix} (it is {shown(classifier)}).")
    found = [classifier.name for classifier in classifiers]
    if twice := sorted({name for name in found if found.count(name) > 1}):
        raise ValueError(
            f"{argument} holds the name {listed(twice)} more than once: give each Classifier its own name."
        )
    categories = classifiers[0].categories if alike else categories
    for classifier in classifiers:
        if len(classifier.categories) < at_least:
            raise ValueError(
                f"{argument} holds {classifier.name!r}, which has one category only and takes every image for it: "
                "leave it out, or give its network an output for each category."
            )
        if categories is not None:
            _check_categories(classifier, categories, argument)
    return classifiers


def _check_categories(classifier: Any, wanted: Sequence[str], argument: str) -> None:
    own, wanted = ([unicodedata.normalize("NFC", name) for name in given] for given in (classifier.categories, wanted))
    if own == wanted:
        return
    if sorted(own) == sorted(wanted):
        difference = "they are the same categories in another order"
    else:
        lacking, foreign = sorted(set(wanted) - set(own)), sorted(set(own) - set(wanted))
        difference = f"it lacks {lacking} and has {foreign} besides"
    raise ValueError(
        f"{argument} holds {classifier.name!r}, which answers in other categories than wanted: {difference}. Load the "
        f"references with categories={classifier.name}.categories, wrap it with categories=(…) in this order, or leave "
        "it out."
    )


def counted(count: int, noun: str) -> str:
    """Put a number before a noun, in the plural where it is not one."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"
