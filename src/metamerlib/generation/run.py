"""One generation from its first batch to its last: checkpoints, progress, and a look at the models beforehand."""

import gc
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from metamerlib.generation.batch import Batch
from metamerlib.generation.checkpoint import Checkpoint
from metamerlib.generation.config import GenerationConfig
from metamerlib.generation.diagnosis import check_relu_option, check_usable
from metamerlib.generation.initializers import initial_stimuli
from metamerlib.generation.precision import Arithmetic
from metamerlib.generation.solver import Tap
from metamerlib.models import Classifier
from metamerlib.models.device import is_out_of_memory

_FINISHED = "finished/"
CPU_MULTIPLE = 4
"""On the CPU a batch is filled up to a multiple of this many images, by copies of its first one.

PyTorch's kernels round differently for batches of one to three images and for what remains of a larger batch, and
normalised steps blow such a difference up: after fifty updates metamers of a miniature VGG made one at a time and all
at once were .5 apart. In multiples of four they are the same to the last bit. Besides, the backward pass of a frozen
batch norm is wrong for a single image whose gradient arrives with its channels last (seen in PyTorch 2.15).
"""
_SECONDS_BETWEEN_READINGS = 0.5  # reading a residual off the device makes it wait, so the progress bar does so rarely


@dataclass(frozen=True)
class _Kept:
    """The state of some images as a checkpoint has it."""

    positions: range
    values: dict[str, Any]
    tensors: dict[str, Tensor]

    def of(self, positions: range, filling: int = 0) -> dict[str, Tensor]:
        """Give the tensors of some of the images, followed by so many copies of the first of these."""
        if positions == self.positions and filling == len(self.tensors["parameter"]) - len(positions):
            return self.tensors
        rows = [position - self.positions.start for position in positions]
        return Batch.of_images(self.tensors, rows + rows[:1] * filling)


@dataclass(kw_only=True)
class Run:
    """A generation whose input has been checked; the models are on the device.

    `shrinks`: the batch size is halved where memory does not suffice. `recorded`: repetitions, counted from 1, whose
    residuals are kept. The rest is as for `generate_metamers`.
    """

    images: Tensor
    initial: Tensor | None
    models: Sequence[Classifier]
    layers: Sequence[str]
    config: GenerationConfig
    seed: int
    index_offset: int
    batch_size: int
    shrinks: bool
    arithmetic: Arithmetic
    recorded: Sequence[int]
    device: torch.device
    checkpoint: Checkpoint
    watch: Callable[[Batch], None]
    _done: int = 0
    _finished: dict[str, Tensor] = field(default_factory=dict)
    _kept: _Kept | None = None

    def execute(self, title: str, progress: bool) -> tuple[dict[str, Tensor], float]:
        """Go through all batches, from where the checkpoint says.

        Returns what `Metamers` holds of each image, by field, and the seconds it took, over all sittings.
        """
        self._began = time.monotonic()
        self._go_back()
        seconds_before = time.monotonic() - self._began
        idle = self._done == len(self.images)
        total = len(self.images) * self.config.repetitions
        with tqdm(total=total, desc=title, unit="image×repetition", unit_scale=True, disable=not progress) as bar:
            while self._done < len(self.images):
                positions = self._next_positions()
                try:
                    self._make(positions, bar)
                    continue
                except Exception as error:
                    if not (self.shrinks and len(positions) > self._least and is_out_of_memory(error)):
                        raise
                    reason = (str(error) or type(error).__name__).splitlines()[0]
                self._shrink(positions, reason)  # where the error no longer holds on to the batch
        return self._finished, (seconds_before if idle else time.monotonic() - self._began)

    def _make(self, positions: range, bar: tqdm) -> None:
        batch = self._prepare(positions)
        done, read = positions.start * self.config.repetitions + batch.repetition * len(positions), 0.0
        if done != bar.n:  # what was done in an earlier sitting, or is done again, does not count as speed
            bar.n = bar.initial = done
        if batch.repetition == 0:
            self.watch(batch)
        for _ in batch.run():
            self.watch(batch)
            if not bar.disable and time.monotonic() - read >= _SECONDS_BETWEEN_READINGS:
                bar.set_postfix_str(f"residual {batch.latest_residuals.nanmean().item():.4f}", refresh=False)
                read = time.monotonic()
            bar.update(len(positions))
            if self.checkpoint.due():
                self._write(batch)
        self._finish(batch)

    def _go_back(self) -> None:
        """Take up what the checkpoint says; where there is none, stay."""
        found = self.checkpoint.read()
        if found is None:
            return
        state, saved = found
        self._began, self._done = time.monotonic() - state["seconds"], state["done"]
        own = {name: tensor for name, tensor in saved.items() if not name.startswith(_FINISHED)}
        self._finished = {name.removeprefix(_FINISHED): saved[name] for name in saved.keys() - own.keys()}
        if state["batch"] is not None:
            self._kept = _Kept(range(self._done, self._done + state["count"]), state["batch"], own)

    def _next_positions(self) -> range:
        """Choose the next images: as many as fit, all of them as far as each other."""
        stop = len(self.images) if self._kept is None else self._kept.positions.stop
        return range(self._done, min(self._done + self.batch_size, stop))

    @property
    def _least(self) -> int:
        return CPU_MULTIPLE if self.device.type == "cpu" else 1

    def _shrink(self, positions: range, reason: str) -> None:
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        began = self._began
        self._go_back()
        self._began, self.batch_size = began, len(positions) // 2
        place = "their beginning"
        if self._kept is not None:
            place = f"repetition {self._kept.values['repetition']}, where they were last written"
        warnings.warn(
            f"{len(positions)} images at once need more memory than there is on {self.device}: {self.batch_size} at a "
            f"time from now on, images {self._done} to {positions.stop - 1} from {place} ({reason}).",
            RuntimeWarning,
            stacklevel=4,
        )

    def _prepare(self, positions: range) -> Batch:
        references, initial = self._references(positions), self._stimuli(positions)
        taps = [self._tap(column, positions) for column in range(len(self.models))]
        first, count = positions.start, len(positions)
        batch = Batch(taps, references, initial, self.config, self.recorded, first=first, count=count)
        if self._kept is not None:
            batch.restore(self._kept.values, self._kept.of(positions, len(initial) - count))
            return batch
        failures = batch.diagnose()
        if first == 0:
            firsts = range(self.batch_size, len(self.images), self.batch_size)
            later = [range(other, min(other + self.batch_size, len(self.images))) for other in firsts]
            # A layer that is silent at the initial stimuli gets a gradient once another model has moved the images.
            moved = any(failure is None for failure in failures)
            for column, failure in enumerate(failures):
                if failure is not None and (failure.lasting or not moved):
                    check_usable(failure, ((self._tap(column, other), self._stimuli(other)) for other in later))
            if self.config.relu_gradient == "identity":
                check_relu_option(taps, initial)
        return batch

    def _references(self, positions: range) -> Tensor:
        return self._filled_up(self.images[positions.start : positions.stop])

    def _stimuli(self, positions: range) -> Tensor:
        chosen = slice(positions.start, positions.stop)
        if self.initial is not None:
            return self._filled_up(self.initial[chosen])
        first, options = self.index_offset + positions.start, self.config.initializer_options
        return self._filled_up(initial_stimuli(self.images[chosen], seed=self.seed, first=first, **options))

    def _filled_up(self, images: Tensor) -> Tensor:
        missing = -len(images) % CPU_MULTIPLE if self.device.type == "cpu" else 0
        if missing:
            images = torch.cat([images, images[:1].expand(missing, -1, -1, -1)])
        return images.to(self.device)

    def _tap(self, column: int, positions: range) -> Tap:
        references = self._references(positions)
        return Tap(self.models[column], self.layers[column], references, self.config, self.arithmetic)

    def _finish(self, batch: Batch) -> None:
        result = batch.result()
        self._done += len(result["images"])
        if self._kept is not None and self._kept.positions.stop == self._done:
            self._kept = None
        before = self._finished or {name: tensor[:0] for name, tensor in result.items()}
        self._finished = {name: torch.cat([before[name], tensor]) for name, tensor in result.items()}
        self._write(None)

    def _write(self, batch: Batch | None) -> None:
        values, tensors = (None, {}) if batch is None else batch.state()
        count = 0 if batch is None else len(batch.positions)
        state = {"done": self._done, "seconds": time.monotonic() - self._began, "batch": values, "count": count}
        self.checkpoint.write(state, {_FINISHED + name: tensor for name, tensor in self._finished.items()} | tensors)
