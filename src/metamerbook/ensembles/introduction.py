"""One metamer from start to verdict: all that the picture of the process shows (paper, Fig. 1)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import torch
from torch import Tensor

from metamerbook.ensembles.methodology import Trajectory, trajectory
from metamerbook.ensembles.related_work import PLAIN
from metamerbook.study.judging import featured_set, featured_stage, one_per_category, predicted_classes
from metamerbook.study.tasks import MetamerRun
from metamerlib.evaluation import PairDistances, measure_images, pair_distances
from metamerlib.models import STAGES, Stage

if TYPE_CHECKING:
    from metamerbook.study.study import Study


@dataclass(frozen=True, eq=False)
class Overview:
    """A metamer, how it came about, and what is measured on it.

    Attributes
    ----------
    model_set, stage
        Which metamers.
    category
        Of the image that is followed.
    reference
        That image, (3, H, W) in [0, 1].
    trajectory
        Snapshots on its way to being a metamer.
    model
        Key of the network whose activations are shown: the last of the set.
    reference_activation, metamer_activation
        Its activations of the reference and the metamer, without the dimension of the batch.
    verdicts
        One row per evaluator that had no part in the generation and was trained: evaluator, reference_class,
        metamer_class.
    metrics
        Those metrics of Table 1 that need no network and have a value per image, as `image_metrics` tabulates them.
    distances
        Between representations of all references and metamers, by one such evaluator; None with fewer than three
        images or without such an evaluator.
    example_references, example_metamers
        (K, 3, H, W), one per category.
    """

    model_set: str
    stage: Stage
    category: str
    reference: Tensor
    trajectory: Trajectory
    model: str
    reference_activation: Tensor
    metamer_activation: Tensor
    verdicts: pd.DataFrame
    metrics: pd.DataFrame
    distances: PairDistances | None
    example_references: Tensor
    example_metamers: Tensor


def overview(study: "Study", *, image: int | None = None, n_examples: int = 12, n_snapshots: int = 8) -> Overview:
    """Follow one image through the process, with the featured set and stage.

    Parameters
    ----------
    study
        Whose images, networks and settings.
    image
        Position of the image in the references; by default the middle one of those that begin a category.
    n_examples
        How many further metamers to show, at most one per category.
    n_snapshots
        Pictures along the optimisation.

    Returns
    -------
    Overview
        The metamers are those of the study, from the store or computed now.
    """
    model_set, stage = featured_set(study), featured_stage(study)
    firsts = one_per_category(study)
    image = firsts[len(firsts) // 2] if image is None else image
    examples = firsts[:n_examples]
    references = study.references.images
    metamers = study.metamers(model_set, stage).images
    members = [model.key for model in study.run(model_set, stage).models]
    shown = study.networks.models[members[-1]]
    both = shown.activations(torch.stack([references[image], metamers[image]]).to(shown.device), stage).cpu()
    traits = study.networks.traits(key for key in study.evaluators if key not in members)
    judges = traits.loc[~traits["random"], "evaluator"].tolist()
    return Overview(
        model_set=model_set,
        stage=stage,
        category=study.references.category_names[image],
        reference=references[image],
        trajectory=trajectory(study, model_set, stage, images=[image], n=n_snapshots),
        model=members[-1],
        reference_activation=both[0],
        metamer_activation=both[1],
        verdicts=_verdicts(study, study.run(model_set, stage), judges, image),
        metrics=measure_images(metamers[[image]], references[[image]], metrics=PLAIN),
        distances=_distances(study, judges, metamers, stage),
        example_references=references[examples],
        example_metamers=metamers[examples],
    )


def _verdicts(study: "Study", run: MetamerRun, judges: list[str], image: int) -> pd.DataFrame:
    """Name the classes that evaluators give a reference and its metamer."""
    seen = predicted_classes(study, run)
    rows = []
    for judge in judges:
        of_reference, of_metamer = (study.references.categories[classes[image]] for classes in seen[judge])
        rows.append({"evaluator": judge, "reference_class": of_reference, "metamer_class": of_metamer})
    return pd.DataFrame(rows, columns=["evaluator", "reference_class", "metamer_class"])


def _distances(study: "Study", judges: list[str], metamers: Tensor, stage: Stage) -> PairDistances | None:
    """Compare representations in the first evaluator, where it has such a stage and there are pairs enough."""
    common = stage in STAGES or not isinstance(stage, str)
    if len(metamers) < 3 or not judges or not common:
        return None
    return next(pair_distances(metamers, study.references, [study.networks.models[judges[0]]], stage=stage))
