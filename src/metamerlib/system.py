"""The machine: where the library's own files are, the cores it may use, files that are written whole or not at all."""

import errno
import os
import re
import secrets
import time
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

TROUBLE = {
    errno.ENOSPC: "is full: free some space",
    errno.EDQUOT: "has used up its quota: free some space",
    errno.EACCES: "cannot be written: give it the rights",
    errno.EPERM: "cannot be written: give it the rights",
    errno.EROFS: "cannot be written: its file system is read-only",
    errno.ENOTDIR: "is not a folder: remove the file in its way",
    errno.EEXIST: "is not a folder: remove the file in its way",
}
"""What is wrong with a folder when a file cannot be written into it, and what to do, by the system's number."""

CORES = "METAMERLIB_CORES"
"""Environment variable that leaves a process fewer cores than the machine has."""

_LONGEST_NAME = 60  # characters, which may take four bytes each of the 255 that most file systems allow
_A_DAY = 24 * 60 * 60

KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(1 << 30), "MALLOC_MMAP_THRESHOLD_": str(32 << 20)}
"""Environment in which glibc keeps freed memory: an update frees and asks for the same tensors, and getting them anew
from the system takes a quarter of its time (with Dask's own threshold, more than half)."""


def repository_root() -> Path | None:
    """Find the repository that the package runs from; None where the package is installed elsewhere."""
    root = Path(__file__).resolve().parents[2]
    is_repository = (root / "pyproject.toml").is_file() and (root / "src" / "metamerlib").is_dir()
    return root if is_repository else None


def cache_folder() -> Path:
    """Name the folder of the library's own files: ``metamerlib`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "metamerlib"


def weights_folder() -> Path:
    """Find the folder of published weights: ``$METAMERLIB_WEIGHTS``, else ``weights`` in the cache folder."""
    chosen = os.environ.get("METAMERLIB_WEIGHTS")
    return Path(chosen).expanduser() if chosen else cache_folder() / "weights"


def cores() -> int:
    """Count the cores that this process may use: ``$METAMERLIB_CORES``, else those that the system allows it."""
    if asked := os.environ.get(CORES, "").strip():
        if not asked.isdecimal() or int(asked) < 1:
            raise ValueError(f"{CORES} is {asked!r}: give a number of cores, or leave it unset to use all.")
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def file_names(texts: Iterable[str]) -> list[str]:
    """Write each text as a file's name; those that any file system would take for the same are numbered."""
    found: dict[str, int] = {}
    names = []
    for text in texts:
        name = re.sub(r"[^\w.,=+-]", "_", unicodedata.normalize("NFC", text))[:_LONGEST_NAME].strip(".") or "_"
        count = found[name.casefold()] = found.get(name.casefold(), 0) + 1
        names.append(name if count == 1 else f"{name}~{count}")
    return names


class UnwritableFileError(OSError):
    """A file cannot be written; the text says which, why, and what to do."""

    def __str__(self) -> str:
        return self.strerror


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file, and missing folders, so that readers find the old content or the new one, never a part."""
    # What is yielded is a name beside the path with the same ending, which takes the file's place when the block ends.
    path = Path(path)
    if path.is_dir():
        raise UnwritableFileError(errno.EISDIR, f"{path} is a folder: give the path of a file.")
    if path.exists() and not path.is_file():  # which would take the place of /dev/null
        raise UnwritableFileError(errno.EINVAL, f"{path} is a device or a pipe: give the path of a file.")
    draft = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in path.parent.glob(f".????????.{escape(path.name)}"):  # of a process that was killed
            with suppress(FileNotFoundError):
                if time.time() - old.stat().st_mtime > _A_DAY:
                    old.unlink()
        try:
            yield draft
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        if error.errno not in TROUBLE or isinstance(error, UnwritableFileError):
            raise
        reason = (
            f"{path} cannot be written: the folder {path.parent} {TROUBLE[error.errno]} ({error.strerror or error})."
        )
        raise UnwritableFileError(error.errno, reason) from error
