"""Computing specs in several processes of this machine, each with its share of the cores.

Small networks leave a second thread half idle, so that two processes of one thread each make metamers half as fast
again as one process of two.
"""

import logging
import os
import signal
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Protocol

import torch

from metamerlib.experiments.agenda import Agenda
from metamerlib.experiments.networks import are_large
from metamerlib.experiments.spec import Spec
from metamerlib.experiments.store import BusyError
from metamerlib.machine import cores
from metamerlib.models import Classifier

_VARIABLE = "METAMERLIB_WORKERS"
_WORTH_STARTING = 20_000  # images × updates, about half a minute of one core: starting the processes takes ten seconds


class Computes(Protocol):
    """What computes a spec and puts the result into the store."""

    def result(self, spec: Spec, *, wait: bool = True) -> object:
        """Compute one spec; what another process computes is waited for, or it raises a `BusyError`."""


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


def processes_for(models: Mapping[str, Classifier], device: torch.device) -> int:
    """Count the processes that computing is divided among.

    Parameters
    ----------
    models
        The networks that it is done with.
    device
        Where it is done.

    Returns
    -------
    int
        On the CPU as for `worker_count`, where "auto" is one process for networks that are large; elsewhere 1.

    Raises
    ------
    ValueError
        If the variable is something else.
    """
    return worker_count(most=1 if are_large(models) else 8) if device.type == "cpu" else 1


class Workers:
    """Processes that hold materials and compute specs into the store.

    Parameters
    ----------
    materials
        What specs are computed from; a copy goes to each process.
    count
        Number of processes.
    """

    def __init__(self, materials: Computes, count: int) -> None:
        self._executor = ProcessPoolExecutor(
            count,
            mp_context=get_context("spawn"),
            initializer=_prepare_worker,
            initargs=(materials, max(1, cores() // count), logging.lastResort and logging.lastResort.formatter),
        )
        self._count = count
        self._materials = materials
        self.broken = False

    @staticmethod
    def worth_starting(pending: Sequence[Spec]) -> bool:
        """Tell whether specs are enough work to start processes for.

        Parameters
        ----------
        pending
            What is to be computed.

        Returns
        -------
        bool
            True for half a minute of one core and more.
        """
        return len(pending) > 1 and sum(spec.cost for spec in pending) >= _WORTH_STARTING

    def run(
        self,
        pending: Sequence[Spec],
        done: Callable[[Spec], None],
        tolerated: Callable[[Spec, Exception], bool] = lambda spec, error: False,
    ) -> None:
        """Compute specs, each after those that it requires.

        If a process is killed, the rest is computed in this one, with a warning.

        Parameters
        ----------
        pending
            What to compute, required specs before those that require them.
        done
            Called with each spec whose result is in the store, or that was given up.
        tolerated
            Called with each spec that could not be computed, and the error; True gives it up and goes on.
        """
        agenda = Agenda(pending)
        running: dict[Future, Spec] = {}
        try:
            while agenda:
                while len(running) < self._count and (taken := agenda.take()):
                    spec, waits = taken
                    running[self._executor.submit(_compute, spec, waits)] = spec
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    error, spec = future.exception(), running.pop(future)
                    if isinstance(error, BusyError):
                        agenda.put_back(spec, busy=True)
                        continue
                    if error is not None and not (isinstance(error, Exception) and tolerated(spec, error)):
                        raise error
                    agenda.finish(spec)
                    done(spec)
        except BrokenProcessPool:
            self.broken = True
            warnings.warn(
                "a worker process was killed, perhaps for want of memory: the rest is computed in one process. "
                f"{_VARIABLE}=1 uses one from the start.",
                RuntimeWarning,
                stacklevel=3,
            )
            for spec in pending:
                if spec in agenda:
                    try:
                        self._materials.result(spec)
                    except Exception as error:
                        if not tolerated(spec, error):
                            raise
                    done(spec)
        except BaseException:
            for future in running:
                future.cancel()
            raise

    def close(self) -> None:
        """End the processes."""
        self._executor.shutdown(wait=False, cancel_futures=True)


_materials: Computes | None = None


def _prepare_worker(materials: Computes, threads: int, log_format: logging.Formatter | None) -> None:
    global _materials
    if logging.lastResort:
        logging.lastResort.setFormatter(log_format)  # what this process logs then looks as if the parent had said it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle
    torch.set_num_threads(threads)
    _materials = materials


def _end_with_parent() -> None:
    # A killed parent closes nothing, and its workers would wait for work for ever.
    parent_process().join()
    os._exit(1)


def _compute(spec: Spec, waits: bool) -> None:
    _materials.result(spec, wait=waits)
