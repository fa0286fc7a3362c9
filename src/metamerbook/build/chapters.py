"""Execute the book's chapters, each only when something that it depends on has changed.

What all of them need is computed as one graph of tasks, in the order in which the book shows it. Beside it each chapter
is executed as soon as its own tasks are done.
"""

import asyncio
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient.exceptions import CellExecutionError, DeadKernelError
from papermill.translators import PythonTranslator

from metamerbook.build.kernel import complaints, execute_in, kernel_environment, normalised, running_kernel
from metamerbook.build.requests import (
    ChapterError,
    book_root,
    chapter_key,
    chosen_chapters,
    declared_parameters,
    executed_folder,
    has_parameters,
    package_digest,
    plain_parameters,
    refuse_unknown,
)
from metamerlib.checks import file_path, whole_number
from metamerlib.system import cores

_SECONDS_PER_LINE = 10  # of progress in a log file


@dataclass(frozen=True)
class ChapterRun:
    """What became of one chapter: its executed notebook, and the seconds that it took now."""

    name: str
    path: Path
    seconds: float
    executed: bool


@dataclass(eq=False)
class _Chapter:
    source: Path
    path: Path
    values: dict[str, Any]
    key: str
    tasks: set[str] = field(default_factory=set)  # keys of those that it still waits for


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
    """Execute chapters of the book.

    A chapter is executed when its source, its parameters, the package, the profiles, the data or `constraints.txt` have
    changed since its last success; always where it shows photographs or downloaded networks. It lies below
    `<output>/executed`; one that fails leaves `NN_name.failed.ipynb` there beside its last good copy.

    Parameters
    ----------
    chapters
        Names (`"05_recognizability"`) or numbers (`"05"`) of the chapters to execute. None takes all.
    parameters
        Values for the variables of the chapters' `parameters` cells. Each goes to the chapters that declare it.
    jobs
        Chapters executed at a time; None takes two where there are two cores.

    Raises
    ------
    ChapterError
        If a chapter or a parameter does not exist (also a ValueError), or a cell raises or complains: whatever it
        writes to the error stream other than logging.
    """
    given = plain_parameters({"profile": os.fspath(file_path(profile, "profile"))}, parameters)
    jobs = min(cores(), 2) if jobs is None else whole_number(jobs, "jobs", at_least=1)
    started = time.perf_counter()
    root = root or book_root()
    sources = chosen_chapters(root, chapters)
    declared = {source: declared_parameters(jupytext.read(source), source.name) for source in sources}
    refuse_unknown(given, declared)

    runs: dict[str, ChapterRun] = {}

    def report(run: ChapterRun) -> None:
        runs[run.name] = run
        fate = f"{run.seconds:.1f} s" if run.executed else "up to date"
        _clear_line()
        print(f"[{len(runs)}/{len(sources)}] {run.name} {fate}", flush=True)

    stale = []
    package = package_digest(root)
    for source in sources:
        values = {name: value for name, value in given.items() if name in declared[source]}
        path = executed_folder(root, output) / source.relative_to(root).with_suffix(".ipynb")
        chapter = _Chapter(source, path, values, chapter_key(package, source, values))
        if not force and _is_current(chapter):
            report(ChapterRun(source.stem, path, 0.0, executed=False))
        else:
            stale.append(chapter)
    if stale:
        _Execution(stale, root / "notebooks", jobs, report).run()
    print(f"{len(stale)} of {len(runs)} chapters executed in {time.perf_counter() - started:.1f} s")
    return [runs[source.stem] for source in sources]


class _Execution:
    """Tasks that this thread computes, and chapters that another executes as soon as their tasks are done."""

    def __init__(
        self, stale: Sequence[_Chapter], folder: Path, jobs: int, report: Callable[[ChapterRun], None]
    ) -> None:
        self._folder, self._jobs, self._report = folder, min(jobs, len(stale)), report
        self._waiting, self._running = list(stale), []
        self._ready = self._stopped = False
        self._weight = self._done = 0
        self._cancel: Callable[[], object] = lambda: None

    def run(self) -> None:
        """Compute and execute everything, or stop at the first error."""
        with ExitStack() as stack:
            environment = stack.enter_context(kernel_environment(max(1, cores() // self._jobs)))
            serving = stack.enter_context(ThreadPoolExecutor(1)).submit(asyncio.run, self._serve_all(environment))
            try:
                with suppress(_StoppedError):
                    self._compute(environment, stack)
                serving.result()
            except BaseException:
                self._stopped = True
                with suppress(RuntimeError):  # it has ended
                    self._cancel()
                raise
            finally:
                _clear_line()

    def _compute(self, environment: dict[str, str], stack: ExitStack) -> None:
        work = _collected(self._waiting)
        if not work:
            self._ready = True
            return
        from metamerbook.engine.execute import compute, scheduler_for, weight
        from metamerbook.engine.scheduler import SCHEDULER, connect, disconnect
        from metamerlib.generation import UnusableModelError

        def done(task: Any) -> None:
            self._done += weight(task)
            for chapter in list(self._waiting):
                chapter.tasks.discard(task.key)
            if self._stopped:
                raise _StoppedError

        self._weight = sum(weight(task) for task, _ in work)
        scheduler = scheduler_for(work, processes="auto")
        if scheduler is not None:  # of which the kernels know by the variable
            stack.callback(disconnect)
            environment[SCHEDULER] = connect(scheduler, work[0][1].device).scheduler.address
        self._ready = True
        # The chapters say what they leave out.
        compute(work, scheduler, done, lambda _, error: isinstance(error, UnusableModelError))

    async def _serve_all(self, environment: Mapping[str, str]) -> None:
        self._cancel = partial(asyncio.get_running_loop().call_soon_threadsafe, asyncio.current_task().cancel)
        telling = asyncio.create_task(self._tell())
        kernels = [asyncio.create_task(self._serve(environment)) for _ in range(self._jobs)]
        # Where one fails, the others end their chapters, which are up to date then.
        errors = await asyncio.gather(*kernels, return_exceptions=True)
        telling.cancel()
        if error := next(filter(None, errors), None):
            raise error

    async def _serve(self, environment: Mapping[str, str]) -> None:
        """Execute chapters in one kernel until there are no more."""
        chapter = await self._next()
        if chapter is None:
            return
        try:
            async with running_kernel(self._folder, environment) as manager:
                while chapter is not None:
                    run = await _execute(chapter, manager)
                    self._running.remove(chapter)
                    self._report(run)
                    chapter = await self._next()
        except BaseException:
            self._stopped = True
            raise

    async def _next(self) -> _Chapter | None:
        while self._waiting and not self._stopped:
            ready = next((chapter for chapter in self._waiting if self._ready and not chapter.tasks), None)
            if ready is not None:
                self._waiting.remove(ready)
                self._running.append(ready)
                return ready
            await asyncio.sleep(0.1)
        return None

    async def _tell(self) -> None:
        """Keep a line on a terminal, or write one every ten seconds: what is done, under way and left."""
        started, watched = time.monotonic(), sys.stdout.isatty()
        while True:
            await asyncio.sleep(1 if watched else _SECONDS_PER_LINE)
            line = self._line(time.monotonic() - started)
            print(f"\r\x1b[K{line}" if watched else f"{line}\n", end="", flush=True)

    def _line(self, seconds: float) -> str:
        share = self._done / self._weight if self._weight else 1.0
        parts = [f"computed {share:.0%}"] if self._weight else []
        if 0.02 < share < 1:
            parts.append(f"about {max(1, round(seconds / share * (1 - share) / 60))} min of it left")
        if self._running:
            parts.append(f"chapter {', '.join(chapter.source.stem for chapter in self._running)}")
        parts.append(f"{len(self._waiting)} chapters to come")
        return f"{int(seconds) // 60}:{int(seconds) % 60:02d}  " + "; ".join(parts)


class _StoppedError(Exception):
    """A chapter has failed: no more tasks are needed."""


def _clear_line() -> None:
    if sys.stdout.isatty():
        print("\r\x1b[K", end="", flush=True)


def _collected(stale: Sequence[_Chapter]) -> list[tuple[Any, Any]]:
    """List the tasks that the chapters need and the store lacks, in their order, each with its study's context."""
    studies: dict[str, Any] = {}
    work: dict[str, tuple] = {}
    for chapter in stale:
        chapter.tasks = set(work)  # without tasks of its own it shows what those before it have computed
        try:
            chapter_module = importlib.import_module(f"metamerbook.ensembles.{chapter.source.stem.partition('_')[2]}")
            from metamerbook import Study
            from metamerbook.engine.execute import missing

            asked = json.dumps(chapter.values, sort_keys=True)
            if asked not in studies:
                studies[asked] = Study.from_parameters(chapter.values, progress=False)
            study = studies[asked]
            tasks = missing(getattr(chapter_module, "tasks", lambda study: study.runs)(study), study.store)
        except Exception:  # the chapter itself says what is wrong with it
            continue
        # Some tables are of fewer images, for which the study has studies of their own.
        contexts = {one.references.fingerprint: one.context for one in study.with_subsets}
        for task in tasks:
            work.setdefault(task.key, (task, contexts.get(task.references, study.context)))
        chapter.tasks = {task.key for task in tasks}
    return list(work.values())


async def _execute(chapter: _Chapter, manager: Any) -> ChapterRun:
    """Execute one chapter."""
    name, path = chapter.source.name, chapter.path
    unfinished = path.with_suffix(".failed.ipynb")
    path.parent.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    notebook = jupytext.read(chapter.source)
    cell = nbformat.v4.new_code_cell(PythonTranslator.codify(chapter.values).rstrip())
    cell.metadata.tags = ["injected-parameters"]
    (place,) = [number for number, one in enumerate(notebook.cells) if has_parameters(one)]
    notebook.cells.insert(place + 1, cell)
    try:
        await execute_in(manager, notebook)
    except CellExecutionError as error:
        number = max(cell.get("execution_count") or 0 for cell in notebook.cells)
        raise ChapterError(
            f"{name} failed in its code cell {number}: {error.ename}: {error.evalue}\n"
            f"The cells up to there: {unfinished}"
        ) from error
    except DeadKernelError as error:
        raise ChapterError(
            f"{name}: the process that executed it was killed, perhaps for want of memory. What it had "
            f"computed is in the store, and the same command goes on from there. Its cells: {unfinished}"
        ) from error
    finally:
        nbformat.write(normalised(notebook), unfinished)
    seconds = time.perf_counter() - started
    if text := complaints(notebook):
        raise ChapterError(f"{name} wrote to its error stream:\n{text}\nIts cells: {unfinished}")
    notebook.metadata.metamerlib = {"key": chapter.key}
    nbformat.write(notebook, unfinished)
    unfinished.replace(path)
    return ChapterRun(chapter.source.stem, path, seconds, executed=True)


def _is_current(chapter: _Chapter) -> bool:
    """Return whether nothing that a chapter depends on has changed since its last execution."""
    try:
        last = json.loads(chapter.path.read_text(encoding="utf8"))
    except (OSError, ValueError):  # never executed, or cut off by a crash of the machine
        return False
    return bool(chapter.key) and last["metadata"].get("metamerlib", {}).get("key") == chapter.key
