"""Computing tasks in several processes of this machine, each with its share of the cores.

Small networks leave a second thread half idle, so that two processes of one thread each make metamers half as fast
again as one process of two.
"""

import logging
import os
import signal
import threading
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Protocol

import torch

from metamerbook.engine.agenda import Agenda
from metamerbook.engine.store import BusyError
from metamerbook.engine.task import Task
from metamerlib.system import cores

_VARIABLE = "METAMERLIB_WORKERS"
_WORTH_STARTING = 20_000  # images × updates, about half a minute of one core: starting the processes takes ten seconds


class Computes(Protocol):
    """What computes a task and puts the result into the store."""

    def result(self, task: Task, *, wait: bool = True) -> object:
        """Compute one task; what another process computes is waited for, or it raises a `BusyError`."""


def worker_count(default: str = "1", most: int = 8) -> int:
    """Read how many processes to use from ``$METAMERLIB_WORKERS``: a number, or "auto" for one per core.

    The command line and the book's chapters set it to "auto". Elsewhere one process is the default, because a script
    without an ``if __name__ == "__main__"`` line cannot start others.

    Parameters
    ----------
    default
        What counts where the variable is not set.
    most
        How many "auto" is at most.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ValueError
        If the variable is something else.
    """
    asked = os.environ.get(_VARIABLE, "").strip().lower() or default
    if asked == "auto":
        return min(cores(), most)
    if not asked.isdecimal() or int(asked) < 1:
        raise ValueError(f'{_VARIABLE} is {asked!r}: give a number of processes, or "auto" for one per core.')
    return int(asked)


def processes_for(large: bool, device: torch.device) -> int:
    """Count the processes that computing is divided among.

    Parameters
    ----------
    large
        Whether the networks keep all cores of a machine busy.
    device
        Where it is done.

    Returns
    -------
    int
        On the CPU as for `worker_count`, where "auto" is one process for large networks; elsewhere 1.

    Raises
    ------
    ValueError
        If the variable is something else.
    """
    return worker_count(most=1 if large else 8) if device.type == "cpu" else 1


class Workers:
    """Processes that hold context and compute tasks into the store.

    Parameters
    ----------
    context
        What tasks are computed from; a copy goes to each process.
    count
        Number of processes.
    """

    def __init__(self, context: Computes, count: int) -> None:
        self._executor = ProcessPoolExecutor(
            count,
            mp_context=get_context("spawn"),
            initializer=_prepare_worker,
            initargs=(context, max(1, cores() // count), logging.lastResort and logging.lastResort.formatter),
        )
        self._count = count
        self._context = context
        self.broken = False

    @staticmethod
    def worth_starting(pending: Sequence[Task]) -> bool:
        """Tell whether tasks are enough work to start processes for.

        Parameters
        ----------
        pending
            What is to be computed.

        Returns
        -------
        bool
            True for half a minute of one core and more.
        """
        return len(pending) > 1 and sum(task.cost for task in pending) >= _WORTH_STARTING

    def run(
        self,
        pending: Sequence[Task],
        done: Callable[[Task], None],
        tolerated: Callable[[Task, Exception], bool] = lambda task, error: False,
    ) -> None:
        """Compute tasks, each after those that it requires.

        If a process is killed, the rest is computed in this one, with a warning.

        Parameters
        ----------
        pending
            What to compute, required tasks before those that require them.
        done
            Called with each task whose result is in the store, or that was given up.
        tolerated
            Called with each task that could not be computed, and the error; True gives it up and goes on.
        """
        agenda = Agenda(pending)
        running: dict[Future, Task] = {}
        try:
            while agenda:
                while len(running) < self._count and (taken := agenda.take()):
                    task, waits = taken
                    running[self._executor.submit(_compute, task, waits)] = task
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    error, task = future.exception(), running.pop(future)
                    if isinstance(error, BusyError):
                        agenda.put_back(task, busy=True)
                        continue
                    if error is not None and not (isinstance(error, Exception) and tolerated(task, error)):
                        raise error
                    agenda.finish(task)
                    done(task)
        except BrokenProcessPool:
            self.broken = True
            warnings.warn(
                "a worker process was killed, perhaps for want of memory: the rest is computed in one process. "
                f"{_VARIABLE}=1 uses one from the start.",
                RuntimeWarning,
                stacklevel=3,
            )
            for task in pending:
                if task in agenda:
                    try:
                        self._context.result(task)
                    except Exception as error:
                        if not tolerated(task, error):
                            raise
                    done(task)
        except BaseException:
            for future in running:
                future.cancel()
            raise

    def close(self) -> None:
        """End the processes."""
        self._executor.shutdown(wait=False, cancel_futures=True)


_context: Computes | None = None


def _prepare_worker(context: Computes, threads: int, log_format: logging.Formatter | None) -> None:
    global _context
    if logging.lastResort:
        logging.lastResort.setFormatter(log_format)  # what this process logs then looks as if the parent had said it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle
    torch.set_num_threads(threads)
    _context = context


def _end_with_parent() -> None:
    # A killed parent closes nothing, and its workers would wait for work for ever.
    parent_process().join()
    os._exit(1)


def _compute(task: Task, waits: bool) -> None:
    _context.result(task, wait=waits)
