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
from metamerlib.stimuli import StimulusSet


@dataclass(frozen=True)
class StimuliRef:
    """Images named by their content.

    Attributes
    ----------
    fingerprint
        `StimulusSet.fingerprint`; the only part that enters a key.
    count, size
        Number of images; height and width in pixels.
    origin
        The settings that they came from, for people to read.
    """

    fingerprint: str
    count: int = field(compare=False)
    size: tuple[int, int] = field(compare=False)
    origin: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, stimuli: StimulusSet, origin: Mapping[str, Any] | None = None) -> "StimuliRef":
        """Describe a stimulus set.

        Parameters
        ----------
        stimuli
            The images.
        origin
            The settings that they came from.

        Returns
        -------
        StimuliRef
            The reference to them.
        """
        return cls(stimuli.fingerprint, len(stimuli), stimuli.size, dict(origin or {}))


@dataclass(frozen=True)
class ModelRef:
    """A network named by what its activations depend on.

    Attributes
    ----------
    key
        Its key in the zoo, or the name of a user's model.
    fingerprint
        SHA-256 of its weights, normalisation, input size and outputs: `model_fingerprint`.
    """

    key: str
    fingerprint: str


@dataclass(frozen=True)
class ClassifierRef(ModelRef):
    """A network named by what its logits and categories depend on.

    Attributes
    ----------
    decision
        How its outputs make a category's logit, as for `Classifier`: its answers depend on it, its activations do not.
    """

    decision: str = "max_logit"


def model_fingerprint(classifier: Classifier, weights: str | None = None) -> str:
    """Name a classifier by everything that its activations and outputs depend on, short of its code.

    Parameters
    ----------
    classifier
        The network.
    weights
        SHA-256 of its weights where that is known already (`ModelZoo.fingerprint`); else it is computed.

    Returns
    -------
    str
        64 hexadecimal digits.
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

    Attributes
    ----------
    stimuli
        The references.
    models
        The ensemble, in the order of optimisation.
    layers
        The tapped module of each model.
    stage
        The stage that the layers were chosen by.
    config
        The generation's settings.
    seed
        Of the initial noise.
    name
        The model set's name, for people to read; it does not enter the key.
    followed
        Positions of the images of which snapshots are kept on the way, as a result of its own
        (`metamerbook.study.tasks.kept_beside`); they do not enter the key.
    precision
        What the passes of the optimisation are computed in, as for `generate_metamers`.
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
        metamers = generate_metamers(
            context.references.images,
            [context.models[model.key] for model in self.models],
            stage=self.stage,
            config=self.config,
            seed=self.seed,
            device=context.device,
            batch_size=context.batch_size,
            precision=self.precision,
            compile=context.compile,
            # A checkpoint belongs to one batch size; with another, the run starts over.
            checkpoint=context.scratch(self) / f"batches-of-{context.batch_size or 'all'}.safetensors",
            progress=context.shows_progress,
            watch=recorder,
        )
        if recorder and recorder.complete:
            context.store.get_or_compute(beside, lambda _: recorder.tensors())
        return metamers

    def about(self) -> dict[str, Any]:
        """Return the names behind the fingerprints.

        Returns
        -------
        dict
            Name of the set, number and size of the images, and the settings that they came from.
        """
        size = list(self.stimuli.size)
        return {"set": self.name, "images": self.stimuli.count, "size": size, "stimuli": dict(self.stimuli.origin)}

    @property
    def label(self) -> str:
        """Name of the set and stage."""
        return f"{self.name or ' + '.join(model.key for model in self.models)}, {self.stage}"

    @property
    def cost(self) -> float:
        """Updates of images over the whole run."""
        updates = self.config.repetitions * self.config.steps_per_model * len(self.models)
        return float(updates * self.stimuli.count)


SNAPSHOTS = 8
"""How many pictures of an image a study's own runs keep, the initial stimulus and the metamer among them."""


@dataclass(frozen=True)
class Snapshots(Task):
    """Keep some images along their generation; the result is a mapping of tensors, as `Recorder` gives it.

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

    def compute(self, context: Context) -> dict[str, Tensor]:
        run, config = self.run, self.run.config
        references = context.references.images[list(self.images)]
        initial = [
            initial_stimuli(
                reference[None],
                config.initializer,
                radius=config.initializer_radius,
                constant=config.initializer_constant,
                mix=config.initializer_mix,
                seed=run.seed,
                first=position,
            )
            for reference, position in zip(references, self.images, strict=True)
        ]
        recorder = Recorder(range(len(references)), self.repetitions)
        generate_metamers(
            references,
            [context.models[model.key] for model in run.models],
            stage=run.stage,
            config=config,
            device=context.device,
            batch_size=context.batch_size,
            precision=run.precision,
            compile=context.compile,
            initial=torch.cat(initial),
            progress=context.shows_progress,
            watch=recorder,
        )
        return recorder.tensors()

    @property
    def label(self) -> str:
        """Name of the run, and how many images are followed."""
        return f"{self.run.label}, step by step"


def kept_beside(run: MetamerRun) -> Snapshots | None:
    """Name the snapshots that a generation keeps beside its metamers.

    Parameters
    ----------
    run
        The generation.

    Returns
    -------
    Snapshots or None
        Of the images that the run follows; None if it follows none.
    """
    if not run.followed:
        return None
    return Snapshots(run, run.followed, spread(run.config.repetitions, SNAPSHOTS))


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


class Recorder:
    """Watches a generation and keeps some images along the way.

    Parameters
    ----------
    images
        Positions of the images in the run.
    repetitions
        After how many repetitions to keep them.
    """

    def __init__(self, images: Sequence[int], repetitions: Sequence[int]) -> None:
        self._images, self._repetitions = images, repetitions
        self._kept: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}

    def __call__(self, part: Batch) -> None:
        """Keep what is wanted of a batch as it is now.

        Parameters
        ----------
        part
            The batch.
        """
        present = [position for position in self._images if position in part.positions]
        if not present or part.repetition not in self._repetitions:
            return
        rows = [part.positions.index(position) for position in present]
        images, residuals = part.images[rows].cpu(), part.residuals()[rows].cpu()  # chosen by a list: copies
        for row, position in enumerate(present):
            self._kept[part.repetition, position] = images[row], residuals[row]

    @property
    def complete(self) -> bool:
        """Whether all is there; it is not if the run went on from a checkpoint."""
        return len(self._kept) == len(self._repetitions) * len(self._images)

    def tensors(self) -> dict[str, Tensor]:
        """Return what was kept.

        Returns
        -------
        dict
            images (S, N, 3, H, W) and residuals (S, N, M), by snapshot, image and model.
        """
        keys = [(repetition, position) for repetition in self._repetitions for position in self._images]
        shape = (len(self._repetitions), len(self._images))
        return {
            name: torch.stack([self._kept[key][part] for key in keys]).unflatten(0, shape)
            for part, name in enumerate(("images", "residuals"))
        }
