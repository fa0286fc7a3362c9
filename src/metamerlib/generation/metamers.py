"""The result of a generation: the images, how well they match, and how they came about."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from metamerlib.checks import file_path
from metamerlib.generation.checkpoint import read_tensors, write_tensors
from metamerlib.generation.config import GenerationConfig
from metamerlib.models import Stage

if TYPE_CHECKING:
    import pandas as pd

_KIND = "metamers"
_VERSION = 1
_PER_IMAGE = ("images", "residuals", "initial_residuals", "skipped", "nonfinite")
_TENSORS = (*_PER_IMAGE, "recorded_repetitions", "residual_history")


@dataclass(frozen=True, eq=False, kw_only=True)
class Metamers:
    """Metamers of N images for an ensemble of M models, with R recorded repetitions. All tensors are on the CPU.

    Attributes
    ----------
    images
        (N, 3, H, W) float32 RGB in [0, 1].
    residuals
        (N, M) ‖a′ − a‖ / ‖a‖ of each image at each model's tapped layer, at the end. 0 is a perfect metamer.
    initial_residuals
        (N, M) the same for the initial stimuli.
    skipped
        (N, M) int64 number of updates in which the model moved the image nowhere, because its gradient was zero or
        not finite, out of `updates_per_model`.
    nonfinite
        (N, M) int64 number of those whose loss or gradient was not finite.
    recorded_repetitions
        (R,) int64 repetitions, counted from 1, whose residuals were kept; 0 is the initial stimulus.
    residual_history
        (R, N, M) residuals of the last forward pass with each model in these repetitions.
    models, layers
        (M,) names of the models, in the order of the columns, and of the tapped modules.
    stage, config, seed, precision
        As they were asked for; of the precision what the device has.
    seconds
        Time that the generation took, over all its sittings.
    """

    images: Tensor
    residuals: Tensor
    initial_residuals: Tensor
    skipped: Tensor
    nonfinite: Tensor
    recorded_repetitions: Tensor
    residual_history: Tensor
    models: tuple[str, ...]
    layers: tuple[str, ...]
    stage: Stage
    config: GenerationConfig
    seed: int
    seconds: float
    precision: str = "float32"

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int | slice | Sequence[int] | Sequence[bool] | Tensor) -> Self:
        """Return the metamers of the chosen images; a single index gives those of one image."""
        positions = torch.arange(len(self), device="cpu")
        chosen = positions[index if isinstance(index, slice) else torch.as_tensor(index, device="cpu")].reshape(-1)
        rows = {name: getattr(self, name)[chosen] for name in _PER_IMAGE}
        return dataclasses.replace(self, residual_history=self.residual_history[:, chosen], **rows)

    def __repr__(self) -> str:
        means = ", ".join(
            f"{name} {mean:.3f}" for name, mean in zip(self.models, _finite_mean(self.residuals).tolist(), strict=True)
        )
        height, width = self.images.shape[2:]
        return (
            f"Metamers({len(self)} images of {height}x{width} px, stage {self.stage!r}, "
            f"{self.updates_per_model} updates per model, mean residual: {means})"
        )

    @property
    def updates_per_model(self) -> int:
        """How often each model's gradient was followed."""
        return self.config.updates_per_model

    @property
    def updates(self) -> int:
        """How often each image was changed: for all models together in the round-robin mode, at once in the joint."""
        return self.updates_per_model * (1 if self.config.mode == "joint" else len(self.models))

    @cached_property
    def history(self) -> "pd.DataFrame":
        """The mean finite residual of each model at the recorded repetitions, as a tidy table.

        `update` counts the updates made to the images before the residual was measured.
        """
        import pandas as pd

        steps, width = self.config.steps_per_model, len(self.models)
        recorded, means = self.recorded_repetitions.tolist(), _finite_mean(self.residual_history, dim=1).tolist()
        rows = []
        for repetition, of_models in zip(recorded, means, strict=True):
            learning_rate = self.config.learning_rate_at(max(repetition - 1, 0))
            for column, (model, mean) in enumerate(zip(self.models, of_models, strict=True)):
                before = (repetition - 1) * width + column if self.config.mode == "round_robin" else repetition - 1
                rows.append((repetition, (before + 1) * steps - 1 if repetition else 0, model, mean, learning_rate))
        return pd.DataFrame(rows, columns=["repetition", "update", "model", "residual", "learning_rate"])

    def save(self, path: str | Path) -> Path:
        """Write everything to one safetensors file, atomically, and return its path.

        Missing folders are made, an existing file is replaced.
        """
        path = file_path(path, "path")
        values = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        tensors = {name: values.pop(name) for name in _TENSORS}
        document = values | {"version": _VERSION, "config": self.config.to_dict()}
        write_tensors(path, _KIND, document, tensors)
        return path

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is damaged (a `CorruptFileError`), holds something else, or is of another version.
        """
        path = file_path(path, "path")
        if not path.is_file():
            raise FileNotFoundError(f"path: {path} is not a file: give the path that Metamers.save was called with.")
        values, tensors = read_tensors(path, _KIND)
        version = values.pop("version")
        if version != _VERSION:
            raise ValueError(
                f"{path} has version {version} of the file format, this library reads {_VERSION}: generate the "
                "metamers again, or use the library they were saved with."
            )
        values["config"] = GenerationConfig.from_dict(values["config"])
        return cls(**tensors | values | {name: tuple(values[name]) for name in ("models", "layers")})


def _finite_mean(values: Tensor, dim: int = 0) -> Tensor:
    """Average over the finite values; NaN where there are none."""
    finite = values.isfinite()
    return torch.where(finite, values, 0).sum(dim) / finite.sum(dim)
