"""One stored result as a folder: written whole or not at all, checked when it is read.

The folder holds the result's file (safetensors or Parquet) and ``task.json``, which says in plain text what was run,
when, with which versions and how long it took, and holds the file's SHA-256.
"""

import datetime
import errno
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from metamerbook.engine.task import Task, described
from metamerlib.generation import Metamers

ENTRY_FORMAT = 1
"""Version of the layout of a folder, noted in its task.json."""

RECORD = "task.json"


class CorruptEntryError(Exception):
    """A folder that is there, but whose content cannot be trusted; the text says why."""


@dataclass(frozen=True)
class Codec:
    """One way to keep a result as a file.

    Attributes
    ----------
    file
        The file's name.
    save
        Writes a value to a path.
    load
        Reads it back.
    """

    file: str
    save: Callable[[Any, Path], None]
    load: Callable[[Path], Any]


def _save_table(table: pd.DataFrame, path: Path) -> None:
    table.to_parquet(path, engine="pyarrow", index=False)


def _load_table(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path, engine="pyarrow")


def _save_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, path)


CODECS: dict[str, Codec] = {
    "metamers": Codec("metamers.safetensors", lambda metamers, path: metamers.save(path), Metamers.load),
    "table": Codec("table.parquet", _save_table, _load_table),
    "tensors": Codec("tensors.safetensors", _save_tensors, load_file),
}
"""By the kind of result."""


def _codec_of(value: object) -> Codec:
    if isinstance(value, Metamers):
        return CODECS["metamers"]
    return CODECS["table" if isinstance(value, pd.DataFrame) else "tensors"]


def read_entry(folder: Path, task: Task) -> Any:
    """Read a result, checking that it is whole and the one that was asked for.

    Parameters
    ----------
    folder
        Where it was written.
    task
        What was run.

    Returns
    -------
    Any
        The `Metamers`, DataFrame or mapping of tensors.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    CorruptEntryError
        If a file is missing, was altered, or cannot be decoded.
    """
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    record = read_record(folder)
    if record.get("key") != task.key:
        raise CorruptEntryError(f"{RECORD} describes another result")
    codec = next((one for one in CODECS.values() if one.file in record["files"]), None)
    if codec is None:
        raise CorruptEntryError(f"{RECORD} names no file of a known kind")
    try:
        found = _sha256(folder / codec.file)
    except FileNotFoundError:
        raise CorruptEntryError(f"{codec.file} is missing") from None
    if found != record["files"].get(codec.file):
        raise CorruptEntryError(f"the SHA-256 of {codec.file} is not the one noted in {RECORD}")
    try:
        return codec.load(folder / codec.file)
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise CorruptEntryError(f"{codec.file} cannot be decoded: {error}") from error


def read_record(folder: Path) -> dict[str, Any]:
    """Read what is noted beside a result.

    Parameters
    ----------
    folder
        Where the result was written.

    Returns
    -------
    dict
        label, kind, key, format, written (date), seconds, versions, platform, files (name to SHA-256), task, about.

    Raises
    ------
    CorruptEntryError
        If it is missing or cannot be read.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CorruptEntryError(f"{RECORD} is missing") from None
    except ValueError as error:
        raise CorruptEntryError(f"{RECORD} cannot be read: {error}") from error
    if not isinstance(record, dict) or not isinstance(record.get("files"), dict):
        raise CorruptEntryError(f"{RECORD} names no files")
    return record


def write_entry(folder: Path, task: Task, value: object, seconds: float) -> None:
    """Write a result so that at every moment the folder is either absent or whole.

    Everything is written into a hidden folder beside it and flushed to the disk; then that folder is renamed.

    Parameters
    ----------
    folder
        Where the result shall be. The caller holds the lock on it, and it does not exist.
    task
        What was run.
    value
        The result.
    seconds
        How long it took.

    Raises
    ------
    OSError
        If the disk takes no more; nothing is left behind then.
    SafetensorError
        If tensors cannot be written.
    """
    codec = _codec_of(value)
    folder.parent.mkdir(parents=True, exist_ok=True)
    for half_written in folder.parent.glob(f".{folder.name}-*"):  # of a process that died: the lock is ours now
        shutil.rmtree(half_written, ignore_errors=True)
    draft = folder.parent / f".{folder.name}-{uuid.uuid4().hex}"
    draft.mkdir()
    try:
        try:
            codec.save(value, draft / codec.file)
        except SafetensorError as error:  # hides the operating system's error in its text
            if "os error 28" not in str(error):
                raise
            raise OSError(errno.ENOSPC, str(error)) from error
        _flush(draft / codec.file)
        record = _record(task, seconds, {codec.file: _sha256(draft / codec.file)})
        (draft / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        _flush(draft / RECORD)
        _flush(draft)
        os.replace(draft, folder)
        _flush(folder.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _record(task: Task, seconds: float, files: dict[str, str]) -> dict[str, Any]:
    return {
        "label": task.label,
        "kind": task.kind,
        "key": task.key,
        "format": ENTRY_FORMAT,
        "written": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "versions": versions(),
        "platform": platform.platform(),
        "files": files,
        "task": described(task),
        "about": task.about(),
    }


@functools.cache
def versions() -> dict[str, str]:
    """Tell which versions compute here.

    Returns
    -------
    dict
        By name: Python's, this library's, and those of the packages that results depend on.
    """
    found = {"python": platform.python_version()}
    for name in ("metamerlib", "torch", "torchvision", "timm", "numpy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # run from sources that were never installed
            found[name] = "unknown"
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    if path.is_dir() and os.name == "nt":  # Windows cannot open folders
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
