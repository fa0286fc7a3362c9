"""Networks and tasks whose doings can be counted, for workers in other processes, which import this module."""

import os
import signal
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from metamerbook import Study
from metamerbook.engine.task import Task
from metamerbook.study.settings import StudySettings
from metamerbook.study.tasks import StimuliRef
from metamerlib import CATEGORIES, Classifier, StimulusSet
from metamerlib.generation import UnusableModelError

SETS = {"first": ["a"], "second": ["b"], "third": ["c"], "fourth": ["d"]}


class Witnessed(nn.Module):
    """A slow convolution that notes each pass in a ledger; one of all its copies may end its process on the way."""

    def __init__(self, ledger: Path, name: str, dies_at: int | None = None) -> None:
        super().__init__()
        self.inner = nn.Conv2d(3, 4, 3)
        self.ledger, self.name, self.dies_at, self.passes = ledger, name, dies_at, 0

    def forward(self, images):
        self.passes += 1
        with (self.ledger / self.name).open("a") as ledger:
            ledger.write(f"{os.getpid()}\n")
        if self.passes == self.dies_at:
            try:
                (self.ledger / "died").touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.002)
        return self.inner(images)


def witnessed(ledger, name, seed, dies_at=None):
    network = nn.Sequential(Witnessed(ledger, name, dies_at), nn.Tanh(), nn.Flatten(), nn.Linear(144, len(CATEGORIES)))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 4)
    return Classifier(network, name=name, blocks=["0", "1"], categories=CATEGORIES)


def references():
    images = torch.rand(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    return StimulusSet(images, torch.arange(8), CATEGORIES, tuple("abcdefgh"))


def study(folder, dies_at=None, **options):
    """Return a study of four networks, of which the last may end the worker that computes with it, once."""
    ledger = folder / "ledger"
    ledger.mkdir(parents=True, exist_ok=True)
    networks = {name: witnessed(ledger, name, seed) for seed, name in enumerate("abc")}
    networks["d"] = witnessed(ledger, "d", 3, dies_at)
    settings = StudySettings.from_profile(
        "smoke", stages=["late"], model_sets=SETS, repetitions=20, evaluators=[*networks], batch_size=4, device="cpu"
    )
    return Study(
        settings, references=references(), zoo=networks, store=folder / "store", **{"progress": False} | options
    )


def passes(folder):
    """Return the ids of the processes that passed images through each network, pass by pass."""
    return {name: (folder / "ledger" / name).read_text().splitlines() for name in "abcd"}


@dataclass(frozen=True)
class Step(Task):
    """Work that notes itself beside the store, and what comes of it: "ok", "warns", "unusable", "fails" or "kills"."""

    name: str
    before: tuple["Step", ...] = ()
    comes: str = "ok"
    seconds: float = 0.0

    @property
    def label(self):
        return self.name

    def compute(self, context):
        for required in self.before:
            there = required in context.store or required.comes == "unusable"
            assert there, f"{self.name} was begun before {required.name} had ended"
            context.result(required)
        with (context.store.root / "steps").open("a") as file:
            file.write(f"{self.name}\n")
        time.sleep(self.seconds)
        if self.comes == "warns":
            warnings.warn("images did not move", RuntimeWarning, stacklevel=1)
        elif self.comes == "unusable":
            raise UnusableModelError("no gradient")
        elif self.comes == "fails":
            raise RuntimeError("shapes do not fit")
        elif self.comes == "kills":
            os.kill(os.getpid(), signal.SIGKILL)
        return {"pid": torch.tensor(os.getpid())}


@dataclass(frozen=True)
class Images(Task):
    """How many images a context has."""

    number: int
    stimuli: StimuliRef

    def compute(self, context):
        return {"count": torch.tensor(len(context.references))}


def steps(study):
    """Return the names of the steps that were computed, in their order."""
    return (study.store.root / "steps").read_text().splitlines()


def slow_step(folder):
    study(folder).execute([Step("slow", seconds=1.0)])
