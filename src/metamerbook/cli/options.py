"""The options that describe a study, which several commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer

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
    *, sets: list[str] | None, stage: list[str] | None, photos: Path | None, option: list[str] | None, **settings: Any
) -> dict[str, Any]:
    """Turn options into the settings of a study.

    Parameters
    ----------
    sets, stage, photos
        As given to the options of these names.
    option
        Further settings, each as KEY=VALUE.
    settings
        Settings that are options of the same name.

    Returns
    -------
    dict
        As `Study.from_profile` takes them.
    """
    given = {name: value or None if isinstance(value, list) else value for name, value in settings.items()}
    return (
        dict(key_and_value(entry) for entry in option or [])
        | {"model_sets": _model_sets(sets), "stages": stage or None, "root": photos}
        | given
    )


def key_and_value(entry: str) -> tuple[str, Any]:
    """Read KEY=VALUE, the value as YAML.

    Parameters
    ----------
    entry
        The text.

    Returns
    -------
    tuple of str and object
        Key and value.

    Raises
    ------
    ValueError
        If it has another form.
    """
    import yaml

    key, equals, value = entry.partition("=")
    if not equals or not key.strip():
        raise ValueError(f"{entry!r} is not of the form KEY=VALUE.")
    return key.strip(), yaml.safe_load(value)


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
