"""Chapter 01: one metamer from start to verdict, all that the picture of the process shows (paper, Fig. 1)."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import torch

from metamerbook.engine.task import Task
from metamerbook.ensembles import methodology, recognizability
from metamerbook.ensembles.methodology import featured_image, trajectory
from metamerbook.ensembles.related_work import PLAIN
from metamerbook.study.judging import Predictions, featured_set, featured_stage, one_per_category
from metamerbook.study.study import Study
from metamerlib.evaluation import measure_images, pair_distances
from metamerlib.models import STAGES


def tasks(study: Study) -> list[Task]:
    """List what the chapter computes: metamers of all sets and what evaluators see, and one metamer on its way."""
    return [*recognizability.tasks(study), *methodology.tasks(study)]


def overview(study: Study, *, n_examples: int = 12, n_snapshots: int = 8) -> SimpleNamespace:
    """Follow one image through the process, with the featured set and stage; and show up to so many examples.

    Returned are model_set, stage, category (of the image that is followed), reference (that image, (3, H, W) in
    [0, 1]), trajectory, model (whose activations are shown: the last of the set), reference_activation and
    metamer_activation (without the dimension of the batch), verdicts (evaluator, reference_class, metamer_class of
    trained ones that had no part), metrics (those of Table 1 that need no network and have a value per image),
    distances (`PairDistances` by one such evaluator; None without one, or with fewer than three images), and
    example_references and example_metamers, (K, 3, H, W), one per category.
    """
    model_set, stage, image = featured_set(study), featured_stage(study), featured_image(study)
    examples = one_per_category(study)[:n_examples]
    references = study.references.images
    run = study.run(model_set, stage)
    metamers = study.result(run).images
    members = [model.key for model in run.models]
    shown = study.networks.models[members[-1]]
    both = shown.activations(torch.stack([references[image], metamers[image]]).to(shown.device), stage).cpu()
    traits = study.networks.traits(key for key in study.evaluators if key not in members)
    evaluators = traits.loc[~traits["random"], "evaluator"].tolist()
    seen, names = study.result(Predictions.of(study, run)), study.references.categories
    pairs = zip(study.evaluators, seen["reference_classes"][:, image], seen["classes"][:, image], strict=True)
    verdicts = [(key, names[first], names[second]) for key, first, second in pairs if key in evaluators]
    distances = None
    if len(metamers) >= 3 and evaluators and (stage in STAGES or not isinstance(stage, str)):
        evaluator = study.networks.models[evaluators[0]]
        distances = next(pair_distances(metamers, study.references, [evaluator], stage=stage))
    return SimpleNamespace(
        model_set=model_set,
        stage=stage,
        category=study.references.category_names[image],
        reference=references[image],
        trajectory=trajectory(study, model_set, stage, images=[image], n=n_snapshots),
        model=members[-1],
        reference_activation=both[0],
        metamer_activation=both[1],
        verdicts=pd.DataFrame(verdicts, columns=["evaluator", "reference_class", "metamer_class"]),
        metrics=measure_images(metamers[[image]], references[[image]], metrics=PLAIN),
        distances=distances,
        example_references=references[examples],
        example_metamers=metamers[examples],
    )


def facts(process: SimpleNamespace, means: pd.DataFrame) -> dict[str, Any]:
    """Return the numbers of the chapter's prose; `means` are those of recognizability by set and stage."""
    of_stage = means[(means["evaluators"] == "all") & (means["stage"] == process.stage)].set_index("model_set")["mean"]
    verdicts = process.verdicts
    return {
        "set": process.model_set,
        "category": process.category,
        "updates": process.trajectory.updates[-1],
        "agreeing": int((verdicts["reference_class"] == verdicts["metamer_class"]).sum()),
        "evaluators": len(verdicts),
        "recognized": float(of_stage.get(process.model_set)),
        "lowest": float(of_stage.min()),
        "highest": float(of_stage.max()),
    }
