"""The kinds of values that settings have, each read from YAML, from Python and from a command line's text.

Reasons for refusing one do not name the setting or the value: `metamerbook.study.settings` does.
"""

import difflib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator

from metamerlib.checks import LARGEST_SEED, file_path, shown
from metamerlib.models import STAGES, Stage


def _words(meanings: Mapping[str, Any]) -> BeforeValidator:
    return BeforeValidator(lambda value: meanings.get(value, value) if isinstance(value, str) else value)


def _entries(value: object) -> tuple[Any, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        value = [value]
    if not isinstance(value, Sequence) or isinstance(value, bytes) or not value:
        raise ValueError("give a list with at least one entry")
    if repeated := [entry for position, entry in enumerate(value) if entry in value[:position]]:
        raise ValueError(f"{shown(repeated[0])} is there twice: give each once")
    return tuple(value)


def _names(value: object) -> tuple[str, ...]:
    for entry in (entries := _entries(value)):
        if not isinstance(entry, str) or not entry:
            raise ValueError(f"give text in the place of {shown(entry)}")
    return entries


def _stages(value: object) -> tuple[Stage, ...]:
    return tuple(map(_stage, _entries(value)))


def _stage(stage: object) -> Stage:
    if isinstance(stage, str):
        if stage.replace(".", "", 1).isdigit() and (float(stage) > 1 or stage == "0"):
            return stage  # a module of a Sequential, such as "2" or "1.1"
        try:
            stage = float(stage)
        except ValueError:
            close = difflib.get_close_matches(stage.strip().lower(), STAGES, n=1, cutoff=0.7)
            if close and stage not in STAGES:
                raise ValueError(f"{shown(stage)} is no known stage. Did you mean {close[0]!r}?") from None
            return stage
    if isinstance(stage, bool) or not isinstance(stage, int | float):
        raise ValueError(f"give {', '.join(STAGES)}, depths in (0, 1] or module names")
    if not 0 < stage <= 1:
        raise ValueError("a depth is above 0 and at most 1")
    return stage


def _radius(value: object) -> float:
    try:
        radius = float(Fraction(value))
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        raise ValueError("give radii such as 0.3 or '8/255'") from None
    if radius <= 0:
        raise ValueError("give radii above 0 and finite")
    return radius


def _folder(value: object) -> str | None:
    if value is None:
        return None
    folder = file_path(value, "root")
    if not folder.is_dir():
        raise ValueError(f"that is not a folder (looked in {Path.cwd()})")
    return str(folder.resolve())


def _batch_size(value: object) -> int | str | None:
    if value is None or (isinstance(value, str) and value in ("auto", "all")):
        return "auto" if value == "auto" else None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("give a whole number from 1, 'auto' or 'all'")
    return value


def _model_sets(value: object) -> tuple[str, ...] | dict[str, tuple[str, ...]] | None:
    if isinstance(value, Mapping):
        return dict(zip(_names(list(value)), map(_names, value.values()), strict=True))
    return None if value is None else _names(value)


Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]
Rate = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Quantile = Annotated[float, Field(strict=True, gt=0, le=1)]
Text = Annotated[str, Field(strict=True, min_length=1)]
Seed = Annotated[int, Field(strict=True, ge=0, le=LARGEST_SEED)]
Flag = Annotated[bool, Field(strict=True), _words({"true": True, "false": False})]
NoneByName = _words({"none": None})
AllByName = _words({"all": None})
PerClass = Annotated[Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None, AllByName]
Names = Annotated[tuple[str, ...], PlainValidator(_names)]
OneStage = Annotated[Stage, PlainValidator(_stage)]
Radius = Annotated[float, PlainValidator(_radius)]
Entries = BeforeValidator(_entries)
Radii = Annotated[tuple[Radius, ...], Entries]
Root = Annotated[str | None, PlainValidator(_folder)]
Stages = Annotated[tuple[Stage, ...], PlainValidator(_stages)]
ModelSets = Annotated[tuple[str, ...] | Mapping[str, tuple[str, ...]] | None, PlainValidator(_model_sets)]
BatchSize = Annotated[int | str | None, PlainValidator(_batch_size)]
