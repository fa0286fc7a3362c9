"""The Dask scheduler that computes tasks: which one, the connection to it, and one of this machine's own."""

import atexit
import logging
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from metamerlib.models.device import resolve_device
from metamerlib.system import KEEP_MEMORY, cores

WORKERS = "METAMERLIB_WORKERS"
SCHEDULER = "METAMERLIB_SCHEDULER"
LOCAL = "local"
_SECONDS_TO_ANSWER = 10


class ClusterError(RuntimeError):
    """A Dask cluster cannot be used as it is, or was lost; the text says what to do."""


def processes_for(large: bool, device: torch.device, default: str = "1") -> int:
    """Return how many processes compute, by ``$METAMERLIB_WORKERS``: a number, or "auto" for one per core.

    The command line and the book's chapters set it to "auto", which is one process with large networks. Elsewhere one
    is the default, because a script without an ``if __name__ == "__main__"`` line cannot start others. Off the CPU it
    is one.
    """
    asked = os.environ.get(WORKERS, "").strip().lower() or default
    if asked != "auto" and not (asked.isdecimal() and int(asked) >= 1):
        raise ValueError(f'{WORKERS} is {asked!r}: give a number of processes, or "auto" for one per core.')
    if device.type != "cpu":
        return 1
    return int(asked) if asked != "auto" else 1 if large else min(cores(), 8)


def check_scheduler(scheduler: object) -> None:
    """Refuse what cannot be a scheduler, without connecting to it.

    It may be an address, the path of a scheduler file, "local", a synchronous `distributed.Client` or a Dask cluster.
    """
    kinds = (
        "its address, such as 'tcp://10.0.0.5:8786', the .json file that `dask scheduler --scheduler-file` writes, or "
        f"{LOCAL!r} for processes of this machine"
    )
    if isinstance(scheduler, str | os.PathLike):
        text = os.fspath(scheduler)
        if text.endswith(".json") and not Path(text).expanduser().is_file():
            raise ValueError(f"scheduler is {text!r}, a file that does not exist: start the scheduler first.")
        if not text.endswith(".json") and text != LOCAL and not re.fullmatch(r"(\w+://)?[^\s/]+:\d+", text):
            raise ValueError(f"scheduler is {text!r}: give {kinds}.")
    elif not (hasattr(scheduler, "submit") or hasattr(scheduler, "scheduler_address")):
        raise TypeError(
            f"scheduler is a {type(scheduler).__name__}: give {kinds}; or a distributed.Client or a Dask cluster."
        )


_clients: dict[Any, Any] = {}  # by what was asked for


def connect(scheduler: Any, device: str = "auto") -> Any:
    """Connect to a scheduler, or return the connection that this process has already.

    "local" starts a scheduler and worker processes, which end with this process: as many as ``$METAMERLIB_WORKERS``
    says, one per core where it says nothing; on an accelerator one.
    """
    check_scheduler(scheduler)
    from dask.distributed import Client

    if hasattr(scheduler, "submit"):
        return scheduler
    if scheduler in _clients and _clients[scheduler].status == "running":
        return _clients[scheduler]
    if not _clients:
        atexit.register(disconnect)
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL + 1)  # raised as errors
    file = str(Path(scheduler).expanduser()) if str(scheduler).endswith(".json") else None
    address = _start_local(device) if scheduler == LOCAL else None if file else scheduler
    try:
        client = Client(
            address, scheduler_file=file, timeout=_SECONDS_TO_ANSWER, set_as_default=False, name="metamerlib"
        )
    except OSError as error:  # time-outs among them
        raise ClusterError(
            f"no scheduler answers at {file or address} within {_SECONDS_TO_ANSWER} seconds: is `dask scheduler` "
            "running there, and can this machine reach it?"
        ) from error
    _clients[scheduler] = client
    return client


def disconnect() -> None:
    """Close the connections that `connect` made, and end the processes of "local"."""
    for scheduler, client in list(_clients.items()):
        cluster = client.cluster
        with suppress(TimeoutError):  # where the scheduler is gone
            client.close(timeout=2)
        if scheduler == LOCAL:
            cluster.close()
    _clients.clear()


def _start_local(device: str) -> Any:
    import dask
    from dask.distributed import LocalCluster

    resolved = resolve_device(device)
    count = processes_for(False, resolved, default="auto")
    if resolved.type == "cuda" and torch.cuda.device_count() > 1:
        raise ClusterError(
            f"scheduler='local' does not share out the {torch.cuda.device_count()} GPUs of this machine: run `dask "
            "scheduler` and `dask cuda worker tcp://…:8786` (pip install dask-cuda), which starts a worker per GPU."
        )
    # A process that is started anew imports torch, which can take longer than the 15 s after which it is given up.
    dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"})
    dask.config.set({f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in KEEP_MEMORY.items()})
    return LocalCluster(
        n_workers=count,
        threads_per_worker=max(1, cores() // count),
        memory_limit=None,  # Dask would kill workers that use more than its estimate of their share
        silence_logs=logging.CRITICAL,  # what a user can mend is raised as an error
        dashboard_address="127.0.0.1:0",  # None would still open port 8787, and warn where it is taken
    )
