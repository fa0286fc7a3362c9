"""Results on disk, found by the key of their task and computed once.

One folder per result, ``<root>/<kind>/<key>/`` (see `metamerbook.engine.entries`). Beside the kinds there are
``running/`` (checkpoints of work that has not ended), ``locks/`` and ``quarantine/`` (what could not be trusted).
"""

import datetime
import logging
import os
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from metamerbook.engine.entries import CorruptEntryError, read_entry, read_record, write_entry
from metamerbook.engine.task import Task
from metamerlib.checks import file_path
from metamerlib.system import TROUBLE, default_store_root

_log = logging.getLogger(__name__)


class CorruptResultWarning(UserWarning):
    """Something in the store could not be trusted, was moved to the quarantine and will be computed again."""


class MissingResultError(LookupError):
    """The store does not hold the result that was asked for."""


class BusyError(RuntimeError):
    """Another process computes the result that was asked for."""


class StoreError(OSError):
    """The store's folder cannot be used: it is full, read-only or not a folder."""

    def __str__(self) -> str:
        return self.strerror


class Store:
    """A folder of results, found by their task.

    Parameters
    ----------
    root
        The folder; it is made when the first result is written.

    Examples
    --------
    >>> from metamerbook.engine.store import Store
    >>> Store("results").root.name
    'results'
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = file_path(root, "root").absolute()

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"

    @classmethod
    def default(cls) -> "Store":
        """Open the store that is used where none is named.

        Returns
        -------
        Store
            At ``$METAMERLIB_STORE``; else at ``build/store`` of the repository where the package runs from one;
            else at ``~/.cache/metamerlib/store``.
        """
        return cls(default_store_root())

    def folder(self, task: Task) -> Path:
        """Return where a task's result is, or would be.

        Parameters
        ----------
        task
            What was run.

        Returns
        -------
        Path
            The entry's folder.
        """
        return self.root / task.kind / task.key[:32]

    def scratch(self, task: Task) -> Path:
        """Return the folder of a task's checkpoints: it survives an interruption, and goes when the result is there."""
        return self.root / "running" / self._name(task)

    def __contains__(self, task: Task) -> bool:
        """Tell whether there is an entry; whether it can be trusted is found out when it is read."""
        return self.folder(task).is_dir()

    def load(self, task: Task) -> Any:
        """Read a result, checking it.

        Parameters
        ----------
        task
            What was run.

        Returns
        -------
        Any
            The `Metamers`, DataFrame or mapping of tensors.

        Raises
        ------
        MissingResultError
            If there is no such result, or what was there could not be trusted and is now in quarantine.
        """
        try:
            return read_entry(self.folder(task), task)
        except CorruptEntryError:
            with self._locked(task):
                found = self._read_or_quarantine(task)
        except FileNotFoundError:
            found = None
        if found is None:
            raise MissingResultError(f"the store {self.root} has no {task.kind} of {task.label!r}: compute it first.")
        return found

    def record(self, task: Task) -> dict[str, Any]:
        """Read what is noted beside a result.

        Parameters
        ----------
        task
            What was run.

        Returns
        -------
        dict
            Content of ``task.json``: label, written (date), seconds, versions, platform, files, task and more.

        Raises
        ------
        MissingResultError
            If there is no such result.
        """
        try:
            return read_record(self.folder(task))
        except CorruptEntryError as error:
            raise MissingResultError(f"the store {self.root} has no record of {task.label!r}: {error}.") from error

    def get_or_compute(self, task: Task, compute: Callable[[Path], Any], *, wait: bool = True) -> Any:
        """Return a result, computing and keeping it if it is not there.

        Of several processes that ask for one result at the same time, one computes; the others wait and read. If it
        dies, the next one takes over with its checkpoints.

        Parameters
        ----------
        task
            What to run.
        compute
            Computes the result. It gets a folder for checkpoints, which survives an interruption.
        wait
            Whether to wait for another process that computes it, or to raise an error.

        Returns
        -------
        Any
            The result as read back from the store, the same whether it was computed now or earlier.

        Raises
        ------
        BusyError
            If another process computes it, and it is not waited for.
        """
        scratch = self.scratch(task)
        try:
            found = read_entry(self.folder(task), task)
            # A process that was killed when all but this was done has left it.
            shutil.rmtree(scratch, ignore_errors=True)
            return found
        except (CorruptEntryError, FileNotFoundError):
            pass
        with self._locked(task, wait=wait):
            found = self._read_or_quarantine(task)  # another process may have finished it while this one waited
            if found is not None:
                shutil.rmtree(scratch, ignore_errors=True)
                return found
            with self.explaining():
                scratch.mkdir(parents=True, exist_ok=True)
            started = time.perf_counter()
            value = compute(scratch)
            with self.explaining():
                write_entry(self.folder(task), task, value, time.perf_counter() - started)
            shutil.rmtree(scratch, ignore_errors=True)
            return read_entry(self.folder(task), task)

    def quarantine(self, path: Path, reason: str) -> Path | None:
        """Move something that cannot be trusted out of the way, with a warning that names it.

        Parameters
        ----------
        path
            A file or folder of this store.
        reason
            What is wrong with it, in words.

        Returns
        -------
        Path or None
            Where it is now; None if it was gone already.
        """
        folder = self.root / "quarantine"
        stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S.%f")
        target = folder / f"{path.parent.name}-{path.name}-{stamp}"
        try:
            with self.explaining():
                folder.mkdir(parents=True, exist_ok=True)
                os.replace(path, target)
        except FileNotFoundError:
            return None
        message = f"{path} cannot be trusted ({reason}): moved to {target}; it will be computed again."
        warnings.warn(message, CorruptResultWarning, stacklevel=2)
        return target

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Say of errors of the file system what to do about them.

        Yields
        ------
        None
            While the store's folder is used.

        Raises
        ------
        StoreError
            If the folder is full, read-only or not a folder.
        OSError
            Other errors as they are.
        """
        try:
            yield
        except OSError as error:
            if error.errno not in TROUBLE:
                raise
            advice = f"{TROUBLE[error.errno]}, or name another folder in METAMERLIB_STORE"
            raise StoreError(error.errno, f"the store {self.root} {advice} ({error}).") from error

    @staticmethod
    def _name(task: Task) -> str:
        return f"{task.kind}-{task.key[:32]}"

    def _read_or_quarantine(self, task: Task) -> Any | None:
        try:
            return read_entry(self.folder(task), task)
        except FileNotFoundError:
            return None
        except CorruptEntryError as corrupt:
            self.quarantine(self.folder(task), str(corrupt))
            return None

    @contextmanager
    def _locked(self, task: Task, *, wait: bool = True) -> Iterator[None]:
        # The operating system's lock on an open file: it goes with the process that holds it, however that ends. The
        # file itself stays, since removing it could let two of those who wait for it in.
        path = self.root / "locks" / f"{self._name(task)}.lock"
        with self.explaining():
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                if not wait:
                    raise BusyError(f"another process computes {task.label}.") from None
                _log.warning("another process computes %s: waiting for it.", task.label)
                lock.acquire(poll_interval=0.2)
        try:
            yield
        finally:
            lock.release()
