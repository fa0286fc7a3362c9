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
        (N, M) ‖a′ − a‖ / ‖a‖ of each image at each model's tapped layer, at the end. 0 is a perfect metamer; not
        finite where the model's activations are not.
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
        (R, N, M) residuals of the last forward pass with each model in these repetitions, that is, before the last
        of its updates in the repetition.
    models
        (M,) names of the models, in the order of the columns.
    layers
        (M,) dotted names of the tapped modules.
    stage
        The stage that was asked for.
    config
        The hyper-parameters.
    seed
        Seed of the initial stimuli.
    seconds
        Time that the generation took, over all its sittings.
    precision
        What the passes of the optimisation were computed in: "float32", "tf32" or "bfloat16". `residuals` are float32's
        whatever it is.

    Raises
    ------
    ValueError
        If the shapes do not fit together.
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

    def __post_init__(self) -> None:
        rows, count, width = len(self.recorded_repetitions), len(self.images), len(self.models)
        shapes = dict.fromkeys(_PER_IMAGE, (count, width)) | {
            "images": (count, 3, *self.images.shape[2:]),
            "recorded_repetitions": (rows,),
            "residual_history": (rows, count, width),
        }
        for name, shape in shapes.items():
            if tuple(getattr(self, name).shape) != shape:
                raise ValueError(f"{name} has shape {tuple(getattr(self, name).shape)}, expected {shape}.")
        if len(self.layers) != width:
            raise ValueError(f"layers has {len(self.layers)} names for {width} models: give one for each.")

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
        """The mean residual of each model over the run, as a tidy table.

        Columns: `repetition` (counted from 1; 0 is the initial stimulus), `update` (updates made to the images before
        the residual was measured), `model`, `residual` (mean over the images whose residual is finite) and
        `learning_rate`.
        """
        import pandas as pd

        steps, width = self.config.steps_per_model, len(self.models)
        rows = []
        for repetition, means in zip(
            self.recorded_repetitions.tolist(), _finite_mean(self.residual_history, dim=1).tolist(), strict=True
        ):
            for column, (model, mean) in enumerate(zip(self.models, means, strict=True)):
                before = (repetition - 1) * width + column if self.config.mode == "round_robin" else repetition - 1
                rows.append(
                    {
                        "repetition": repetition,
                        "update": (before + 1) * steps - 1 if repetition else 0,
                        "model": model,
                        "residual": mean,
                        "learning_rate": self.config.learning_rate_at(max(repetition - 1, 0)),
                    }
                )
        return pd.DataFrame(rows)

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
