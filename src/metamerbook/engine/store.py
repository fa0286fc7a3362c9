"""Results on disk, found by the key of their task and computed once.

One folder per result, ``<root>/<kind>/<key>/``, is written whole or not at all and checked when it is read. It holds
the result's file (safetensors or Parquet) and ``task.json``, which says in plain text what was run, when, with which
versions and how long it took, and holds the file's SHA-256. Beside the kinds there are ``running/`` (checkpoints of
work that has not ended), ``locks/`` and ``quarantine/`` (what could not be trusted).
"""

import datetime
import errno
import hashlib
import json
import logging
import os
import platform
import shutil
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from metamerbook.engine.task import Task, described, noted
from metamerlib.checks import file_path
from metamerlib.generation import Metamers
from metamerlib.system import TROUBLE, cache_folder, repository_root

_log = logging.getLogger(__name__)
RECORD = "task.json"
_PACKAGES = ("metamerlib", "torch", "torchvision", "timm", "numpy")


class CorruptResultWarning(UserWarning):
    """Something in the store could not be trusted, was moved to the quarantine and will be computed again."""


class StoreError(OSError):
    """The store's folder cannot be used: it is full, read-only or not a folder."""

    def __str__(self) -> str:
        return self.strerror


class CorruptEntryError(Exception):
    """A folder that is there, but whose content cannot be trusted; the text says why."""


CODECS: dict[str, tuple[Callable[[Any, Path], None], Callable[[Path], Any]]] = {
    "metamers.safetensors": (Metamers.save, Metamers.load),
    "table.parquet": (partial(pd.DataFrame.to_parquet, engine="pyarrow", index=False), pd.read_parquet),
    "tensors.safetensors": (
        lambda tensors, path: save_file({name: one.detach().cpu().contiguous() for name, one in tensors.items()}, path),
        load_file,
    ),
}
"""The files that results are kept in: how one is written, and how it is read."""


class Store:
    """A folder of results, found by their task; it is made when the first result is written."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = file_path(root, "root").absolute()

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"

    @classmethod
    def default(cls) -> "Store":
        """Open ``$METAMERLIB_STORE``, else the repository's ``build/store``, else ``store`` in the cache folder."""
        if named := os.environ.get("METAMERLIB_STORE"):
            return cls(named)
        repository = repository_root()
        return cls(repository / "build" / "store" if repository else cache_folder() / "store")

    def folder(self, task: Task) -> Path:
        """Return where a result is, or would be."""
        return self.root / task.kind / task.key[:32]

    def scratch(self, task: Task) -> Path:
        """Return the folder of a task's checkpoints: it survives an interruption, and goes when the result is there."""
        return self.root / "running" / self._name(task)

    def __contains__(self, task: Task) -> bool:
        """Return whether there is an entry; whether it can be trusted is found out when it is read."""
        return self.folder(task).is_dir()

    def get_or_compute(self, task: Task, compute: Callable[[Path], Any]) -> Any:
        """Return a result as read from the store, computing and keeping it if it is not there.

        Of several processes that ask for one result at the same time, one computes; the others wait and read. If it
        dies, the next one takes over with its checkpoints, which `compute` keeps in the folder that it is given.
        """
        scratch = self.scratch(task)
        with suppress(CorruptEntryError, FileNotFoundError):
            found = read_entry(self.folder(task), task)
            shutil.rmtree(scratch, ignore_errors=True)  # of a process that was killed when all but this was done
            return found
        with self._locked(task):
            found = self._read_or_quarantine(task)  # another process may have finished it while this one waited
            if found is None:
                with self._explaining():
                    scratch.mkdir(parents=True, exist_ok=True)
                started = time.perf_counter()
                value = compute(scratch)
                with self._explaining():
                    write_entry(self.folder(task), task, value, time.perf_counter() - started)
                found = read_entry(self.folder(task), task)
            shutil.rmtree(scratch, ignore_errors=True)
            return found

    @staticmethod
    def _name(task: Task) -> str:
        return f"{task.kind}-{task.key[:32]}"

    def _read_or_quarantine(self, task: Task) -> Any | None:
        path = self.folder(task)
        try:
            return read_entry(path, task)
        except FileNotFoundError:
            return None
        except CorruptEntryError as corrupt:
            stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S.%f")
            target = self.root / "quarantine" / f"{path.parent.name}-{path.name}-{stamp}"
            with self._explaining():
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(path, target)
            message = f"{path} cannot be trusted ({corrupt}): moved to {target}; it will be computed again."
            warnings.warn(message, CorruptResultWarning, stacklevel=2)
            return None

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """Say of errors of the file system what to do about them."""
        try:
            yield
        except OSError as error:
            if error.errno not in TROUBLE:
                raise
            advice = f"{TROUBLE[error.errno]}, or name another folder in METAMERLIB_STORE"
            raise StoreError(error.errno, f"the store {self.root} {advice} ({error}).") from error

    @contextmanager
    def _locked(self, task: Task) -> Iterator[None]:
        # The operating system's lock on an open file: it goes with the process that holds it, however that ends. The
        # file itself stays, since removing it could let two of those who wait for it in.
        path = self.root / "locks" / f"{self._name(task)}.lock"
        with self._explaining():
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                _log.warning("another process computes %s: waiting for it.", task.label)
                lock.acquire(poll_interval=0.2)
        try:
            yield
        finally:
            lock.release()


def read_entry(folder: Path, task: Task) -> Any:
    """Read a result, checking that it is whole and the one that was asked for."""
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    reading = RECORD
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if not isinstance(record, dict) or not record.get("files"):
            raise CorruptEntryError(f"{RECORD} names no files")
        if record.get("key") != task.key:
            raise CorruptEntryError(f"{RECORD} describes another result")
        ((reading, expected),) = record["files"].items()
        with (folder / reading).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != expected:
                raise CorruptEntryError(f"the SHA-256 of {reading} is not the one noted in {RECORD}")
        return CODECS[reading][1](folder / reading)
    except FileNotFoundError:
        raise CorruptEntryError(f"{reading} is missing") from None
    except (ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise CorruptEntryError(f"{reading} cannot be read: {error}") from error


def write_entry(folder: Path, task: Task, value: object, seconds: float) -> None:
    """Write a result so that at every moment the folder is either absent or whole.

    Everything is written into a hidden folder beside it and flushed to the disk; then that folder is renamed. The
    caller holds the lock on the folder, which does not exist yet.
    """
    name = "table.parquet" if isinstance(value, pd.DataFrame) else "tensors.safetensors"
    name = "metamers.safetensors" if isinstance(value, Metamers) else name
    folder.parent.mkdir(parents=True, exist_ok=True)
    for half_written in folder.parent.glob(f".{folder.name}-*"):  # of a process that died: the lock is ours now
        shutil.rmtree(half_written, ignore_errors=True)
    draft = folder.parent / f".{folder.name}-{uuid.uuid4().hex}"
    draft.mkdir()
    try:
        try:
            CODECS[name][0](value, draft / name)
        except SafetensorError as error:  # hides the operating system's error in its text
            if "os error 28" not in str(error):
                raise
            raise OSError(errno.ENOSPC, str(error)) from error
        _flush(draft / name)
        record = {
            "label": task.label,
            "kind": task.kind,
            "key": task.key,
            "written": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "seconds": round(seconds, 3),
            "versions": {"python": platform.python_version()} | {package: version(package) for package in _PACKAGES},
            "platform": platform.platform(),
            "files": {name: hashlib.sha256((draft / name).read_bytes()).hexdigest()},
            "task": described(task),
            "about": noted(task),
        }
        (draft / RECORD).write_text(json.dumps(record, indent=2, default=str) + "\n", encoding="utf-8")
        _flush(draft / RECORD)
        _flush(draft)
        os.replace(draft, folder)
        _flush(folder.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _flush(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    if path.is_dir() and os.name == "nt":  # Windows cannot open folders
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
