"""A spec that is cheap to compute, and processes that work on a store and are killed while they do.

Run as a script it forks: the importing of torch is paid once for all the processes of a test.
"""

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from metamerlib.experiments import Spec, Store, entries


@dataclass(frozen=True)
class Toy(Spec):
    """The number of a result, kept as a tensor."""

    number: int = 0

    kind: ClassVar[str] = "toys"
    codec: ClassVar[str] = "tensors"

    def identity(self):
        return {"number": self.number}

    @property
    def label(self):
        return f"toy {self.number}"


@dataclass(frozen=True)
class ToyTable(Toy):
    """The same, kept as a table."""

    kind: ClassVar[str] = "toy tables"
    codec: ClassVar[str] = "table"


def toy_value(number=0):
    return {"value": torch.arange(1000) + number}


def child(action, *arguments):
    """Fork a process that runs an action and ends without cleaning up."""
    process = os.fork()
    if process == 0:
        try:
            action(*arguments)
        finally:
            os._exit(0)
    return process


def die_at_flush(store, number, survived):
    """Write toy `number`, but get killed after `survived` flushes to the disk."""
    flush = entries._flush
    left = survived

    def deadly(path):
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        flush(path)

    entries._flush = deadly
    store.get_or_compute(Toy(number), lambda scratch: toy_value(number))


def compute_slowly(store, number, log):
    """Compute toy `number` in half a second, noting that this happened."""

    def compute(scratch):
        with Path(log).open("a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(0.5)
        return toy_value(number)

    store.get_or_compute(Toy(number), compute)


def die_computing(store, number):
    """Leave a checkpoint for toy `number`, and get killed while holding its lock."""

    def compute(scratch):
        (scratch / "checkpoint").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)

    store.get_or_compute(Toy(number), compute)


def main(scenario, root):
    store = Store(root)
    if scenario == "killed while writing":
        children = [child(die_at_flush, store, survived, survived) for survived in range(5)]
    elif scenario == "two at once":
        children = [child(compute_slowly, store, 0, Path(root).with_suffix(".log")) for _ in range(2)]
    elif scenario == "killed while computing":
        children = [child(die_computing, store, 0)]
    print([os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in children])


if __name__ == "__main__":
    main(*sys.argv[1:])
