"""What every door asks of its arguments: refusals that name the argument, show the value and say what to give."""

import math
import numbers
import os
import reprlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

LARGEST_SEED = 2**63 - 1
"""Of those that generators of torch and numpy take."""

_LONGEST = 120
_LARGEST = 1_000_000_000
_LONGEST_NAME = 255


def shown(value: object) -> str:
    """Write a value as it is shown in a message.

    Parameters
    ----------
    value
        Any value.

    Returns
    -------
    str
        Its representation, on one line and shortened in its middle where it is long; of an array its type and shape.
    """
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{type(value).__name__} of {value.dtype} and shape {tuple(value.shape)}"
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python writes no number of more than 4300 digits
        text = reprlib.repr(type(value))
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]}…{text[-half:]}"


def whole_number(value: object, argument: str, *, at_least: int = 0, at_most: int = _LARGEST) -> int:
    """Refuse anything but a whole number within bounds.

    Parameters
    ----------
    value
        The number.
    argument
        The argument's name.
    at_least, at_most
        The bounds.

    Returns
    -------
    int
        The number.

    Raises
    ------
    TypeError
        If it is not a whole number.
    ValueError
        If it is out of bounds.
    """
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
    at_least: float = -math.inf,
    at_most: float = math.inf,
) -> float:
    """Refuse anything but a finite number within bounds.

    Parameters
    ----------
    value
        The number.
    argument
        The argument's name.
    above
        What it must exceed.
    at_least, at_most
        The bounds that it may reach.

    Returns
    -------
    float
        The number.

    Raises
    ------
    TypeError
        If it is not a number.
    ValueError
        If it is not finite or out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{argument} is {shown(value)}: give a number.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{argument} is {shown(value)}: give a finite number.")
    if number <= above or not at_least <= number <= at_most:
        limits = {f"above {above:g}": above, f"of at least {at_least:g}": at_least, f"of at most {at_most:g}": at_most}
        bounds = [words for words, limit in limits.items() if math.isfinite(limit)]
        raise ValueError(f"{argument} is {shown(value)}: give a number {' and '.join(bounds)}.")
    return number


def file_path(value: object, argument: str) -> Path:
    """Refuse anything but text or a path that a file system can hold.

    Parameters
    ----------
    value
        The path; a leading ``~`` is the home folder.
    argument
        The argument's name.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    TypeError
        If it is neither text nor a path.
    ValueError
        If it is empty, holds a null character, or has a name that is too long.
    """
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str):
        raise TypeError(f"{argument} is {shown(value)}: give a path, as text or Path.")
    text = os.fspath(value)
    if not text or "\0" in text or any(len(os.fsencode(part)) > _LONGEST_NAME for part in Path(text).parts):
        raise ValueError(f"{argument} is {shown(value)}, which is no path: give the name of a file or folder.")
    try:
        return Path(text).expanduser()
    except RuntimeError:  # there is no user of the name behind the ~
        return Path(text)


def names(value: object, argument: str) -> tuple[str, ...]:
    """Refuse anything but several different names.

    Parameters
    ----------
    value
        The names.
    argument
        The argument's name.

    Returns
    -------
    tuple of str
        The names.

    Raises
    ------
    TypeError
        If it is no sequence, or holds something else than text.
    ValueError
        If there is none, or one occurs twice.
    """
    entries = entries_of(value, argument, "names")
    wrong = [entry for entry in entries if not isinstance(entry, str)]
    if wrong:
        raise TypeError(f"{argument} is {shown(value)}: give names as text, not {shown(wrong[0])}.")
    if not entries or len(set(entries)) != len(entries):
        raise ValueError(f"{argument} is {shown(value)}: give at least one name, none of them twice.")
    return tuple(entries)


def entries_of(value: object, argument: str, what: str) -> list[Any]:
    """Refuse anything but a list or the like: text and mappings have entries too, but not those that are meant.

    Parameters
    ----------
    value
        The list.
    argument
        The argument's name.
    what
        What its entries should be, in words.

    Returns
    -------
    list
        The entries.

    Raises
    ------
    TypeError
        If it is something else.
    """
    scalar = getattr(value, "ndim", None) == 0
    if scalar or isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise TypeError(f"{argument} is {shown(value)}: give a list of {what}.")
    return list(value)
