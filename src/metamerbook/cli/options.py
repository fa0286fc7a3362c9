"""The options that describe a study, which several commands share."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from metamerbook.study.settings import StudySettings

Profile = Annotated[str, typer.Option(help="smoke, mini, paper, rehearsal, or a .yml file with the same keys.")]
Preset = Annotated[
    str | None, typer.Option(help="paper (Table 3's rule) or fast (another, with a tenth of the profile's updates).")
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", help="Model set: a name, a network's key, or NAME=KEY,KEY for one of your own. Repeat."),
]
Stages = Annotated[list[str] | None, typer.Option(help="early, middle, late, or a depth such as 0.35. Repeat.")]
Photos = Annotated[
    Path | None,
    typer.Option(help="Folder of photographs: a sub-folder per category, or ILSVRC 2012's validation images."),
]
Size = Annotated[int | None, typer.Option(help="Height and width of the images in pixels.")]
PerClass = Annotated[int | None, typer.Option(help="Images per category.")]
Seed = Annotated[int | None, typer.Option(help="Of the images and of the initial noise.")]
Repetitions = Annotated[int | None, typer.Option(help="Rounds over the ensemble.")]
StepsPerModel = Annotated[int | None, typer.Option(help="Updates in a row for each network.")]
Evaluators = Annotated[list[str] | None, typer.Option(help="Key of a network that classifies. Repeat.")]
Criterion = Annotated[str | None, typer.Option(help="reference, label or generator.")]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")]
Options = Annotated[list[str] | None, typer.Option("--option", "-o", help="Any other setting, as KEY=VALUE. Repeat.")]
StoreFolder = Annotated[Path | None, typer.Option(help="Folder of results; default $METAMERLIB_STORE.")]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS|FILE|local",
        envvar="METAMERLIB_SCHEDULER",
        help="Dask scheduler (or the file that it writes) whose workers compute; local starts one here.",
    ),
]


def study_settings(
    profile: Profile = "mini",
    preset: Preset = None,
    sets: Sets = None,
    stage: Stages = None,
    photos: Photos = None,
    size: Size = None,
    n_per_class: PerClass = None,
    seed: Seed = None,
    repetitions: Repetitions = None,
    steps_per_model: StepsPerModel = None,
    evaluator: Evaluators = None,
    criterion: Criterion = None,
    device: Device = None,
    option: Options = None,
    *,
    photographs_needed: bool,
) -> "StudySettings":
    """Turn options into the settings of a study; one that is given twice, differently, is refused."""
    from metamerbook.study.settings import StudySettings

    flags = {
        "preset": ("--preset", preset),
        "model_sets": ("--set", _model_sets(sets)),
        "stages": ("--stage", stage or None),
        "root": ("--photos", None if photos is None else str(photos)),
        "size": ("--size", size),
        "n_per_class": ("--n-per-class", n_per_class),
        "seed": ("--seed", seed),
        "repetitions": ("--repetitions", repetitions),
        "steps_per_model": ("--steps-per-model", steps_per_model),
        "evaluators": ("--evaluator", evaluator or None),
        "criterion": ("--criterion", criterion),
        "device": ("--device", device),
    }
    settings = keys_and_values(option, "-o")
    if "profile" in settings:
        raise ValueError("-o profile=… is not a setting: name the profile with --profile.")
    for name, (flag, value) in flags.items():
        if value is None:
            continue
        if settings.get(name) not in (value, None):
            raise ValueError(f"{flag} gives {name} as {value!r}, and -o as {settings[name]!r}: give it once.")
        settings[name] = value
    return StudySettings.from_profile(profile, photographs_needed=photographs_needed, **settings)


def with_study_options(*, photographs_needed: bool) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of `study_settings` before its own, and those settings as its first argument."""
    shared = [one for one in inspect.signature(study_settings).parameters.values() if one.kind is not one.KEYWORD_ONLY]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        def called(**given: Any) -> None:
            asked = {one.name: given.pop(one.name) for one in shared}
            command(study_settings(**asked, photographs_needed=photographs_needed), **given)

        parameters = [*shared, *list(inspect.signature(command).parameters.values())[1:]]
        called.__name__, called.__doc__ = command.__name__, command.__doc__
        called.__signature__ = inspect.Signature(parameters)
        called.__annotations__ = {one.name: one.annotation for one in parameters}
        return called

    return decorate


def keys_and_values(entries: list[str] | None, flag: str) -> dict[str, Any]:
    """Read entries of the form KEY=VALUE, each value as YAML; none may be given twice."""
    from metamerbook.study.profiles import read_yaml

    found: dict[str, Any] = {}
    for entry in entries or []:
        key, equals, value = entry.partition("=")
        key = key.strip()
        if not equals or not key:
            raise ValueError(f"{entry!r} is not of the form KEY=VALUE.")
        if key in found:
            raise ValueError(f"{flag} gives {key} twice: give it once.")
        found[key] = read_yaml(value, f"{flag} {entry}")
    return found


def _model_sets(entries: list[str] | None) -> dict[str, list[str]] | list[str] | None:
    if not entries:
        return None
    if not any("=" in entry for entry in entries):
        return entries
    named = {}
    for entry in entries:
        name, equals, keys = entry.partition("=")
        if not equals:
            raise ValueError(f"--set {entry!r} beside sets of your own: name its networks too, as NAME=KEY,KEY.")
        named[name.strip()] = [key.strip() for key in keys.split(",") if key.strip()]
    return named
