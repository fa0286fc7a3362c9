"""What a study would compute, before anything runs: how many runs, what they cost here, and what the store has."""

import dataclasses
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from tqdm.std import tqdm

from metamerbook.engine.context import are_large
from metamerbook.engine.execute import processes_for
from metamerbook.engine.task import Task
from metamerbook.ensembles.representational_similarity import Representations
from metamerbook.planning.costs import PassCosts
from metamerbook.planning.probe import Estimate, Speed, Timing, probe
from metamerbook.planning.skeleton import skeleton
from metamerbook.planning.study_parts import StudyPart, study_parts
from metamerbook.planning.workload import Passes, generation_memory, passes, representation_passes, stored_bytes
from metamerbook.study.tasks import MetamerRun, Snapshots, kept_beside
from metamerlib.generation.precision import Arithmetic
from metamerlib.models import ModelZoo
from metamerlib.models.devices import resolve_device

if TYPE_CHECKING:
    from metamerbook.study.study import Study

COMMANDS = ("run", "book")
"""Who computes a part: `metamerlib run`, and the book with it; or the book alone."""

_HOUR = 3600.0


@dataclass(frozen=True, eq=False)
class Plan:
    """What a study would compute.

    Attributes
    ----------
    table
        One row per part of the study, the main grid by model set and stage: part, command (one of `COMMANDS`),
        model_set, stage, images (of one run), runs (results that no part above has already), found (those of them in
        the store), updates (of images, counted once per network), flops (of passes through networks), bytes (on the
        disk), memory (bytes that the largest generation takes at least; 0 where none is), and of what the store lacks
        updates_left, flops_left, bytes_left and hours_left with hours_low and hours_high (NaN without a probe).
    timings
        One row per network that was timed: as the fields of `metamerbook.planning.probe.Timing`, and
        flops_per_second.
    notes
        What to know about the figures, in sentences.
    description
        What the study is, as `Study.describe` says it, with everything there.
    profile, device
        Of the study.
    """

    table: pd.DataFrame
    timings: pd.DataFrame
    notes: tuple[str, ...]
    description: str
    profile: str
    device: str

    def totals(self) -> pd.DataFrame:
        """Add up the parts.

        Returns
        -------
        DataFrame
            One row per command, "book" with what "run" computes: the sums of the table's columns, and the largest
            memory.
        """
        summed = [name for name in self.table if name not in ("part", "command", "model_set", "stage", "images")]
        rows = []
        for command in COMMANDS:
            part = self.table if command == "book" else self.table[self.table["command"] == command]
            sums = part[summed].sum(min_count=1).to_dict() | {"memory": part["memory"].max()}
            rows.append({"command": command, **sums})
        whole = {name: "int64" for name in summed if not name.startswith(("hours", "flops"))}
        return pd.DataFrame(rows).astype(whole)

    def to_json(self) -> str:
        """Write everything as JSON.

        Returns
        -------
        str
            An object with profile, device, totals, parts, timings and notes; missing numbers are null.
        """
        frames = {"totals": self.totals(), "parts": self.table, "timings": self.timings}
        document = {"profile": self.profile, "device": self.device}
        document |= {name: json.loads(frame.to_json(orient="records")) for name, frame in frames.items()}
        return json.dumps(document | {"notes": list(self.notes)}, indent=2)


def plan_study(study: "Study", *, seconds: float | None = 10.0, progress: bool | None = None) -> Plan:
    """Count what a study and the book's chapters on it would compute; nothing is computed, and nothing is stored.

    Networks and photographs that are not there are counted as if they were.

    Parameters
    ----------
    study
        The study.
    seconds
        How long to time updates of some networks, from which the hours follow; None leaves the hours out.
    progress
        Whether to draw progress bars; None draws them on terminals and in Jupyter.

    Returns
    -------
    Plan
        The parts, with what the store has of each.

    Raises
    ------
    ValueError
        If `seconds` is not positive.
    """
    if seconds is not None and not seconds > 0:
        raise ValueError(f"seconds is {seconds!r}: give the seconds to time for, or None to leave the hours out.")
    complete, notes = skeleton(study, progress)
    costs, seen, rows = PassCosts(complete.networks.models), set(), []
    device = resolve_device(study.settings.device)
    parts, left_out = study_parts(complete)
    notes += [f"Left out, since it cannot run: {reason}" for reason in left_out]
    counted = tqdm(parts, desc="counting", unit="part", disable=not complete.context.shows_progress, leave=False)
    for part in counted:
        new = {task.key: task for task in part.tasks if task.key not in seen}
        seen |= new.keys()
        rows.append((part, _Work(complete, costs, list(new.values()))))
    processes = processes_for(are_large(study.networks.models), device)
    works = [work for _, work in rows]
    timings = [] if seconds is None else _probe(study, complete, works, costs, device, processes, seconds)
    speed = None
    if timings:
        speed = Speed(timings, device, _batch(study, device, timings), processes)
        notes.append(_on_timings(timings, rows, processes))
    if study.settings.compile:
        notes.append("Networks are timed as they are, not compiled: that takes each of them a minute or so.")
    notes.append(
        "Memory is a lower bound, without the kernels' workspace. Hours are those of passes through networks: image "
        "metrics, densities and permutations, which are computed without, come on top."
    )
    return Plan(
        table=pd.DataFrame([part.labels() | work.numbers(speed) for part, work in rows]),
        timings=pd.DataFrame(
            [dataclasses.asdict(timing) | {"flops_per_second": timing.flops_per_second} for timing in timings]
        ),
        notes=tuple(notes),
        description=complete.describe(),
        profile=study.settings.profile,
        device=_name_of(device),
    )


class _Work:
    """The results of a part, and what they cost."""

    def __init__(self, study: "Study", costs: PassCosts, tasks: list[Task]) -> None:
        self._study, self._costs = study, costs
        self.tasks = tasks
        self.left = [task for task in tasks if task not in study.store]
        self._flops_of_all = self._flops(tasks)  # which counts every pass that there is

    def passes(self, tasks: Iterable[Task]) -> Iterator[tuple[Passes, Any]]:
        """List passes with what one image costs, under the key of the first network of the same architecture."""
        for task in tasks:
            if isinstance(task, Snapshots) and task == kept_beside(task.run) and task.run not in self._study.store:
                continue  # kept while the metamers are made
            if isinstance(task, Representations):
                layer = self._study.networks.models[task.evaluator.key].layer(task.stage)
                found = [representation_passes(task, layer)]
            else:
                found = passes(task)
            for one in found:
                cost = self._costs(one.model, _size(task), one.layer, backward=one.backward)
                yield dataclasses.replace(one, model=self._costs.alike(one.model)), cost

    def numbers(self, speed: Speed | None) -> dict[str, Any]:
        """Make the numbers of the plan's row."""
        generations = [task for task in self.tasks if isinstance(task, MetamerRun)]
        hours = dict.fromkeys(("hours_left", "hours_low", "hours_high"), float("nan"))
        if speed is not None:
            estimate = sum((speed(*one) for one in self.passes(self.left)), Estimate(0.0, 0.0, 0.0))
            hours = dict(zip(hours, (estimate.likely, estimate.low, estimate.high), strict=True))
        return {
            "images": max((_images(task) for task in self.tasks), default=0),
            "runs": len(self.tasks),
            "found": len(self.tasks) - len(self.left),
            "updates": self._updates(self.tasks),
            "flops": self._flops_of_all,
            "bytes": sum(map(stored_bytes, self.tasks)),
            "memory": max((self._memory(task) for task in generations), default=0),
            "updates_left": self._updates(self.left),
            "flops_left": self._flops(self.left),
            "bytes_left": sum(map(stored_bytes, self.left)),
        } | {name: value / _HOUR for name, value in hours.items()}

    def _updates(self, tasks: Iterable[Task]) -> int:
        return sum(one.images * one.times for one, _ in self.passes(tasks) if one.backward)

    def _flops(self, tasks: Iterable[Task]) -> float:
        return float(sum(one.flops(cost) for one, cost in self.passes(tasks)))  # sums outgrow 64 bits

    def _memory(self, task: MetamerRun) -> int:
        at_once = self._study.settings.batch_size
        return generation_memory(task, at_once if isinstance(at_once, int) else task.stimuli.count, self._costs)


def _size(task: Any) -> tuple[int, int]:
    """Find the size of the images that a result is about."""
    if isinstance(task, Representations):
        return task.runs[0].stimuli.size
    while not hasattr(task, "stimuli"):
        task = getattr(task, "run", None) or task.trajectory
    return task.stimuli.size


def _images(task: Any) -> int:
    if isinstance(task, Representations):
        return task.runs[0].stimuli.count
    while not hasattr(task, "stimuli"):
        if hasattr(task, "images"):
            return len(task.images)
        task = getattr(task, "run", None) or task.trajectory
    return task.stimuli.count


def _probe(
    study: "Study",
    complete: "Study",
    works: Iterable[_Work],
    costs: PassCosts,
    device: torch.device,
    processes: int,
    seconds: float,
) -> list[Timing]:
    """Time the networks that the most FLOPs are in, and small ones in between, since those use a device worse."""
    shares: dict[tuple[str, str], int] = {}
    size = complete.references.size
    for work in works:
        for one, cost in work.passes(work.left):
            if one.backward and one.layer is not None:
                shares[one.model, one.layer] = shares.get((one.model, one.layer), 0) + one.flops(cost)
    descending = sorted(shares, key=shares.get, reverse=True)
    order: list[tuple[str, str]] = []
    while descending:
        order.append(descending.pop(0 if len(order) % 2 == 0 else -1))
    batch = min(_batch(study, device) or len(complete.references), len(complete.references))
    settings = study.settings

    def build(key: str) -> Any:
        trained = key in study.networks.own or not isinstance(study.zoo, ModelZoo)
        return study.networks.models[key] if trained else study.zoo.initialised(key)

    return probe(
        {(key, layer): costs(key, size, layer) for key, layer in order},
        build,
        size=size,
        batch=batch,
        config=settings.config,
        arithmetic=Arithmetic(settings.precision, device=device),
        device=device,
        processes=processes,
        seconds=seconds,
    )


def _batch(study: "Study", device: torch.device, timings: Iterable[Timing] = ()) -> int | None:
    """Give the images at once, None for all; where that is to be found out, what fitted when networks were timed."""
    asked = study.settings.batch_size
    if asked != "auto":
        return asked
    return None if device.type == "cpu" else min((timing.images for timing in timings), default=None)


def _on_timings(timings: list[Timing], rows: list[tuple[StudyPart, _Work]], processes: int) -> str:
    """Say how much of the work was timed itself."""
    timed = {(timing.model, timing.layer) for timing in timings}
    known = whole = 0
    for _, work in rows:
        for one, cost in work.passes(work.left):
            whole += one.flops(cost)
            known += one.flops(cost) if one.backward and (one.model, one.layer) in timed else 0
    share = known / whole if whole else 1.0
    among = f" and divided among {processes} processes" if processes > 1 else ""
    return (
        f"Hours come from updates with {len(timings)} network{'s' * (len(timings) > 1)}, cut at a stage, that were "
        f"timed here{among}: {share:.0%} of the FLOPs are theirs. The others are scaled by their FLOPs; the range "
        "holds how unsteady and how unlike these updates were."
    )


def _name_of(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
