"""Tensors and a JSON document in one checked file; and a generation's checkpoints, which are such files."""

import hashlib
import json
import os
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from metamerlib.checks import file_path, shown
from metamerlib.models import Classifier
from metamerlib.system import atomic_write

_KIND = "a generation's checkpoint"


class CorruptFileError(ValueError):
    """A file that was cut off or changed since it was written."""


def write_tensors(path: Path, kind: str, document: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write tensors and JSON values atomically; `kind` is checked when the file is read."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = json.dumps({"kind": kind, **document})
    content = save(tensors, metadata={"metamerlib": header, "sha256": _digest(header, tensors)})
    with atomic_write(path) as draft:
        draft.write_bytes(content)


def read_tensors(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read what `write_tensors` wrote: a CorruptFileError if it is not whole, a ValueError if it is something else."""
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
    """Compute the SHA-256 of tensors' types, shapes and values."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(f"{tensor.dtype} {tuple(tensor.shape)} ".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _digest(header: str, tensors: Mapping[str, Tensor]) -> str:
    names = sorted(tensors)
    text = f"{header}\n{names}\n{tensor_digest(*(tensors[name] for name in names))}"
    return hashlib.sha256(text.encode()).hexdigest()


class Checkpoint:
    """A file that a run writes its state to every so many seconds; without a path nothing is ever written.

    `identity` is what the result depends on, as JSON values: a checkpoint with another one is of another run.
    """

    def __init__(self, path: str | Path | None, every: float, identity: Mapping[str, Any]) -> None:
        if isinstance(every, bool) or not isinstance(every, int | float) or not every >= 0:
            raise ValueError(f"checkpoint_every={shown(every)}: give the seconds between two writings, at least 0.")
        self.path = None if path is None else file_path(path, "checkpoint")
        if self.path is not None and self.path.is_dir():
            raise ValueError(f"checkpoint={str(path)!r} is a folder: give the path of a file.")
        self._every, self._identity = every, dict(identity)
        self._written = time.monotonic()

    def read(self) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        """Read what `write` was last given; None if there is no whole checkpoint.

        A damaged file is set aside as `<name>.corrupt`, with a warning; one of another run is a ValueError.
        """
        if self.path is None or not self.path.exists():
            return None
        try:
            document, tensors = read_tensors(self.path, _KIND)
        except CorruptFileError as error:
            aside = self.path.with_name(f"{self.path.name}.corrupt")
            os.replace(self.path, aside)
            warnings.warn(f"{error} It was moved to {aside}, and the run starts over.", RuntimeWarning, stacklevel=3)
            return None
        if differences := _differences(document["identity"], self._identity):
            raise ValueError(
                f"checkpoint {self.path} is of another run: {'; '.join(differences)}. Give the same settings to resume "
                "it, or another path, or delete it to start over."
            )
        return document["state"], tensors

    def due(self) -> bool:
        """Return whether it is time to write."""
        return self.path is not None and time.monotonic() - self._written >= self._every

    def write(self, state: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Write the state, if there is a path. What cannot be written is said in a warning, and the run goes on."""
        if self.path is None:
            return
        try:
            write_tensors(self.path, _KIND, {"identity": self._identity, "state": dict(state)}, tensors)
        except OSError as error:
            warnings.warn(
                f"no checkpoint: {error} If the run is interrupted now, it starts from the last one that could be "
                "written.",
                RuntimeWarning,
                stacklevel=3,
            )
        self._written = time.monotonic()


def run_identity(
    images: Tensor,
    initial: Tensor | None,
    models: Sequence[Classifier],
    layers: Sequence[str],
    config: Mapping[str, Any],
    **settings: int | str | None,
) -> dict[str, Any]:
    """Describe what the result of a run depends on, as JSON values: tensors and weights as SHA-256."""
    stimuli = {"images": tensor_digest(images), "initial": None if initial is None else tensor_digest(initial)}
    ensemble = {"models": [model.name for model in models], "layers": list(layers)}
    ensemble |= {f"weights of {model.name}": _model_digest(model) for model in models}
    return stimuli | ensemble | {f"config.{name}": value for name, value in config.items()} | settings


def optimizer_state(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Take apart the state of an optimiser of one parameter: its plain values, and its tensors by name."""
    state = optimizer.state_dict()["state"].get(0, {})
    tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    return {name: value for name, value in state.items() if name not in tensors}, tensors


def restore_optimizer(
    optimizer: torch.optim.Optimizer, values: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> None:
    """Give an optimiser that was built like the first one the state that `optimizer_state` took apart."""
    groups = optimizer.state_dict()["param_groups"]
    if values or tensors:
        optimizer.load_state_dict({"state": {0: {**values, **tensors}}, "param_groups": groups})


def _model_digest(model: Classifier) -> str:
    state = model.module.state_dict()
    # The text of the module tells apart networks with the same weights and, say, another activation function.
    text = f"{model.module} {list(state)} {model.mean} {model.std} {model.input_size}"
    return tensor_digest(torch.tensor(list(text.encode()), device="cpu"), *state.values())


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    found = []
    for name in {**there, **here}:
        old, new = there.get(name), here.get(name)
        if old != new:
            is_digest = name in ("images", "initial") or name.startswith("weights of ")
            found.append(f"{name} differ" if is_digest else f"{name} is {old!r} there and {new!r} here")
    return found
