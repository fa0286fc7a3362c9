"""Several processes on one study: the same results as one, and a killed process loses nothing."""

import os
import signal
import threading
import time
from collections import ChainMap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch
from torch import nn

from metamerbook import Study
from metamerbook.engine import workers
from metamerbook.engine.execute import Context
from metamerbook.engine.store import BusyError, Store
from metamerbook.engine.task import Task
from metamerbook.ensembles.recognizability import recognizability
from metamerbook.study.settings import StudySettings
from metamerlib import CATEGORIES, Classifier, ModelZoo, StimulusSet
from metamerlib.system import cores

SIZE = 8


def toy(name, seed):
    generator = torch.Generator().manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, len(CATEGORIES)))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 4)
    return Classifier(network, name=name, blocks=["0", "1"], categories=CATEGORIES)


class KillsItsWorker(nn.Module):
    """Ends the process that it runs in, unless that is the one that it was made in."""

    def __init__(self):
        super().__init__()
        self.home = os.getpid()
        self.inner = nn.Conv2d(3, 4, 3)

    def forward(self, images):
        if os.getpid() != self.home:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.inner(images)


@pytest.fixture
def references():
    images = torch.rand(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    return StimulusSet(images, torch.tensor([0, 1, 2, 3]), CATEGORIES, tuple("wxyz"))


def study(store, references, networks):
    settings = StudySettings.from_profile(
        "smoke",
        stages=["early", "late"],
        model_sets={"pair": ["a", "b"], "one": ["c"]},
        repetitions=3,
        evaluators=[*networks],
    )
    return Study(settings, references=references, zoo=networks, store=store, progress=False)


def tables_without_times(one):
    return recognizability(one).drop(columns="seconds", errors="ignore")


@pytest.fixture
def two_workers(monkeypatch):
    monkeypatch.setenv("METAMERLIB_WORKERS", "2")
    monkeypatch.setattr(workers, "_WORTH_STARTING", 0)


def test_two_processes_give_what_one_gives(tmp_path, references, monkeypatch):
    networks = {name: toy(name, seed) for seed, name in enumerate("abcd")}
    alone = study(tmp_path / "alone", references, networks)
    expected = tables_without_times(alone)
    assert alone.context._workers is None

    monkeypatch.setenv("METAMERLIB_WORKERS", "2")
    monkeypatch.setattr(workers, "_WORTH_STARTING", 0)
    together = study(tmp_path / "together", references, networks)
    measured = tables_without_times(together)
    assert together.context._workers is not None
    together.context._workers.close()
    assert measured.equals(expected)
    for run in alone.runs:
        torch.testing.assert_close(together.result(run).images, alone.result(run).images)


@dataclass(frozen=True)
class Step(Task):
    """Work of which all that is known is what has to be done before."""

    name: str
    before: tuple["Step", ...] = ()
    kind: ClassVar[str] = "steps"
    codec: ClassVar[str] = "tensors"

    def identity(self):
        return {"name": self.name}

    @property
    def label(self):
        return self.name

    @property
    def requires(self):
        return self.before


@dataclass
class Ledger:
    """Notes each step in a folder, and fails at one that comes before what it requires."""

    folder: Path

    def result(self, task, *, wait=True):
        missing = [required.label for required in task.requires if not (self.folder / required.label).exists()]
        if missing:
            raise RuntimeError(f"{task.label} was begun before {missing} had ended")
        time.sleep(0.3)
        (self.folder / task.label).touch()


def done_by_two(ledger, pending):
    """Have two processes do steps, and list them in the order in which they ended."""
    processes, done = workers.Workers(ledger, 2), []
    try:
        processes.run(pending, lambda task: done.append(task.label))
    finally:
        processes.close()
    return done


def test_nothing_is_begun_before_what_it_requires_has_ended(tmp_path):
    first, second = Step("first"), Step("second")
    pending = [first, Step("of the first", (first,)), second, Step("of both", (first, second))]
    done = done_by_two(Ledger(tmp_path), pending)
    assert sorted(done) == sorted(task.label for task in pending)


@dataclass
class TakenElsewhere(Ledger):
    """As a ledger, of which another process computes one step while others of this study can be done."""

    def result(self, task, *, wait=True):
        if task.label == "elsewhere" and not wait:
            raise BusyError(f"another process computes {task.label}.")
        super().result(task)


def test_processes_do_last_what_another_process_computes(tmp_path):
    elsewhere = Step("elsewhere")
    pending = [elsewhere, *(Step(name) for name in "abcd"), Step("of elsewhere", (elsewhere,))]
    done = done_by_two(TakenElsewhere(tmp_path), pending)
    assert set(done[:3]) <= set("abcd")
    assert done[-1] == "of elsewhere"


def test_a_killed_worker_loses_nothing(tmp_path, references, two_workers):
    networks = {name: toy(name, seed) for seed, name in enumerate("abcd")}
    killer = nn.Sequential(KillsItsWorker(), nn.Tanh(), nn.Flatten(), nn.Linear(144, len(CATEGORIES)))
    networks["c"] = Classifier(killer, name="c", blocks=["0", "1"], categories=CATEGORIES)
    one = study(tmp_path, references, networks)
    with pytest.warns(RuntimeWarning, match="worker process was killed"):
        done = one.execute()
    assert {run.key for run in done.computed} == {run.key for run in one.runs}
    assert all(run in one.store for run in one.runs)


def test_little_work_starts_no_processes(tmp_path, references, monkeypatch):
    monkeypatch.setenv("METAMERLIB_WORKERS", "2")
    one = study(tmp_path, references, {name: toy(name, seed) for seed, name in enumerate("abc")})
    one.execute()
    assert one.context._workers is None


@pytest.mark.parametrize(("asked", "count"), [("1", 1), ("3", 3), ("", 1), ("auto", min(cores(), 8))])
def test_the_variable_says_how_many(asked, count, monkeypatch):
    monkeypatch.setenv("METAMERLIB_WORKERS", asked)
    assert workers.worker_count() == count


@pytest.mark.parametrize(("asked", "zoo", "several"), [("auto", "mini", 1), ("auto", "paper", 0), ("2", "paper", 1)])
def test_large_networks_have_the_machine_for_themselves(asked, zoo, several, references, tmp_path, monkeypatch):
    monkeypatch.setenv("METAMERLIB_WORKERS", asked)
    monkeypatch.setenv("METAMERLIB_CORES", "4")
    monkeypatch.setattr(workers, "_WORTH_STARTING", 0)
    networks = ChainMap({}, ModelZoo(zoo))
    assert (workers.processes_for(networks, torch.device("cpu")) > 1) == bool(several)
    assert workers.processes_for(networks, torch.device("meta")) == 1
    context = Context(references, networks, Store(tmp_path), device="cpu")
    assert bool(context.workers_for([SimpleNamespace(cost=1.0)] * 2)) == bool(several)


@pytest.mark.parametrize("asked", ["0", "-1", "many", "1.5"])
def test_a_bad_variable_is_named(asked, monkeypatch):
    monkeypatch.setenv("METAMERLIB_WORKERS", asked)
    with pytest.raises(ValueError, match="METAMERLIB_WORKERS"):
        workers.worker_count()


def test_what_another_process_computes_comes_last(tmp_path, references):
    one = study(tmp_path, references, {name: toy(name, seed) for seed, name in enumerate("abc")})
    first, second = one.runs[:2]
    began = threading.Event()

    def someone_else():
        def compute(scratch):
            began.set()
            deadline = time.monotonic() + 30
            while second not in one.store:
                assert time.monotonic() < deadline, "the other result is not computed meanwhile"
                time.sleep(0.02)
            return alone.result(first)

        one.store.get_or_compute(first, compute)

    alone = study(tmp_path / "alone", references, {name: toy(name, seed) for seed, name in enumerate("abc")})
    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(someone_else)
        assert began.wait(30)
        one.execute([first, second])
        other.result()
    assert first in one.store
    assert second in one.store


def test_the_bar_ends_full_in_whatever_order_the_work_is_done(tmp_path, references, monkeypatch, capsys):
    one = study(tmp_path, references, {name: toy(name, seed) for seed, name in enumerate("abc")})
    one.context.progress = True
    costs = dict(zip([run.key for run in one.runs], [0.1, 0.7, 1e6 + 0.3, 3.3], strict=True))
    monkeypatch.setattr(type(one.runs[0]), "cost", property(lambda run: costs[run.key]))
    taken = iter([True])
    result = one.context.result

    def first_one_is_busy(task, *, wait=True):
        if next(taken, False):
            raise BusyError("another process computes it.")
        return result(task, wait=wait)

    monkeypatch.setattr(one.context, "result", first_one_is_busy)
    done = one.execute()
    assert len(done.computed) == 4
    assert "100%" in capsys.readouterr().err
