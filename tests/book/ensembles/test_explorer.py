"""Snapshots that a study keeps while it generates, and what the explorer makes of them."""

import dataclasses
import shutil

import pytest
import torch
from torch import nn

from metamerbook.ensembles.explorer import explore
from metamerbook.study import tasks
from metamerbook.study.settings import StudySettings
from metamerbook.study.study import Study
from metamerbook.study.tasks import kept_beside
from metamerlib import CATEGORIES, Classifier, GenerationConfig, StimulusSet
from metamerlib.generation.batch import Batch
from metamerlib.generation.checkpoint import Checkpoint

CONFIG = GenerationConfig(repetitions=9, steps_per_model=2)
SETS = {"pair": ("a", "b"), "one": ("c",)}
REFERENCES = StimulusSet(
    torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0)),
    torch.tensor([0, 0, 6, 6, 6]),
    CATEGORIES,
    tuple("vwxyz"),
)


def toy(name, seed):
    generator = torch.Generator().manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, len(CATEGORIES)))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 4)
    return Classifier(network, name=name, blocks=["0", "1"], categories=CATEGORIES)


@pytest.fixture
def study(tmp_path):
    def build(**changes):
        defaults = {"stages": ("early", "late"), "model_sets": SETS, "config": CONFIG, "device": "cpu"}
        zoo = {name: toy(name, seed) for seed, name in enumerate("abcd")}
        settings = StudySettings(**(defaults | changes))
        return Study(settings, zoo=zoo, references=REFERENCES, store=tmp_path / "store", progress=False)

    return build


@pytest.fixture
def repeated(monkeypatch):
    """Count generations that are repeated for snapshots."""
    calls = []
    generate = tasks.generate_metamers

    def counting(images, models, **arguments):
        if len(images) < len(REFERENCES):
            calls.append(len(images))
        return generate(images, models, **arguments)

    monkeypatch.setattr(tasks, "generate_metamers", counting)
    return calls


def test_every_set_and_stage_is_there_from_the_initial_stimulus_to_the_metamer(study, repeated):
    toys = study()
    everything = explore(toys)
    assert everything.categories == ("airplane", "car")
    assert torch.equal(everything.references, REFERENCES.images[[0, 2]])
    assert everything.featured == ("pair", "late")
    names = [(run.model_set, run.stage) for run in everything.runs]
    assert names == [("pair", "early"), ("pair", "late"), ("one", "early"), ("one", "late")]
    for run in everything.runs:
        metamers = toys.metamers(run.model_set, run.stage)
        assert torch.equal(run.trajectory.images[-1], metamers.images[[0, 2]])
        assert torch.equal(run.trajectory.residuals[-1], metamers.residuals[[0, 2]])
        assert torch.equal(run.trajectory.residuals[0], metamers.initial_residuals[[0, 2]])
        assert torch.equal(run.trajectory.images[0], everything.runs[0].trajectory.images[0])
    assert repeated == []


def test_only_a_studys_own_runs_keep_snapshots(study):
    toys = study()
    assert kept_beside(toys.run("pair", "late")).repetitions == (0, 1, 2, 3, 4, 6, 9)
    for other in (
        toys.run("pair", "middle"),
        toys.run("a", "late"),
        toys.run("pair", "late", seed=1),
        toys.run("pair", "late", epsilon=0.1),
    ):
        assert kept_beside(other) is None


def test_snapshots_do_not_enter_the_name_of_the_metamers(study):
    run = study().run("pair", "late")
    assert run.followed == (0, 2)
    assert dataclasses.replace(run, followed=()).key == run.key


def test_evaluators_are_the_networks_that_had_no_part(study):
    everything = explore(study())
    assert [run.evaluators for run in everything.runs[1:3]] == [("c", "d"), ("a", "b", "d")]
    for run in everything.runs:
        assert run.recognized.shape == (7, 2)
        assert run.recognized.max() <= len(run.evaluators)


@pytest.mark.parametrize("criterion", ["reference", "label", "generator"])
def test_recognition_follows_the_criterion(study, criterion):
    toys = study(criterion=criterion, stages=("late",))
    run = explore(toys).runs[0]
    judges = [toys.zoo[key] for key in run.evaluators]
    for step, snapshots in enumerate(run.trajectory.images):
        wanted = {
            "reference": [judge.predict(REFERENCES.images[[0, 2]]) for judge in judges],
            "label": [torch.tensor([0, 6])] * len(judges),
            "generator": [sum(toys.zoo[key](REFERENCES.images[[0, 2]]).softmax(1) for key in "ab").argmax(1)] * 2,
        }[criterion]
        counts = sum((judge.predict(snapshots) == one).long() for judge, one in zip(judges, wanted, strict=True))
        assert run.recognized[step].tolist() == counts.tolist()


def test_a_study_without_other_networks_counts_nobody(study):
    everything = explore(study(evaluators=("a", "b"), model_sets={"pair": ("a", "b")}))
    assert [run.evaluators for run in everything.runs] == [(), ()]
    assert everything.runs[0].recognized.tolist() == [[0, 0]] * 7


def test_a_second_study_computes_nothing(study, monkeypatch):
    first = explore(study())
    monkeypatch.setattr(Classifier, "predict", None)
    monkeypatch.setattr(tasks, "generate_metamers", None)
    again = explore(study())
    assert torch.equal(first.runs[3].recognized, again.runs[3].recognized)


def test_snapshots_that_are_gone_are_made_again(study, tmp_path, repeated):
    first = explore(study())
    for kind in ("Snapshots", "SnapshotPredictions"):
        shutil.rmtree(tmp_path / "store" / kind)
    again = explore(study())
    assert repeated == [2] * 4
    for before, after in zip(first.runs, again.runs, strict=True):
        assert torch.allclose(before.trajectory.images, after.trajectory.images, atol=1e-5)


def test_a_generation_that_was_resumed_is_repeated_for_its_snapshots(study, monkeypatch, repeated):
    run, seen = Batch.run, []

    def interrupted(part):
        for repetition in run(part):
            seen.append(repetition)
            yield repetition
            if seen == [1, 2, 3]:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Batch, "run", interrupted)
        patch.setattr(Checkpoint, "due", lambda checkpoint: True)
        with pytest.raises(KeyboardInterrupt):
            study().metamers("pair", "early")
    study().metamers("pair", "early")
    assert repeated == []
    resumed = explore(study()).runs[0].trajectory
    assert repeated == [2]
    assert torch.allclose(resumed.images[-1], study().metamers("pair", "early").images[[0, 2]], atol=1e-5)


def test_batches_give_the_same_snapshots(study, tmp_path):
    whole = explore(study()).runs[1].trajectory
    shutil.rmtree(tmp_path / "store")
    parts = explore(study(batch_size=4)).runs[1].trajectory
    assert torch.equal(whole.images, parts.images)
