"""What a study runs: the settings of a profile, changed by whoever calls, checked at the door.

All keys are flat, so that each can be a notebook's parameter or a line of a profile: those of `StudySettings`, and
those of `GenerationConfig` and `TableSettings` beside them.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml

from metamerbook.study.parsing import CHECKS, did_you_mean, unquoted
from metamerbook.study.presets import under_preset
from metamerbook.study.table_settings import TableSettings
from metamerlib.checks import file_path, shown
from metamerlib.generation import GenerationConfig
from metamerlib.models import STAGES, Stage
from metamerlib.stimuli import CATEGORIES, StimulusSet, holds_validation_images, load_stimuli
from metamerlib.system import profile_files


@dataclass(frozen=True, kw_only=True)
class StudySettings:
    """The settings of a study.

    Attributes
    ----------
    profile
        Where the settings come from: a name, or the path of a YAML file.
    zoo
        Name of the model zoo.
    stimuli
        "objects16" (drawn), "imagenet16" (ILSVRC 2012's validation images below `root`) or "folder" (photographs below
        `root`, one sub-folder per category).
    root
        The folder of photographs. Giving it means ``stimuli="imagenet16"`` if it holds ILSVRC 2012's validation
        images, and ``"folder"`` if not.
    n_per_class
        Images per category; None takes all the photographs of a folder.
    size
        Height and width of the images in pixels; None is the stimuli's own default.
    categories
        Which categories; None takes them all.
    seed
        Of the initial noise, and of the images unless `stimuli_seed` says otherwise.
    stimuli_seed
        Of the images: which drawings, or which photographs where `n_per_class` leaves some out.
    stages
        Inversion stages: "early", "middle", "late", depths in (0, 1], or dotted module names.
    model_sets
        Which ensembles: names out of the zoo's Table 2, or new ones as name to keys. None takes all of Table 2.
    evaluators
        Keys of the networks that classify the metamers. None takes the whole zoo.
    criterion
        What counts as recognized, as for `metamerlib.evaluation.recognition`.
    decision
        How the paper's networks decide by their 1000 outputs (reading 11), as for `Classifier`: "max_logit" or
        "mean_probability". The miniatures have one output per category, so that they know "max_logit" alone.
    device
        Where generation computes: "auto" (CUDA, else MPS, else the CPU), "cpu", "cuda", "mps".
    batch_size
        Images optimised at once, as for `generate_metamers`: a number, "auto" for as many as fit, or None for all.
    precision
        What metamers are computed in: "float32", "tf32" or "bfloat16", as for `generate_metamers`.
    compile
        Whether their forward passes go through `torch.compile`.
    preset
        Which rule makes metamers: "paper" (Table 3's) or "fast" (`GenerationConfig.fast`, with a tenth of the profile's
        updates, but at least 30). A study has one preset throughout.
    config
        The generation's settings.
    tables
        What single tables take beside all this.
    """

    profile: str = "mini"
    zoo: str = "mini"
    stimuli: str = "objects16"
    root: str | None = None
    n_per_class: int | None = 3
    size: int | None = None
    categories: tuple[str, ...] | None = None
    seed: int = 0
    stimuli_seed: int | None = None
    stages: tuple[Stage, ...] = tuple(STAGES)
    model_sets: tuple[str, ...] | Mapping[str, tuple[str, ...]] | None = None
    evaluators: tuple[str, ...] | None = None
    criterion: str = "reference"
    decision: str = "max_logit"
    device: str = "auto"
    batch_size: int | str | None = None
    precision: str = "float32"
    compile: bool = False
    preset: str = "paper"
    config: GenerationConfig = field(default_factory=GenerationConfig)
    tables: TableSettings = field(default_factory=TableSettings)

    @property
    def repetitions(self) -> int:
        """Rounds over the ensemble."""
        return self.config.repetitions

    @property
    def steps_per_model(self) -> int:
        """Updates in a row for each model of the ensemble."""
        return self.config.steps_per_model

    @property
    def origin_of_references(self) -> dict[str, Any]:
        """The settings that decide on the images."""
        names = ("stimuli", "root", "n_per_class", "size", "categories", "seed", "stimuli_seed")
        return {name: getattr(self, name) for name in names}

    def load_references(self) -> StimulusSet:
        """Draw or read the images that the settings name.

        Returns
        -------
        StimulusSet
            The images that metamers are made of.
        """
        references = load_stimuli(
            self.stimuli,
            n_per_class=self.n_per_class,
            seed=self.seed if self.stimuli_seed is None else self.stimuli_seed,
            size=self.size,
            root=self.root,
            categories=self.categories,
        )
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

        Parameters
        ----------
        profile
            "smoke", "mini", "paper", or the path of a YAML file with the same keys.
        photographs_needed
            Whether a study of photographs must name their folder; planning one does without.
        overrides
            Settings to change; None keeps the profile's. Lists may be given as text too, as papermill's command line
            does: ``'["early", "late"]'`` or ``'early, late'``. ``n_per_class="all"`` takes every photograph.

        Returns
        -------
        StudySettings
            The checked settings.

        Raises
        ------
        TypeError
            If a value is of the wrong type.
        ValueError
            If a profile or key does not exist, or a value is out of range; the message lists the choices.
        """
        values = _read_profile(profile)
        given = {key: value for key, value in overrides.items() if value is not None}
        _check_keys(given, f"the settings of a study (profile {str(profile)!r})")
        if "root" in given:
            if values.get("stimuli") == "objects16":
                # Photographs in place of drawings: how many and which to draw does not apply to them.
                values |= {"n_per_class": None, "categories": None}
            root = CHECKS["root"]("root", given["root"])
            values["stimuli"] = "imagenet16" if holds_validation_images(root) else "folder"
        preset = CHECKS["preset"]("preset", given.get("preset", values.get("preset", "paper")))
        values |= under_preset(preset, values) | given
        if photographs_needed and values.get("root") is None and values.get("stimuli") in ("folder", "imagenet16"):
            raise ValueError(
                f"stimuli={values['stimuli']!r} needs root='…' (`-p root=…` of metamerlib book, `--photos` of "
                "metamerlib run): the folder of ILSVRC 2012's validation images, or one with a sub-folder of "
                "photographs per category."
            )
        config = {key: unquoted(key, value) for key, value in values.items() if key in _fields(GenerationConfig)}
        own = {key: CHECKS[key](key, value) for key, value in values.items() if key in CHECKS}
        tables = TableSettings(**{key: own.pop(key) for key in _fields(TableSettings) if key in own})
        return cls(profile=str(profile), config=GenerationConfig.from_dict(config), tables=tables, **own)


def _fields(settings: type) -> list[str]:
    return [one.name for one in dataclasses.fields(settings)]


def _read_profile(profile: str | Path) -> dict[str, Any]:
    named = profile_files()
    path = named.get(str(profile)) or file_path(profile, "profile")
    if not path.is_file() or path.suffix not in (".yml", ".yaml"):
        guess = did_you_mean(str(profile), named)
        raise ValueError(
            f"profile {shown(str(profile))} does not exist.{guess} Give one of {', '.join(named)}, or the path of a "
            ".yml file with the same keys."
        )
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise ValueError(f"profile {path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise ValueError(f"profile {path} holds a {type(values).__name__}: give lines of `key: value`.")
    _check_keys(values, f"profile {path}")
    return values


def setting_names() -> list[str]:
    """Return the name of every setting that a study takes."""
    return [*CHECKS, *_fields(GenerationConfig)]


def _check_keys(keys: Iterable[str], where: str) -> None:
    known = setting_names()
    for key in keys:
        if key not in known:
            raise ValueError(
                f"{key!r} is not among {where}.{did_you_mean(str(key), known)} There are: {', '.join(known)}."
            )
