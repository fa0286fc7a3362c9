"""All that the explorer shows: every set and stage, step by step, with what is measured at each step."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from metamerlib.experiments.execute import Materials, compute
from metamerlib.experiments.process import featured_set, featured_stage
from metamerlib.experiments.runs import ModelRef, decisions
from metamerlib.experiments.snapshots import TrajectoryRun, kept_beside
from metamerlib.experiments.spec import Spec
from metamerlib.experiments.trajectories import Trajectory, trajectory_of
from metamerlib.models import Stage

if TYPE_CHECKING:
    from metamerlib.experiments.study import Study


@dataclass(frozen=True)
class SnapshotRecognitionRun(Spec):
    """Let evaluators look at the snapshots of a generation; the result is one tensor.

    Attributes
    ----------
    trajectory
        The snapshots.
    evaluators
        The networks that classify them.
    criterion
        What counts as recognized, as for `metamerlib.evaluation.recognized`.
    """

    trajectory: TrajectoryRun
    evaluators: tuple[ModelRef, ...]
    criterion: str = "reference"

    kind: ClassVar[str] = "snapshot_recognition"
    codec: ClassVar[str] = "tensors"
    version: ClassVar[int] = 1

    def identity(self) -> dict[str, Any]:
        """Return what the answers depend on.

        Returns
        -------
        dict
            Key of the snapshots, fingerprints of the evaluators, criterion, and how the generating networks decide.
        """
        return {
            "trajectory": self.trajectory.key,
            "evaluators": [evaluator.answers for evaluator in self.evaluators],
            "criterion": self.criterion,
        } | decisions(self.trajectory.run.models)

    @property
    def label(self) -> str:
        """Name of the run and number of the evaluators."""
        return f"{self.trajectory.label}, seen by {len(self.evaluators)} networks"

    @property
    def requires(self) -> tuple[Spec, ...]:
        """The generation, beside which the snapshots are kept, and they themselves."""
        return (self.trajectory.run, self.trajectory)


@dataclass(frozen=True, eq=False)
class ExploredRun:
    """One set at one stage.

    Attributes
    ----------
    model_set, stage
        Which.
    trajectory
        S snapshots of one image of each of K categories.
    evaluators
        Keys of the networks that had no part in the generation and were trained.
    recognized
        (S, K) int64, how many of them recognize each snapshot.
    """

    model_set: str
    stage: Stage
    trajectory: Trajectory
    evaluators: tuple[str, ...]
    recognized: Tensor


@dataclass(frozen=True, eq=False)
class Exploration:
    """Everything that there is to be looked at.

    Attributes
    ----------
    categories
        Names of the K categories.
    references
        (K, 3, H, W) RGB in [0, 1], the first reference of each.
    runs
        Every set at every stage, by set, then stage. All begin with the same initial stimuli, and have their snapshots
        after the same repetitions.
    featured
        The set and the stage to begin with.
    """

    categories: tuple[str, ...]
    references: Tensor
    runs: tuple[ExploredRun, ...]
    featured: tuple[str, Stage]


def explore(study: "Study") -> Exploration:
    """Gather the way of one image per category, for each set and stage.

    Parameters
    ----------
    study
        Which sets, stages, evaluators and criterion. The snapshots were kept when its metamers were generated, or the
        generation is repeated for these images.

    Returns
    -------
    Exploration
        From the store or computed now.
    """
    study.execute(study.runs)
    specs = snapshot_runs(study)
    study.execute(specs, title="snapshots")
    followed = list(specs[0].trajectory.images)
    return Exploration(
        categories=tuple(study.references.category_names[position] for position in followed),
        references=study.references.images[followed],
        runs=tuple(_explored(study, spec) for spec in specs),
        featured=(featured_set(study), featured_stage(study)),
    )


def snapshot_runs(study: "Study") -> list[SnapshotRecognitionRun]:
    """Describe who looks at the snapshots of every set and stage: trained networks that had no part in them.

    Parameters
    ----------
    study
        As for `explore`.

    Returns
    -------
    list of SnapshotRecognitionRun
        In the order of the study's runs.
    """
    traits = study.networks.traits(study.evaluators)
    trained = traits.loc[~traits["random"], "evaluator"].tolist()
    specs = []
    for run in study.runs:
        members = [model.key for model in run.models]
        judges = tuple(study.networks.ref(key) for key in trained if key not in members)
        specs.append(SnapshotRecognitionRun(kept_beside(run), judges, study.settings.criterion))
    return specs


def _explored(study: "Study", spec: SnapshotRecognitionRun) -> ExploredRun:
    run = spec.trajectory.run
    return ExploredRun(
        model_set=run.name,
        stage=run.stage,
        trajectory=trajectory_of(spec.trajectory, study.result(spec.trajectory)),
        evaluators=tuple(evaluator.key for evaluator in spec.evaluators),
        recognized=study.result(spec)["recognized"].sum(dim=-1),
    )


@compute.register
def _(spec: SnapshotRecognitionRun, materials: Materials, scratch: Path) -> dict[str, Tensor]:
    """Return recognized, (S, K, evaluators) bool."""
    way, positions = spec.trajectory, list(spec.trajectory.images)
    images = materials.result(way)["images"]
    if not spec.evaluators:
        return {"recognized": images.new_zeros((*images.shape[:2], 0)).bool()}
    keys = [evaluator.key for evaluator in spec.evaluators]
    labels = materials.references.labels
    wanted = materials.generated_classes(way.run) if spec.criterion == "generator" else labels
    answers = []
    for key in keys:  # one network after the other: all at once need not fit into the memory
        if spec.criterion == "reference":
            wanted = materials.classes_of_references(key)
        seen = materials.models[key].predict(images.flatten(0, 1), materials.images_per_pass)
        answers.append(seen == wanted[positions].repeat(len(images)))
    return {"recognized": torch.stack(answers, dim=1).unflatten(0, images.shape[:2]).contiguous()}
