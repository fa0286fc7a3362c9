"""Tensors and a JSON document in one safetensors file, written whole or not at all, and checked when read."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from metamerlib.system import atomic_write


class CorruptFileError(ValueError):
    """A file that was cut off or changed since it was written."""


def write_tensors(path: Path, kind: str, document: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write a file atomically: whoever reads the path finds the old content or the new one, never a part.

    Parameters
    ----------
    path
        Where to; missing folders are made.
    kind
        What the file holds, checked when it is read.
    document
        JSON values.
    tensors
        Name to tensor, of any type and device.

    Raises
    ------
    UnwritableFileError
        If the disk takes no more, or the folder cannot be written.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = json.dumps({"kind": kind, **document})
    content = save(tensors, metadata={"metamerlib": header, "sha256": _digest(header, tensors)})
    with atomic_write(path) as draft:
        draft.write_bytes(content)


def read_tensors(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a file and check that it is whole.

    Parameters
    ----------
    path
        Where from.
    kind
        What it should hold.

    Returns
    -------
    tuple of dict and dict
        The document, and the tensors by name, on the CPU.

    Raises
    ------
    CorruptFileError
        If the file is cut off or was changed.
    ValueError
        If the file holds something else.
    """
    # Read once: safetensors' own reader opens the path again for each tensor, and may find a newer file there.
    content = path.read_bytes()
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise CorruptFileError(f"{path} is not a whole safetensors file: {error}.") from error
    length = int.from_bytes(content[:8], "little")  # of the JSON header that follows
    metadata = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    if "metamerlib" not in metadata:
        raise ValueError(f"{path} is a safetensors file, but not one of metamerlib's: give another path.")
    if metadata.get("sha256") != _digest(metadata["metamerlib"], tensors):
        raise CorruptFileError(f"{path} was changed since it was written: its checksum is wrong.")
    document = json.loads(metadata["metamerlib"])
    if document.pop("kind", None) != kind:
        raise ValueError(f"{path} does not hold {kind}: give another path.")
    return document, tensors


def tensor_digest(*tensors: Tensor) -> str:
    """Compute the SHA-256 of tensors' types, shapes and values.

    Parameters
    ----------
    *tensors
        Tensors of any type and device.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(f"{tensor.dtype} {tuple(tensor.shape)} ".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _digest(header: str, tensors: Mapping[str, Tensor]) -> str:
    names = sorted(tensors)
    text = f"{header}\n{names}\n{tensor_digest(*(tensors[name] for name in names))}"
    return hashlib.sha256(text.encode()).hexdigest()
