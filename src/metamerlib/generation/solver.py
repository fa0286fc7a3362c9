"""Algorithm 1: the loop that turns initial stimuli into metamers."""

import math
from collections.abc import Iterator, Sequence
from functools import reduce

import torch
from torch import Tensor

from metamerlib.generation.config import GenerationConfig
from metamerlib.generation.objectives import LOSSES, Objective
from metamerlib.generation.parametrization import Parametrization
from metamerlib.generation.precision import Arithmetic
from metamerlib.generation.steps import GRADIENT_RULES, norm_per_image, set_learning_rate
from metamerlib.models import Classifier
from metamerlib.models.independence import check_independence


def solve(
    stimulus: Parametrization,
    taps: Sequence["Tap"],
    optimizer: torch.optim.Optimizer,
    config: GenerationConfig,
    trace: "Trace",
    *,
    start: int = 0,
) -> Iterator[int]:
    """Run Algorithm 1 on the stimulus, in place, pausing after each repetition to yield how many are done.

    `start` is how many were done before, for a run that is resumed.
    """
    ensemble = list(enumerate(taps))
    turns = [ensemble] if config.mode == "joint" else [[member] for member in ensemble]
    direction_of = GRADIENT_RULES[config.gradient]
    for repetition in range(start, config.repetitions):
        set_learning_rate(optimizer, config.learning_rate_at(repetition))
        for turn in turns:
            for step in range(config.steps_per_model):
                last = step == config.steps_per_model - 1
                note_in = repetition if last else None
                gradient = reduce(torch.add, (tap.gradient(stimulus, trace, m, note_in) for m, tap in turn))
                stimulus.parameter.grad = direction_of(gradient)
                optimizer.step()
                stimulus.constrain_()
        yield repetition + 1


class Tap:
    """One model of the ensemble cut at its tapped layer, with its objective for a batch.

    The activations of the references, (N, 3, H, W) on the model's device, are computed here, once. A ValueError says
    that the layer's output is not real, or depends on chance or on the other images.
    """

    def __init__(
        self,
        model: Classifier,
        layer: str,
        references: Tensor,
        config: GenerationConfig,
        arithmetic: Arithmetic | None = None,
    ) -> None:
        self._arithmetic = arithmetic or Arithmetic()
        self.model, self.layer, self._network = model, layer, model.up_to(layer)
        self._identity_relu = config.relu_gradient == "identity"
        try:
            with torch.no_grad(), self._arithmetic.exactly():
                self.reference = self._network(references)
        except Exception as error:
            size = "×".join(map(str, references.shape[2:]))
            error.add_note(
                f"This is model {model.name!r} up to layer {layer!r}, on {len(references)} images of {size} px."
            )
            raise
        if not self.reference.is_floating_point():
            raise ValueError(
                f"layer {layer!r} of model {model.name!r} returns {self.reference.dtype}, of which no real loss and "
                "gradient are defined here: choose another stage."
            )
        check_independence(model, references, layer)
        self.objective: Objective = LOSSES[config.loss](self.reference)
        self._forward = self._arithmetic.forward(self._network, model, layer, references)

    def activations(self, images: Tensor) -> Tensor:
        """Compute the activations at the tapped layer, differentiable."""
        activations = self._forward(images)
        if self._identity_relu and ends_in_relu(activations):
            # The hook of an autograd node may replace the gradient that the node passes on: here by the one it got.
            activations.grad_fn.register_hook(lambda passed_on, received: received)
        return activations.float() if self._arithmetic.precision == "bfloat16" else activations

    def gradient(self, stimulus: Parametrization, trace: "Trace", column: int, repetition: int | None) -> Tensor:
        """Take the gradient of the objective with respect to the stimulus's parameter: one pass forward, one back.

        It is zero for images whose loss or gradient is not finite, which the trace counts in the model's column. If a
        repetition is given, the residuals of this forward pass are noted for it.
        """
        activations = self.activations(stimulus.images())
        losses = self.objective(activations)
        # A sum, not a mean: the gradient of each image's loss is the same in a batch of any size.
        (gradient,) = torch.autograd.grad(losses.sum(), stimulus.parameter)
        norm = norm_per_image(gradient)
        # Neither is negative. One comparison does what takes `isfinite` four passes, each a kernel on a GPU.
        finite = (norm.flatten() < math.inf) & (losses.detach() < math.inf)
        trace.count(column, finite, norm.flatten())
        if repetition is not None:
            trace.note(column, repetition, self.objective.residuals(activations))
        return torch.where(finite.view(norm.shape), gradient, 0.0)

    @torch.no_grad()
    def residuals(self, images: Tensor) -> Tensor:
        """Measure each image's residual, whatever the precision of the optimisation, in the network's own."""
        with self._arithmetic.exactly():
            return self.objective.residuals(self._network(images))


class Trace:
    """What is noted during a run, kept on the device so that noting it never waits for it.

    `residuals`, (recorded, images, models), are those of each model's last forward pass in each recorded repetition,
    `latest` those of the latest. `skipped`, (images, models), counts updates whose loss was not finite or whose
    gradient was zero or not finite; `nonfinite` those of them that were not finite.
    """

    def __init__(self, images: int, models: int, recorded: Sequence[int], device: torch.device) -> None:
        self._rows = {repetition: row for row, repetition in enumerate(recorded)}
        like = {"dtype": torch.float32, "device": device}
        self.residuals = torch.full((len(recorded), images, models), torch.nan, **like)
        self.latest = torch.full((images, models), torch.nan, **like)
        self.skipped = torch.zeros((images, models), dtype=torch.int64, device=device)
        self.nonfinite = torch.zeros_like(self.skipped)

    def count(self, column: int, finite: Tensor, norm: Tensor) -> None:
        """Count an update's unusable gradients, given (N,) whether loss and gradient are finite, and the norms."""
        unusable = ~finite
        self.nonfinite[:, column].add_(unusable)
        self.skipped[:, column].add_(unusable | (norm == 0))

    def note(self, column: int, repetition: int, residuals: Tensor) -> None:
        """Take the (N,) residuals of a model's last forward pass in a repetition, counted from 0."""
        self.latest[:, column] = residuals
        row = self._rows.get(repetition + 1)
        if row is not None:
            self.residuals[row, :, column] = residuals


def ends_in_relu(activations: Tensor) -> bool:
    """Return whether a tensor is the immediate result of a ReLU, in any of its spellings, in place or not."""
    return activations.grad_fn is not None and activations.grad_fn.name() == "ReluBackward0"


def recorded_repetitions(repetitions: int, every: int | None) -> list[int]:
    """List the repetitions, counted from 1, whose residuals are kept: first, last, and every so-manieth (~200)."""
    every = every or -(-repetitions // 200)
    return sorted({1, repetitions, *range(every, repetitions + 1, every)})
