"""A locked file in the store, by which another machine can tell that it sees the same folder and the same locks."""

import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

from metamerbook.engine.store import Store


class Mark:
    """A file beside the store's locks, locked as long as this process wants.

    Parameters
    ----------
    store
        The store; its folder is made if it is not there.
    name
        Name of the file, which no other process uses.

    Attributes
    ----------
    path : Path
        The file.
    """

    def __init__(self, store: Store, name: str) -> None:
        with store.explaining():
            (store.root / "locks").mkdir(parents=True, exist_ok=True)
            self.path = store.root / "locks" / f"{name}.mark"
            self._lock = FileLock(self.path, thread_local=False)
            self._lock.acquire()

    def release(self) -> None:
        """Unlock and remove the file."""
        self._lock.release()
        self.path.unlink(missing_ok=True)


def trouble_with(mark: Path) -> str:
    """Say what keeps this process from using the store that a mark is in.

    Parameters
    ----------
    mark
        Its file.

    Returns
    -------
    str
        What is wrong and what to do, in words; empty if nothing is.
    """
    if not mark.exists():
        return (
            f"it does not see this machine's store {mark.parents[1]}: name a folder that all machines share under the "
            "same path, by METAMERLIB_STORE or --store"
        )
    try:
        with tempfile.TemporaryFile(dir=mark.parent):
            return ""
    except OSError as error:
        return f"it cannot write into the store {mark.parents[1]} ({error}): give it the rights"


def sees_lock(mark: Path) -> bool:
    """Tell whether this process notices that another one holds a mark.

    Parameters
    ----------
    mark
        Its file.

    Returns
    -------
    bool
        False on file systems that do not carry locks from one machine to another.
    """
    lock = FileLock(mark)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
