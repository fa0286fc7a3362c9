"""Networks and work whose doings can be counted, for workers in other processes, which import this module."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import nn

from metamerbook.engine.store import Store
from metamerbook.engine.task import Task
from metamerlib import CATEGORIES, Classifier


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
class Bench:
    """Context that steps are done with: notes each, and fails at one that comes before what it requires."""

    store: Store
    device: str = "cpu"
    seconds: float = 0.05

    def result(self, task):
        missing = [required.label for required in task.requires if not (self.store.root / required.label).exists()]
        if missing:
            raise RuntimeError(f"{task.label} was begun before {missing} had ended")
        time.sleep(self.seconds)
        with (self.store.root / task.label).open("a") as ledger:
            ledger.write(f"{os.getpid()}\n")

    def done(self):
        return sorted(path.name for path in self.store.root.iterdir() if path.is_file())
