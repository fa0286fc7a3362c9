"""Computing tasks on the workers of a Dask cluster, which may be processes, GPUs or machines."""

import atexit
import logging
import pickle
import uuid
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

from metamerbook.engine.agenda import Agenda
from metamerbook.engine.connection import ClusterError, connect
from metamerbook.engine.marks import Mark
from metamerbook.engine.remote import Outcome, compute_here, environment, forget, receive
from metamerbook.engine.store import Store
from metamerbook.engine.task import Task

if TYPE_CHECKING:
    from dask.distributed import Future

_log = logging.getLogger(__name__)
_SECONDS_BETWEEN_LOOKS = 1.0  # at which workers there are
_SECONDS_TO_FETCH = 5.0


class Shippable(Protocol):
    """Context that a worker computes tasks from; a pickled copy of them is sent there."""

    store: Store
    device: str


class ClusterWorkers:
    """Workers of a Dask cluster that hold context and compute tasks into the store, each one at a time.

    A worker gets the context once, when it is first seen. Tasks are handed out singly, so that workers of different
    speed end together; a task whose worker has died goes to another one, which goes on from its checkpoint.

    Parameters
    ----------
    context
        What tasks are computed from.
    scheduler
        As for `metamerbook.engine.connection.connect`.

    Raises
    ------
    ClusterError
        If nobody answers, or the context cannot be sent.
    """

    def __init__(self, context: Shippable, scheduler: Any) -> None:
        self._client = connect(scheduler, context.device)
        self._name = uuid.uuid4().hex
        self._payload = _pickled(context)
        self._mark = Mark(context.store, self._name)
        self._ready: set[str] = set()
        self._waiting = self._warned_of_locks = self._lost = False
        atexit.register(self.close)  # after `connect` has registered its own: called before that

    @property
    def broken(self) -> bool:
        """Whether the scheduler was lost."""
        return self._lost or self._client.status != "running"

    def run(
        self,
        pending: Sequence[Task],
        done: Callable[[Task], None],
        tolerated: Callable[[Task, Exception], bool] = lambda task, error: False,
    ) -> None:
        """Compute tasks, each after those that it requires.

        Where there is no worker, or none is left, it waits for one and says so.

        Parameters
        ----------
        pending
            What to compute, required tasks before those that require them.
        done
            Called with each task whose result is in the store, or that was given up.
        tolerated
            Called with each task that could not be computed, and the error; True gives it up and goes on.

        Raises
        ------
        ClusterError
            If a worker cannot compute these tasks, the scheduler is lost, or one task ends several workers.
        """
        agenda = Agenda(pending)
        running: dict[Future, Task] = {}
        try:
            while agenda:
                with self._answering():
                    workers = self._count_workers()
                    while len(running) < workers and (taken := agenda.take()):
                        task, _ = taken
                        running[self._submit(task)] = task
                    ended = self._ended(running)
                for future, outcome in ended.items():
                    task = running.pop(future)
                    if isinstance(outcome, Exception):
                        error = _explained(outcome, task)
                        if not tolerated(task, error):
                            raise error
                    elif not self._take_note(outcome):
                        agenda.put_back(task)
                        continue
                    agenda.finish(task)
                    done(task)
        except BaseException:
            if running and not self.broken:
                self._client.cancel(list(running))
                if self._client.cluster is None:  # those of a cluster that this process made end with it
                    _log.warning("the workers end what they have begun; only stopping them stops it.")
            raise

    def close(self) -> None:
        """Have the workers forget the context. The connection stays for others of this process."""
        atexit.unregister(self.close)
        if self._ready and not self.broken:
            there = self._ready.intersection(self._client.nthreads())
            self._client.run(forget, self._name, workers=list(there), on_error="ignore")
        self._ready.clear()
        self._mark.release()

    def _submit(self, task: Task) -> "Future":
        key = f"{task.kind}-{task.key[:32]}-{uuid.uuid4().hex[:8]}"
        return self._client.submit(pickle.loads, pickle.dumps(_Call(task, self._name)), key=key, pure=False)

    def _ended(self, running: Mapping["Future", Task]) -> dict["Future", Outcome | Exception]:
        from dask.distributed import wait

        outcomes = {}
        # Time-outs: nothing has ended yet; or a worker died before its answer was fetched. Dask asks another one then,
        # which finds the result in the store.
        with suppress(TimeoutError), self._client.as_current():
            for future in wait(list(running), timeout=_SECONDS_BETWEEN_LOOKS, return_when="FIRST_COMPLETED").done:
                error = future.exception(timeout=_SECONDS_TO_FETCH)
                outcomes[future] = error or future.result(timeout=_SECONDS_TO_FETCH)
        return outcomes

    def _take_note(self, outcome: Outcome) -> bool:
        """Repeat a worker's warnings, and tell whether it has computed the task."""
        for category, text in outcome.warnings:
            warnings.warn(text, category, stacklevel=4)
        if not outcome.computed:
            self._ready.discard(outcome.worker)
        return outcome.computed

    def _count_workers(self) -> int:
        there = set(self._client.nthreads())
        self._ready &= there
        if new := there - self._ready:
            self._prepare(new)
        if not self._ready and not self._waiting:
            _log.warning("no worker is at the scheduler %s: waiting for one.", self._client.scheduler.address)
        self._waiting = not self._ready
        return len(self._ready)

    def _prepare(self, workers: Collection[str]) -> None:
        answers = self._client.run(
            receive,
            self._name,
            self._payload,
            environment(),
            self._mark.path,
            workers=list(workers),
            on_error="return",
        )
        troubles = {}
        for worker, answer in answers.items():
            if isinstance(answer, OSError):  # it has gone meanwhile, or will be asked again
                continue
            if isinstance(answer, Exception):
                troubles[worker] = f"{type(answer).__name__}: {answer}"
            elif answer.trouble:
                troubles[worker] = answer.trouble
            else:
                self._ready.add(worker)
                self._warn_of_locks(worker, answer.sees_locks)
        if troubles:
            worker, trouble = next(iter(troubles.items()))
            others = f" ({len(troubles) - 1} more workers are in trouble)" if len(troubles) > 1 else ""
            raise ClusterError(f"worker {worker} cannot compute this study: {trouble}{others}.")

    def _warn_of_locks(self, worker: str, sees_locks: bool) -> None:
        if not sees_locks and not self._warned_of_locks:
            self._warned_of_locks = True
            warnings.warn(
                f"worker {worker} does not see this machine's locks in the store {self._mark.path.parents[1]}: the "
                "file system does not carry them. Let no other command work on the store meanwhile.",
                RuntimeWarning,
                stacklevel=6,
            )

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except (OSError, CancelledError) as error:
            self._lost = True
            raise ClusterError(
                f"the scheduler was lost ({type(error).__name__}: {error}). What was finished is in the store: the "
                "same command goes on from there."
            ) from error


class _Call:
    """Becomes what `compute_here` returns when it is unpickled.

    A scheduler unpickles the functions and arguments that it passes on, and would import torch and all of this library
    for that. What it passes on here is bytes.
    """

    def __init__(self, task: Task, name: str) -> None:
        self._arguments = task, name

    def __reduce__(self) -> tuple[Callable[..., Outcome], tuple[Task, str]]:
        return compute_here, self._arguments


def _explained(error: Exception, task: Task) -> Exception:
    from dask.distributed import KilledWorker

    if isinstance(error, ModuleNotFoundError):
        return ClusterError(
            f"a worker cannot import what {task.label} needs ({error}): install that module there, or put its folder "
            "into the workers' PYTHONPATH."
        )
    if not isinstance(error, KilledWorker):
        return error
    return ClusterError(
        f"{task.label} has ended {error.allowed_failures + 1} workers, perhaps for want of memory: give workers more, "
        "or compute fewer images at once (batch_size). Where workers are ended for other reasons, start the scheduler "
        "with a higher DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES."
    )


def _pickled(context: Shippable) -> bytes:
    import cloudpickle

    try:
        return cloudpickle.dumps(context)
    except Exception as error:  # what an object's own __getstate__ raises may be anything
        raise ClusterError(
            f"the study's networks cannot be sent to workers ({type(error).__name__}: {error}): keep open files, locks "
            "and connections out of them, or open these when they are first used."
        ) from error
