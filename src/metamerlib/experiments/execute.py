"""Run specs: compute what the store lacks, in this process, in several, or on a Dask cluster.

How a kind of spec is computed is registered with `compute`; what a spec names by fingerprint (images, networks) is in
`Materials`. Neither knows who calls, so that a cluster's workers can hold materials and compute specs alike.
"""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, singledispatch
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm.std import tqdm

from metamerlib.experiments.agenda import Agenda
from metamerlib.experiments.cluster import ClusterWorkers
from metamerlib.experiments.connection import scheduler_asked_for
from metamerlib.experiments.networks import on_device
from metamerlib.experiments.runs import MetamerRun
from metamerlib.experiments.snapshots import Recorder, kept_beside
from metamerlib.experiments.spec import Spec
from metamerlib.experiments.store import BusyError, Store
from metamerlib.experiments.workers import Workers, processes_for
from metamerlib.generation import Metamers, UnusableModelError, generate_metamers
from metamerlib.models import Classifier
from metamerlib.models.devices import resolve_device
from metamerlib.models.memory import naming_batch_size
from metamerlib.stimuli import StimulusSet

_RUNS_AT_HAND = 6  # the paper's sets at one stage, which an evaluator looks at one after the other


@dataclass(eq=False)
class Materials:
    """The images and networks that specs name, and the store of the results that they build on.

    Attributes
    ----------
    references
        The stimulus set of the study.
    models
        Networks by key; read one at a time, when a spec needs them.
    store
        Where results of required specs are.
    device
        Where generation computes: "auto", "cpu", "cuda", "mps".
    batch_size
        Images optimised at once, as for `generate_metamers`. It does not change the result.
    compile
        Whether the forward passes of generation are compiled. It changes the result as little as another device does.
    progress
        Whether to draw progress bars; None draws them where someone can be watching.
    scheduler
        Of the Dask cluster that computes specs, as for `metamerlib.experiments.connection.check_scheduler`. None takes
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
        """Whether specs are computed by a Dask cluster rather than by this machine's own processes."""
        return scheduler_asked_for(self.scheduler) is not None

    def workers_for(self, pending: Sequence[Spec]) -> Workers | ClusterWorkers | None:
        """Give the processes to compute specs in, starting them if there is enough to do.

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
            count = processes_for(self.models, resolve_device(self.device))
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

    def result(self, spec: Spec, *, wait: bool = True) -> Any:
        """Return the result of a spec, computing it if the store lacks it.

        Parameters
        ----------
        spec
            What to run.
        wait
            Whether to wait for another process that computes it, or to raise a `BusyError`.

        Returns
        -------
        Any
            The result, as read from the store.
        """
        return self.store.get_or_compute(spec, partial(compute, spec, self), wait=wait)

    def metamers(self, run: MetamerRun) -> Metamers:
        """Return the metamers of a run, reading them once while consecutive specs ask for the same few.

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

    def generated_classes(self, run: Any) -> Tensor:
        """Return what the networks of a run take the references for: the class with the highest mean probability.

        Parameters
        ----------
        run
            A spec with models.

        Returns
        -------
        Tensor
            (N,) class indices.
        """
        return sum(self.logits_of_references(model.key).double().softmax(dim=1) for model in run.models).argmax(dim=1)


@singledispatch
def compute(spec: Spec, materials: Materials, scratch: Path) -> Any:
    """Compute the result of a spec; one function per kind is registered here.

    Parameters
    ----------
    spec
        What to run.
    materials
        The images, networks and results that it names.
    scratch
        A folder for checkpoints, which survives an interruption.

    Returns
    -------
    Any
        What the spec's codec can write.

    Raises
    ------
    NotImplementedError
        If no function is registered for this kind of spec.
    """
    raise NotImplementedError(f"nothing computes a {type(spec).__name__}: register a function with compute.register.")


@compute.register
def _(spec: MetamerRun, materials: Materials, scratch: Path) -> Metamers:
    beside = kept_beside(spec)
    recorder = Recorder(beside.images, beside.repetitions) if beside else None
    metamers = generate_metamers(
        materials.references.images,
        [materials.models[model.key] for model in spec.models],
        stage=spec.stage,
        config=spec.config,
        seed=spec.seed,
        device=materials.device,
        batch_size=materials.batch_size,
        precision=spec.precision,
        compile=materials.compile,
        # A checkpoint belongs to one batch size; with another, the run starts over.
        checkpoint=scratch / f"batches-of-{materials.batch_size or 'all'}.safetensors",
        progress=materials.shows_progress,
        watch=recorder,
    )
    if recorder and recorder.complete:
        materials.store.get_or_compute(beside, lambda _: recorder.tensors())
    return metamers


@dataclass(frozen=True)
class Execution:
    """What a call of `execute` did.

    Attributes
    ----------
    computed, found
        The specs that were computed, and those that were in the store.
    unusable
        Keys of the specs that were given up, to the reason: a network that no metamers can be made with.
    """

    computed: tuple[Spec, ...]
    found: tuple[Spec, ...]
    unusable: Mapping[str, str] = field(default_factory=dict)


def execute(
    specs: Iterable[Spec], materials: Materials, *, title: str = "computing", skip_unusable: bool = False
) -> Execution:
    """Compute every spec that the store lacks, and what those require.

    Parameters
    ----------
    specs
        What to run; repeated ones count once.
    materials
        The images, networks and the store.
    title
        What the progress bar says is going on.
    skip_unusable
        Whether to go on where a network turns out to be one that no metamers can be made with.

    Returns
    -------
    Execution
        What was computed and what was found. The results are in the store.

    Raises
    ------
    UnusableModelError
        If there is such a network, unless they are skipped.
    """
    unusable: dict[str, str] = {}

    def tolerated(spec: Spec, error: Exception) -> bool:
        if skip_unusable and isinstance(error, UnusableModelError):
            unusable[spec.key] = str(error)
            return True
        return False

    wanted = {spec.key: spec for spec in specs}
    found = tuple(spec for spec in wanted.values() if spec in materials.store)
    pending = _in_order(spec for spec in wanted.values() if spec not in materials.store)
    pending = [spec for spec in pending if spec not in materials.store]
    layout = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(
        total=sum(_ticks(spec) for spec in pending),
        bar_format=layout,
        disable=not (materials.shows_progress and pending),
        dynamic_ncols=True,
    ) as bar:
        workers = materials.workers_for(pending)
        if workers is not None:
            bar.set_description_str(title)
            workers.run(pending, lambda spec: bar.update(_ticks(spec)), tolerated)
        else:
            agenda, finished = Agenda(pending), 0
            while taken := agenda.take():
                spec, waits = taken
                bar.set_description_str(f"{title} {finished + 1} of {len(pending)}: {spec.label}")
                try:
                    materials.result(spec, wait=waits)
                except BusyError:
                    agenda.put_back(spec, busy=True)
                    continue
                except Exception as error:
                    if not tolerated(spec, error):
                        raise
                agenda.finish(spec)
                finished += 1
                bar.update(_ticks(spec))
    return Execution(tuple(spec for spec in pending if spec.key not in unusable), found, unusable)


def _ticks(spec: Spec) -> int:
    # Whole numbers: fractions added in another order than in the total can come out above it, of which tqdm warns.
    return max(1, round(spec.cost))


def _in_order(specs: Iterable[Spec]) -> list[Spec]:
    """Put each spec behind those that it requires, once."""
    ordered: dict[str, Spec] = {}

    def place(spec: Spec) -> None:
        if spec.key not in ordered:
            for required in spec.requires:
                place(required)
            ordered[spec.key] = spec

    for spec in specs:
        place(spec)
    return list(ordered.values())
