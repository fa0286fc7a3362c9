"""Chapter 08: metamers in small balls beside adversarial examples in the same balls (paper, section 4.6 and Fig. 6)."""

from dataclasses import dataclass
from itertools import product
from types import SimpleNamespace
from typing import ClassVar

import pandas as pd
from torch import Tensor

from metamerbook.engine.context import Context
from metamerbook.engine.task import Task
from metamerbook.study.judging import Predictions, evaluate, featured_set, featured_stage, mean_over_evaluators
from metamerbook.study.settings import Budget, Section
from metamerbook.study.study import Study, first_of_each_category
from metamerbook.study.tasks import ClassifierRef, MetamerRun, StimuliRef
from metamerbook.study.values import Count, Radii
from metamerlib.evaluation import adversarial_examples
from metamerlib.models.device import models_on, resolve_device


class AdversarialExamples(Section):
    """The restricted search and the attacks beside it; their images are the budget's."""

    epsilons: Radii = (8 / 255, 0.3, 10_000.0)  # in pixel values
    attack_steps: Count = 40
    restricted: Budget = Budget()  # few updates with each network need long steps


CENTERS = ("initial", "reference")
"""Where the ball lies: around the initial stimulus, as the book reads the paper, or around the reference."""


@dataclass(frozen=True)
class Attack(Task):
    """Targeted adversarial examples for networks; the result has the tensors images, targets and predictions."""

    stimuli: StimuliRef
    models: tuple[ClassifierRef, ...]  # fooled together
    epsilon: float  # radius of the ℓ∞ ball around each image, in pixel values
    steps: int
    seed: int = 0  # of targets and starting points

    stage: ClassVar[str] = "output"  # where it aims at, in the place of a metamer run's stage

    def compute(self, context: Context) -> dict[str, Tensor]:
        models = [context.models[model.key] for model in self.models]
        with models_on(models, resolve_device(context.device)):
            images, options = context.references.images, {"epsilon": self.epsilon, "steps": self.steps}
            attack = adversarial_examples(images, models, seed=self.seed, **options)
        return {"images": attack.images, "targets": attack.targets, "predictions": attack.predictions}

    @property
    def label(self) -> str:
        return f"attack on {' + '.join(model.key for model in self.models)}, ε = {self.epsilon:.3g}"

    @property
    def cost(self) -> float:
        # In updates of an image, which stop at a stage while attacks go through to the output.
        return 2.0 * self.stimuli.count * self.steps * len(self.models)


def restricted_study(study: Study) -> Study:
    """Set up the study that the restricted search runs in: perhaps fewer images, and a budget of its own."""
    return study.subset(**dict(study.settings.of(AdversarialExamples).restricted))


def restricted_runs(study: Study) -> dict[tuple[float, str], MetamerRun]:
    """Describe the generation of metamers in every ball, by radius and centre.

    An ℓ∞ ball of radius 1 or more holds every image, wherever its centre is: there both centres have one run, without
    a restriction.
    """
    small, model_set, stage = restricted_study(study), featured_set(study), featured_stage(study)
    config = study.settings.config
    unrestricted = config.projection == "none" or (config.projection == "linf" and config.epsilon >= 1)
    runs = {}
    for epsilon, center in product(study.settings.of(AdversarialExamples).epsilons, CENTERS):
        ball = {"projection": "linf", "epsilon": epsilon, "center": "initial" if epsilon >= 1 else center}
        runs[epsilon, center] = small.run(model_set, stage, **({} if epsilon >= 1 and unrestricted else ball))
    return runs


def attacks(study: Study) -> list[Attack]:
    """Describe the attacks on the networks and images of the restricted search, by radius."""
    run = restricted_study(study).run(featured_set(study), featured_stage(study))
    models = tuple(study.networks.classifier_ref(model.key) for model in run.models)
    settings, seed = study.settings.of(AdversarialExamples), study.settings.seed
    return [Attack(run.stimuli, models, epsilon, settings.attack_steps, seed) for epsilon in settings.epsilons]


def tasks(study: Study) -> list[Task]:
    """List what the chapter computes."""
    small = restricted_study(study)
    return [Predictions.of(small, run) for run in (*restricted_runs(study).values(), *attacks(study))]


def restricted(study: Study) -> pd.DataFrame:
    """Tabulate how well metamers from small balls are recognized, by evaluators that took part, too.

    One row per radius, centre and evaluator: epsilon, center ("initial" or "reference"), model_set, and what `evaluate`
    returns; residual is what is left of the distance between activations within the ball.
    """
    runs = restricted_runs(study).items()
    labelled = [({"epsilon": ball[0], "center": ball[1], "model_set": run.name}, run) for ball, run in runs]
    return evaluate(restricted_study(study), labelled, title="restricted search")


def adversarial(study: Study) -> pd.DataFrame:
    """Tabulate how well adversarial examples for the same images and networks are recognized.

    One row per radius and evaluator: epsilon, model_set, and what `evaluate` returns: recognizability is the share of
    images that keep their class, fooled that of images taken for the target.
    """
    labelled = [({"epsilon": run.epsilon, "model_set": featured_set(study)}, run) for run in attacks(study)]
    return evaluate(restricted_study(study), labelled, title="adversarial examples")


def restricted_means(restricted: pd.DataFrame, adversarial: pd.DataFrame) -> pd.DataFrame:
    """Average the restricted search and the attacks over evaluators.

    One row per condition ("initial" and "reference": metamers in a ball around that; "attack") and radius: condition,
    epsilon, mean (recognizability over all evaluators, as in Figure 6), held_out (over those without part), residual
    (of metamers), fooled and fooled_held_out (of attacks).
    """
    by, conditions = ["condition", "epsilon"], [*CENTERS, "attack"]
    metamers = restricted.rename(columns={"center": "condition"})
    table = pd.concat([metamers, adversarial.assign(condition="attack")], ignore_index=True)

    columns = {"residual": table.groupby(by)["residual"].first()}
    for value, names in {"recognizability": ("mean", "held_out"), "fooled": ("fooled", "fooled_held_out")}.items():
        for name, held_out_only in zip(names, (False, True), strict=True):
            means = mean_over_evaluators(table, by, held_out_only=held_out_only, value=value)
            columns[name] = means[means["evaluators"] == "all"].set_index(by)["mean"]
    means = pd.DataFrame(columns).sort_index().loc[conditions].reset_index()
    return means[[*by, "mean", "held_out", "residual", "fooled", "fooled_held_out"]]


def facts(means: pd.DataFrame) -> dict[str, float]:
    """Return the numbers of the prose: recognizability in the smallest ball, and how many an attack in it fools."""
    smallest = means[means["epsilon"] == means["epsilon"].min()].set_index("condition")
    places = {
        "radius": ("attack", "epsilon"),
        "around-initial": ("initial", "mean"),
        "around-reference": ("reference", "mean"),
        "left": ("initial", "residual"),
        "kept": ("attack", "mean"),
        "fooled": ("attack", "fooled"),
        "fooled-others": ("attack", "fooled_held_out"),
    }
    return {name: float(smallest.loc[place]) for name, place in places.items()}


def restricted_example(study: Study, image: int = 0) -> SimpleNamespace:
    """Pick the image at a position of the study's references out of every ball: the right of Figure 6.

    Images are (3, H, W) in [0, 1]: category, reference, metamers (by radius and centre), attacks (by radius), and
    targets (by radius, the categories that the attacks were aimed at).
    """
    small, runs = restricted_study(study), restricted_runs(study)
    searched = first_of_each_category(study.references, study.settings.of(AdversarialExamples).restricted.n_per_class)
    place = searched.index(image)
    attacked = {run.epsilon: small.result(run) for run in attacks(study)}
    categories = study.networks.skeleton(next(iter(runs.values())).models[0].key).categories
    return SimpleNamespace(
        category=study.references.category_names[image],
        reference=study.references.images[image],
        metamers={ball: small.result(run).images[place] for ball, run in runs.items()},
        attacks={epsilon: attack["images"][place] for epsilon, attack in attacked.items()},
        targets={epsilon: categories[int(attack["targets"][place])] for epsilon, attack in attacked.items()},
    )
