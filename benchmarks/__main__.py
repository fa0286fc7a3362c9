"""Run the benchmarks: `python -m benchmarks --help`."""

import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Annotated

import torch
import typer

from benchmarks import BENCHMARKS, ON_REQUEST
from benchmarks.report import markdown, out_of_bounds, surroundings, write

HELP = """Measure the solver's speed and memory beside a bare loop and beside other implementations.

Prints a table per benchmark and writes it below the output folder as CSV and, all of them together, in report.md, \
with pictures beside it. Ends with status 1, naming the lines, if a ratio is above its bound; ratios are ours divided \
by the other's.

update: time per update against a bare loop.

memory: peak against the bare loop's, and its growth over 500 updates.

peers: against the loop of Feather et al. and plenoptic's Metamer, to the same residual.

presets: residual, recognizability and image metrics of the paper's preset and of fast ones, by updates and seconds, \
for five sets and stages. It takes an hour and runs only if it is named.

precision: residual and recognizability of metamers made in bfloat16, beside float32's. It takes ten minutes and runs \
only if it is named.

The others take some minutes on two cores. Keep the machine quiet meanwhile: ratios are taken between neighbours in \
time, but they spread when other programs run.
"""


def main(
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(BENCHMARKS)}; may be repeated.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Less of everything, to see that it runs; bounds do not count.")
    ] = False,
    device: Annotated[
        str, typer.Option(help="cpu, cuda, or auto: the CPU, and CUDA as well where there is such a device.")
    ] = "auto",
    output: Annotated[Path, typer.Option(help="Folder for tables and pictures.")] = Path("build/benchmarks"),
) -> None:
    """Run benchmarks and report on them."""
    unknown = set(only or ()) - set(BENCHMARKS)
    if unknown:
        raise typer.BadParameter(f"{sorted(unknown)}: give one of {', '.join(BENCHMARKS)}", param_hint="--only")
    devices = _devices(device)
    output.mkdir(parents=True, exist_ok=True)
    for name, text in surroundings().items():
        typer.echo(f"{name}: {text}")
    tables, failures, began = {}, [], time.monotonic()
    for name in only or [name for name in BENCHMARKS if name not in ON_REQUEST]:
        module = import_module(f"benchmarks.{name}")
        title = module.__doc__.splitlines()[0].rstrip(".")
        for place in devices:
            table = module.run(output, quick=quick, device=place)
            typer.echo("\n" + markdown(f"{title} ({place})", table))
            tables[module.NAME, place] = title, table
            failures += out_of_bounds(module.NAME, place, table)
    verdict = _verdict(failures, quick)
    path = write(output, tables, verdict)
    typer.echo(f"{verdict}\n{time.monotonic() - began:.0f} s; tables and pictures are in {path.parent}")
    if failures and not quick:
        sys.exit(1)


def _devices(device: str) -> list[str]:
    available = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    if device != "auto" and device not in available:
        raise typer.BadParameter(
            f"{device!r} cannot be used here: give auto or one of {', '.join(available)}", param_hint="--device"
        )
    return available if device == "auto" else [device]


def _verdict(failures: list[str], quick: bool) -> str:
    if quick:
        return "A quick look: nothing here is a measurement."
    return "Out of bounds:\n" + "\n".join(f"- {line}" for line in failures) if failures else "All ratios are in bounds."


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(help=HELP)(main)
    app(prog_name="python -m benchmarks")
