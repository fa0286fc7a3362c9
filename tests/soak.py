"""Small runs on one store by two processes that are killed again and again, and what is left in the end.

``python tests/soak.py FOLDER RUNS KILLS SEED`` prints the figures as JSON. Processes are forked, so that the importing
of torch is paid once; each is killed after a random number of computations, in the middle of the next one.
"""

import itertools
import json
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

import torch
from torch import nn

from metamerbook import Study
from metamerbook.engine.store import Store
from metamerbook.study.judging import Predictions
from metamerbook.study.settings import StudySettings
from metamerbook.study.tasks import kept_beside
from metamerlib import CATEGORIES, Classifier, StimulusSet
from metamerlib.generation import Metamers
from metamerlib.generation.checkpoint import Checkpoint
from metamerlib.generation.metamers import _TENSORS as METAMER_TENSORS

SIZE = 8


class NotingStore(Store):
    """Writes a line into a file whenever something is computed."""

    def __init__(self, root, log):
        super().__init__(root)
        self.log = log

    def get_or_compute(self, task, compute):
        def noted(scratch):
            with self.log.open("a") as file:
                file.write(f"{task.key}\n")
            return compute(scratch)

        return super().get_or_compute(task, noted)


def toy(name, seed):
    generator = torch.Generator().manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, len(CATEGORIES)))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 4)
    return Classifier(network, name=name, blocks=["0", "1"], categories=CATEGORIES)


def study_in(store):
    images = torch.rand(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    return Study(
        StudySettings.from_profile(
            "smoke",
            stages=["early", "late"],
            model_sets={"pair": ["a", "b"], "one": ["c"]},
            evaluators=list("abcd"),
            repetitions=4,
        ),
        references=StimulusSet(images, torch.tensor([0, 1, 2, 3]), CATEGORIES, tuple("wxyz")),
        zoo={name: toy(name, seed) for seed, name in enumerate("abcd")},
        store=store,
        progress=False,
    )


def work_of(study, count):
    """List metamers of so many runs, of the first ones their snapshots, and what evaluators see of each."""
    evaluators = tuple(study.networks.classifier_ref(key) for key in study.evaluators)
    conditions = itertools.product(range(count), study.running_sets, study.settings.stages)
    runs = [study.run(name, stage, seed=seed) for seed, name, stage in itertools.islice(conditions, count)]
    generators = {run.key: tuple(study.networks.classifier_ref(model.key) for model in run.models) for run in runs}
    tasks = [
        task for run in runs for task in (run, kept_beside(run), Predictions(run, evaluators, generators[run.key]))
    ]
    return [task for task in tasks if task is not None]


def work(root, log, count, backwards):
    """Compute everything, with a checkpoint after every repetition."""
    Checkpoint.due = lambda self: self.path is not None
    study = study_in(NotingStore(root, log))
    tasks = work_of(study, count)
    for task in reversed(tasks) if backwards else tasks:
        study.result(task)


def child(*arguments):
    process = os.fork()
    if process == 0:
        code = 1
        try:
            work(*arguments)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return process


def lines(log):
    return log.read_text().count("\n") if log.exists() else 0


class Victim:
    """One of the two processes, and when it dies next."""

    def __init__(self, root, count, backwards, pause, chance):
        self._arguments, self._pause, self._chance = (root, count, backwards), pause, chance
        self.log = root.parent / f"computed-{'backwards' if backwards else 'forwards'}"
        self.kills, self.done = 0, False
        self._start()

    def _start(self):
        root, count, backwards = self._arguments
        self._process = child(root, self.log, count, backwards)
        self._last = lines(self.log) + self._chance.randint(1, 6)
        self._moment = None

    def advance(self, deadly):
        """Look after the process: it ends by itself, or is killed in the middle of its last computation."""
        if self.done:
            return
        process, status = os.waitpid(self._process, os.WNOHANG)
        if process:
            code = os.waitstatus_to_exitcode(status)
            if code == -signal.SIGKILL:
                self.kills += 1
                self._start()
            elif code:
                raise RuntimeError(f"a process ended with {code} by itself")
            self.done = code == 0
        elif deadly and self._moment is None and lines(self.log) >= self._last:
            self._moment = time.monotonic() + self._chance.uniform(0, self._pause)
        elif deadly and self._moment is not None and time.monotonic() >= self._moment:
            os.kill(self._process, signal.SIGKILL)


def content(store, task):
    """Give all of a result but the seconds that it took."""
    value = store.get_or_compute(task, None)
    if isinstance(value, Metamers):
        about = (value.models, value.layers, value.stage, value.config, value.seed)
        return about, {name: getattr(value, name).numpy().tobytes() for name in METAMER_TENSORS}
    return {name: (tensor.dtype, tuple(tensor.shape), tensor.numpy().tobytes()) for name, tensor in value.items()}


def soak(folder, count, kills, seed):
    """Compute runs undisturbed and disturbed, and compare what is in the two stores.

    Returns
    -------
    dict
        runs, results, kills, seconds_undisturbed, seconds, recomputed (computations that had to be begun again),
        different and missing (labels of results), leftovers (files that should not be there).
    """
    torch.set_num_threads(1)
    roots = folder / "quiet" / "store", folder / "disturbed" / "store"
    for root in roots:
        root.mkdir(parents=True)
    started = time.monotonic()
    quiet = child(roots[0], roots[0].parent / "computed", count, False)
    if os.waitstatus_to_exitcode(os.waitpid(quiet, 0)[1]):
        raise RuntimeError("the undisturbed process failed")
    undisturbed = time.monotonic() - started
    tasks = work_of(study_in(roots[0]), count)

    chance = random.Random(seed)
    pause = undisturbed / len(tasks)
    started = time.monotonic()
    victims = [Victim(roots[1], count, backwards, pause, chance) for backwards in (False, True)]
    while not all(victim.done for victim in victims):
        for victim in victims:
            victim.advance(deadly=sum(one.kills for one in victims) < kills)
        time.sleep(0.001)
    seconds = time.monotonic() - started

    stores = [Store(root) for root in roots]
    missing = [task.label for task in tasks if task not in stores[1]]
    there = [task for task in tasks if task in stores[1]]
    disturbed = roots[1]
    hidden = [path for path in disturbed.rglob(".*") if path.parent.name not in ("locks",)]
    leftovers = [*hidden, *(disturbed / "running").iterdir(), *(disturbed.glob("quarantine/*"))]
    return {
        "runs": count,
        "results": len(tasks),
        "kills": sum(victim.kills for victim in victims),
        "seconds_undisturbed": round(undisturbed, 1),
        "seconds": round(seconds, 1),
        "recomputed": sum(lines(victim.log) for victim in victims) - len(tasks),
        "different": [task.label for task in there if content(stores[0], task) != content(stores[1], task)],
        "missing": missing,
        "leftovers": [str(path.relative_to(disturbed)) for path in leftovers],
    }


if __name__ == "__main__":
    print(json.dumps(soak(Path(sys.argv[1]), *map(int, sys.argv[2:]))))
