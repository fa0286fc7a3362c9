"""Metamers in small balls beside adversarial examples in the same balls (paper, section 4.6 and Fig. 6)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from torch import Tensor

from metamerbook.ensembles.attacks import attack_recognizability, attacks
from metamerbook.study.judging import evaluate, featured_set, featured_stage
from metamerbook.study.settings import Budget, Count, Radii, Section
from metamerbook.study.smaller import first_of_each_category, subset_study
from metamerbook.study.tasks import MetamerRun

if TYPE_CHECKING:
    from metamerbook.study.study import Study


class AdversarialExamples(Section):
    """The restricted search and the attacks beside it; their images are the budget's."""

    epsilons: Radii = (8 / 255, 0.3, 10_000.0)  # in pixel values
    attack_steps: Count = 40
    restricted: Budget = Budget()  # few updates with each network need long steps


CENTERS = ("initial", "reference")
"""Where the ball lies: around the initial stimulus, as the book reads the paper, or around the reference."""


@dataclass(frozen=True, eq=False)
class RestrictedExample:
    """One image in every ball: the right of Figure 6.

    Attributes
    ----------
    image
        Position in the study's references.
    category
        Of the image.
    reference
        (3, H, W) in [0, 1].
    metamers
        (radius, centre) to (3, H, W).
    attacks
        Radius to the adversarial example, (3, H, W).
    targets
        Radius to the category that the adversarial example was aimed at.
    """

    image: int
    category: str
    reference: Tensor
    metamers: dict[tuple[float, str], Tensor]
    attacks: dict[float, Tensor]
    targets: dict[float, str]


def restricted_study(study: "Study") -> "Study":
    """Set up the study that the restricted search runs in: perhaps fewer images, and a budget of its own.

    Parameters
    ----------
    study
        The study; its settings ``restricted_n_per_class``, ``restricted_repetitions`` and so on say how few.

    Returns
    -------
    Study
        With the same networks, evaluators and store.
    """
    return subset_study(study, **dict(study.settings.of(AdversarialExamples).restricted))


def restricted_runs(study: "Study") -> dict[tuple[float, str], MetamerRun]:
    """Describe the generation of metamers in every ball.

    Parameters
    ----------
    study
        The study; its setting ``epsilons`` names the radii. The set and the stage are `featured_set` ("CNN" as
        in the paper, if it runs) and `featured_stage` (the deepest).

    Returns
    -------
    dict
        (radius, centre) to run in the `restricted_study`. An ℓ∞ ball of radius 1 or more holds every image, wherever
        its centre is: there both centres have one run, without a restriction.
    """
    small, model_set, stage = restricted_study(study), featured_set(study), featured_stage(study)
    config = study.settings.config
    unrestricted = config.projection == "none" or (config.projection == "linf" and config.epsilon >= 1)
    runs = {}
    for epsilon in study.settings.of(AdversarialExamples).epsilons:
        for center in CENTERS:
            if epsilon >= 1 and unrestricted:
                ball = {}
            else:
                ball = {"projection": "linf", "epsilon": epsilon, "center": "initial" if epsilon >= 1 else center}
            runs[epsilon, center] = small.run(model_set, stage, **ball)
    return runs


def restricted(study: "Study") -> pd.DataFrame:
    """Tabulate how well metamers from small balls are recognized.

    Parameters
    ----------
    study
        Whose references and evaluators, and the balls as in `restricted_runs`.

    Returns
    -------
    DataFrame
        One row per radius, centre and evaluator, the generating networks included as in Figure 6: epsilon, center
        ("initial" or "reference"), model_set, stage, evaluator, family, robust, random, held_out, n, recognized,
        recognizability, low, high, criterion, reference_accuracy, label_recognizability, residual (what is left of
        the distance between activations within the ball), reason, n_members, n_wanted.
    """
    runs = restricted_runs(study)
    labelled = [
        ({"epsilon": epsilon, "center": center, "model_set": run.name}, run) for (epsilon, center), run in runs.items()
    ]
    return evaluate(restricted_study(study), labelled, title="restricted search")


def adversarial(study: "Study") -> pd.DataFrame:
    """Tabulate how well adversarial examples for the same images and networks are recognized.

    Parameters
    ----------
    study
        As for `restricted`; its setting ``attack_steps`` says how long the attack takes.

    Returns
    -------
    DataFrame
        One row per radius and evaluator, the attacked networks included: epsilon, model_set, stage ("output"),
        evaluator, family, robust, random, held_out, n, recognized, recognizability (share that keep the reference's
        class), low, high, criterion, reference_accuracy, label_recognizability, fooled (share that are taken for the
        target), reason, n_members, n_wanted.
    """
    return attack_recognizability(restricted_study(study), featured_set(study))


def restricted_example(study: "Study", image: int = 0) -> RestrictedExample:
    """Pick one image out of every ball.

    Parameters
    ----------
    study
        As for `restricted`.
    image
        Position in the study's references.

    Returns
    -------
    RestrictedExample
        The image's metamers and adversarial examples.

    Raises
    ------
    IndexError
        If the restricted search has no such image.
    """
    small = restricted_study(study)
    searched = first_of_each_category(study.references, study.settings.of(AdversarialExamples).restricted.n_per_class)
    if image not in searched:
        raise IndexError(f"image is {image}: the restricted search has the images {searched} of the study.")
    runs, place = restricted_runs(study), searched.index(image)
    attacked = {run.epsilon: small.result(run) for run in attacks(small, featured_set(study))}
    categories = study.networks.skeleton(next(iter(runs.values())).models[0].key).categories
    return RestrictedExample(
        image=image,
        category=study.references.category_names[image],
        reference=study.references.images[image],
        metamers={ball: small.result(run).images[place] for ball, run in runs.items()},
        attacks={epsilon: attack["images"][place] for epsilon, attack in attacked.items()},
        targets={epsilon: categories[int(attack["targets"][place])] for epsilon, attack in attacked.items()},
    )
