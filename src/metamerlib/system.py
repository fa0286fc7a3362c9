"""The machine: where the library's own files are, the cores it may use, files that are written whole or not at all."""

import errno
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
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

_HOST = re.sub(r"\W", "-", platform.node())

CORES = "METAMERLIB_CORES"
"""Environment variable that leaves a process fewer cores than the machine has."""


def repository_root() -> Path | None:
    """Find the repository that the package runs from.

    Returns
    -------
    Path or None
        The folder that holds pyproject.toml and ``src/metamerlib``; None where the package is installed elsewhere.
    """
    root = Path(__file__).resolve().parents[2]
    is_repository = (root / "pyproject.toml").is_file() and (root / "src" / "metamerlib").is_dir()
    return root if is_repository else None


def default_store_root() -> Path:
    """Choose the folder of results that is used where none is named.

    Returns
    -------
    Path
        ``$METAMERLIB_STORE``; else ``build/store`` of the repository where the package runs from one; else
        ``~/.cache/metamerlib/store``.
    """
    if named := os.environ.get("METAMERLIB_STORE"):
        return Path(named)
    if repository := repository_root():
        return repository / "build" / "store"
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "metamerlib" / "store"


def weights_folder() -> Path:
    """Find the folder that published weights are kept in.

    Returns
    -------
    Path
        ``$METAMERLIB_WEIGHTS``, else ``~/.cache/metamerlib/weights``.
    """
    chosen = os.environ.get("METAMERLIB_WEIGHTS")
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "metamerlib" / "weights"


def batch_sizes_file() -> Path:
    """Name the file that notes how many images at once fit into the memory of this machine's devices.

    Returns
    -------
    Path
        ``~/.cache/metamerlib/batch-sizes.json``, whether or not it exists.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "metamerlib" / "batch-sizes.json"


def profile_files() -> dict[str, Path]:
    """List the profiles that come with the library.

    Returns
    -------
    dict
        Name to YAML file, from the repository's ``notebooks/profiles`` or, in an installed package, its own copy.
    """
    if repository := repository_root():
        folder = repository / "notebooks" / "profiles"
    else:
        folder = Path(str(resources.files("metamerlib") / "_bundled" / "profiles"))
    return {path.stem: path for path in sorted(folder.glob("*.yml"))}


def cores() -> int:
    """Count the cores that this process may use.

    Returns
    -------
    int
        ``$METAMERLIB_CORES``, if that is set; else those that the system allows it.

    Raises
    ------
    ValueError
        If the variable is not a number of cores.
    """
    if asked := os.environ.get(CORES, "").strip():
        if not asked.isdecimal() or int(asked) < 1:
            raise ValueError(f"{CORES} is {asked!r}: give a number of cores, or leave it unset to use all.")
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class UnwritableFileError(OSError):
    """A file cannot be written; the text says which, why, and what to do."""

    def __str__(self) -> str:
        return self.strerror


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file so that whoever reads it finds the old content or the new one, never a part.

    Parameters
    ----------
    path
        Where the file shall be; missing folders are made.

    Yields
    ------
    Path
        A name beside it with the same ending, to write to. It takes the file's place when the block ends, and is
        removed if the block raises. What a process that was killed has left is removed by the next that writes there.

    Raises
    ------
    UnwritableFileError
        If the disk takes no more, the folder cannot be written, or there is a folder of that name.
    OSError
        Other errors of the file system, as they are.
    """
    path = Path(path)
    if path.is_dir():
        raise UnwritableFileError(errno.EISDIR, f"{path} is a folder: give the path of a file.")
    draft = path.with_name(f".{_HOST}-{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
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


def _remove_abandoned(path: Path) -> None:
    if os.name == "nt":  # a process cannot be asked for there without ending it
        return
    for draft in path.parent.glob(f".{_HOST}-*.{_literally(path.name)}"):
        number = draft.name.removeprefix(f".{_HOST}-").partition(".")[0]
        if number.isdecimal() and not _runs(int(number)):
            draft.unlink(missing_ok=True)


def _literally(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True
