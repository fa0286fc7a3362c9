"""The `metamerlib` command. Everything heavy is imported by the command that needs it, so that --help is quick."""

import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from metamerbook.cli.options import OTHERS, Photos, Profile, Scheduler, Size, Store, keys_and_values, with_study_options
from metamerbook.cli.zoo import Key, Zoo, load_images, print_table, zoo_app
from metamerlib.checks import file_path
from metamerlib.system import atomic_write

if TYPE_CHECKING:
    import pandas as pd

    from metamerbook.study.settings import StudySettings

_DEBUG = "METAMERLIB_DEBUG"


class _PlainErrors(TyperGroup):
    """Turns errors that a user can mend into one line and exit code 2; $METAMERLIB_DEBUG=1 shows the traceback."""

    def invoke(self, ctx: Any) -> Any:
        with warnings.catch_warnings():
            if not os.environ.get(_DEBUG):
                warnings.showwarning = _show_warning
            try:
                return super().invoke(ctx)
            except (typer.Exit, typer.Abort):
                raise
            except KeyboardInterrupt:
                typer.echo("\ninterrupted: the same command takes up where this one stopped.", err=True)
                raise typer.Exit(130) from None
            except BrokenPipeError:  # such as `metamerlib zoo list | head`
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                raise typer.Exit(1) from None
            except (ValueError, TypeError, LookupError, OSError, RuntimeError, ImportError) as error:
                if os.environ.get(_DEBUG):
                    raise
                # The text of a KeyError is the repr of its message.
                message = error.args[0] if isinstance(error, KeyError) and error.args else error
                notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
                typer.echo(f"metamerlib: {message or type(error).__name__}{notes}", err=True)
                raise typer.Exit(2) from None


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    typer.echo(f"warning: {message}", err=True)


app = typer.Typer(
    name="metamerlib",
    cls=_PlainErrors,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Ensemble metamers of neural networks: make them, and measure how recognizable and how natural they are.",
)
stimuli_app = typer.Typer(help="The images that metamers are made of.", no_args_is_help=True)
app.add_typer(zoo_app, name="zoo")
app.add_typer(stimuli_app, name="stimuli")


@app.command(epilog=OTHERS)
@with_study_options(photographs_needed=True)
def run(
    settings: "StudySettings",
    store: Store = None,
    scheduler: Scheduler = None,
    pictures: Annotated[Path | None, typer.Option(help="Folder to write every metamer into, as PNG.")] = None,
    csv: Annotated[Path | None, typer.Option(help="File to write the table of all evaluators into.")] = None,
) -> None:
    """Make metamers and measure how recognizable they are; what was computed before is found again.

    \b
    Examples:
      metamerlib run
      metamerlib run --set CNN --set "Robust CNNs" --stage late
      metamerlib run --set mine=resnet18,vgg19 --repetitions 400
      metamerlib run --set vgg19 -o optimizer=Adam -o learning_rate=0.02
      metamerlib run --preset fast
      metamerlib run --photos ~/pictures --size 64 --pictures metamers/
      metamerlib run --profile paper --scheduler tcp://10.0.0.5:8786
    """  # noqa: D301 - the mark keeps the lines apart in --help
    from metamerbook.ensembles.recognizability import mean_recognizability, recognizability, residuals, write_pictures
    from metamerbook.study.study import Study

    study = Study(settings, store=store, scheduler=scheduler)
    typer.echo(study.describe() + "\n")
    table = recognizability(study)
    means, of_metamers = mean_recognizability(table), residuals(study)
    written = _write(table, csv)
    if pictures is not None:
        pictures = file_path(pictures, "--pictures")
        written += f"{write_pictures(study, pictures)} metamers in {pictures}\n"
    print_table(means[means["evaluators"] == "all"].drop(columns="evaluators"), "Mean recognizability over evaluators")
    print_table(of_metamers, "Residuals ‖a'−a‖ / ‖a‖ at the end")
    typer.echo(written, nl=False)


@app.command(epilog=OTHERS)
@with_study_options(photographs_needed=False)
def plan(
    settings: "StudySettings",
    store: Store = None,
    probe: Annotated[bool, typer.Option("--probe/--no-probe", help="Time some networks; without, no time.")] = True,
    seconds: Annotated[float, typer.Option(help="How long to time networks.")] = 10.0,
    csv: Annotated[Path | None, typer.Option(help="File to write the table into, unrounded.")] = None,
) -> None:
    """Say what `run` and `book` would compute with these options, before it runs.

    \b
    One line per part:
      results  what it keeps; found: those of them that the store has
      updates  of images, once for each network
      FLOP     floating point operations of passes through networks
      time     for what the store lacks, on this device, from timed updates
      disk     for what the store lacks, roughly

    Neither weights nor photographs are needed: what is not here is counted as if it were. What costs too much can be
    made smaller by its own settings, such as -o mixed_sets=20 or -o mixed_repetitions=100.

    \b
    Examples:
      metamerlib plan --profile paper
      metamerlib plan --profile paper --set CNN --stage late --n-per-class 5 --device cuda
      metamerlib plan --profile paper --photos ~/ilsvrc --csv plan.csv
      metamerlib plan --no-probe -o mixed_sets=20
    """  # noqa: D301 - the mark keeps the lines apart in --help
    from metamerbook.plan import plan_study
    from metamerbook.study.study import Study

    found = plan_study(Study(settings, store=store), seconds=seconds if probe else None)
    written = _write(found.table, csv)
    typer.echo(found.description + "\n")
    print_table(found.for_people(), f"On {found.device}, with the store {found.store}")
    typer.echo("\n".join([*found.summary(), *(f"- {note}" for note in found.notes), written]).rstrip())


def _write(table: "pd.DataFrame", path: Path | None) -> str:
    """Write a table, if asked to, before anything is printed, which a closed pipe can end; return what to print."""
    if path is None:
        return ""
    path = file_path(path, "--csv")  # shells leave the ~ of --csv=~/table.csv as it is
    with atomic_write(path) as draft:
        table.to_csv(draft, index=False)
    return f"{len(table)} rows in {path}\n"


@app.command()
def train(
    keys: Annotated[list[str] | None, typer.Argument(help="Which miniatures; all where none is named.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Where weights and card go; the bundled zoo's folder.")] = None,
    work_folder: Annotated[Path, typer.Option(help="Where checkpoints are kept.")] = Path("build/zoo"),
    workers: Annotated[int | None, typer.Option(help="Networks trained at once; one per core by default.")] = None,
    device: Annotated[str, typer.Option(help="Where to train.")] = "cpu",
    force: Annotated[bool, typer.Option("--force", help="Train anew what is there.")] = False,
) -> None:
    """Train networks of the miniature zoo from scratch; an interrupted training is taken up again.

    \b
    Examples:
      metamerlib train resnet18
      metamerlib train --workers 2
    """  # noqa: D301 - the mark keeps the lines apart in --help
    from metamerlib.models.training import train_zoo

    train_zoo(keys or None, folder=folder, work_folder=work_folder, workers=workers, device=device, force=force)


@app.command()
def layers(
    model: Key,
    modules: Annotated[bool, typer.Option("--modules", help="List every module that can be tapped.")] = False,
    zoo: Zoo = "mini",
) -> None:
    """List a network's blocks from the image to the logits, and which one each stage taps.

    \b
    Examples:
      metamerlib layers vgg19
      metamerlib layers vit_base --modules
      metamerlib layers resnet50 --zoo paper
    """  # noqa: D301 - the mark keeps the lines apart in --help
    from metamerlib.models import STAGES, ModelZoo
    from metamerlib.models.stages import block_at

    networks = ModelZoo(zoo)
    blocks, network = networks.blocks(model), networks.build(model)
    tapped = {block_at(blocks, depth): stage for stage, depth in STAGES.items()}
    names = [name for name, _ in network.named_modules() if name] if modules else blocks
    for name in names:
        number = f"{blocks.index(name) + 1:3d}" if name in blocks else "   "
        mark = f"{tapped[name]} ({STAGES[tapped[name]]:.0%})" if name in tapped else ""
        typer.echo(f"{number}  {name:32} {type(network.get_submodule(name)).__name__:22} {mark}".rstrip())


@stimuli_app.command("sheet")
def stimuli_sheet(
    out: Annotated[Path, typer.Option(help="PNG file to write.")] = Path("stimuli.png"),
    n_per_class: Annotated[int, typer.Option(min=1, help="Images per category.")] = 4,
    photos: Photos = None,
    size: Size = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the images.")] = 0,
) -> None:
    """Write a contact sheet of the stimuli, one row per category.

    \b
    Examples:
      metamerlib stimuli sheet
      metamerlib stimuli sheet --photos ~/pictures --size 128 --out mine.png
    """  # noqa: D301 - the mark keeps the lines apart in --help
    from PIL import Image
    from torchvision.utils import make_grid

    stimuli = load_images(photos, n_per_class, seed, size)
    grid = make_grid(stimuli.images, nrow=n_per_class, padding=2, pad_value=1.0)
    out = file_path(out, "--out")
    with atomic_write(out) as draft:
        Image.fromarray(grid.mul(255).round().byte().permute(1, 2, 0).numpy()).save(draft)
    rows = dict.fromkeys(stimuli.category_names)
    typer.echo(f"{out}: {len(stimuli)} images; rows from the top: {', '.join(rows)}")


@app.command()
def book(
    chapters: Annotated[list[str] | None, typer.Argument(help="Names or numbers; all where none is named.")] = None,
    profile: Profile = "mini",
    force: Annotated[bool, typer.Option("--force", help="Execute also what is up to date.")] = False,
    html: Annotated[bool, typer.Option("--html/--no-html", help="Build the pages after executing.")] = True,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="A chapter's parameter, as KEY=VALUE. Repeat.")
    ] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", help="Chapters at a time; two, or one for paper.")] = None,
    scheduler: Scheduler = None,
) -> None:
    """Execute the book's chapters and build its pages; chapters that are up to date are left alone.

    \b
    Examples:
      metamerlib book
      metamerlib book 05 --profile smoke -p 'stages=["late"]'
    """  # noqa: D301 - the mark keeps the lines apart in --help
    from metamerbook.build import build_book

    parameters = keys_and_values(parameter, "-p")
    if scheduler is not None:
        os.environ["METAMERLIB_SCHEDULER"] = scheduler
    build_book(profile=profile, chapters=chapters or None, force=force, html=html, parameters=parameters, jobs=jobs)


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("METAMERLIB_WORKERS", "auto")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # no letter that a terminal's code page lacks ends a finished run
            stream.reconfigure(errors="replace")
    app()
