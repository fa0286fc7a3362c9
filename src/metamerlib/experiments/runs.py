"""The run behind the book's results: metamers of a set at a stage."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch

from metamerlib.experiments.spec import Spec, digest
from metamerlib.generation import GenerationConfig
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
    """A network named by its content: its weights and how images enter it.

    Attributes
    ----------
    key
        Its key in the zoo, or the name of a user's model.
    fingerprint
        SHA-256 of its weights, normalisation, input size and outputs: `model_fingerprint`.
    decision
        How its outputs make a category's logit, as for `Classifier`: its answers depend on it, its activations do not.
    """

    key: str
    fingerprint: str
    decision: str = "max_logit"

    @property
    def features(self) -> dict[str, str]:
        """What its activations depend on, for the identity of a spec."""
        return {"key": self.key, "fingerprint": self.fingerprint}

    @property
    def answers(self) -> dict[str, str]:
        """What its logits and categories depend on, for the identity of a spec."""
        # The default is left out: it was the only decision once, and the keys of results from then are to stay.
        return self.features | ({} if self.decision == "max_logit" else {"decision": self.decision})


def decisions(models: Sequence[ModelRef]) -> dict[str, Any]:
    """Say how the networks of a run decide, for the identity of what asks them for categories.

    Parameters
    ----------
    models
        The networks.

    Returns
    -------
    dict
        decisions (one per network), or nothing where all decide as they do by default.
    """
    found = [model.decision for model in models]
    return {} if set(found) <= {"max_logit"} else {"decisions": found}


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
class MetamerRun(Spec):
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
        (`metamerlib.experiments.snapshots.kept_beside`); they do not enter the key.
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

    kind: ClassVar[str] = "metamers"
    codec: ClassVar[str] = "metamers"
    version: ClassVar[int] = 1

    def identity(self) -> dict[str, Any]:
        """Return what the metamers depend on.

        Returns
        -------
        dict
            Fingerprints of images and models, layers, stage, settings, seed; the precision if it is not float32.
        """
        return {
            "stimuli": self.stimuli.fingerprint,
            "models": [model.features for model in self.models],
            "layers": self.layers,
            "stage": self.stage,
            "config": self.config.identity(),
            "seed": self.seed,
            # Left out otherwise: it was the only one once, and the keys of results from then are to stay.
        } | ({} if self.precision == "float32" else {"precision": self.precision})

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
