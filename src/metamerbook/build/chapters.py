"""Execute the book's chapters, each only when something that it depends on has changed.

What all of them need is computed as one graph of tasks, in the order in which the book shows it. Beside it each chapter
is executed as soon as its own tasks are done.
"""

import asyncio
import importlib.util
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from papermill.translators import PythonTranslator

from metamerbook.build.kernel import chapter_environment, execute_in, running_kernel
from metamerbook.build.layout import BookLayout, book_root
from metamerbook.build.normalise import complaints, normalised
from metamerbook.build.requests import (
    ChapterError,
    absolute_paths,
    chapter_key,
    chosen_chapters,
    declared_parameters,
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
    """What became of one chapter: its executed notebook, and the seconds that its last execution took."""

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
    changed since its last success; always where it shows photographs or downloaded networks. What came out lies below
    `<output>/executed`; a chapter that fails leaves `NN_name.failed.ipynb` there, with the cells up to the error, and
    does not touch its last good copy.

    Parameters
    ----------
    profile : str
        Budget of the computation, handed to every chapter as its parameter `profile`.
    chapters : sequence of str or None
        Names (`"05_recognizability"`) or numbers (`"05"`) of the chapters to execute. None takes all.
    parameters : mapping of str to Any or None
        Values for the variables of the chapters' `parameters` cells. Each goes to the chapters that declare it.
    jobs : int or None
        Chapters executed at a time; None takes two where there are two cores.

    Raises
    ------
    ChapterError
        If a chapter does not exist, no chosen chapter declares a parameter (these two are a ValueError too), or a cell
        raises or complains: whatever it writes to the error stream other than progress bars and logging.
    """
    given = absolute_paths({"profile": os.fspath(file_path(profile, "profile")), **plain_parameters(parameters)})
    jobs = min(cores(), 2) if jobs is None else whole_number(jobs, "jobs", at_least=1)
    started = time.perf_counter()
    layout = BookLayout(root or book_root(), output)
    sources = chosen_chapters(layout, chapters)
    declared = {source: declared_parameters(jupytext.read(source), source.name) for source in sources}
    refuse_unknown(given, declared)

    runs: dict[str, ChapterRun] = {}

    def report(run: ChapterRun) -> None:
        runs[run.name] = run
        fate = f"{run.seconds:.1f} s" if run.executed else "up to date"
        print(f"[{len(runs)}/{len(sources)}] {run.name} {fate}", flush=True)

    stale = []
    package = package_digest(layout)
    for source in sources:
        values = {name: value for name, value in given.items() if name in declared[source]}
        path = layout.executed / source.relative_to(layout.root).with_suffix(".ipynb")
        chapter = _Chapter(source, path, values, chapter_key(package, source, values))
        last = None if force else _up_to_date(chapter)
        if last:
            report(last)
        else:
            stale.append(chapter)
    if stale:
        with chapter_environment():
            _Execution(layout, stale, jobs, report).run()
    print(f"{len(stale)} of {len(runs)} chapters executed in {time.perf_counter() - started:.1f} s")
    return [runs[source.stem] for source in sources]


_Work = tuple[Any, list, dict[str, int]]  # of a study: its context, the tasks in order, their weights by key


class _Execution:
    """Tasks that this thread computes, and chapters that others execute in kernels as soon as their tasks are done."""

    def __init__(
        self, layout: BookLayout, stale: Sequence[_Chapter], jobs: int, report: Callable[[ChapterRun], None]
    ) -> None:
        self._layout, self._report, self._jobs = layout, report, min(jobs, len(stale))
        self._waiting, self._running, self._executed = list(stale), [], 0
        self._changed = threading.Condition()
        self._stopped = False
        self._served: list[tuple[asyncio.AbstractEventLoop, asyncio.Task]] = []
        self._weight = self._done = 0

    def run(self) -> None:
        """Compute and execute everything, or stop at the first error."""
        with self._telling(), self._collected() as work, ThreadPoolExecutor(self._jobs) as threads:
            futures = [threads.submit(asyncio.run, self._serve()) for _ in range(self._jobs)]
            try:
                self._compute(work)
                wait(futures)  # where one fails, what is under way goes on to its end: it is up to date the next time
            except BaseException:
                self._stop()
                for loop, served in self._served:
                    loop.call_soon_threadsafe(served.cancel)
                raise
        for future in futures:
            future.result()

    @contextmanager
    def _collected(self) -> Iterator[list[_Work]]:
        """List what is to be computed, with processes for it where it is much."""
        work = _collected(self._waiting)
        self._weight = sum(weight for _, _, weights in work for weight in weights.values())
        with _pool(work):
            yield work

    def _compute(self, work: Sequence[_Work]) -> None:
        from metamerbook.engine.execute import compute
        from metamerlib.generation import UnusableModelError

        for context, pending, weights in work:

            def done(task: Any, weights: Mapping[str, int] = weights) -> None:
                with self._changed:
                    self._done += weights[task.key]
                    for chapter in self._waiting:
                        chapter.tasks.discard(task.key)
                    self._changed.notify_all()
                if self._stopped:
                    raise _StoppedError

            try:
                # The chapters say what they leave out.
                compute(pending, context, done, lambda _, error: isinstance(error, UnusableModelError))
            except _StoppedError:
                return

    async def _serve(self) -> None:
        """Execute chapters in one kernel until there are no more."""
        chapter = self._next()
        if chapter is None:
            return
        self._served.append((asyncio.get_running_loop(), asyncio.current_task()))
        try:
            async with running_kernel(self._layout.notebooks, max(1, cores() // self._jobs)) as manager:
                while chapter is not None:
                    run = await _execute(chapter, manager)
                    with self._changed:
                        self._running.remove(chapter)
                        self._executed += 1
                    self._clear_line()
                    self._report(run)
                    chapter = self._next()
        except BaseException:
            self._stop()
            raise
        finally:
            self._served.remove(next(one for one in self._served if one[1] is asyncio.current_task()))

    def _next(self) -> _Chapter | None:
        with self._changed:
            while not self._stopped and self._waiting:
                ready = next((chapter for chapter in self._waiting if not chapter.tasks), None)
                if ready is not None:
                    self._waiting.remove(ready)
                    self._running.append(ready)
                    return ready
                self._changed.wait()
            return None

    def _stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Keep a line on a terminal, or write one every ten seconds: what is done, under way and left."""
        ended, started = threading.Event(), time.monotonic()

        def tell() -> None:
            watched = sys.stdout.isatty()
            while not ended.wait(1 if watched else _SECONDS_PER_LINE):
                line = self._line(time.monotonic() - started)
                print(f"\r\x1b[K{line}" if watched else f"{line}\n", end="", flush=True)

        teller = threading.Thread(target=tell, daemon=True)
        teller.start()
        try:
            yield
        finally:
            ended.set()
            teller.join()
            self._clear_line()

    def _line(self, seconds: float) -> str:
        share = self._done / self._weight if self._weight else 1.0
        parts = [f"computed {share:.0%}"] if self._weight else []
        if 0.02 < share < 1:
            parts.append(f"about {max(1, round(seconds / share * (1 - share) / 60))} min of it left")
        under_way = ", ".join(chapter.source.stem for chapter in self._running)
        parts += [f"chapter {under_way}"] if under_way else []
        parts.append(f"{len(self._waiting)} chapters to come")
        return f"{int(seconds) // 60}:{int(seconds) % 60:02d}  " + "; ".join(parts)

    @staticmethod
    def _clear_line() -> None:
        if sys.stdout.isatty():
            print("\r\x1b[K", end="", flush=True)


class _StoppedError(Exception):
    """A chapter has failed: no more tasks are needed."""


def _collected(stale: Sequence[_Chapter]) -> list[_Work]:
    """List what the chapters need and the store lacks, per study: its context, the tasks in order, their weights."""
    studies: dict[str, Any] = {}
    wanted: dict[str, list] = {}
    for chapter in stale:
        name = f"metamerbook.ensembles.{chapter.source.stem.partition('_')[2]}"
        chapter.tasks = {task.key for tasks in wanted.values() for task in tasks}
        if importlib.util.find_spec(name) is None:  # it shows what those before it have computed
            continue
        from metamerbook import Study

        asked = json.dumps(chapter.values, sort_keys=True, default=repr)
        try:
            if asked not in studies:
                studies[asked] = Study.from_parameters(chapter.values, progress=False)
            listed = getattr(importlib.import_module(name), "tasks", lambda study: study.runs)
            tasks = list(listed(studies[asked]))
        except Exception:  # the chapter itself says what is wrong with it
            continue
        wanted.setdefault(asked, []).extend(tasks)
        chapter.tasks = {task.key for task in tasks}
    if not wanted:
        return []
    from metamerbook.engine.execute import missing, weight

    work = []
    for asked, tasks in wanted.items():
        # Some tables are of fewer images, for which the study has studies of their own.
        contexts = {one.references.fingerprint: one.context for one in studies[asked].with_subsets}
        by_images: dict[str, list] = {}
        for task in tasks:
            by_images.setdefault(task.references, []).append(task)
        for images, of_images in by_images.items():
            pending = missing(of_images, studies[asked].store)
            work.append(
                (contexts.get(images, studies[asked].context), pending, {task.key: weight(task) for task in pending})
            )
    lacking = {key for _, _, weights in work for key in weights}
    for chapter in stale:
        chapter.tasks &= lacking
    return work


@contextmanager
def _pool(work: Sequence[_Work]) -> Iterator[None]:
    """Start processes for all chapters where there is enough to do; their kernels find them by the variable."""
    if not any(pending for _, pending, _ in work):
        yield
        return
    from metamerbook.engine.execute import scheduler_for
    from metamerbook.engine.scheduler import SCHEDULER, connect, disconnect

    for context, pending, _ in work:
        scheduler = scheduler_for(pending, context)
        if scheduler is not None:
            os.environ[SCHEDULER] = connect(scheduler, context.device).scheduler.address
            break
    try:
        yield
    finally:
        disconnect()


async def _execute(chapter: _Chapter, manager: Any) -> ChapterRun:
    """Execute one chapter."""
    name, path = chapter.source.name, chapter.path
    record, unfinished = path.with_suffix(".json"), path.with_suffix(".failed.ipynb")
    path.parent.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    notebook = _injected(jupytext.read(chapter.source), chapter.values)
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
        executed = normalised(notebook)
        nbformat.write(executed, unfinished)
    seconds = time.perf_counter() - started
    if text := complaints(executed):
        raise ChapterError(f"{name} wrote to its error stream:\n{text}\nIts cells: {unfinished}")
    record.unlink(missing_ok=True)  # never an old key beside a new notebook
    unfinished.replace(path)
    draft = record.with_suffix(".json.tmp")
    draft.write_text(json.dumps({"key": chapter.key, "seconds": round(seconds, 2)}) + "\n", encoding="utf8")
    draft.replace(record)
    return ChapterRun(chapter.source.stem, path, seconds, executed=True)


def _injected(notebook: NotebookNode, values: Mapping[str, Any]) -> NotebookNode:
    source = PythonTranslator.codify(values).rstrip()
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["injected-parameters"]})
    (place,) = [number for number, one in enumerate(notebook.cells) if has_parameters(one)]
    notebook.cells.insert(place + 1, cell)
    return notebook


def _up_to_date(chapter: _Chapter) -> ChapterRun | None:
    """Return what a chapter's last execution left, if nothing that it depends on has changed since."""
    try:
        last = json.loads(chapter.path.with_suffix(".json").read_text(encoding="utf8"))
    except (OSError, ValueError):  # never executed, or cut off by a crash of the machine
        return None
    current = chapter.key and last["key"] == chapter.key and chapter.path.exists()
    return ChapterRun(chapter.source.stem, chapter.path, last["seconds"], executed=False) if current else None
