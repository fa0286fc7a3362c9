"""`metamerlib zoo`: which networks there are, their weights, and whether they do what is published of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metamerbook.cli.options import Photos

if TYPE_CHECKING:
    from metamerlib.stimuli import StimulusSet

zoo_app = typer.Typer(
    help="The networks: which there are, their weights, and what is known about them.", no_args_is_help=True
)

Zoo = Annotated[str, typer.Option(help="mini, paper or paper-untrained.")]
Key = Annotated[str, typer.Argument(help="Key of a network, such as resnet18.")]
Keys = Annotated[list[str] | None, typer.Argument(help="Keys of networks; without, all that there are.")]
Folder = Annotated[
    Path | None, typer.Option(help="Of the weights; default $METAMERLIB_WEIGHTS, else ~/.cache/metamerlib/weights.")
]

_LISTED = {
    "mini": ["key", "table_name", "family", "robust", "available", "parameters", "accuracy", "robust_accuracy"],
    "paper": ["key", "table_name", "available", "megabytes", "accuracy", "source", "licence"],
}

_NOTES = {
    "paper": """
megabytes of 1024² bytes, those of weights that are not here as published or estimated; accuracy is the published one
among ImageNet's 1000 classes (`metamerlib zoo verify` measures).""",
    "paper-untrained": "\nall weights are random: these networks cost what the trained ones cost, and compute nonsense",
}

_TRUST = {
    "published": "as published",
    "server": "as its server names it",
    "first use": "trusted on first use: no hash is published",
}


@zoo_app.command("list")
def zoo_list(zoo: Zoo = "mini", folder: Folder = None) -> None:
    """List every network: what it is, where its weights come from, whether they are here, accuracy.

    \b
    Examples:
      metamerlib zoo list
      metamerlib zoo list --zoo paper
    """  # noqa: D301 - the mark keeps the lines apart in --help
    from metamerlib.models import ModelZoo

    networks = ModelZoo(zoo, weights=folder)
    print_table(networks.table()[_LISTED["mini" if zoo == "mini" else "paper"]])
    if note := _NOTES.get(zoo):
        typer.echo(note)
    if networks.missing:
        command = "train KEY` makes" if zoo == "mini" else "zoo fetch` fetches"
        typer.echo(f"\nwithout weights: {', '.join(networks.missing)} (`metamerlib {command} them)")


@zoo_app.command("show")
def zoo_show(key: Key, zoo: Zoo = "mini", folder: Folder = None) -> None:
    """Show all that is known about one network.

    \b
    Examples:
      metamerlib zoo show resnet18_robust
      metamerlib zoo show resnet18_robust --zoo paper
    """  # noqa: D301 - the mark keeps the lines apart in --help
    from metamerlib.models import ModelZoo
    from metamerlib.models.downloads import WeightsCache

    networks = ModelZoo(zoo, weights=folder)
    networks.blocks(key)  # names the near keys if there is no such network
    table, stages = networks.table().set_index("key"), networks.stage_table().set_index("key")
    if key not in table.index:
        raise ValueError(f"{key!r} is a further training beside the paper's networks: nothing is tabulated about it.")
    facts = {"key": key, **table.loc[key], **stages.loc[key].drop("table_name")}
    facts["model sets"] = ", ".join(name for name, keys in networks.model_sets.items() if key in keys) or "none"
    for name, value in facts.items():
        shown = "-" if value is None or value != value else f"{value:.3f}" if isinstance(value, float) else value
        typer.echo(f"{name.replace('_', ' '):18} {shown}")
    if zoo == "paper" and not facts["available"]:
        typer.echo(f"\n`metamerlib zoo fetch {key}` fetches the weights. {WeightsCache(folder).by_hand(key)}")


@zoo_app.command("fetch")
def zoo_fetch(
    keys: Keys = None,
    folder: Folder = None,
    force: Annotated[bool, typer.Option("--force", help="Download anew what is here.")] = False,
) -> None:
    """Download the published weights of the paper's networks; what is here is kept, what broke off goes on.

    \b
    Examples:
      metamerlib zoo fetch
      metamerlib zoo fetch resnet18 vit_base_robust
    """  # noqa: D301 - the mark keeps the lines apart in --help
    from metamerlib.models import CorruptWeightsError, DownloadError, ModelZoo, fetch

    zoo = ModelZoo("paper", weights=folder)
    for key in keys or []:
        zoo.blocks(key)  # names the near keys if there is no such network
    failed = []
    for key in keys or zoo.table()["key"]:
        try:
            found = fetch(key, folder=folder, force=force)
        except (DownloadError, CorruptWeightsError) as error:
            failed.append(key)
            typer.echo(f"metamerlib: {error}", err=True)
            continue
        if file := found.get(key):
            trust = f"SHA-256 {file.sha256} ({_TRUST[file.trust]})"
            typer.echo(f"{key}: {file.path}, {file.bytes / 2**20:.1f} MB, {trust}")
        else:
            typer.echo(f"{key}: only initialised, no weights to fetch")
    if failed:
        typer.echo(f"metamerlib: not fetched: {', '.join(failed)}", err=True)
        raise typer.Exit(2)


@zoo_app.command("verify")
def zoo_verify(
    keys: Keys = None,
    photos: Photos = None,
    zoo: Zoo = "paper",
    n_per_class: Annotated[int | None, typer.Option(min=1, help="Images per category.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the images.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    folder: Folder = None,
) -> None:
    """Measure clean accuracy beside the published one; names networks whose normalisation is likely wrong.

    \b
    Examples:
      metamerlib zoo verify --photos ~/ILSVRC2012/val
      metamerlib zoo verify resnet18 --photos ~/ILSVRC2012/val --n-per-class 5
    """  # noqa: D301 - the mark keeps the lines apart in --help
    from metamerlib.models import ModelZoo

    if photos is None and zoo != "mini":
        raise ValueError("--photos is missing: these networks know photographs; give a folder of them.")
    networks = ModelZoo(zoo, device=device, weights=folder)
    stimuli = load_images(photos, n_per_class, seed, None)
    table = networks.verify(stimuli, keys or None)
    print_table(table.drop(columns="suspicion"), f"{len(stimuli)} images")
    if not keys and networks.missing:
        typer.echo(f"not measured, for want of weights: {', '.join(networks.missing)}")
    suspected = [f"{row.key}: {row.suspicion}" for row in table.itertuples() if row.suspicion]
    typer.echo("\n".join(suspected) or "no network is suspected")
    if suspected:
        raise typer.Exit(1)


def load_images(photos: Path | None, n_per_class: int | None, seed: int, size: int | None) -> "StimulusSet":
    """Draw images, or read them from a folder of either kind."""
    from metamerlib.stimuli import holds_validation_images, load_stimuli

    kind = "objects16" if photos is None else "imagenet16" if holds_validation_images(photos) else "folder"
    return load_stimuli(kind, n_per_class=n_per_class, seed=seed, size=size, root=photos)


def print_table(table: Any, title: str = "") -> None:
    """Print a table as text, under a title."""
    known = table.astype(object).where(table.notna(), "-")
    shown = known.to_string(index=False, float_format="{:.3f}".format)
    typer.echo(f"{title}\n{shown}\n" if title else shown)
