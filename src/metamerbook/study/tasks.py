"""The tasks behind the book's results: metamers of a set at a stage, and pictures kept along their generation."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metamerbook.engine.context import Context
from metamerbook.engine.task import Task, digest
from metamerlib.generation import GenerationConfig, Metamers, generate_metamers
from metamerlib.generation.batch import Batch
from metamerlib.generation.initializers import initial_stimuli
from metamerlib.models import Classifier, Stage


@dataclass(frozen=True)
class StimuliRef:
    """Images named by their content; how many, how large and where from is for people to read."""

    fingerprint: str
    count: int = field(compare=False)
    size: tuple[int, int] = field(compare=False)
    origin: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class ModelRef:
    """A network named by what its activations depend on: its key, and its `model_fingerprint`."""

    key: str
    fingerprint: str


@dataclass(frozen=True)
class ClassifierRef(ModelRef):
    """A network named by what its answers depend on: also by how outputs make a category's logit."""

    decision: str = "max_logit"


def model_fingerprint(classifier: Classifier, weights: str | None = None) -> str:
    """Return the SHA-256 of all that a network's activations and outputs depend on, short of its code.

    `weights` is the SHA-256 of its weights where that is known already (`ModelZoo.fingerprint`).
    """
    return digest(
        {
            "weights": weights or _weights_digest(classifier),
            # The printed module tells strides, activations and normalisations apart, which weights do not.
            "architecture": re.sub(r" at 0x[0-9a-fA-F]+", "", repr(classifier.module)),
            "mean": classifier.mean,
            "std": classifier.std,
            "input_size": classifier.input_size,
            "categories": classifier.categories,
            "outputs_of_category": classifier.outputs_of_category,
        }
    )


def _weights_digest(classifier: Classifier) -> str:
    sha256 = hashlib.sha256()
    for name, tensor in sorted(classifier.module.state_dict().items()):
        sha256.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        sha256.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy())
    return sha256.hexdigest()


@dataclass(frozen=True)
class MetamerRun(Task):
    """Generate the metamers of a stimulus set for an ensemble at a stage; the result is a `Metamers`.

    Of the images at the positions `followed`, snapshots are kept on the way as a result of its own: `kept_beside`.
    """

    stimuli: StimuliRef
    models: tuple[ModelRef, ...]
    layers: tuple[str, ...]
    stage: Stage
    config: GenerationConfig
    seed: int = 0
    name: str = field(default="", compare=False)
    followed: tuple[int, ...] = field(default=(), compare=False)
    precision: str = "float32"

    def compute(self, context: Context) -> Metamers:
        beside = kept_beside(self)
        recorder = Recorder(beside.images, beside.repetitions) if beside else None
        metamers = self.generate(
            context,
            context.references.images,
            # A checkpoint belongs to one batch size; with another, the run starts over.
            checkpoint=context.store.scratch(self) / f"batches-of-{context.batch_size or 'all'}.safetensors",
            watch=recorder,
        )
        if recorder and recorder.complete:
            context.store.get_or_compute(beside, lambda _: recorder.tensors())
        return metamers

    def generate(self, context: Context, references: Tensor, **options: Any) -> Metamers:
        """Make metamers of some images with the settings of this run."""
        return generate_metamers(
            references,
            [context.models[model.key] for model in self.models],
            stage=self.stage,
            config=self.config,
            seed=self.seed,
            device=context.device,
            batch_size=context.batch_size,
            precision=self.precision,
            compile=context.compile,
            progress=context.shows_progress,
            **options,
        )

    @property
    def label(self) -> str:
        return f"{self.name or ' + '.join(model.key for model in self.models)}, {self.stage}"

    @property
    def cost(self) -> float:
        return float(self.config.updates_per_model * len(self.models) * self.stimuli.count)


SNAPSHOTS = 8
"""How many pictures of an image a study's own runs keep, the initial stimulus and the metamer among them."""


@dataclass(frozen=True)
class Snapshots(Task):
    """Keep images of a run as they are after so many repetitions, 0 being the start; the result is a `Recorder`'s."""

    run: MetamerRun
    images: tuple[int, ...]
    repetitions: tuple[int, ...]

    def compute(self, context: Context) -> dict[str, Tensor]:
        config = self.run.config
        references = context.references.images[list(self.images)]
        initial = [
            initial_stimuli(reference[None], seed=self.run.seed, first=position, **config.initializer_options)
            for reference, position in zip(references, self.images, strict=True)
        ]
        recorder = Recorder(range(len(references)), self.repetitions)
        self.run.generate(context, references, initial=torch.cat(initial), watch=recorder)
        return recorder.tensors()


def kept_beside(run: MetamerRun) -> Snapshots | None:
    """Return the snapshots that a generation keeps beside its metamers; None if it follows no image."""
    if not run.followed:
        return None
    return Snapshots(run, run.followed, spread(run.config.repetitions, SNAPSHOTS))


def spread(repetitions: int, n: int) -> tuple[int, ...]:
    """Choose at most n repetitions, from 0 to the last, most at the start, where images change fastest."""
    between = np.geomspace(1, repetitions, n - 1).round().astype(int).tolist() if n > 2 else []
    return tuple(sorted({0, *between, repetitions}))


class Recorder:
    """Watches a generation and keeps the images at some positions after some repetitions."""

    def __init__(self, images: Sequence[int], repetitions: Sequence[int]) -> None:
        self._images, self._repetitions = images, repetitions
        self._kept: dict[tuple[int, int], list[Tensor]] = {}

    def __call__(self, batch: Batch) -> None:
        present = [position for position in self._images if position in batch.positions]
        if present and batch.repetition in self._repetitions:
            rows = [batch.positions.index(position) for position in present]
            kept = zip(present, batch.images[rows].cpu(), batch.residuals()[rows].cpu(), strict=True)  # copies
            self._kept |= {(batch.repetition, position): tensors for position, *tensors in kept}

    @property
    def complete(self) -> bool:
        """Whether all is there; it is not if the run went on from a checkpoint."""
        return len(self._kept) == len(self._repetitions) * len(self._images)

    def tensors(self) -> dict[str, Tensor]:
        """Return images (S, N, 3, H, W) and residuals (S, N, M), by snapshot, image and model."""
        keys = [(repetition, position) for repetition in self._repetitions for position in self._images]
        shape = (len(self._repetitions), len(self._images))
        return {
            name: torch.stack([self._kept[key][which] for key in keys]).unflatten(0, shape)
            for which, name in enumerate(("images", "residuals"))
        }
