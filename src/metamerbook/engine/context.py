"""What tasks are computed from: the images and networks that they name by fingerprint, and the store of results."""

import os
import sys
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from metamerbook.engine.store import Store
from metamerbook.engine.task import Task
from metamerlib.generation import Metamers
from metamerlib.models import Classifier, ModelZoo
from metamerlib.models.device import naming_batch_size, resolve_device
from metamerlib.stimuli import StimulusSet

_RUNS_AT_HAND = 6  # the paper's sets at one stage, which an evaluator looks at one after the other


@dataclass(eq=False)
class Context:
    """The images and networks that tasks name, and the store of the results that they build on.

    `device`, `batch_size` and `compile` are as for `generate_metamers`; `scheduler` is as for
    `metamerbook.engine.execute.check_scheduler`. `progress` draws bars; None draws them where someone can be watching.
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

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"progress": False, "scheduler": None, "_reference_logits": {}, "_latest_runs": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state
        device = resolve_device(self.device)  # of this process, which may be on another machine
        for models in _maps(self.models):
            if isinstance(models, ModelZoo):
                models.device = device
            elif isinstance(models, dict):
                for model in models.values():
                    model.to(device)

    @property
    def shows_progress(self) -> bool:
        """Whether to draw bars: `progress`, else ``$METAMERLIB_PROGRESS`` (0 or 1), else on terminals, in Jupyter."""
        if self.progress is not None:
            return self.progress
        if (asked := os.environ.get("METAMERLIB_PROGRESS")) is not None:
            return asked.strip().lower() not in ("", "0", "no", "off", "false")
        return sys.stderr.isatty() or "ipykernel" in sys.modules

    def result(self, task: Task) -> Any:
        """Return the result of a task, computing it here if the store lacks it."""
        return self.store.get_or_compute(task, lambda _: self._computed(task))

    def _computed(self, task: Task) -> Any:
        if task.references is not None and task.references != self.references.fingerprint:
            raise ValueError(f"{task.label} is of other images than this study's: let the study of those compute it.")
        return task.compute(self)

    def metamers(self, run: Task) -> Metamers:
        """Return the metamers of a run, reading them once while consecutive tasks ask for the same few."""
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
        """Return a network's logits of the references, (N, categories) on the CPU, asking it once."""
        if key not in self._reference_logits:
            model = self.models[key]
            with naming_batch_size(f"classifying the references with model {model.name!r}", self.images_per_pass):
                batches = self.references.images.split(self.images_per_pass)
                logits = torch.cat([model(batch.to(model.device)).cpu() for batch in batches])
            self._reference_logits[key] = model.checked_logits(logits)
        return self._reference_logits[key]

    def classes_of_references(self, key: str) -> Tensor:
        """Return a network's classes of the references, (N,)."""
        return self.logits_of_references(key).argmax(dim=1)

    def generated_classes(self, models: Sequence[Any]) -> Tensor:
        """Return what networks together take the references for: the class with the highest mean probability, (N,)."""
        return sum(self.logits_of_references(model.key).double().softmax(dim=1) for model in models).argmax(dim=1)


def are_large(models: Mapping[str, Classifier]) -> bool:
    """Return whether networks keep all cores of a machine busy, and fill its memory in copies: full-size zoos."""
    return any(isinstance(one, ModelZoo) and one.name != "mini" for one in _maps(models))


def _maps(models: Mapping[str, Classifier]) -> list[Mapping[str, Classifier]]:
    return models.maps if isinstance(models, ChainMap) else [models]
