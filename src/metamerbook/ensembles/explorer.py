"""Chapter 90: every set and stage, step by step, with what is measured at each step."""

from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import Tensor

from metamerbook.engine.context import Context
from metamerbook.engine.task import Task
from metamerbook.ensembles.methodology import trajectory_of
from metamerbook.study.judging import featured_set, featured_stage
from metamerbook.study.study import Study
from metamerbook.study.tasks import ClassifierRef, Snapshots, kept_beside


@dataclass(frozen=True)
class SnapshotPredictions(Task):
    """Which evaluators recognize the snapshots of a generation."""

    trajectory: Snapshots
    evaluators: tuple[ClassifierRef, ...]
    generators: tuple[ClassifierRef, ...]  # the networks of the run, for the criterion "generator"
    criterion: str = "reference"

    def compute(self, context: Context) -> dict[str, Tensor]:
        """Return recognized, (S, K, evaluators) bool."""
        positions, images = list(self.trajectory.images), context.result(self.trajectory)["images"]
        if not self.evaluators:
            return {"recognized": images.new_zeros((*images.shape[:2], 0)).bool()}
        wanted = context.references.labels
        if self.criterion == "generator":
            wanted = context.generated_classes(self.generators)
        answers = []
        for evaluator in self.evaluators:  # one network after the other: all at once need not fit into the memory
            if self.criterion == "reference":
                wanted = context.classes_of_references(evaluator.key)
            seen = context.models[evaluator.key].predict(images.flatten(0, 1), context.images_per_pass)
            answers.append(seen == wanted[positions].repeat(len(images)))
        return {"recognized": torch.stack(answers, dim=1).unflatten(0, images.shape[:2]).contiguous()}


def tasks(study: Study) -> list[Task]:
    """List what the chapter computes: metamers of all sets, their snapshots, and what evaluators see in those."""
    looks = snapshot_predictions(study)
    return [*study.runs, *(look.trajectory for look in looks), *looks]


def explore(study: Study) -> SimpleNamespace:
    """Gather the way of one image per category, for each set and stage.

    Returned are categories (K of them), references (K, 3, H, W), featured (the set and the stage to begin with), and
    runs by set, then stage. Each has model_set, stage, trajectory (S snapshots of K images; all runs have the same
    initial stimuli and repetitions), evaluators (keys of trained networks that had no part in the generation) and
    recognized (S, K), how many of these recognize each snapshot.
    """
    study.execute(study.runs)  # which keeps the snapshots; else the generation is repeated for these images
    looks = snapshot_predictions(study)
    study.execute(looks, title="snapshots")
    followed, references = list(looks[0].trajectory.images), study.references
    runs = [
        SimpleNamespace(
            model_set=look.trajectory.run.name,
            stage=look.trajectory.run.stage,
            trajectory=trajectory_of(look.trajectory, study.result(look.trajectory)),
            evaluators=tuple(evaluator.key for evaluator in look.evaluators),
            recognized=study.result(look)["recognized"].sum(dim=-1),
        )
        for look in looks
    ]
    return SimpleNamespace(
        categories=tuple(references.category_names[position] for position in followed),
        references=references.images[followed],
        runs=tuple(runs),
        featured=(featured_set(study), featured_stage(study)),
    )


def snapshot_predictions(study: Study) -> list[SnapshotPredictions]:
    """Describe, run by run, how trained networks without a part look at the snapshots."""
    traits = study.networks.traits(study.evaluators)
    trained = traits.loc[~traits["random"], "evaluator"].tolist()
    found = []
    for run in study.runs:
        members = [model.key for model in run.models]
        others = [key for key in trained if key not in members]
        refs = (tuple(map(study.networks.classifier_ref, keys)) for keys in (others, members))
        found.append(SnapshotPredictions(kept_beside(run), *refs, study.settings.criterion))
    return found
