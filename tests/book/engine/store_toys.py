"""A task that is cheap to compute, and processes that work on a store and are killed while they do.

Run as a script it forks: the importing of torch is paid once for all these processes.
"""

import json
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch

from metamerbook.engine import store as entries
from metamerbook.engine.store import Store
from metamerbook.engine.task import Task


@dataclass(frozen=True)
class Toy(Task):
    """The number of a result, kept as a tensor."""

    number: int = 0
    name: str = field(default="", compare=False)

    def compute(self, context):
        return toy_value(self.number)

    @property
    def label(self):
        return f"toy {self.number}"


class ToyTable(Toy):
    """The same, kept as a table."""


class ToyMetamers(Toy):
    """The same, kept as metamers."""


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


def main(folder):
    """Play all scenarios, each on a store of its own, and print how their processes ended."""
    stores = {name: Store(Path(folder) / name) for name in ("killed writing", "two at once", "killed computing")}
    log = Path(folder) / "computed"
    children = {
        "killed writing": [child(die_at_flush, stores["killed writing"], n, n) for n in range(5)],
        "two at once": [child(compute_slowly, stores["two at once"], 0, log) for _ in range(2)],
        "killed computing": [child(die_computing, stores["killed computing"], 0)],
    }
    codes = {
        name: [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
        for name, processes in children.items()
    }
    print(json.dumps(codes))


if __name__ == "__main__":
    main(sys.argv[1])
