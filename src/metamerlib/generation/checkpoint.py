"""Checkpoints of a generation: everything that the rest of the run depends on, in one file."""

import os
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from metamerlib.checks import file_path, shown
from metamerlib.generation.tensorfile import CorruptFileError, read_tensors, tensor_digest, write_tensors
from metamerlib.models import Classifier

_KIND = "a generation's checkpoint"


class Checkpoint:
    """A file that a run writes its state to from time to time.

    Parameters
    ----------
    path
        The file, or None for none: then nothing is ever written.
    every
        Seconds between two writings.
    identity
        What the result depends on, as JSON values: a checkpoint with another identity is of another run.

    Raises
    ------
    ValueError
        If `every` is negative or the path is a folder.
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
        """Read the state of a run that was interrupted.

        A file that is damaged is set aside as `<name>.corrupt`, with a warning.

        Returns
        -------
        tuple of dict and dict, or None
            What `write` was last given; None if there is no whole checkpoint.

        Raises
        ------
        ValueError
            If the file holds something else, or is of a run with other settings; the message says which.
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
        differences = list(_differences(document["identity"], self._identity))
        if differences:
            raise ValueError(
                f"checkpoint {self.path} is of another run: {'; '.join(differences)}. Give the same settings to resume "
                "it, or another path, or delete it to start over."
            )
        return document["state"], tensors

    def due(self) -> bool:
        """Tell whether it is time to write.

        Returns
        -------
        bool
            True if there is a path and enough time has passed.
        """
        return self.path is not None and time.monotonic() - self._written >= self._every

    def write(self, state: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Write the state, if there is a path. What cannot be written is said in a warning, and the run goes on.

        Parameters
        ----------
        state
            JSON values.
        tensors
            Name to tensor.
        """
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
    """Describe what the result of a run depends on.

    Parameters
    ----------
    images
        The reference images.
    initial
        The initial stimuli, if they were given.
    models
        The ensemble.
    layers
        The tapped modules.
    config
        The hyper-parameters, as JSON values.
    **settings
        Further numbers and choices.

    Returns
    -------
    dict
        JSON values; tensors and weights as SHA-256.
    """
    return {
        "images": tensor_digest(images),
        "initial": None if initial is None else tensor_digest(initial),
        "models": [model.name for model in models],
        "layers": list(layers),
        "weights": {model.name: _model_digest(model) for model in models},
        "config": dict(config),
        **settings,
    }


def optimizer_state(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Take apart the state of an optimiser of one parameter.

    Parameters
    ----------
    optimizer
        The optimiser.

    Returns
    -------
    tuple of dict and dict
        Its plain values and its tensors, by name.
    """
    state = optimizer.state_dict()["state"].get(0, {})
    tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    return {name: value for name, value in state.items() if name not in tensors}, tensors


def restore_optimizer(
    optimizer: torch.optim.Optimizer, values: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> None:
    """Give a new optimiser the state that `optimizer_state` took apart.

    Parameters
    ----------
    optimizer
        The optimiser, built as the first one was.
    values
        Plain values by name.
    tensors
        Tensors by name.
    """
    groups = optimizer.state_dict()["param_groups"]
    if values or tensors:
        optimizer.load_state_dict({"state": {0: {**values, **tensors}}, "param_groups": groups})


def _model_digest(model: Classifier) -> str:
    state = model.module.state_dict()
    # The text of the module tells apart networks with the same weights and, say, another activation function.
    text = f"{model.module} {list(state)} {model.mean} {model.std} {model.input_size}"
    return tensor_digest(torch.tensor(list(text.encode())), *state.values())


def _differences(there: Mapping[str, Any], here: Mapping[str, Any], prefix: str = "") -> list[str]:
    found = []
    for name in {**there, **here}:
        old, new = there.get(name), here.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            found += _differences(old, new, f"{name} of " if name == "weights" else f"{prefix}{name}.")
        elif prefix == "weights of " or name in {"images", "initial"}:
            found.append(f"{prefix}{name} differ")
        else:
            found.append(f"{prefix}{name} is {old!r} there and {new!r} here")
    return found
