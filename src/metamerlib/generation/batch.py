"""A batch: the images on the device at one time, between their initial stimuli and their metamers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from metamerlib.generation.checkpoint import optimizer_state, restore_optimizer
from metamerlib.generation.config import GenerationConfig
from metamerlib.generation.diagnosis import Failure, diagnose
from metamerlib.generation.parametrization import PARAMETRIZATIONS
from metamerlib.generation.solver import Tap, Trace, solve
from metamerlib.generation.steps import make_optimizer

_OPTIMIZER = "optimizer/"
_RECORDED = "residuals"


class Batch:
    """A batch of images with everything that their optimisation needs; `repetition` counts the repetitions done.

    `recorded` are repetitions, counted from 1, whose residuals are kept. `count` images from the first on are wanted
    (None: all), at `positions` in the whole run, and the others only fill up the batch.
    """

    def __init__(
        self,
        taps: Sequence[Tap],
        references: Tensor,
        initial: Tensor,
        config: GenerationConfig,
        recorded: Sequence[int],
        *,
        first: int = 0,
        count: int | None = None,
    ) -> None:
        self.taps, self._config, self._count = taps, config, count or len(initial)
        self.positions = range(first, first + self._count)
        center = initial if config.center == "initial" else references
        parametrize = PARAMETRIZATIONS[config.parametrization]
        self._stimulus = parametrize(initial, center, config.projection, config.epsilon, config.fourier_exponent)
        self._optimizer = make_optimizer(
            config.optimizer, self._stimulus.parameter, config.learning_rate, config.optimizer_options
        )
        self.repetition = 0
        self._trace = Trace(len(initial), len(taps), recorded, initial.device)
        self._initial_residuals = torch.full_like(self._trace.latest, torch.nan)

    @property
    def images(self) -> Tensor:
        """(N, 3, H, W) images as they are now, without a gradient, with those that fill up the batch."""
        return self._stimulus.images().detach()

    @property
    def latest_residuals(self) -> Tensor:
        """(N, models) residuals of each model's last forward pass in the latest repetition."""
        return self._trace.latest[: self._count]

    def residuals(self) -> Tensor:
        """Measure (N, models) ‖a′ − a‖ / ‖a‖ of the wanted images as they are now."""
        return torch.stack([tap.residuals(self.images) for tap in self.taps], dim=1)[: self._count]

    def diagnose(self) -> list[Failure | None]:
        """Measure the initial residuals, and return for each model what keeps all images from being optimised."""
        failures = []
        for column, tap in enumerate(self.taps):
            self._initial_residuals[:, column], failure = diagnose(tap, self.images)
            failures.append(failure)
        return failures

    def run(self) -> Iterator[int]:
        """Optimise the images, pausing after each repetition to yield how many are done."""
        loop = solve(self._stimulus, self.taps, self._optimizer, self._config, self._trace, start=self.repetition)
        for done in loop:
            self.repetition = done
            yield done

    def result(self) -> dict[str, Tensor]:
        """Measure the final residuals; return `Metamers`' fields on the CPU, the images first in each of them."""
        history = torch.cat([self._initial_residuals[None], self._trace.residuals]).transpose(0, 1)
        tensors = {
            "images": self.images,
            "residuals": self.residuals(),
            "initial_residuals": self._initial_residuals,
            "skipped": self._trace.skipped,
            "nonfinite": self._trace.nonfinite,
            "residual_history": history,
        }
        return {name: tensor[: self._count].cpu() for name, tensor in tensors.items()}

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Return all that changes during the run: JSON values, and tensors by name."""
        values, tensors = optimizer_state(self._optimizer)
        return {"repetition": self.repetition, "optimizer": values}, {
            **self._own_tensors(),
            **{_OPTIMIZER + name: tensor for name, tensor in tensors.items()},
        }

    def restore(self, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Go back to what `state` returned."""
        self.repetition = values["repetition"]
        for name, tensor in self._own_tensors().items():
            tensor.copy_(tensors[name])
        kept = {name.removeprefix(_OPTIMIZER): value for name, value in tensors.items() if name.startswith(_OPTIMIZER)}
        restore_optimizer(self._optimizer, values["optimizer"], kept)

    @staticmethod
    def of_images(tensors: Mapping[str, Tensor], images: Sequence[int]) -> dict[str, Tensor]:
        """Cut the state of the images at some positions in the batch out of what `state` returned."""
        rows, count = list(images), len(tensors["parameter"])
        chosen = {}
        for name, tensor in tensors.items():
            if name == _RECORDED:
                chosen[name] = tensor[:, rows]
            else:  # optimisers count their steps in tensors without a dimension, and in place
                chosen[name] = tensor[rows] if tensor.ndim and len(tensor) == count else tensor.clone()
        return chosen

    def _own_tensors(self) -> dict[str, Tensor]:
        return {
            "parameter": self._stimulus.parameter.detach(),
            "initial_residuals": self._initial_residuals,
            _RECORDED: self._trace.residuals,
            "latest": self._trace.latest,
            "skipped": self._trace.skipped,
            "nonfinite": self._trace.nonfinite,
        }
