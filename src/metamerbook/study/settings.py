"""What a study runs: the settings of a profile, changed by whoever calls, checked where they enter.

A chapter declares its settings beside its code, as a `Section`. Profiles may nest them under the chapter's name; every
setting also has a flat name, which notebooks' parameters and the command line use: the path below its section, joined
by "_".
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cache, reduce
from importlib import import_module
from operator import getitem
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import BaseModel, Field, InstanceOf, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from metamerbook.study.profiles import read_profile, read_yaml
from metamerbook.study.values import BatchSize, Count, Flag, ModelSets, Names, PerClass, Rate, Root, Seed, Stages, Text
from metamerlib.checks import near, shown
from metamerlib.generation import GenerationConfig
from metamerlib.generation.config import PRESETS
from metamerlib.models import STAGES
from metamerlib.stimuli import CATEGORIES, StimulusSet, holds_validation_images, load_stimuli

PAPERS = ("ensembles",)
"""The packages whose chapters declare settings; imported by name when they are first needed, since they import this."""

LEAST_UPDATES = 30
"""Updates per model that the fast preset keeps, where there were as many: a tenth of few is too few for any rule."""


class Budget(BaseModel, frozen=True, extra="forbid"):
    """A budget of some tables: images per category (the first of the study's; None takes all), and of each update."""

    n_per_class: PerClass = 1
    repetitions: Count = 40
    steps_per_model: Count = 1
    learning_rate: Rate = 2.0
    final_learning_rate: Rate = 0.1


class Section(BaseModel, frozen=True, extra="forbid"):
    """The settings of a chapter, beside its code; a subclass is known by its module's name."""

    known: ClassVar[dict[str, type["Section"]]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        Section.known[cls.name()] = cls

    @classmethod
    def name(cls) -> str:
        """Return the chapter's name."""
        return cls.__module__.rpartition(".")[2]


@checked_dataclass(frozen=True, kw_only=True)
class StudySettings:
    """The settings of a study.

    `root` is a folder of photographs: one sub-folder per category, or ILSVRC 2012's validation images; it needs no
    `stimuli` beside it. None takes all photographs (`n_per_class`), the stimuli's own size (`size`), all sets of Table
    2 (`model_sets`: names out of it, or new sets as name to keys) or the whole zoo (`evaluators`). `seed` is that of
    the initial noise, and of drawings unless `stimuli_seed` says otherwise. `preset` "fast" is another rule with a
    tenth of the profile's updates, but at least `LEAST_UPDATES`. `of` reads a chapter's `sections`.
    """

    profile: str = "mini"
    zoo: Text = "mini"
    stimuli: Literal["objects16", "folder", "imagenet16"] = "objects16"
    root: Root = None
    n_per_class: PerClass = 3
    size: Annotated[int, Field(strict=True, ge=1, le=16_384)] | None = None
    categories: Names | None = None
    seed: Seed = 0
    stimuli_seed: Seed | None = None
    stages: Stages = tuple(STAGES)
    model_sets: ModelSets = None
    evaluators: Names | None = None
    criterion: Literal["reference", "label", "generator"] = "reference"
    decision: Literal["max_logit", "mean_probability"] = "max_logit"
    device: Text = "auto"
    batch_size: BatchSize = None
    precision: Literal["float32", "tf32", "bfloat16"] = "float32"
    compile: Flag = False
    preset: Literal["paper", "fast"] = "paper"
    config: InstanceOf[GenerationConfig] = field(default_factory=GenerationConfig)
    sections: Mapping[str, InstanceOf[Section]] = field(default_factory=dict)

    def of(self, section: type[Section]) -> Any:
        """Return a chapter's settings."""
        return self.sections.get(section.name()) or section()

    def load_references(self) -> StimulusSet:
        """Draw or read the images that the settings name."""
        seed = self.seed if self.stimuli_seed is None else self.stimuli_seed
        given = {name: getattr(self, name) for name in ("n_per_class", "size", "root", "categories")}
        references = load_stimuli(self.stimuli, seed=seed, **given)
        if self.stimuli != "objects16":
            return references
        # Evaluators answer in all sixteen categories, so that drawings of a few are labelled within the sixteen.
        labels = torch.tensor([CATEGORIES.index(name) for name in references.category_names])
        return dataclasses.replace(references, labels=labels, categories=CATEGORIES)

    @classmethod
    def from_profile(
        cls, profile: str | Path = "mini", *, photographs_needed: bool = True, **overrides: Any
    ) -> "StudySettings":
        """Read a profile and change some of its settings.

        Overrides that are None keep the profile's value. Lists may be text too, as from papermill's command line:
        ``'["early", "late"]'`` or ``'early, late'``. ``n_per_class="all"`` takes every photograph. Planning a study of
        photographs does without their folder.

        Raises
        ------
        ValueError
            If a profile or key does not exist, or a value is refused; the message names it and the fix.
        """
        values = _flat(read_profile(profile), f"profile {profile}")
        given = {key: value for key, value in overrides.items() if value is not None}
        given = _flat(given, f"the settings of a study (profile {str(profile)!r})")
        early = _checked(cls, {key: value for key, value in (values | given).items() if key in ("preset", "root")})
        if "root" in given:
            if values.get("stimuli") == "objects16":
                # Photographs in place of drawings: how many and which to draw does not apply to them.
                values |= {"n_per_class": None, "categories": None}
            values["stimuli"] = "imagenet16" if holds_validation_images(early.root) else "folder"
        if early.preset != "paper":
            values |= _under_preset(early.preset, values)
        settings = cls.from_values(values | given, profile=str(profile))
        if photographs_needed and settings.root is None and settings.stimuli in ("folder", "imagenet16"):
            raise ValueError(
                f"stimuli={settings.stimuli!r} needs root='…' (`-p root=…` of metamerlib book, `--photos` of "
                "metamerlib run): the folder of ILSVRC 2012's validation images, or one with a sub-folder of "
                "photographs per category."
            )
        return settings

    @classmethod
    def from_values(cls, values: Mapping[str, Any], *, profile: str = "mini") -> "StudySettings":
        """Check settings by their flat names."""
        own = {key: value for key, value in values.items() if key in _own_names()}
        config = {key: value for key, value in values.items() if key in _fields(GenerationConfig)}
        further = {"config": GenerationConfig.from_dict(config), "sections": _sections(values)}
        return _checked(cls, own, profile=profile, **further)


@cache
def _chapters() -> dict[str, type[Section]]:
    for paper in PAPERS:
        for chapter in import_module(f"metamerbook.{paper}").CHAPTERS:
            import_module(f"metamerbook.{paper}.{chapter}")
    return Section.known


@cache
def _places() -> dict[str, tuple[str, ...]]:
    """Give of each chapter's setting, by flat name, its chapter and the path below it."""
    places: dict[str, tuple[str, ...]] = {}
    for chapter, section in _chapters().items():
        for name, value in section():
            for path in [(name, below) for below in Budget.model_fields] if isinstance(value, Budget) else [(name,)]:
                flat = "_".join(path)
                if flat in places or flat in _own_names() or flat in _fields(GenerationConfig):
                    raise TypeError(f"two settings have the flat name {flat!r}: that of {chapter} needs another one.")
                places[flat] = (chapter, *path)
    return places


def _fields(settings: type) -> list[str]:
    return [one.name for one in dataclasses.fields(settings)]


def _own_names() -> list[str]:
    return [name for name in _fields(StudySettings) if name not in ("profile", "config", "sections")]


def setting_names() -> list[str]:
    """Return the flat name of every setting that a study takes."""
    return [*_own_names(), *_places(), *_fields(GenerationConfig)]


def _flat(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Bring settings, perhaps nested by chapter, to their flat names; refuse those that do not exist."""
    known, flat = setting_names(), {}
    for name, value in _leaves(values):
        if name not in known:
            raise ValueError(f"{name!r} is not among {where}.{near(name, known)} There are: {', '.join(known)}.")
        if name in flat:
            raise ValueError(f"{name} is in {where} twice, once below its chapter: give it once.")
        flat[name] = _plain(name, value)
    return flat


def _leaves(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    budgets = {path[1] for path in _places().values() if len(path) > 2}
    for key, value in values.items():
        if key in _chapters() and (value is None or isinstance(value, Mapping)):  # all below it may be commented out
            yield from _leaves(value or {})
        elif key in budgets and isinstance(value, Mapping):
            yield from ((f"{key}_{below}", one) for below, one in value.items())
        else:
            yield key, value


def _plain(name: str, value: object) -> object:
    """Read a list or mapping that arrived as text, as from papermill's command line, and numbers of numpy."""
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        return read_yaml(value, f"{name}={shown(value)}")
    return value.item() if isinstance(value, np.generic) else value


def _sections(values: Mapping[str, Any]) -> dict[str, Section]:
    nested = {chapter: section().model_dump() for chapter, section in _chapters().items()}
    for flat, (*parents, name) in _places().items():
        if flat in values:
            reduce(getitem, parents, nested)[name] = values[flat]
    return {chapter: _checked(_chapters()[chapter], given) for chapter, given in nested.items()}


def _checked(kind: type, values: Mapping[str, Any], **further: Any) -> Any:
    """Make settings; an error names the setting by its flat name, the value, and what to give instead."""
    try:
        return kind(**values, **further)
    except ValidationError as errors:
        error = errors.errors(include_url=False, include_input=False)[0]
    context, (name, *below) = error.get("ctx", {}), error["loc"] or ("",)
    value = values.get(name)
    if below and f"{name}_{below[0]}" in _places():
        name, value = f"{name}_{below[0]}", value[below[0]]
    reason = context.get("error") or error["msg"].replace("Input should be", "it should be")
    guess = near(value, re.findall("'([^']*)'", context.get("expected", "")))
    reason = f"{reason}".rstrip(".") + ("" if f"{reason}".endswith("?") else ".")
    raise ValueError(f"{name} is {shown(value)}: {reason}{guess}" if name else reason)


def _under_preset(preset: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings in which a preset departs from a profile.

    The preset's rule, and for the main grid and each budget of a chapter a tenth of the updates, but at least
    `LEAST_UPDATES`, at the preset's learning rates.
    """
    rule = PRESETS[preset]
    changed = {name: value for name, value in rule.items() if name not in ("repetitions", "steps_per_model")}
    if stated := [name for name in changed if name in values]:
        raise ValueError(
            f"preset {preset!r} has a {stated[0]} of its own, but so has the profile: leave it out there, and give it "
            "beside the preset if it is to differ."
        )
    settings = StudySettings.from_values(values)
    budgets = {"": settings.config}
    for section in settings.sections.values():
        budgets |= {f"{name}_": budget for name, budget in section if isinstance(budget, Budget)}
    for prefix, budget in budgets.items():
        updates = budget.repetitions * budget.steps_per_model
        changed[f"{prefix}repetitions"] = min(updates, max(-(-updates // 10), LEAST_UPDATES))
        for name in ("steps_per_model", "learning_rate", "final_learning_rate"):
            changed[f"{prefix}{name}"] = rule[name]
    return changed
