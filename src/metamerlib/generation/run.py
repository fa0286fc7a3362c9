"""One generation from its first part to its last: checkpoints, progress, and a look at the models beforehand."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from metamerlib.generation.checkpoint import Checkpoint
from metamerlib.generation.config import GenerationConfig
from metamerlib.generation.diagnosis import check_relu_option, check_usable
from metamerlib.generation.initializers import initial_stimuli
from metamerlib.generation.parts import Part
from metamerlib.generation.solver import Tap
from metamerlib.models import Classifier

_FINISHED = "finished/"
CPU_MULTIPLE = 4
"""On the CPU a part is filled up to a multiple of this many images, by copies of its first one.

PyTorch's kernels for matrix products and convolutions round differently for batches of one to three images and for
what remains of a larger batch. Normalised steps blow such a difference in the last digit up: after fifty updates
metamers of a miniature VGG made one at a time and all at once were .5 apart. In multiples of four they are the same
to the last bit. Besides, the backward pass of a frozen batch norm is wrong for a single image where the gradient
arrives with its channels last, as in a transformer with a convolutional stem (seen in PyTorch 2.15).
"""
_SECONDS_BETWEEN_READINGS = 0.5  # reading a residual off the device makes it wait, so the progress bar does so rarely


@dataclass(kw_only=True)
class Run:
    """A generation whose input has been checked.

    Attributes
    ----------
    images
        (N, 3, H, W) references.
    initial
        (N, 3, H, W) initial stimuli, or None for the configured initialiser's.
    models, layers
        The ensemble, on the device, and the name of each model's tapped module.
    config, seed, index_offset, batch_size
        As for `generate_metamers`.
    recorded
        Repetitions, counted from 1, whose residuals are kept.
    device
        Where to compute.
    checkpoint
        Where the state is kept.
    watch
        Called with each part before its first repetition and after each one.
    """

    images: Tensor
    initial: Tensor | None
    models: Sequence[Classifier]
    layers: Sequence[str]
    config: GenerationConfig
    seed: int
    index_offset: int
    batch_size: int
    recorded: Sequence[int]
    device: torch.device
    checkpoint: Checkpoint
    watch: Callable[[Part], None]
    _done: int = 0
    _finished: dict[str, Tensor] = field(default_factory=dict)

    def execute(self, title: str, progress: bool) -> tuple[dict[str, Tensor], float]:
        """Go through all parts, from where the checkpoint says.

        Parameters
        ----------
        title
            Text of the progress bar.
        progress
            Whether it is shown.

        Returns
        -------
        tuple of dict and float
            What `Metamers` holds of each image, by field; and the seconds it took, over all sittings.
        """
        state, saved = self.checkpoint.read() or ({"done": 0, "seconds": 0.0, "part": None}, {})
        self._began = time.monotonic() - state["seconds"]
        self._done = state["done"]
        self._finished = {
            name.removeprefix(_FINISHED): tensor for name, tensor in saved.items() if name.startswith(_FINISHED)
        }
        firsts = range(self._done, len(self.images), self.batch_size)
        parts_in_all = -(-len(self.images) // self.batch_size)
        with _ProgressBar(title, self.config.repetitions, parts_in_all, progress) as bar:
            for first in firsts:
                part = self._prepare(first, state["part"] if first == state["done"] else None, saved)
                bar.start(parts_in_all - len(range(first, len(self.images), self.batch_size)), part.repetition)
                if part.repetition == 0:
                    self.watch(part)
                for _ in part.run():
                    self.watch(part)
                    bar.advance(part.latest_residuals)
                    if self.checkpoint.due():
                        self._write(part)
                self._finish(part)
        return self._finished, (state["seconds"] if not firsts else time.monotonic() - self._began)

    def _prepare(self, first: int, state: dict[str, Any] | None, saved: dict[str, Tensor]) -> Part:
        references, initial = self._references(first), self._stimuli(first)
        taps = [self._tap(column, first) for column in range(len(self.models))]
        count = min(self.batch_size, len(self.images) - first)
        part = Part(taps, references, initial, self.config, self.recorded, first=first, count=count)
        if state is not None:
            part.restore(state, saved)
            return part
        failures = part.diagnose()
        if first == 0:
            later = range(self.batch_size, len(self.images), self.batch_size)
            # A layer that is silent at the initial stimuli gets a gradient once another model has moved the images.
            moved = any(failure is None for failure in failures)
            for column, failure in enumerate(failures):
                if failure is not None and (failure.lasting or not moved):
                    check_usable(failure, (partial(self._tap_and_stimuli, column, other) for other in later))
            if self.config.relu_gradient == "identity":
                check_relu_option(taps, initial)
        return part

    def _references(self, first: int) -> Tensor:
        return self._filled_up(self.images[first : first + self.batch_size])

    def _stimuli(self, first: int) -> Tensor:
        if self.initial is not None:
            return self._filled_up(self.initial[first : first + self.batch_size])
        stimuli = initial_stimuli(
            self.images[first : first + self.batch_size],
            self.config.initializer,
            radius=self.config.initializer_radius,
            constant=self.config.initializer_constant,
            mix=self.config.initializer_mix,
            seed=self.seed,
            first=self.index_offset + first,
        )
        return self._filled_up(stimuli)

    def _filled_up(self, images: Tensor) -> Tensor:
        missing = -len(images) % CPU_MULTIPLE if self.device.type == "cpu" else 0
        if missing:
            images = torch.cat([images, images[:1].expand(missing, -1, -1, -1)])
        return images.to(self.device)

    def _tap(self, column: int, first: int) -> Tap:
        return Tap(self.models[column], self.layers[column], self._references(first), self.config)

    def _tap_and_stimuli(self, column: int, first: int) -> tuple[Tap, Tensor]:
        return self._tap(column, first), self._stimuli(first)

    def _finish(self, part: Part) -> None:
        result = part.result()
        self._done += len(result["images"])
        before = self._finished or {name: tensor[:0] for name, tensor in result.items()}
        self._finished = {name: torch.cat([before[name], tensor]) for name, tensor in result.items()}
        self._write(None)

    def _write(self, part: Part | None) -> None:
        values, tensors = (None, {}) if part is None else part.state()
        finished = {_FINISHED + name: tensor for name, tensor in self._finished.items()}
        seconds = time.monotonic() - self._began
        self.checkpoint.write({"done": self._done, "seconds": seconds, "part": values}, {**finished, **tensors})


class _ProgressBar:
    """Repetitions over all parts, with the mean residual."""

    def __init__(self, title: str, repetitions: int, parts: int, shown: bool) -> None:
        self._bar = tqdm(total=repetitions * parts, desc=title, unit="rep", disable=not shown)
        self._repetitions, self._read = repetitions, 0.0

    def __enter__(self) -> "_ProgressBar":
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def start(self, parts_done: int, repetition: int) -> None:
        """Set off: what was done in an earlier sitting does not count as speed."""
        if not self._bar.n:
            self._bar.initial = self._bar.n = parts_done * self._repetitions + repetition

    def advance(self, residuals: Tensor) -> None:
        """Count a repetition, and read the mean residual now and then."""
        if not self._bar.disable and time.monotonic() - self._read >= _SECONDS_BETWEEN_READINGS:
            self._bar.set_postfix_str(f"residual {residuals.nanmean().item():.4f}", refresh=False)
            self._read = time.monotonic()
        self._bar.update()
