"""What a study and the book on it would compute, before anything runs: results, updates, FLOPs, hours, disk."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from statistics import median
from typing import Any

import pandas as pd
import torch
from torch.utils.benchmark import Timer
from torch.utils.flop_counter import FlopCounterMode

from metamerbook.engine.task import Task
from metamerbook.study.settings import PAPERS
from metamerbook.study.study import Study
from metamerbook.study.tasks import MetamerRun, Snapshots, kept_beside
from metamerlib.models import Classifier, MissingWeightsError, ModelZoo
from metamerlib.models.device import resolve_device
from metamerlib.stimuli import CATEGORIES, StimulusSet
from metamerlib.system import cores

_OF_RUN = "recognizability"  # the chapter that `metamerlib run` computes, beside the metamers
_RESULT_BYTES = 20 * 1024  # of a table and its description; images come on top
_TIMED_IMAGES = 4
_FEWEST_TIMED = 3  # networks, however slow: one alone would say nothing of the others


@dataclass(frozen=True)
class Passes:
    """Passes of images through a network up to a layer (None: its outputs), with or without those back."""

    model: str
    layer: str | None
    images: int
    backward: bool


@dataclass(frozen=True, eq=False)
class Plan:
    """What a study would compute.

    The table has a row per part: part ("metamers" by set and stage, then chapters), command ("run", or "book" alone),
    model_set, stage, results (that no part above has), found (of them in the store), updates (of images, once per
    network), flops; and of what the store lacks updates_left, flops_left, bytes_left, hours_left (NaN if not timed).
    """

    table: pd.DataFrame
    notes: tuple[str, ...]
    description: str
    device: str
    store: str

    def for_people(self) -> pd.DataFrame:
        """Round the numbers, and put units to them."""
        table = self.table[self.table["results"] > 0]
        shown = table[["part", "model_set", "stage", "results", "found"]].rename(columns={"model_set": "set"})
        shown["updates"] = table["updates"].map(_short).str.strip()
        shown["FLOP"] = table["flops"].map(_short)
        shown["time"] = table["hours_left"].map(_duration)
        shown["disk"] = table["bytes_left"].map(_short) + "B"
        return shown

    def summary(self) -> list[str]:
        """Add up the parts: one line for `metamerlib run`, one for the whole book."""
        lines = []
        for command, parts in (("run", self.table[self.table["command"] == "run"]), ("book", self.table)):
            total = parts.sum(min_count=1, numeric_only=True)
            lines.append(
                f"metamerlib {command}: {total['results']:.0f} results, {total['found']:.0f} of them in the store; "
                f"{_short(total['updates']).strip()} updates, {_short(total['flops'])}FLOP; left to do: "
                f"{_duration(total['hours_left'])}, {_short(total['bytes_left'])}B of disk."
            )
        return lines


def plan_study(study: Study, *, seconds: float | None = 10.0) -> Plan:
    """Count what a study and the book's chapters on it would compute; nothing is computed, and nothing stored.

    Networks and photographs that are not there are counted as if they were. Hours come from updates of some networks,
    timed for about so many `seconds`; None leaves the hours out.
    """
    if seconds is not None and not seconds > 0:
        raise ValueError(f"seconds is {seconds!r}: give the seconds to time for, or None to leave the hours out.")
    complete, notes = _complete(study)
    flops = _flop_counter(complete)
    seen: set[str] = set()
    rows, left = [], []
    for labels, tasks in _parts(complete, notes):
        new = {task.key: task for task in _with_requirements(tasks) if task.key not in seen}
        seen |= new.keys()
        lacking = [task for task in new.values() if task not in study.store]
        row = labels | {"results": len(new), "found": len(new) - len(lacking)}
        for which, chosen in (("", new.values()), ("_left", lacking)):
            passes = _passes(study, chosen)
            row[f"updates{which}"] = sum(one.images for one in passes if one.backward)
            row[f"flops{which}"] = sum(map(flops, passes))
        rows.append(row | {"bytes_left": sum(map(_bytes, lacking))})
        left.append(passes)
    table = pd.DataFrame(rows).assign(hours_left=math.nan)
    device = resolve_device(study.settings.device)
    if seconds is not None:
        speeds = _speeds(study, complete.references.size, flops, [one for part in left for one in part], seconds)
        typical = median(speeds.values()) if speeds else 1.0
        table["hours_left"] = [sum(flops(one) / speeds.get(one.model, typical) for one in part) / 3600 for part in left]
        notes.append(
            f"Hours come from updates with {len(speeds)} networks, timed here; others are scaled by their FLOPs. "
            "Comparisons of what is there (image metrics, distances, permutations) come on top."
        )
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return Plan(table, tuple(notes), complete.describe(), name, str(study.store.root))


def _complete(study: Study) -> tuple[Study, list[str]]:
    """Set up the same study with everything there: networks without values, blank images for photographs."""
    notes, zoo, settings = [], study.zoo, study.settings
    if isinstance(zoo, ModelZoo):
        if zoo.missing:
            notes.append(f"The weights of {len(zoo.missing)} networks are not here: they are counted as if they were.")
        zoo = zoo.skeletons()
    if study.given_references or settings.root is not None or settings.stimuli == "objects16":
        references = study.references
    elif settings.n_per_class is None:
        raise ValueError("n_per_class is not set, and no photographs are named that could be counted: give one.")
    else:
        categories, side = settings.categories or CATEGORIES, settings.size or 224
        labels = torch.arange(len(categories)).repeat_interleave(settings.n_per_class)
        images = torch.full((1, 3, side, side), 0.5).expand(len(labels), -1, -1, -1)
        references = StimulusSet(images, labels, tuple(categories), tuple(map(str, range(len(labels)))))
        notes.append(f"No photographs are named: {len(references)} blank images stand for them.")
    own = study.networks.own.values()
    return Study(settings, models=own, references=references, zoo=zoo, store=study.store, progress=False), notes


def _parts(study: Study, notes: list[str]) -> Iterator[tuple[dict[str, str], list[Task]]]:
    """List what `metamerlib run` and the chapters compute, with the labels of its row."""
    for run in study.runs:
        stage = run.stage if isinstance(run.stage, str) else f"{run.stage:g}"
        beside = kept_beside(run)
        labels = {"part": "metamers", "command": "run", "model_set": run.name, "stage": stage}
        yield labels, [run] if beside is None else [run, beside]
    chapters = [(paper, name) for paper in PAPERS for name in import_module(f"metamerbook.{paper}").CHAPTERS]
    for paper, name in sorted(chapters, key=lambda one: one[1] != _OF_RUN):
        part, chapter = name.replace("_", " "), import_module(f"metamerbook.{paper}.{name}")
        try:
            tasks = list(chapter.tasks(study)) if hasattr(chapter, "tasks") else []
        except (ValueError, MissingWeightsError) as error:
            notes.append(f"Left out, since it cannot run: {part} ({error})")
            continue
        yield {"part": part, "command": "run" if name == _OF_RUN else "book", "model_set": "", "stage": ""}, tasks


def _with_requirements(tasks: Iterable[Task]) -> Iterator[Task]:
    for task in tasks:
        yield from _with_requirements(task.requires)
        yield task


def _passes(study: Study, tasks: Iterable[Task]) -> list[Passes]:
    """List the passes through networks that results take; of comparisons none, which are few beside the updates."""
    found = []
    for task in tasks:
        beside = isinstance(task, Snapshots) and task == kept_beside(task.run)
        if beside and (task.run not in study.store or task in study.store):
            continue  # kept while the metamers are made
        if isinstance(task, MetamerRun | Snapshots):
            run, images = (task, task.stimuli.count) if isinstance(task, MetamerRun) else (task.run, len(task.images))
            for model, layer in zip(run.models, run.layers, strict=True):
                found.append(Passes(model.key, layer, images * run.config.updates_per_model, backward=True))
        elif hasattr(task, "evaluators"):  # what they see in the images of a run, or in snapshots of one
            kept = getattr(task, "trajectory", None)
            images = len(kept.images) * len(kept.repetitions) if kept else task.run.stimuli.count
            found += [Passes(one.key, None, images, backward=False) for one in task.evaluators]
        elif hasattr(task, "steps"):  # an attack
            found += [Passes(one.key, None, task.stimuli.count * task.steps, backward=True) for one in task.models]
    return found


def _bytes(task: Task) -> int:
    images = 0
    if isinstance(task, MetamerRun):
        images, stimuli = task.stimuli.count, task.stimuli
    elif isinstance(task, Snapshots):
        images, stimuli = len(task.images) * len(task.repetitions), task.run.stimuli
    return _RESULT_BYTES + (images * 3 * math.prod(stimuli.size) * 4 if images else 0)


def _flop_counter(study: Study) -> Callable[[Passes], float]:
    """Count floating point operations of passes, as torch does: no elementwise work; each kind of pass once."""

    @cache
    def of_one(key: str, layer: str | None, backward: bool) -> int:
        model = study.networks.models[key]
        image = torch.full((1, 3, *study.references.size), 0.5, device=model.device, requires_grad=backward)
        with torch.inference_mode(False), torch.set_grad_enabled(backward), FlopCounterMode(display=False) as counter:
            output = model.outputs(image) if layer is None else model.activations(image, layer)
            if output.requires_grad:  # some layers give none, which generation says
                torch.autograd.grad(output, image, torch.ones_like(output), allow_unused=True)
        return counter.get_total_flops()

    return lambda passes: float(passes.images) * of_one(passes.model, passes.layer, passes.backward)


def _speeds(
    study: Study, size: tuple[int, int], flops: Callable[[Passes], float], passes: list[Passes], seconds: float
) -> dict[str, float]:
    """Time updates, those first that the most FLOPs are in: FLOPs per second of all cores, by network."""
    device, shares = resolve_device(study.settings.device), {}
    for one in passes:
        if one.backward:
            update = replace(one, images=_TIMED_IMAGES)
            shares[update] = shares.get(update, 0.0) + flops(one)
    ends, speeds = time.perf_counter() + seconds, {}
    for update in sorted(shares, key=shares.get, reverse=True):
        if len(speeds) >= _FEWEST_TIMED and time.perf_counter() > ends:
            break
        if (key := update.model) not in speeds:
            of_zoo = isinstance(study.zoo, ModelZoo) and key not in study.networks.own
            model = study.zoo.initialised(key) if of_zoo else study.networks.models[key]
            speeds[key] = flops(update) / _seconds(model, update, size, device)
    return {key: speed * (cores() if device.type == "cpu" else 1) for key, speed in speeds.items()}


def _seconds(model: Classifier, update: Passes, size: tuple[int, int], device: torch.device) -> float:
    """Time one update of some images, on one thread, as each of the processes that share the cores."""
    before, images = model.device, torch.rand(update.images, 3, *size, device=device).requires_grad_()

    def step() -> None:
        with torch.inference_mode(False), torch.enable_grad():
            output = model.outputs(images) if update.layer is None else model.activations(images, update.layer)
            torch.autograd.grad(output.square().sum(), images, allow_unused=True)

    model.to(device)
    seconds = Timer("step()", globals={"step": step}).timeit(1).mean  # after some that do not count
    model.to(before)
    return seconds


def _short(count: Any) -> str:
    """Write a large number with three digits and a prefix."""
    count = float(count)
    for prefix in ("", "k", "M", "G", "T", "P", "E"):
        if count < 999.5:
            return f"{count:.0f} {prefix}" if count >= 99.5 or not prefix else f"{count:.3g} {prefix}"
        count /= 1000
    return f"{count:.3g} Z"


def _duration(hours: float) -> str:
    if math.isnan(hours):
        return "-"
    for size, unit in ((24.0, "d"), (1.0, "h"), (1 / 60, "min")):
        if hours >= 2 * size:
            return f"{hours / size:.3g} {unit}"
    return f"{hours * 3600:.2g} s"
