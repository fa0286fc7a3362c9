"""Compute the tasks that the store lacks: in this process where that is enough, else on the workers of Dask.

Dask orders the work, shares what two callers want, and restarts what a dead worker held; the store keeps results whole
and lets two commands wait for each other; a generation goes on from its checkpoint.
"""

import hashlib
import logging
import pickle
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from tqdm.std import tqdm

from metamerbook.engine.context import Context, are_large
from metamerbook.engine.scheduler import (
    LOCAL,
    ClusterError,
    connect,
    local_clusters,
    processes_for,
    scheduler_asked_for,
)
from metamerbook.engine.store import Store, versions
from metamerbook.engine.task import Task
from metamerlib.generation import UnusableModelError
from metamerlib.models.device import resolve_device

if TYPE_CHECKING:
    from dask.distributed import Client

_log = logging.getLogger(__name__)

_WORTH_STARTING = 20_000  # images × updates, about half a minute of one core: starting the processes takes ten seconds
_STUDIES_AT_HAND = 3  # on a worker; further ones push the eldest out

Done = Callable[[Task], None]
Tolerated = Callable[[Task, Exception], bool]


@dataclass(frozen=True)
class Execution:
    """The tasks that a call of `execute` computed and found; and of those given up, the keys with the reasons."""

    computed: tuple[Task, ...]
    found: tuple[Task, ...]
    unusable: Mapping[str, str] = field(default_factory=dict)


def execute(
    tasks: Iterable[Task], context: Context, *, title: str = "computing", skip_unusable: bool = False
) -> Execution:
    """Compute every task that the store lacks, and what those require, with a progress bar over all of it.

    `skip_unusable` goes on where a network turns out to be one that no metamers can be made with.
    """
    unusable: dict[str, str] = {}

    def tolerated(task: Task, error: Exception) -> bool:
        if skip_unusable and isinstance(error, UnusableModelError):
            unusable[task.key] = str(error)
            return True
        return False

    wanted = {task.key: task for task in tasks}
    found = tuple(task for task in wanted.values() if task in context.store)
    pending = missing(wanted.values(), context.store)
    with tqdm(
        total=sum(weight(task) for task in pending),
        desc=title,
        bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
        disable=not (context.shows_progress and pending),
        dynamic_ncols=True,
    ) as bar:
        compute(pending, context, lambda task: bar.update(weight(task)), tolerated)
    return Execution(tuple(task for task in pending if task.key not in unusable), found, unusable)


def weight(task: Task) -> int:
    """Return a task's share of a progress bar: whole, since sums of fractions depend on their order."""
    return max(1, round(task.cost))


def missing(tasks: Iterable[Task], store: Store) -> list[Task]:
    """List the tasks that a store lacks, each once and behind those that it requires."""
    ordered: dict[str, Task] = {}

    def place(task: Task) -> None:
        if task.key not in ordered and task not in store:
            for required in task.requires:
                place(required)
            ordered[task.key] = task

    for task in tasks:
        place(task)
    return list(ordered.values())


def compute(pending: Sequence[Task], context: Context, done: Done, tolerated: Tolerated) -> None:
    """Compute tasks, ordered as `missing` does; those that come first are begun first.

    `done` is called with each task whose result is in the store, or that was given up; `tolerated` with each one that
    failed, and its error: True gives it up and goes on.
    """
    scheduler = scheduler_for(pending, context)
    if pending and scheduler is not None:
        _compute_there(connect(scheduler, context.device), pending, context, done, tolerated)
        return
    for task in pending:
        try:
            context.result(task)
        except Exception as error:
            if not tolerated(task, error):
                raise
        done(task)


def scheduler_for(pending: Sequence[Task], context: Context) -> Any:
    """Return the scheduler that was named, "local" where there is enough to do for several processes, else None."""
    scheduler = scheduler_asked_for(context.scheduler)
    if scheduler is not None or not pending:
        return scheduler
    count = processes_for(are_large(context.models), resolve_device(context.device))
    enough = len(pending) > 1 and sum(task.cost for task in pending) >= _WORTH_STARTING
    return LOCAL if count > 1 and enough else None


def _compute_there(
    client: "Client", pending: Sequence[Task], context: Context, done: Done, tolerated: Tolerated
) -> None:
    from dask.distributed import as_completed

    with context.store._explaining():
        context.store.root.mkdir(parents=True, exist_ok=True)
    payload = _pickled((versions(), context))
    name = hashlib.sha256(payload).hexdigest()
    place = hashlib.sha256(str(context.store.root).encode()).hexdigest()[:8]  # another store lacks its results
    if not client.nthreads():
        _log.warning("no worker is at the scheduler %s: waiting for one.", client.scheduler.address)
    futures: dict[str, Any] = {}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)  # sent once, on purpose
            # A task of its own: it goes from worker to worker, and a lost copy is made again.
            sent = client.submit(bytes, payload, key=f"context-{name}")
            for rank, task in enumerate(pending):
                before = [futures[one.key] for one in task.requires if one.key in futures]
                key = f"{task.kind}-{task.key[:32]}-{place}"
                futures[task.key] = client.submit(_work, task, name, sent, before, key=key, priority=-rank)
        tasks = {futures[task.key].key: task for task in pending}
        for future in as_completed(futures.values(), loop=client.loop):
            task = tasks[future.key]
            try:
                caught = future.result()
            except Exception as error:
                explained = _explained(error, task)
                if not tolerated(task, explained):
                    raise explained from None
                caught = []
            for category, text in caught:
                warnings.warn(text, category, stacklevel=4)
            done(task)
    except BaseException:
        if client.status == "running":
            client.cancel(list(futures.values()))
            if not local_clusters:  # which end with this process
                _log.warning("the workers end what they have begun; only stopping them stops it.")
        raise


_contexts: dict[str, Context] = {}
_computing = threading.Lock()  # networks and their hooks are not made for two threads


def _work(task: Task, name: str, payload: bytes, _: list) -> list[tuple[type[Warning], str]]:
    """Compute a task into the store, on a worker; return what it warned of."""
    from dask.distributed import get_worker

    worker = get_worker()
    with _computing, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        torch.set_num_threads(worker.state.nthreads)
        try:
            _received(name, payload).result(task)
        except Exception as error:
            error.add_note(f"on worker {worker.address}")
            raise
    return [(one.category, str(one.message)) for one in caught]


def _received(name: str, payload: bytes) -> Context:
    if name not in _contexts:
        try:
            expected, context = pickle.loads(payload)
        except (ImportError, AttributeError) as error:
            raise ClusterError(
                f"a worker cannot import what the study's networks are made of ({error}): install that module there, "
                "or put its folder into the workers' PYTHONPATH."
            ) from error
        here = versions()
        if different := [
            f"{key} is {here[key]} there and {its} here" for key, its in expected.items() if its != here[key]
        ]:
            raise ClusterError(f"a worker differs: {'; '.join(different)}. Install the same on both.")
        if not context.store.root.is_dir():
            raise ClusterError(
                f"a worker does not see this machine's store {context.store.root}: name a folder that all machines "
                "share under the same path, by METAMERLIB_STORE or --store."
            )
        while len(_contexts) >= _STUDIES_AT_HAND:
            _contexts.pop(next(iter(_contexts)))
        _contexts[name] = context
    return _contexts[name]


def _pickled(value: object) -> bytes:
    import cloudpickle

    try:
        return cloudpickle.dumps(value)
    except Exception as error:  # what an object's own __getstate__ raises may be anything
        raise ClusterError(
            f"the study's networks cannot be sent to workers ({type(error).__name__}: {error}): keep open files, locks "
            "and connections out of them, or open these when they are first used."
        ) from error


def _explained(error: Exception, task: Task) -> Exception:
    from dask.distributed import KilledWorker

    if isinstance(error, CancelledError):
        return ClusterError(
            f"the scheduler was lost ({error}). What was finished is in the store: the same command goes on from there."
        )
    if isinstance(error, KilledWorker):
        return ClusterError(
            f"{task.label} has ended {error.allowed_failures + 1} workers, perhaps for want of memory: give workers "
            "more, or compute fewer images at once (batch_size). Where workers are ended for other reasons, start the "
            "scheduler with a higher DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES."
        )
    return error
