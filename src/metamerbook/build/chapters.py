"""Execute the book's chapters, each only when something that it depends on has changed."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill
from nbclient.exceptions import DeadKernelError

from metamerlib.checks import file_path, whole_number
from metamerbook.build.kernel import ChapterKernelManager, chapter_environment
from metamerbook.build.keys import chapter_key
from metamerbook.build.layout import BookLayout, book_root
from metamerbook.build.normalise import complaints, normalised
from metamerbook.build.outside import absolute_paths, has_large_networks, state_outside
from metamerbook.build.parameters import declared_parameters
from metamerbook.build.requests import ChapterError, chosen_chapters, plain_parameters, refuse_unknown
from metamerlib.system import CORES, cores


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
    jobs: int | None = None,
) -> list[ChapterRun]:
    """Execute chapters of the book, each in a kernel of its own.

    A chapter is executed when its key has changed since its last success: the SHA-256 of its source, its
    parameters, the package's sources, the profiles, the data, `constraints.txt`, the versions of the
    packages that compute, and what lies outside the repository: photographs, downloaded weights. What came
    out lies below `<output>/executed`; a chapter that fails leaves `NN_name.failed.ipynb` there, with the
    cells up to the error, and does not touch its last good copy.

    The first of them is executed alone and has all the cores, since it makes the metamers that the others look at.
    The others share the cores, several at a time.

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
    jobs : int or None
        Chapters executed at a time after the first. None takes two where there are two cores, but one with the paper's
        networks, which want the machine for themselves.

    Returns
    -------
    list of ChapterRun
        One per chapter, in order.

    Raises
    ------
    ChapterError
        If a chapter does not exist, no chosen chapter declares a parameter (these two are a ValueError too), or a cell
        raises or complains: whatever it writes to the error stream other than progress bars and logging, such as a
        warning.
    TypeError
        If an argument is of another type, or a parameter's value cannot be handed to a notebook.
    ValueError
        If `jobs` is below one.
    """
    given = {"profile": os.fspath(file_path(profile, "profile")), **plain_parameters(parameters)}
    given = absolute_paths(given)
    if jobs is None:
        jobs = 1 if has_large_networks(given["profile"]) else min(cores(), 2)
    jobs = whole_number(jobs, "jobs", at_least=1)
    started = time.perf_counter()
    layout = BookLayout(root or book_root(), output)
    sources = chosen_chapters(layout, chapters)
    declared = {source: declared_parameters(jupytext.read(source), source.name) for source in sources}
    refuse_unknown(given, declared)
    outside = state_outside(given)

    runs: dict[str, ChapterRun] = {}
    stale = []
    for source in sources:
        values = {name: value for name, value in given.items() if name in declared[source]}
        key = chapter_key(layout, source, values, outside)
        last = None if force else _up_to_date(layout, source, key)
        if last:
            _report(runs, last, len(sources))
        else:
            stale.append((source, values, key))
    for run in _execute_all(layout, stale, jobs):
        _report(runs, run, len(sources))
    spent = time.perf_counter() - started
    print(f"{len(stale)} of {len(runs)} chapters executed in {spent:.1f} s")
    return [runs[source.stem] for source in sources]


def _report(runs: dict[str, ChapterRun], run: ChapterRun, wanted: int) -> None:
    """Add what became of a chapter to the others, and say so."""
    runs[run.name] = run
    fate = f"{run.seconds:.1f} s" if run.executed else "up to date"
    print(f"[{len(runs)}/{wanted}] {run.name} {fate}", flush=True)


def _up_to_date(layout: BookLayout, source: Path, key: str) -> ChapterRun | None:
    """Return what a chapter's last execution left, if nothing that it depends on has changed since."""
    path = _executed(layout, source)
    record = path.with_suffix(".json")
    if not (path.exists() and record.exists()):
        return None
    try:
        last = json.loads(record.read_text(encoding="utf8"))
    except ValueError:  # cut off by a crash of the machine
        return None
    return ChapterRun(source.stem, path, last["seconds"], executed=False) if last["key"] == key else None


def _executed(layout: BookLayout, source: Path) -> Path:
    """Say where a chapter is once it is executed."""
    return layout.executed / source.relative_to(layout.root).with_suffix(".ipynb")


def _execute_all(
    layout: BookLayout, stale: Sequence[tuple[Path, dict[str, Any], str]], jobs: int
) -> Iterator[ChapterRun]:
    """Execute chapters, the first alone and the others several at a time, and tell of each when it has ended."""
    together = stale[1:] if jobs > 1 and len(stale) > 2 else []
    for chapter in stale[: len(stale) - len(together)]:
        print(f"{chapter[0].stem} …", flush=True)
        # The chapters' own progress bars are for a person who waits, not for a log file.
        yield _execute(layout, *chapter, bars=sys.stderr.isatty())
    if not together:
        return
    print(f"the other {len(together)} chapters, {jobs} at a time …", flush=True)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_share_cores, initargs=(jobs,)) as pool:
        futures = [pool.submit(_execute, layout, *chapter) for chapter in together]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            # What is under way goes on to its end before this is said, and is up to date the next time.
            pool.shutdown(cancel_futures=True)
            raise


def _share_cores(jobs: int) -> None:
    """Leave this process, and the kernels that it starts, their part of the cores."""
    part = str(max(1, cores() // jobs))
    os.environ[CORES] = part
    os.environ.setdefault("OMP_NUM_THREADS", part)


def _execute(layout: BookLayout, source: Path, values: dict[str, Any], key: str, bars: bool = False) -> ChapterRun:
    """Execute one chapter."""
    path = _executed(layout, source)
    record = path.with_suffix(".json")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".failed.ipynb")
    started = time.perf_counter()
    with chapter_environment():
        try:
            papermill.execute_notebook(
                jupytext.read(source),
                unfinished,
                parameters=values,
                kernel_name="python3",
                kernel_manager_class=ChapterKernelManager,
                cwd=source.parent,
                progress_bar=False,
                stderr_file=sys.stderr if bars else None,
            )
        except papermill.PapermillExecutionError as error:
            raise ChapterError(
                f"{source.name} failed in its code cell {error.exec_count}: {error.ename}: {error.evalue}\n"
                f"The cells up to there: {unfinished}"
            ) from error
        except DeadKernelError as error:
            raise ChapterError(
                f"{source.name}: the process that executed it was killed, perhaps for want of memory. What it had "
                f"computed is in the store, and the same command goes on from there. Its cells: {unfinished}"
            ) from error
    seconds = time.perf_counter() - started

    executed = normalised(nbformat.read(unfinished, as_version=4))
    nbformat.write(executed, unfinished)
    if text := complaints(executed):
        raise ChapterError(f"{source.name} wrote to its error stream:\n{text}\nIts cells: {unfinished}")
    record.unlink(missing_ok=True)  # never an old key beside a new notebook
    unfinished.replace(path)
    draft = record.with_suffix(".json.tmp")
    draft.write_text(json.dumps({"key": key, "seconds": round(seconds, 2)}) + "\n", encoding="utf8")
    draft.replace(record)
    return ChapterRun(source.stem, path, seconds, executed=True)
