"""`metamerlib plan`: what a study would compute, what it costs here, and what the store has of it."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metamerbook.cli.options import (
    Criterion,
    Device,
    Evaluators,
    Options,
    PerClass,
    Photos,
    Preset,
    Profile,
    Repetitions,
    Seed,
    Sets,
    Size,
    Stages,
    StepsPerModel,
    StoreFolder,
    study_settings,
)
from metamerbook.cli.zoo import print_table
from metamerlib.system import atomic_write

if TYPE_CHECKING:
    import pandas as pd

    from metamerbook.planning.plan import Plan


def plan(
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
    store: StoreFolder = None,
    probe: Annotated[bool, typer.Option("--probe/--no-probe", help="Time some networks; without, no hours.")] = True,
    seconds: Annotated[float, typer.Option(help="How long to time networks.")] = 10.0,
    json: Annotated[Path | None, typer.Option(help="File to write everything into, as JSON.")] = None,
    csv: Annotated[Path | None, typer.Option(help="File to write the table into, unrounded.")] = None,
) -> None:
    """Say what `run` and `book` would compute with these options, before it runs.

    \b
    One line per part:
      runs     results; found: those of them that the store has
      updates  of images, once for each network
      FLOP     floating point operations of passes through networks
      hours    for what the store lacks, on this device: some networks are
               timed for ten seconds, the others scaled by their FLOPs, so
               read the range rather than the number
      disk     for what the store lacks
      memory   of the part's largest generation, at least

    \b
    Neither weights nor photographs are needed: what is not here is counted
    as if it were. What costs too much can be made smaller by its own
    settings, such as -o mixed_sets=20 or -o mixed_repetitions=100.

    \b
    Examples:
      metamerlib plan
      metamerlib plan --profile paper
      metamerlib plan --profile paper --set CNN --stage late --n-per-class 5 --device cuda
      metamerlib plan --profile paper --photos ~/ilsvrc --json plan.json --csv plan.csv
      metamerlib plan --no-probe -o mixed_sets=20
    """  # noqa: D301 - the mark keeps the lines apart in --help
    from metamerbook.planning.plan import plan_study
    from metamerbook.study.study import Study

    settings = study_settings(
        sets=sets,
        stage=stage,
        photos=photos,
        option=option,
        size=size,
        n_per_class=n_per_class,
        seed=seed,
        preset=preset,
        repetitions=repetitions,
        steps_per_model=steps_per_model,
        evaluators=evaluator,
        criterion=criterion,
        device=device,
    )
    study = Study.from_profile(profile, store=store, photographs_needed=False, **settings)
    found = plan_study(study, seconds=seconds if probe else None)
    typer.echo(found.description + "\n")
    print_table(
        _for_people(found.table[found.table["runs"] > 0]), f"On {found.device}, with the store {study.store.root}"
    )
    for command, row in _for_people(found.totals(), first=("command",)).set_index("command").iterrows():
        typer.echo(
            f"metamerlib {command}: {row['runs']} results, {row['found']} of them in the store; {row['updates']} "
            f"updates, {row['FLOP']}FLOP; left to do: {row['hours']}, {row['disk']} of disk; memory {row['memory']} or "
            "more."
        )
    typer.echo("")
    for note in found.notes:
        typer.echo(f"- {note}")
    _write(found, json, csv)


def _write(found: "Plan", json: Path | None, csv: Path | None) -> None:
    if json is not None:
        with atomic_write(json) as draft:
            draft.write_text(found.to_json() + "\n", encoding="utf-8")
        typer.echo(f"everything in {json}")
    if csv is not None:
        with atomic_write(csv) as draft:
            found.table.to_csv(draft, index=False)
        typer.echo(f"{len(found.table)} rows in {csv}")


def _for_people(
    table: "pd.DataFrame", first: tuple[str, ...] = ("part", "model_set", "stage", "images")
) -> "pd.DataFrame":
    """Round a plan's numbers, and put units to them."""
    shown = table[[*first, "runs", "found"]].copy()
    shown["updates"] = table["updates"].map(_short).str.strip()
    shown["FLOP"] = table["flops"].map(_short)
    shown["hours"] = [_duration(*row) for row in table[["hours_left", "hours_low", "hours_high"]].to_numpy()]
    shown["disk"] = table["bytes_left"].map(lambda count: f"{_short(count)}B")
    shown["memory"] = table["memory"].map(lambda count: f"{_short(count)}B" if count else "")
    return shown.rename(columns={"model_set": "set"})


def _short(count: Any) -> str:
    """Write a large number with three digits and a prefix."""
    count = float(count)
    for prefix in ("", "k", "M", "G", "T", "P", "E"):
        if count < 999.5:
            return f"{count:.0f} {prefix}" if count >= 99.5 or not prefix else f"{count:.3g} {prefix}"
        count /= 1000
    return f"{count:.3g} Z"


def _duration(likely: float, low: float, high: float) -> str:
    if math.isnan(likely):
        return "-"
    if not likely:
        return "0"
    size, unit = next(
        ((size, unit) for size, unit in ((24.0, "d"), (1.0, "h"), (1 / 60, "min")) if likely >= 2 * size),
        (1 / 3600, "s"),
    )
    shown = [f"{hours / size:.0f}" if hours >= 10 * size else f"{hours / size:.2g}" for hours in (likely, low, high)]
    return f"{shown[0]} {unit} ({shown[1]} to {shown[2]})"
