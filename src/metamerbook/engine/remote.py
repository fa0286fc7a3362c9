"""What happens on a worker of a cluster: it holds the context of studies, and computes tasks into their store."""

import hashlib
import pickle
import threading
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from metamerbook.engine.connection import ClusterError
from metamerbook.engine.entries import versions
from metamerbook.engine.marks import sees_lock, trouble_with
from metamerbook.engine.task import Task
from metamerbook.engine.workers import Computes

_STUDIES_AT_HAND = 3  # further ones push the eldest out, so that those of dead processes do not fill the memory

_ROOMS = ("stimuli", "models", "generation", "evaluation", "experiments")  # what results depend on

_SECONDS_TO_ARRIVE = 60.0  # for context whose tasks are here already

_context: dict[str, bytes | Computes] = {}
_forgotten: set[str] = set()
_arrival = threading.Condition()
_computing = threading.Lock()  # networks and their hooks are not made for two threads


@dataclass(frozen=True)
class Reception:
    """What a worker says to context that it is given.

    Attributes
    ----------
    trouble
        Why it cannot use them, in words; empty if it can.
    sees_locks
        Whether it notices when another process holds a lock in the store.
    """

    trouble: str
    sees_locks: bool = True


@dataclass(frozen=True)
class Outcome:
    """What became of a task that did not fail.

    Attributes
    ----------
    worker
        Address of the worker.
    computed
        Whether the result is in the store; if not, the worker does not have the context.
    warnings
        What the computation warned of, as category and text.
    """

    worker: str
    computed: bool
    warnings: tuple[tuple[type[Warning], str], ...] = ()


@cache
def environment() -> dict[str, str]:
    """Describe what this process computes with.

    Returns
    -------
    dict
        Versions by package, and a digest of this library's own source as it was when this was first asked.
    """
    source = hashlib.sha256()
    for room in _ROOMS:
        for path in sorted((Path(__file__).parents[1] / room).rglob("*.py")):
            source.update(path.read_bytes())
    python = ".".join(versions()["python"].split(".")[:2])
    return versions() | {"python": python, "the source of metamerlib": source.hexdigest()[:12]}


def receive(name: str, payload: bytes, expected: dict[str, str], mark: Path) -> Reception:
    """Take a study's context, if its tasks can be computed here.

    Parameters
    ----------
    name
        What the context are called in `compute_here`.
    payload
        The context, pickled.
    expected
        The `environment` of the process that they come from.
    mark
        A file in the store on which that process holds a lock.

    Returns
    -------
    Reception
        Whether they were taken.
    """
    here = environment()
    different = [f"{key} is {here[key]} there and {its} here" for key, its in expected.items() if here[key] != its]
    if different:
        return Reception(f"{'; '.join(different)}: install the same on both, and start the worker anew")
    if trouble := trouble_with(mark):
        return Reception(trouble)
    while len(_context) >= _STUDIES_AT_HAND:
        forget(next(iter(_context)))
    with _arrival:
        _context[name] = payload
        _forgotten.discard(name)
        _arrival.notify_all()
    return Reception("", sees_locks=sees_lock(mark))


def forget(name: str) -> None:
    """Let go of a study's context.

    Parameters
    ----------
    name
        As for `receive`.
    """
    _context.pop(name, None)
    _forgotten.add(name)


def compute_here(task: Task, name: str) -> Outcome:
    """Compute a task into the store, with as many threads as the worker was given.

    Parameters
    ----------
    task
        What to run.
    name
        Whose context to use.

    Returns
    -------
    Outcome
        Where, and whether it was computed.

    Raises
    ------
    ClusterError
        If the context cannot be read here.
    """
    from dask.distributed import get_worker

    worker = get_worker()
    # The scheduler gives a dead worker's task to a new one before that one has been given the context.
    with _arrival:
        _arrival.wait_for(lambda: name in _context or name in _forgotten, timeout=_SECONDS_TO_ARRIVE)
    with _computing, warnings.catch_warnings(record=True) as caught:
        torch.set_num_threads(worker.state.nthreads)
        try:
            context = _unpacked(name)
            if context is None:
                return Outcome(worker.address, computed=False)
            context.result(task)
        except Exception as error:
            error.add_note(f"on worker {worker.address}")
            raise
    return Outcome(worker.address, True, tuple((one.category, str(one.message)) for one in caught))


def _unpacked(name: str) -> Computes | None:
    held = _context.get(name)
    if isinstance(held, bytes):
        try:
            held = _context[name] = pickle.loads(held)
        except (ImportError, AttributeError) as error:
            raise ClusterError(
                f"a worker cannot import what the study's networks are made of ({error}): install that module there, "
                "or put its folder into the workers' PYTHONPATH."
            ) from error
    return held
