"""Tables as Markdown and CSV, what they were measured on, and the lines that are out of bounds."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd
import torch

_PACKAGES = ("metamerlib", "torch", "torchvision", "timm", "plenoptic")
_RATIOS = ("ratio", "low", "high", "bound")


def surroundings() -> dict[str, str]:
    """Describe what is measured on.

    Returns
    -------
    dict of str to str
        Date, processor, threads, GPU, and versions.
    """
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none, so that nothing is measured on one"
    versions = {name: _version(name) for name in _PACKAGES}
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "processor": f"{_processor()}, {_cores()} cores to use, {torch.get_num_threads()} threads",
        "GPU": gpu,
        "versions": f"Python {platform.python_version()}, " + ", ".join(f"{n} {v}" for n, v in versions.items()),
    }


def out_of_bounds(name: str, device: str, table: pd.DataFrame) -> list[str]:
    """Name the lines whose ratio is above their bound.

    Parameters
    ----------
    name, device
        Of the benchmark.
    table
        As a benchmark returns it. Tables without the columns ratio and bound have no bounds.

    Returns
    -------
    list of str
        One text per line; a ratio that is not a number is out of any bound.
    """
    if not {"ratio", "bound"} <= set(table.columns):
        return []
    bounded = table[table["bound"].notna()]
    failing = bounded[~(bounded["ratio"] <= bounded["bound"])]
    return [
        f"{name} ({device}): {row['line']}, {row['unit']}: ratio {row['ratio']:.3f} is above {row['bound']:.2f}"
        for _, row in failing.iterrows()
    ]


def markdown(title: str, table: pd.DataFrame) -> str:
    """Write a table in Markdown.

    Parameters
    ----------
    title
        Its heading.
    table
        As a benchmark returns it.

    Returns
    -------
    str
        Heading and table, ending in a line break.
    """
    cells = [[str(name) for name in table.columns], ["---"] * len(table.columns)]
    cells += [[_shown(*pair) for pair in zip(row, table.columns, strict=True)] for row in table.itertuples(index=False)]
    return f"## {title}\n\n" + "".join(f"| {' | '.join(row)} |\n" for row in cells)


def write(output: Path, tables: Mapping[tuple[str, str], tuple[str, pd.DataFrame]], verdict: str) -> Path:
    """Write all tables, each as CSV and together in one Markdown file.

    Parameters
    ----------
    output
        Folder.
    tables
        (name, device) of each benchmark to its title and table.
    verdict
        Closes the Markdown file.

    Returns
    -------
    Path
        The Markdown file.
    """
    parts = ["# Benchmarks\n", "".join(f"- {name}: {text}\n" for name, text in surroundings().items())]
    for (name, device), (title, table) in tables.items():
        table.to_csv(output / f"{name}-{device}.csv", index=False)
        parts.append(markdown(f"{title} ({device})", table))
    path = output / "report.md"
    path.write_text("\n".join([*parts, verdict + "\n"]), "utf8")
    return path


def _shown(value: object, column: str) -> str:
    if isinstance(value, float):
        if value != value:
            return ""
        if column in _RATIOS:
            return f"{value:.2f}"
        return f"{value:#.3g}" if abs(value) < 100 else f"{value:.0f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    """Name the processor as Linux does; elsewhere by its architecture."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
