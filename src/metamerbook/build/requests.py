"""What was asked for, chapters and their parameters, checked before anything is executed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from metamerlib.checks import entries_of, shown
from metamerbook.build.layout import BookLayout


class ChapterError(RuntimeError):
    """A chapter could not be executed, or was asked for something that it does not have."""


class ChapterRequestError(ChapterError, ValueError):
    """A chapter or a parameter was asked for that the book does not have."""


def chosen_chapters(layout: BookLayout, names: Sequence[str] | None) -> list[Path]:
    """Find the sources of the chapters that were named, in the book's order.

    Parameters
    ----------
    layout : BookLayout
        The book.
    names : sequence of str or None
        Names or numbers; None takes all.

    Returns
    -------
    list of Path
        The `.py` files.

    Raises
    ------
    ChapterRequestError
        If there is no such chapter.
    TypeError
        If a name is not text.
    """
    every = sorted(layout.notebooks.glob("[0-9][0-9]_*.py"))
    if not every:
        raise ChapterRequestError(f"No chapter in {layout.notebooks}: expected files such as 01_introduction.py.")
    if names is None:
        return every
    wanted = set()
    names = entries_of([names] if isinstance(names, str) else names, "chapters", "names or numbers")
    if not names:
        raise ChapterRequestError("chapters is [], which is empty: give names or numbers, or None for all.")
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"chapters is {shown(names)}: give names or numbers as text, such as '05'.")
        asked = name.removesuffix(".py").removesuffix(".ipynb")
        found = [source for source in every if asked in (source.stem, source.stem[:2])]
        if not found:
            known = _choices(asked, [source.stem for source in every])
            raise ChapterRequestError(f"No chapter {shown(name)}. {known}")
        wanted.update(found)
    return [source for source in every if source in wanted]


def plain_parameters(parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """Refuse parameters that a notebook's source cannot hold; papermill would hand their representation on as text.

    Parameters
    ----------
    parameters : mapping of str to Any or None
        Values by name.

    Returns
    -------
    dict
        The same.

    Raises
    ------
    TypeError
        If a name is not text, or a value is none of text, numbers, truth values, None, lists and mappings.
    """
    if parameters is not None and not isinstance(parameters, Mapping):
        raise TypeError(f"parameters is {shown(parameters)}: give a mapping of names to values.")
    for name, value in (parameters or {}).items():
        if not isinstance(name, str):
            raise TypeError(f"parameters is {shown(parameters)}: give names as text, not {shown(name)}.")
        if not _is_literal(value):
            raise TypeError(
                f"parameters has {name}={shown(value)}: give text, numbers, truth values, None, or lists and mappings "
                "of these."
            )
    return dict(parameters or {})


def _is_literal(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_literal, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_literal(entry) for key, entry in value.items())
    return value is None or isinstance(value, bool | int | float | str)


def refuse_unknown(given: Mapping[str, Any], declared: Mapping[Path, Iterable[str]]) -> None:
    """Raise where a parameter would reach no chapter; papermill itself would only warn.

    Parameters
    ----------
    given : mapping of str to Any
        The parameters.
    declared : mapping of Path to iterable of str
        The names that each chosen chapter declares.

    Raises
    ------
    ChapterRequestError
        If no chapter declares one.
    """
    known = sorted({name for names in declared.values() for name in names})
    for name in given:
        if name not in known:
            where = ", ".join(source.stem for source in declared)
            raise ChapterRequestError(f"Unknown parameter {shown(name)} of {where}. {_choices(name, known)}")


def _choices(asked: str, known: Sequence[str]) -> str:
    """Say what could have been meant, and what there is."""
    close = difflib.get_close_matches(asked, known, n=1, cutoff=0.5)
    guess = f"Did you mean {close[0]!r}? " if close else ""
    return f"{guess}There are: {', '.join(known) or 'none'}."
