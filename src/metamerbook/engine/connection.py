"""The Dask scheduler that tasks are handed to, where one is named: connected to once per process."""

import atexit
import importlib.util
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from metamerbook.engine.workers import worker_count
from metamerlib.models.devices import resolve_device
from metamerlib.system import cores

if TYPE_CHECKING:
    from dask.distributed import Client

_VARIABLE = "METAMERLIB_SCHEDULER"
_LOCAL = "local"
_SECONDS_TO_ANSWER = 10

_clients: dict[Any, "Client"] = {}  # by what was asked for
_local_clusters: list[Any] = []


class ClusterError(RuntimeError):
    """A Dask cluster cannot be used as it is, or was lost; the text says what to do."""


def scheduler_asked_for(given: object = None) -> Any:
    """Find out which scheduler to use, if any.

    Parameters
    ----------
    given
        What the caller names; None leaves it to ``$METAMERLIB_SCHEDULER``.

    Returns
    -------
    str, Client, Cluster or None
        None where this machine's own processes compute.
    """
    return given if given is not None else os.environ.get(_VARIABLE, "").strip() or None


def check_scheduler(scheduler: object) -> None:
    """Refuse what cannot be a scheduler, without connecting to it.

    Parameters
    ----------
    scheduler
        An address, the path of a scheduler file, "local", a `distributed.Client` or a Dask cluster.

    Raises
    ------
    ImportError
        If the package `distributed` is not installed.
    TypeError
        If it is something else.
    ValueError
        If a text is no address, a file does not exist, or a client is an asynchronous one.
    """
    if importlib.util.find_spec("distributed") is None:
        raise ImportError("a scheduler needs the package distributed: pip install 'metamerlib[cluster]' brings it.")
    kinds = (
        "its address, such as 'tcp://10.0.0.5:8786', the .json file that `dask scheduler --scheduler-file` writes, or "
        "'local' for processes of this machine"
    )
    if isinstance(scheduler, str | os.PathLike):
        text = os.fspath(scheduler)
        if text.endswith(".json"):
            if not Path(text).expanduser().is_file():
                raise ValueError(f"scheduler is {text!r}, a file that does not exist: start the scheduler first.")
        elif text != _LOCAL and not re.fullmatch(r"(\w+://)?[^\s/]+:\d+", text):
            raise ValueError(f"scheduler is {text!r}: give {kinds}.")
    elif getattr(scheduler, "asynchronous", False):
        raise ValueError("scheduler is asynchronous: make it with asynchronous=False.")
    elif not (hasattr(scheduler, "submit") or hasattr(scheduler, "scheduler_address")):
        raise TypeError(
            f"scheduler is a {type(scheduler).__name__}: give {kinds}; or a distributed.Client or a Dask cluster."
        )


def connect(scheduler: Any, device: str = "auto") -> "Client":
    """Connect to a scheduler, or take the connection that this process has already.

    Parameters
    ----------
    scheduler
        As for `check_scheduler`. "local" starts a scheduler and worker processes, which end with this process: as many
        as ``$METAMERLIB_WORKERS`` says, one per core where it says nothing; on an accelerator one.
    device
        Where the workers of "local" will compute.

    Returns
    -------
    Client
        Connected.

    Raises
    ------
    ClusterError
        If nobody answers, or "local" is to share out several GPUs.
    """
    check_scheduler(scheduler)
    from dask.distributed import Client

    if hasattr(scheduler, "submit"):
        return scheduler
    if scheduler in _clients and _clients[scheduler].status == "running":
        return _clients[scheduler]
    if not _clients:
        atexit.register(disconnect)
    if scheduler == _LOCAL:
        address = _start_local(device)
    elif str(scheduler).endswith(".json"):
        address = None
    else:
        address = scheduler
    file = None if address is not None else str(Path(scheduler).expanduser())
    try:
        with _quiet("distributed.client"):
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
    for client in _clients.values():
        with suppress(TimeoutError), _quiet("distributed.client"):  # where the scheduler is gone
            client.close(timeout=2)
    _clients.clear()
    for cluster in _local_clusters:
        cluster.close()
    _local_clusters.clear()


@contextmanager
def served(scheduler: str | None) -> Iterator[None]:
    """Let the processes that are started meanwhile use one scheduler: ``$METAMERLIB_SCHEDULER`` names it.

    Parameters
    ----------
    scheduler
        As for `check_scheduler`; "local" starts one, which serves them all; None changes nothing.

    Yields
    ------
    None
        While the scheduler is named.
    """
    if scheduler is None:
        yield
        return
    address = connect(scheduler).scheduler.address
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = address
    try:
        yield
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before
        disconnect()


def _start_local(device: str) -> Any:
    import dask
    from dask.distributed import LocalCluster

    if resolve_device(device).type == "cpu":
        count = worker_count(default="auto")
    elif torch.cuda.device_count() > 1:
        raise ClusterError(
            f"scheduler='local' does not share out the {torch.cuda.device_count()} GPUs of this machine: run `dask "
            "scheduler` and `dask cuda worker tcp://…:8786` (pip install dask-cuda), which starts a worker per GPU."
        )
    else:
        count = 1
    # A process that is started anew imports torch, which can take longer than the 15 s after which it is given up.
    dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"})
    cluster = LocalCluster(
        n_workers=count,
        threads_per_worker=max(1, cores() // count),
        memory_limit=None,  # Dask would kill workers that use more than its estimate of their share
        silence_logs=logging.CRITICAL,  # what a user can mend is raised as an error
        dashboard_address="127.0.0.1:0",  # None would still open port 8787, and warn where it is taken
    )
    _local_clusters.append(cluster)
    return cluster


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep a logger silent where what it would say is raised as an error anyway."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
