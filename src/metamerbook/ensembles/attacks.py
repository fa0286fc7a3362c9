"""Targeted adversarial examples on the images and networks of a metamer run, to compare with (paper, section 4.6)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd
from torch import Tensor

from metamerbook.engine.context import Context
from metamerbook.engine.task import Task
from metamerbook.study.judging import evaluate
from metamerbook.study.tasks import ClassifierRef, StimuliRef
from metamerlib.evaluation import adversarial_examples
from metamerlib.models.devices import models_on, resolve_device

if TYPE_CHECKING:
    from metamerbook.study.study import Study


@dataclass(frozen=True)
class Attack(Task):
    """Change images until networks take them for something else; the result is a mapping of tensors.

    Attributes
    ----------
    stimuli
        The images.
    models
        The networks to fool together.
    epsilon
        Radius of the ℓ∞ ball around each image, in pixel values.
    steps
        Steps of projected gradient descent.
    seed
        Of the targets and starting points.
    """

    stimuli: StimuliRef
    models: tuple[ClassifierRef, ...]
    epsilon: float
    steps: int
    seed: int = 0

    def compute(self, context: Context) -> dict[str, Tensor]:
        models = [context.models[model.key] for model in self.models]
        with models_on(models, resolve_device(context.device)):
            attack = adversarial_examples(
                context.references.images, models, epsilon=self.epsilon, steps=self.steps, seed=self.seed
            )
        return {"images": attack.images, "targets": attack.targets, "predictions": attack.predictions}

    stage: ClassVar[str] = "output"
    """Where an attack aims at, in the place of a metamer run's stage."""

    def about(self) -> dict[str, Any]:
        """Return the names behind the fingerprints.

        Returns
        -------
        dict
            Number and size of the images, and the settings that they came from.
        """
        size = list(self.stimuli.size)
        return {"images": self.stimuli.count, "size": size, "stimuli": dict(self.stimuli.origin)}

    @property
    def label(self) -> str:
        """Names of the networks, and the radius."""
        return f"attack on {' + '.join(model.key for model in self.models)}, ε = {self.epsilon:.3g}"

    @property
    def cost(self) -> float:
        """In updates of an image, which stop at a stage while attacks go through to the output."""
        return 2.0 * self.stimuli.count * self.steps * len(self.models)


def attacks(study: "Study", model_set: str) -> list[Attack]:
    """Describe the attacks on the networks of a set, one per radius.

    Parameters
    ----------
    study
        Whose references; its settings ``epsilons`` and ``attack_steps`` say how.
    model_set
        Name of a set, or key of a network.

    Returns
    -------
    list of Attack
        In the order of ``epsilons``.
    """
    run, settings = study.run(model_set, study.settings.stages[0]), study.settings.tables
    models = tuple(study.networks.classifier_ref(model.key) for model in run.models)
    return [
        Attack(run.stimuli, models, epsilon, settings.attack_steps, study.settings.seed)
        for epsilon in settings.epsilons
    ]


def attack_recognizability(study: "Study", model_set: str) -> pd.DataFrame:
    """Let all evaluators look at adversarial examples for the networks of a set.

    Parameters
    ----------
    study
        Whose references and evaluators; its settings ``epsilons`` and ``attack_steps`` say how.
    model_set
        Name of a set, or key of a network.

    Returns
    -------
    DataFrame
        One row per radius and evaluator: epsilon, model_set, and what `evaluate` returns, fooled among it.
    """
    runs = attacks(study, model_set)
    labelled = [({"epsilon": run.epsilon, "model_set": model_set}, run) for run in runs]
    return evaluate(study, labelled, title="adversarial examples")
