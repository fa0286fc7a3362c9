"""Compute the tasks that the store lacks: in this process where that is enough, else on the workers of Dask.

Dask orders the work, shares what two callers want, and restarts what a dead worker held; the store keeps results whole
and lets two commands wait for each other; a generation goes on from its checkpoint.
"""

import hashlib
import logging
import os
import pickle
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError
from functools import lru_cache
from typing import Any

import torch
from tqdm.std import tqdm

from metamerbook.engine.context import Context, are_large
from metamerbook.engine.scheduler import LOCAL, SCHEDULER, ClusterError, connect, processes_for
from metamerbook.engine.store import Store
from metamerbook.engine.task import Task
from metamerlib.generation import UnusableModelError
from metamerlib.models.device import resolve_device

_log = logging.getLogger(__name__)

_WORTH_STARTING = 20_000  # images × updates, about half a minute of one core: starting the processes takes ten seconds

Work = Sequence[tuple[Task, Context]]
Done = Callable[[Task], None]
Tolerated = Callable[[Task, Exception], bool]


def execute(
    tasks: Iterable[Task], context: Context, *, title: str = "computing", skip_unusable: bool = False
) -> dict[str, str]:
    """Compute every task that the store lacks, and what those require, with a progress bar over all of it.

    `skip_unusable` goes on where a network turns out to be one that no metamers can be made with; the keys of such
    tasks are returned, with the reasons.
    """
    unusable: dict[str, str] = {}

    def tolerated(task: Task, error: Exception) -> bool:
        if skip_unusable and isinstance(error, UnusableModelError):
            unusable[task.key] = str(error)
            return True
        return False

    pending = missing(tasks, context.store)
    with tqdm(
        total=sum(weight(task) for task in pending),
        desc=title,
        bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
        disable=not (context.shows_progress and pending),
        dynamic_ncols=True,
    ) as bar:
        work = [(task, context) for task in pending]
        compute(work, scheduler_for(work), lambda task: bar.update(weight(task)), tolerated)
    return unusable


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


def compute(work: Work, scheduler: Any, done: Done, tolerated: Tolerated) -> None:
    """Compute tasks, each in its context, on a scheduler or in this process; those that come first are begun first.

    A task stands behind those that it requires. `done` is called with each one whose result is in the store, or that
    was given up; `tolerated` with each one that failed, and its error: True gives it up and goes on.
    """
    if work and scheduler is not None:
        _compute_there(connect(scheduler, work[0][1].device), work, done, tolerated)
        return
    for task, context in work:
        try:
            context.result(task)
        except Exception as error:
            if not tolerated(task, error):
                raise
        done(task)


def scheduler_for(work: Work, processes: str = "1") -> Any:
    """Return the scheduler that was named, "local" where there is enough to do for several processes, else None.

    `processes` is what ``$METAMERLIB_WORKERS`` is where it is not set.
    """
    if not work:
        return None
    context = work[0][1]
    scheduler = context.scheduler if context.scheduler is not None else os.environ.get(SCHEDULER, "").strip() or None
    if scheduler is not None:
        return scheduler
    count = processes_for(are_large(context.models), resolve_device(context.device), processes)
    enough = len(work) > 1 and sum(task.cost for task, _ in work) >= _WORTH_STARTING
    return LOCAL if count > 1 and enough else None


def _compute_there(client: Any, work: Work, done: Done, tolerated: Tolerated) -> None:
    import cloudpickle
    from dask.distributed import as_completed

    contexts = list({id(context): context for _, context in work}.values())
    for context in contexts:
        with context.store._explaining():
            context.store.root.mkdir(parents=True, exist_ok=True)
    payload = cloudpickle.dumps(contexts)  # together, so that they go on sharing networks
    client.get_versions(check=True, packages=["metamerlib", "torch", "torchvision", "timm"])
    if not client.nthreads():
        _log.warning("no worker is at the scheduler %s: waiting for one.", client.scheduler.address)
    futures: dict[str, Any] = {}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)  # sent once, on purpose
            # A task of its own: it goes from worker to worker, and a lost copy is made again.
            sent = client.submit(bytes, payload, key=f"contexts-{hashlib.sha256(payload).hexdigest()}")
            for rank, (task, context) in enumerate(work):
                before = [futures[one.key] for one in task.requires if one.key in futures]
                # Results of one key in two stores are two results.
                place = hashlib.sha256(str(context.store.root).encode()).hexdigest()[:8]
                key = f"{task.kind}-{task.key[:32]}-{place}"
                arguments = (task, sent, contexts.index(context), before)
                futures[task.key] = client.submit(_work, *arguments, key=key, priority=-rank)
        tasks = {futures[task.key].key: task for task, _ in work}
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
        raise


_computing = threading.Lock()  # networks and their hooks are not made for two threads


def _work(task: Task, payload: bytes, number: int, _: list) -> list[tuple[type[Warning], str]]:
    """Compute a task into the store, on a worker; return what it warned of."""
    from dask.distributed import get_worker

    worker = get_worker()
    with _computing, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        torch.set_num_threads(worker.state.nthreads)
        context = _received(payload)[number]
        if not context.store.root.is_dir():
            raise ClusterError(
                f"the worker {worker.address} does not see this machine's store {context.store.root}: name a folder "
                "that all machines share under the same path, by METAMERLIB_STORE or --store."
            )
        try:
            context.result(task)
        except Exception as error:
            error.add_note(f"on worker {worker.address}")
            raise
    return [(one.category, str(one.message)) for one in caught]


@lru_cache(maxsize=2)
def _received(payload: bytes) -> list[Context]:
    return pickle.loads(payload)


def _explained(error: Exception, task: Task) -> Exception:
    from dask.distributed import KilledWorker

    if isinstance(error, CancelledError):
        return ClusterError(
            f"the scheduler was lost ({error}). What was finished is in the store: the same command goes on from there."
        )
    if isinstance(error, KilledWorker):
        return ClusterError(
            f"{task.label} has ended {error.allowed_failures + 1} workers, perhaps for want of memory: give workers "
            "more, or compute fewer images at once (batch_size)."
        )
    return error
