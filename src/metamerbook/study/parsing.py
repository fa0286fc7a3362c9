"""How one setting is read, whether it comes from YAML, from Python or as text from a command line, and checked."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from metamerlib.checks import LARGEST_SEED, file_path, real_number, shown, whole_number
from metamerlib.evaluation.recognition import CRITERIA
from metamerlib.generation.config import PRESETS
from metamerlib.generation.initializers import INITIALIZERS
from metamerlib.generation.precision import PRECISIONS
from metamerlib.models import STAGES, Stage
from metamerlib.models.classifier import DECISIONS

_MOST_IMAGES = 1_000_000
_MOST_PIXELS = 16_384


def did_you_mean(value: str, choices: Iterable[str], alike: float = 0.5) -> str:
    """Guess what was meant.

    Parameters
    ----------
    value
        What was given.
    choices
        What there is.
    alike
        How similar the two must be, in [0, 1].

    Returns
    -------
    str
        A sentence that begins with a blank, or nothing.
    """
    near = difflib.get_close_matches(str(value), list(choices), n=1, cutoff=alike)
    return f" Did you mean {near[0]!r}?" if near else ""


def unquoted(key: str, value: object) -> object:
    """Read a list or mapping that arrived as text, as from papermill's command line.

    Parameters
    ----------
    key
        The setting's name, for the message.
    value
        Any setting.

    Returns
    -------
    object
        What the text stands for if it begins like a list or mapping; else the value itself.

    Raises
    ------
    ValueError
        If the text begins like a list or mapping but is none.
    """
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        try:
            return yaml.safe_load(value)
        except yaml.YAMLError as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{key} is {shown(value)}, which looks like a list but is none: {reason}") from error
    return value


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{key} is {shown(value)}: give text.")
    return value


def _choice(*choices: str) -> Callable[[str, object], str]:
    def check(key: str, value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            near = did_you_mean(str(value), choices)
            raise ValueError(f"{key} is {shown(value)}.{near} Give one of {', '.join(map(repr, choices))}.")
        return str(value)

    return check


def _integer(least: int, most: int = 1_000_000_000) -> Callable[[str, object], int | None]:
    def check(key: str, value: object) -> int | None:
        return None if value is None else whole_number(value, key, at_least=least, at_most=most)

    return check


def _number(least: int) -> Callable[[str, object], int]:
    return lambda key, value: whole_number(value, key, at_least=least)


def _all_or(check: Callable[[str, object], Any]) -> Callable[[str, object], Any]:
    return lambda key, value: None if isinstance(value, str) and value == "all" else check(key, value)


def _none_or(check: Callable[[str, object], Any]) -> Callable[[str, object], Any]:
    def check_or_none(key: str, value: object) -> Any:
        absent = value is None or (isinstance(value, str) and value == "none")
        return None if absent else check(key, value)

    return check_or_none


def _share(key: str, value: object) -> float:
    return real_number(value, key, above=0, at_most=1)


def _batch_size(key: str, value: object) -> int | str | None:
    if isinstance(value, str) and value not in ("auto", "all"):
        raise TypeError(f"{key} is {value!r}: give a whole number, 'auto' or 'all'.")
    return value if value == "auto" else _all_or(_integer(1))(key, value)


def _truth(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{key} is {value!r}: give true or false.")
    return value


def _rate(key: str, value: object) -> float:
    return real_number(value, key, above=0)


def _decision(key: str, value: object) -> str:
    if isinstance(value, str) and value == "1000-way":
        raise ValueError(
            f"{key} is {value!r}, but the references of a study are labelled in categories: give one of "
            f"{', '.join(map(repr, DECISIONS))}. ModelZoo('paper', decision='1000-way') is for use without a study."
        )
    return _choice(*DECISIONS)(key, value)


def _folder(key: str, value: object) -> str | None:
    if value is None:
        return None
    folder = file_path(value, key)
    if not folder.is_dir():
        raise ValueError(f"{key} is {shown(value)}, which is not a folder (looked in {Path.cwd()}).")
    return str(folder.resolve())


def _sequence(key: str, value: object) -> tuple[Any, ...]:
    given, value = value, unquoted(key, value)
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        value = [value]
    if not isinstance(value, Sequence) or isinstance(value, bytes) or not value:
        raise ValueError(f"{key} is {shown(given)}: give a list with at least one entry.")
    repeated = [entry for position, entry in enumerate(value) if entry in value[:position]]
    if repeated:
        raise ValueError(f"{key} is {shown(given)}, which has {shown(repeated[0])} twice: give each once.")
    return tuple(value)


def _names(key: str, value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    entries = _sequence(key, value)
    for entry in entries:
        if not isinstance(entry, str) or not entry:
            raise TypeError(f"{key} is {shown(value)}: give text in the place of {shown(entry)}.")
    return entries


def _number_or_name(stage: object) -> object:
    try:
        return float(stage) if isinstance(stage, str) else stage
    except ValueError:
        return stage


def _stages(key: str, value: object) -> tuple[Stage, ...]:
    stages = tuple(_number_or_name(stage) for stage in _sequence(key, value))
    for stage in stages:
        if isinstance(stage, str):
            if stage not in STAGES and (near := did_you_mean(stage.strip().lower(), STAGES, alike=0.7)):
                raise ValueError(f"{key} has {shown(stage)}.{near} Give {', '.join(STAGES)}, depths or module names.")
        elif isinstance(stage, bool) or not isinstance(stage, int | float):
            raise TypeError(f"{key} is {shown(value)}: give {', '.join(STAGES)}, depths in (0, 1] or module names.")
        elif not 0 < stage <= 1:
            raise ValueError(f"{key} is {shown(value)}: a depth is above 0 and at most 1.")
    return stages


def _one_stage(key: str, value: object) -> Stage:
    stages = _stages(key, value if isinstance(value, str | int | float) else [value])
    if len(stages) != 1:
        raise ValueError(f"{key} is {shown(value)}: give one stage.")
    return stages[0]


def _radii(key: str, value: object) -> tuple[float, ...]:
    radii = []
    for entry in _sequence(key, value):
        try:
            radius = float(Fraction(entry)) if isinstance(entry, str) and "/" in entry else float(entry)
        except (TypeError, ValueError, ZeroDivisionError, OverflowError):
            raise TypeError(f"{key} is {shown(value)}: give radii such as 0.3 or '8/255'.") from None
        if not 0 < radius < float("inf"):
            raise ValueError(f"{key} is {shown(value)}: give radii above 0 and finite.")
        radii.append(radius)
    return tuple(radii)


def _initializers(key: str, value: object) -> tuple[str, ...]:
    for name in (entries := _sequence(key, value)):
        if not isinstance(name, str) or name not in INITIALIZERS:
            near = did_you_mean(str(name), INITIALIZERS)
            raise ValueError(f"{key} is {shown(value)}.{near} Give some of {', '.join(map(repr, INITIALIZERS))}.")
    return entries


def _model_sets(key: str, value: object) -> tuple[str, ...] | dict[str, tuple[str, ...]] | None:
    value = unquoted(key, value)
    if not isinstance(value, Mapping):
        return _names(key, value)
    if not value:
        raise ValueError(f"{key} is empty ({{}}): give at least one set, such as {{'mine': ['resnet18']}}.")
    for name in value:
        if not isinstance(name, str) or not name:
            raise TypeError(f"{key} is {shown(value)}: give text as the name of a set, not {shown(name)}.")
    sets = {name: _names(f"{key}[{name!r}]", keys) for name, keys in value.items()}
    if empty := [name for name, keys in sets.items() if keys is None]:
        raise ValueError(f"{key} is {shown(value)}: give the networks of {empty[0]!r}.")
    return sets


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "zoo": _text,
    "stimuli": _choice("objects16", "folder", "imagenet16"),
    "root": _folder,
    "n_per_class": _all_or(_integer(1, _MOST_IMAGES)),
    "size": _integer(1, _MOST_PIXELS),
    "categories": _names,
    "seed": _integer(0, LARGEST_SEED),
    "stimuli_seed": _integer(0, LARGEST_SEED),
    "stages": _stages,
    "model_sets": _model_sets,
    "evaluators": _names,
    "criterion": _choice(*CRITERIA),
    "decision": _decision,
    "device": _text,
    "batch_size": _batch_size,
    "precision": _choice(*PRECISIONS),
    "compile": _truth,
    "preset": _choice(*PRESETS),
    "metric_backbone": _none_or(_text),
    "metric_scorer": _none_or(_choice("downloaded")),
    "max_pairs": _number(2),
    "permutations": _number(1),
    "null_quantile": _share,
    "epsilons": _radii,
    "restricted_n_per_class": _all_or(_integer(1)),
    "restricted_repetitions": _number(1),
    "restricted_steps_per_model": _number(1),
    "restricted_learning_rate": _rate,
    "restricted_final_learning_rate": _rate,
    "attack_steps": _number(1),
    "mixed_sets": _number(1),
    "mixed_smallest": _number(1),
    "mixed_largest": _number(1),
    "mixed_stage": _one_stage,
    "mixed_n_per_class": _all_or(_integer(1)),
    "mixed_repetitions": _number(1),
    "mixed_steps_per_model": _number(1),
    "mixed_learning_rate": _rate,
    "mixed_final_learning_rate": _rate,
    "ablation_n_per_class": _all_or(_integer(1)),
    "ablation_repetitions": _number(1),
    "ablation_steps_per_model": _number(1),
    "ablation_learning_rate": _rate,
    "ablation_final_learning_rate": _rate,
    "ablation_initializers": _initializers,
    "largest_ensemble": _number(1),
    "transfer_generators": _all_or(_names),
}
"""By setting: takes the setting's name and a value, returns the value as `StudySettings` holds it, or raises."""
