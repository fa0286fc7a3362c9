"""Chapter 90: every set and stage, step by step, with what is measured at each step."""

from dataclasses import dataclass

import torch
from torch import Tensor

from metamerbook.engine.context import Context
from metamerbook.engine.task import Task
from metamerbook.ensembles.methodology import Trajectory, trajectory_of
from metamerbook.study.judging import featured_set, featured_stage
from metamerbook.study.study import Study
from metamerbook.study.tasks import ClassifierRef, Snapshots, kept_beside
from metamerlib.models import Stage


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

    @property
    def label(self) -> str:
        return f"{self.trajectory.label}, seen by {len(self.evaluators)} networks"


@dataclass(frozen=True, eq=False)
class ExploredRun:
    """One set at one stage, with S snapshots of one image of each of K categories."""

    model_set: str
    stage: Stage
    trajectory: Trajectory
    evaluators: tuple[str, ...]  # keys of trained networks that had no part in the generation
    recognized: Tensor  # (S, K) int64, how many of them recognize each snapshot


@dataclass(frozen=True, eq=False)
class Exploration:
    """Everything that there is to be looked at; all runs have the same initial stimuli and repetitions of snapshots."""

    categories: tuple[str, ...]
    references: Tensor  # (K, 3, H, W) RGB in [0, 1], the first reference of each category
    runs: tuple[ExploredRun, ...]  # by set, then stage
    featured: tuple[str, Stage]  # the set and the stage to begin with


def tasks(study: Study) -> list[Task]:
    """List what the chapter computes: metamers of all sets, their snapshots, and what evaluators see in those."""
    looks = snapshot_predictions(study)
    return [*study.runs, *(look.trajectory for look in looks), *looks]


def explore(study: Study) -> Exploration:
    """Gather the way of one image per category, for each set and stage."""
    study.execute(study.runs)  # which keeps the snapshots; else the generation is repeated for these images
    looks = snapshot_predictions(study)
    study.execute(looks, title="snapshots")
    followed, references = list(looks[0].trajectory.images), study.references
    runs = [
        ExploredRun(
            model_set=look.trajectory.run.name,
            stage=look.trajectory.run.stage,
            trajectory=trajectory_of(look.trajectory, study.result(look.trajectory)),
            evaluators=tuple(evaluator.key for evaluator in look.evaluators),
            recognized=study.result(look)["recognized"].sum(dim=-1),
        )
        for look in looks
    ]
    return Exploration(
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
