"""What a chapter's result depends on, as one hash."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import metamerlib
from metamerbook.build.layout import BookLayout

_SOURCES = (".py", ".css", ".js")  # programs and styles that chapters carry with them are part of the package


def chapter_key(layout: BookLayout, source: Path, parameters: Mapping[str, Any], outside: str = "") -> str:
    """Hash everything that decides what a chapter shows.

    Parameters
    ----------
    layout : BookLayout
        The book.
    source : Path
        The chapter's `.py` file.
    parameters : mapping of str to Any
        The values that are handed to it.
    outside : str
        What it finds outside the repository: `metamerbook.build.outside.state_outside`.

    Returns
    -------
    str
        SHA-256, hexadecimal, of: source, parameters, what is outside, the package's own files, `notebooks/profiles`,
        `data`, `constraints.txt`, and the versions of Python and of the packages that compute.
    """
    digest = hashlib.sha256()
    digest.update(json.dumps(dict(parameters), sort_keys=True, default=repr).encode())
    digest.update(json.dumps(_versions(), sort_keys=True).encode())
    digest.update(outside.encode())
    package = Path(metamerlib.__file__).parent
    files = [
        source,
        layout.root / "constraints.txt",
        *sorted(path for path in package.rglob("*") if path.suffix in _SOURCES),
        *sorted((layout.notebooks / "profiles").glob("*.yml")),
        *sorted((layout.root / "data").rglob("*")),
    ]
    for file in files:
        if file.is_file():
            base = package if file.is_relative_to(package) else layout.root
            digest.update(str(file.relative_to(base)).encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


@cache
def _versions() -> dict[str, str]:
    """Versions of Python and of the packages that the installed library requires to compute."""
    required = importlib.metadata.requires("metamerlib") or []
    names = sorted(re.match(r"[\w.-]+", line).group() for line in required if "extra ==" not in line)
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in names}
