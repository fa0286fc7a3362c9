"""The options that describe a study, which several commands share."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from unicodedata import normalize

import typer

Profile = Annotated[str, typer.Option(help="smoke, mini, paper, rehearsal, or a .yml file with the same keys.")]
SIZE = "Height and width of the images in pixels."
PHOTOS = "Folder of photographs: a sub-folder per category, or ILSVRC 2012's validation images."
Photos = Annotated[Path | None, typer.Option(help=PHOTOS)]
Size = Annotated[int | None, typer.Option(help=SIZE)]
Options = Annotated[
    list[str] | None, typer.Option("--option", "-o", help="Any other setting, named below, as KEY=VALUE. Repeat.")
]
Store = Annotated[Path | None, typer.Option(help="Folder of results; default $METAMERLIB_STORE.")]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS|FILE|local",
        envvar="METAMERLIB_SCHEDULER",
        help="Dask scheduler (or the file that it writes) whose workers compute; local starts one here.",
    ),
]

FLAGS = {
    "preset": ("--preset", str, "paper (Table 3's rule) or fast (another, with a tenth of the profile's updates)."),
    "model_sets": ("--set", list[str], "A set's name, a network's key, or NAME=KEY,KEY for a set of your own. Repeat."),
    "stages": ("--stage", list[str], "early, middle, late, or a depth such as 0.35. Repeat."),
    "root": ("--photos", str, PHOTOS),
    "size": ("--size", int, SIZE),
    "n_per_class": ("--n-per-class", int, "Images per category."),
    "seed": ("--seed", int, "Of the images and of the initial noise."),
    "repetitions": ("--repetitions", int, "Rounds over the ensemble."),
    "steps_per_model": ("--steps-per-model", int, "Updates in a row for each network."),
    "evaluators": ("--evaluator", list[str], "Key of a network that classifies. Repeat."),
    "criterion": ("--criterion", str, "reference, label or generator."),
    "device": ("--device", str, "auto, cpu, cuda or mps."),
}
"""The settings that have an option of their own: the option, its type and what it means."""

OTHERS = """Settings for -o, beside those that have an option:

Study: zoo, stimuli, categories, stimuli_seed, decision, batch_size, precision, compile.

Rule: loss, initializer, initializer_radius, initializer_constant, initializer_mix, gradient, optimizer,
optimizer_options, schedule, learning_rate, final_learning_rate, projection, epsilon, center, mode, relu_gradient,
parametrization, fourier_exponent.

Chapters: metric_backbone, metric_scorer, max_pairs, permutations, null_quantile, epsilons, attack_steps, mixed_sets,
mixed_smallest, mixed_largest, mixed_stage, ablation_initializers, largest_ensemble, transfer_generators.

Chapters with budgets of their own, by restricted_, mixed_ or ablation_ before it: n_per_class, repetitions,
steps_per_model, learning_rate, final_learning_rate."""


def with_study_options(*, photographs_needed: bool) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of a study before its own, and those settings as its first argument."""
    flags = {name: Annotated[kind | None, typer.Option(flag, help=text)] for name, (flag, kind, text) in FLAGS.items()}
    shared = [_parameter("profile", Profile, "mini")]
    shared += [_parameter(name, kind) for name, kind in (flags | {"option": Options}).items()]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        def called(profile: str, option: list[str] | None, **given: Any) -> None:
            from metamerbook.study.settings import StudySettings

            settings = _joined({name: given.pop(name) for name in FLAGS}, keys_and_values(option, "-o"))
            command(StudySettings.from_profile(profile, photographs_needed=photographs_needed, **settings), **given)

        parameters = [*shared, *list(inspect.signature(command).parameters.values())[1:]]
        called.__name__, called.__doc__ = command.__name__, command.__doc__
        called.__signature__ = inspect.Signature(parameters)
        called.__annotations__ = {one.name: one.annotation for one in parameters}
        return called

    return decorate


def _parameter(name: str, kind: Any, default: Any = None) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=kind)


def _joined(by_flag: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Add settings that have options of their own to those given by -o; one that is given twice must be the same."""
    if "profile" in settings:
        raise ValueError("-o profile=… is not a setting: name the profile with --profile.")
    by_flag["model_sets"] = _model_sets(by_flag["model_sets"] or [])
    for name, value in by_flag.items():
        if value in (None, []):
            continue
        if settings.get(name) not in (value, None):
            given = f"{FLAGS[name][0]} gives {name} as {value!r}"
            raise ValueError(f"{given}, and -o as {settings[name]!r}: give it once.")
        settings[name] = value
    return settings


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
        if not value.strip():
            raise ValueError(f"{flag} {entry} has no value: give one, or leave it out.")
        found[key] = read_yaml(value, f"{flag} {entry}")
    return found


def _model_sets(entries: list[str]) -> dict[str, list[str]] | list[str]:
    if not any("=" in entry for entry in entries):
        return entries
    named = {}
    for entry in entries:
        name, equals, keys = entry.partition("=")
        if not equals:
            raise ValueError(f"--set {entry!r} beside sets of your own: name its networks too, as NAME=KEY,KEY.")
        if (name := normalize("NFC", name.strip())) in named:
            raise ValueError(f"--set gives {name!r} twice: give it once, with all its networks.")
        named[name] = [key.strip() for key in keys.split(",") if key.strip()]
    return named
