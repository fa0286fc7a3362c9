"""What tasks are computed from: the images and networks that they name by fingerprint, and the store of results."""

import copy
import os
import pickle
import sys
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import Tensor

from metamerbook.engine.cluster import ClusterWorkers
from metamerbook.engine.connection import scheduler_asked_for
from metamerbook.engine.store import Store
from metamerbook.engine.task import Task
from metamerbook.engine.workers import Workers, processes_for
from metamerlib.generation import Metamers
from metamerlib.models import Classifier, ModelZoo
from metamerlib.models.devices import resolve_device
from metamerlib.models.memory import naming_batch_size
from metamerlib.stimuli import StimulusSet

_RUNS_AT_HAND = 6  # the paper's sets at one stage, which an evaluator looks at one after the other


@dataclass(eq=False)
class Context:
    """The images and networks that tasks name, and the store of the results that they build on.

    Attributes
    ----------
    references
        The stimulus set of the study.
    models
        Networks by key; read one at a time, when a task needs them.
    store
        Where results of required tasks are.
    device
        Where generation computes: "auto", "cpu", "cuda", "mps".
    batch_size
        Images optimised at once, as for `generate_metamers`. It does not change the result.
    compile
        Whether the forward passes of generation are compiled. It changes the result as little as another device does.
    progress
        Whether to draw progress bars; None draws them where someone can be watching.
    scheduler
        Of the Dask cluster that computes tasks, as for `metamerbook.engine.connection.check_scheduler`. None takes
        the one that ``$METAMERLIB_SCHEDULER`` names, and this machine's own processes if it names none.
    """

    references: StimulusSet
    models: Mapping[str, Classifier]
    store: Store
    device: str = "auto"
    batch_size: int | str | None = None
    compile: bool = False
    progress: bool | None = None
    scheduler: Any = None
    _reference_logits: dict[str, Tensor] = field(default_factory=dict, repr=False)
    _latest_runs: dict[str, Metamers] = field(default_factory=dict, repr=False)
    _workers: Workers | ClusterWorkers | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # A copy is for another process, perhaps on another machine, with another device.
        return self.__dict__ | {
            "models": on_device(self.models, torch.device("cpu")),
            "progress": False,
            "scheduler": None,
            "_reference_logits": {},
            "_latest_runs": {},
            "_workers": None,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state
        self.models = on_device(self.models, resolve_device(self.device))

    @property
    def on_cluster(self) -> bool:
        """Whether tasks are computed by a Dask cluster rather than by this machine's own processes."""
        return scheduler_asked_for(self.scheduler) is not None

    def workers_for(self, pending: Sequence[Task]) -> Workers | ClusterWorkers | None:
        """Give the processes to compute tasks in, starting them if there is enough to do.

        Parameters
        ----------
        pending
            What is to be computed.

        Returns
        -------
        Workers, ClusterWorkers or None
            None where this process does it alone: on an accelerator, if one process is asked for, for little work, with
            large networks unless several processes are asked for; but a cluster that is named computes all there is.
        """
        if self._workers is not None and self._workers.broken:
            self._workers = None
        if self.on_cluster:
            if self._workers is None and pending:
                self._workers = ClusterWorkers(self, scheduler_asked_for(self.scheduler))
        elif self._workers is None:
            count = processes_for(are_large(self.models), resolve_device(self.device))
            if count > 1 and Workers.worth_starting(pending):
                self._workers = Workers(self, count)
        return self._workers

    @property
    def shows_progress(self) -> bool:
        """Whether to draw bars: `progress`, else ``$METAMERLIB_PROGRESS`` (0 or 1), else on terminals, in Jupyter."""
        if self.progress is not None:
            return self.progress
        if (asked := os.environ.get("METAMERLIB_PROGRESS")) is not None:
            return asked.strip().lower() not in ("", "0", "no", "off", "false")
        return sys.stderr.isatty() or "ipykernel" in sys.modules

    def result(self, task: Task, *, wait: bool = True) -> Any:
        """Return the result of a task, computing it if the store lacks it.

        Parameters
        ----------
        task
            What to run.
        wait
            Whether to wait for another process that computes it, or to raise a `BusyError`.

        Returns
        -------
        Any
            The result, as read from the store.
        """
        return self.store.get_or_compute(task, lambda _: task.compute(self), wait=wait)

    def scratch(self, task: Task) -> Path:
        """Return the folder of a task's checkpoints: it survives an interruption, and goes when the result is there."""
        return self.store.scratch(task)

    def metamers(self, run: Task) -> Metamers:
        """Return the metamers of a run, reading them once while consecutive tasks ask for the same few.

        Parameters
        ----------
        run
            The run.

        Returns
        -------
        Metamers
            Its result.
        """
        if run.key not in self._latest_runs:
            while len(self._latest_runs) >= _RUNS_AT_HAND:
                self._latest_runs.pop(next(iter(self._latest_runs)))
            self._latest_runs[run.key] = self.result(run)
        return self._latest_runs[run.key]

    @property
    def images_per_pass(self) -> int:
        """Images that a network classifies at once: `batch_size` if that is fewer than 256."""
        return min(256, self.batch_size) if isinstance(self.batch_size, int) else 256

    @torch.no_grad()
    def logits_of_references(self, key: str) -> Tensor:
        """Return what a network says of the references, asking it once.

        Parameters
        ----------
        key
            The network.

        Returns
        -------
        Tensor
            (N, categories), on the CPU.
        """
        if key not in self._reference_logits:
            model = self.models[key]
            with naming_batch_size(f"classifying the references with model {model.name!r}", self.images_per_pass):
                batches = self.references.images.split(self.images_per_pass)
                logits = torch.cat([model(batch.to(model.device)).cpu() for batch in batches])
            self._reference_logits[key] = model.checked_logits(logits)
        return self._reference_logits[key]

    def classes_of_references(self, key: str) -> Tensor:
        """Return a network's classes of the references, asking it once.

        Parameters
        ----------
        key
            The network.

        Returns
        -------
        Tensor
            (N,) class indices.
        """
        return self.logits_of_references(key).argmax(dim=1)

    def generated_classes(self, models: Sequence[Any]) -> Tensor:
        """Return what some networks together take the references for: the class with the highest mean probability.

        Parameters
        ----------
        models
            Their `ClassifierRef`s.

        Returns
        -------
        Tensor
            (N,) class indices.
        """
        return sum(self.logits_of_references(model.key).double().softmax(dim=1) for model in models).argmax(dim=1)


_zoos: "WeakValueDictionary[bytes, ModelZoo]" = WeakValueDictionary()


def on_device(models: Mapping[str, Classifier], device: torch.device) -> Mapping[str, Classifier]:
    """Give the same networks on another device, to send them to another process or to receive them there.

    Parameters
    ----------
    models
        A `ModelZoo`, dictionaries of classifiers, or a `ChainMap` of such; anything else is returned as it is.
    device
        Where they shall be.

    Returns
    -------
    Mapping
        Copies of those that are elsewhere. Equal zoos come back as one, so that several studies that are received in
        one process share the networks that it has loaded.
    """
    if isinstance(models, ChainMap):
        return ChainMap(*(on_device(part, device) for part in models.maps))
    if isinstance(models, ModelZoo):
        zoo = copy.copy(models)
        zoo.device = device
        return _zoos.setdefault(pickle.dumps(zoo), zoo)
    if isinstance(models, dict):
        return {
            key: model if model.device == device else copy.deepcopy(model).to(device) for key, model in models.items()
        }
    return models


def are_large(models: Mapping[str, Classifier]) -> bool:
    """Tell whether networks are large enough to keep all cores of a machine busy, and to fill its memory in copies.

    Parameters
    ----------
    models
        As for `on_device`.

    Returns
    -------
    bool
        True where the paper's networks at their full size are among them.
    """
    parts = models.maps if isinstance(models, ChainMap) else [models]
    return any(isinstance(part, ModelZoo) and part.name != "mini" for part in parts)
