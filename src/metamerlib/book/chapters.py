"""Execute the book's chapters, each only when something that it depends on has changed."""

from __future__ import annotations

import difflib
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill

from metamerlib.book.kernel import chapter_environment
from metamerlib.book.keys import chapter_key
from metamerlib.book.layout import BookLayout, book_root
from metamerlib.book.normalise import complaints, normalised
from metamerlib.book.parameters import declared_parameters


class ChapterError(RuntimeError):
    """A chapter could not be executed, or was asked for something that it does not have."""


@dataclass(frozen=True)
class ChapterRun:
    """What became of one chapter.

    Parameters
    ----------
    name : str
        The chapter's file name without its ending, such as `05_recognizability`.
    path : Path
        The executed notebook.
    seconds : float
        How long the execution took; for a chapter that was up to date, how long it took when it ran.
    executed : bool
        False where an up-to-date copy made the execution needless.
    """

    name: str
    path: Path
    seconds: float
    executed: bool


def execute_chapters(
    profile: str = "mini",
    chapters: Sequence[str] | None = None,
    force: bool = False,
    parameters: Mapping[str, Any] | None = None,
    *,
    root: Path | None = None,
    output: Path | None = None,
) -> list[ChapterRun]:
    """Execute chapters of the book, each in a kernel of its own, in their order.

    A chapter is executed when its key has changed since its last success: the SHA-256 of its source, its
    parameters, the package's sources, the profiles, the data, `constraints.txt` and the versions of the
    packages that compute. What came out lies below `<output>/executed`; a chapter that fails leaves
    `NN_name.failed.ipynb` there, with the cells up to the error, and does not touch its last good copy.

    Parameters
    ----------
    profile : str
        Budget of the computation, handed to every chapter as its parameter `profile`.
    chapters : sequence of str or None
        Names (`"05_recognizability"`) or numbers (`"05"`) of the chapters to execute. None takes all.
    force : bool
        Execute also what is up to date.
    parameters : mapping of str to Any or None
        Values for the variables of the chapters' `parameters` cells. Each goes to the chapters that declare
        it.
    root : Path or None
        The repository. None takes the one that the package runs from.
    output : Path or None
        Folder for what is built. None takes `<root>/build`.

    Returns
    -------
    list of ChapterRun
        One per chapter, in order.

    Raises
    ------
    ChapterError
        If a chapter does not exist, no chosen chapter declares a parameter, or a cell raises or complains:
        whatever it writes to the error stream other than progress bars and logging, such as a warning.
    """
    layout = BookLayout(root or book_root(), output)
    sources = _chosen(layout, chapters)
    notebooks = {source: jupytext.read(source) for source in sources}
    declared = {source: declared_parameters(notebooks[source], source.name) for source in sources}
    given = {"profile": profile, **(parameters or {})}
    _refuse_unknown(given, declared)

    runs = []
    for position, source in enumerate(sources, start=1):
        values = {name: value for name, value in given.items() if name in declared[source]}
        print(f"[{position}/{len(sources)}] {source.stem} ", end="", flush=True)
        run = _execute(layout, source, notebooks[source], values, force)
        print(f"{run.seconds:.1f} s" if run.executed else "up to date", flush=True)
        runs.append(run)
    spent = sum(run.seconds for run in runs if run.executed)
    print(f"{sum(run.executed for run in runs)} of {len(runs)} chapters executed in {spent:.1f} s")
    return runs


def _chosen(layout: BookLayout, names: Sequence[str] | None) -> list[Path]:
    """Find the sources of the chapters that were named, in the book's order."""
    every = sorted(layout.notebooks.glob("[0-9][0-9]_*.py"))
    if not every:
        raise ChapterError(f"No chapter in {layout.notebooks}: expected files such as 01_introduction.py.")
    if names is None:
        return every
    wanted = set()
    for name in names:
        asked = name.removesuffix(".py").removesuffix(".ipynb")
        found = [source for source in every if asked in (source.stem, source.stem[:2])]
        if not found:
            raise ChapterError(f"No chapter {name!r}. {_choices(asked, [source.stem for source in every])}")
        wanted.update(found)
    return [source for source in every if source in wanted]


def _refuse_unknown(given: Mapping[str, Any], declared: Mapping[Path, Iterable[str]]) -> None:
    """Raise where a parameter would reach no chapter; papermill itself would only warn."""
    known = sorted({name for names in declared.values() for name in names})
    for name in given:
        if name not in known:
            where = ", ".join(source.stem for source in declared)
            raise ChapterError(f"Unknown parameter {name!r} of {where}. {_choices(name, known)}")


def _choices(asked: str, known: Sequence[str]) -> str:
    """Say what could have been meant, and what there is."""
    close = difflib.get_close_matches(asked, known, n=1, cutoff=0.5)
    guess = f"Did you mean {close[0]!r}? " if close else ""
    return f"{guess}There are: {', '.join(known) or 'none'}."


def _execute(
    layout: BookLayout, source: Path, notebook: nbformat.NotebookNode, values: dict[str, Any], force: bool
) -> ChapterRun:
    """Bring one chapter up to date."""
    path = layout.executed / source.relative_to(layout.root).with_suffix(".ipynb")
    record = path.with_suffix(".json")
    key = chapter_key(layout, source, values)
    if not force and path.exists() and record.exists():
        last = json.loads(record.read_text(encoding="utf8"))
        if last["key"] == key:
            return ChapterRun(source.stem, path, last["seconds"], executed=False)

    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".failed.ipynb")
    started = time.perf_counter()
    with chapter_environment():
        try:
            papermill.execute_notebook(
                notebook,
                unfinished,
                parameters=values,
                kernel_name="python3",
                cwd=source.parent,
                progress_bar=False,
                # the chapters' own progress bars are for a person who waits, not for a log file
                stderr_file=sys.stderr if sys.stderr.isatty() else None,
            )
        except papermill.PapermillExecutionError as error:
            raise ChapterError(
                f"{source.name} failed in its code cell {error.exec_count}: {error.ename}: {error.evalue}\n"
                f"The cells up to there: {unfinished}"
            ) from error
    seconds = time.perf_counter() - started

    executed = normalised(nbformat.read(unfinished, as_version=4))
    nbformat.write(executed, unfinished)
    if text := complaints(executed):
        raise ChapterError(f"{source.name} wrote to its error stream:\n{text}\nIts cells: {unfinished}")
    record.unlink(missing_ok=True)  # never an old key beside a new notebook
    unfinished.replace(path)
    record.write_text(json.dumps({"key": key, "seconds": round(seconds, 2)}) + "\n", encoding="utf8")
    return ChapterRun(source.stem, path, seconds, executed=True)
