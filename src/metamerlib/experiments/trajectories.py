"""How images become metamers: snapshots along one generation (paper, Fig. 1 left)."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from metamerlib.experiments.execute import Materials, compute
from metamerlib.experiments.runs import MetamerRun
from metamerlib.experiments.spec import Spec
from metamerlib.generation.initializers import initial_stimuli
from metamerlib.generation.parts import Part
from metamerlib.generation.solver import Tap
from metamerlib.generation.validation import models_on, resolve_device
from metamerlib.models import Stage

if TYPE_CHECKING:
    from metamerlib.experiments.study import Study


@dataclass(frozen=True)
class TrajectoryRun(Spec):
    """Repeat a generation for some images, keeping them along the way; the result is a mapping of tensors.

    Attributes
    ----------
    run
        The generation.
    images
        Positions of the images in its references.
    repetitions
        After how many repetitions to keep them; 0 is the initial stimulus.
    """

    run: MetamerRun
    images: tuple[int, ...]
    repetitions: tuple[int, ...]

    kind: ClassVar[str] = "trajectories"
    codec: ClassVar[str] = "tensors"
    version: ClassVar[int] = 1

    def identity(self) -> dict[str, Any]:
        """Return what the snapshots depend on.

        Returns
        -------
        dict
            Key of the run, positions, repetitions.
        """
        return {"run": self.run.key, "images": self.images, "repetitions": self.repetitions}

    @property
    def label(self) -> str:
        """Name of the run, and how many images are followed."""
        return f"{self.run.label}, step by step"


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Snapshots of images on their way to being metamers.

    Attributes
    ----------
    images
        (S, N, 3, H, W) float32 RGB in [0, 1], one row per snapshot.
    residuals
        (S, N, M) ‖a' − a‖ / ‖a‖ of each image at each of the M models.
    repetitions
        After how many repetitions each snapshot was taken; 0 is the initial stimulus.
    updates
        The same in updates of an image, over all models.
    models
        Keys of the models, in the order of the columns.
    """

    images: Tensor
    residuals: Tensor
    repetitions: tuple[int, ...]
    updates: tuple[int, ...]
    models: tuple[str, ...]


def trajectory(
    study: "Study",
    model_set: str | Sequence[str],
    stage: Stage,
    *,
    images: Sequence[int] = (0,),
    n: int = 8,
    **config: Any,
) -> Trajectory:
    """Follow some images of a study on their way to being metamers.

    Parameters
    ----------
    study
        Whose references and settings.
    model_set
        Name of a set of this study or of the zoo, key of a network, or a list of keys.
    stage
        The stage.
    images
        Positions of the images to follow in the study's references.
    n
        Number of snapshots, spaced evenly in the logarithm of the repetition, the initial stimulus and the metamer
        among them. Fewer come back where there are fewer repetitions.
    config
        Fields of `GenerationConfig` to change.

    Returns
    -------
    Trajectory
        From the store or computed now.

    Raises
    ------
    ValueError
        If `n` is below 2.
    IndexError
        If there is no such image.
    """
    if n < 2:
        raise ValueError(f"n is {n}: give at least 2 snapshots, the initial stimulus and the metamer.")
    count = len(study.references)
    if outside := [position for position in images if not 0 <= position < count]:
        raise IndexError(f"images names {outside}: the study has images 0 to {count - 1}.")
    run = study.run(model_set, stage, **config)
    spec = TrajectoryRun(run, tuple(images), spread(run.config.repetitions, n))
    tensors = study.result(spec)
    per_repetition = run.config.steps_per_model * (1 if run.config.mode == "joint" else len(run.models))
    return Trajectory(
        images=tensors["images"],
        residuals=tensors["residuals"],
        repetitions=spec.repetitions,
        updates=tuple(repetition * per_repetition for repetition in spec.repetitions),
        models=tuple(model.key for model in run.models),
    )


def spread(repetitions: int, n: int) -> tuple[int, ...]:
    """Choose when to look at a generation: often at its start, where images change fastest.

    Parameters
    ----------
    repetitions
        How many there are.
    n
        How many to choose.

    Returns
    -------
    tuple of int
        At most n repetitions, rising, from 0 to `repetitions`.
    """
    between = np.geomspace(1, repetitions, n - 1).round().astype(int).tolist() if n > 2 else []
    return tuple(sorted({0, *between, repetitions}))


@compute.register
def _(spec: TrajectoryRun, materials: Materials, scratch: Path) -> dict[str, Tensor]:
    run, config = spec.run, spec.run.config
    device = resolve_device(materials.device)
    models = [materials.models[model.key] for model in run.models]
    references = materials.references.images[list(spec.images)].to(device)
    initial = torch.cat(
        [
            initial_stimuli(
                references[row : row + 1],
                config.initializer,
                radius=config.initializer_radius,
                constant=config.initializer_constant,
                mix=config.initializer_mix,
                seed=run.seed,
                first=position,
            )
            for row, position in enumerate(spec.images)
        ]
    )
    images, residuals = [], []
    with models_on(models, device), torch.inference_mode(False), torch.enable_grad():
        taps = [Tap(model, layer, references, config) for model, layer in zip(models, run.layers, strict=True)]
        part = Part(taps, references, initial, config, ())
        for repetition in itertools.chain([0], part.run()):
            if repetition in spec.repetitions:
                images.append(part.images.cpu().clone())  # the solver changes its images in place
                residuals.append(torch.stack([tap.residuals(part.images).cpu() for tap in taps], dim=1))
    return {"images": torch.stack(images), "residuals": torch.stack(residuals)}
