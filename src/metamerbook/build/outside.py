"""What chapters take from outside the repository: a profile of one's own, photographs, downloaded networks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from metamerlib.system import profile_files, weights_folder

_PASSING = (".tmp", ".part", ".incoming", ".json")  # a download under way, and the cache's own notes
_PATHS = ("profile", "root")
"""Parameters that may name a file or a folder: chapters run in another folder than whoever names it."""


def absolute_paths(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Make relative paths among parameters absolute.

    Parameters
    ----------
    parameters : mapping of str to Any
        Values for the chapters; a profile may be a name or the path of a file.

    Returns
    -------
    dict
        The same, with absolute paths where something lies there.
    """
    found = dict(parameters)
    for name in _PATHS:
        value = found.get(name)
        if not isinstance(value, str | os.PathLike) or (name == "profile" and str(value) in profile_files()):
            continue
        path = Path(value).expanduser()
        found[name] = str(path.absolute() if path.exists() else value)
    return found


def has_large_networks(profile: str) -> bool:
    """Tell whether a profile runs the paper's networks at their full size.

    Parameters
    ----------
    profile : str
        Its name, or an absolute path.

    Returns
    -------
    bool
        False also where there is no such profile, which the first chapter complains about.
    """
    return str(_settings(profile).get("zoo", "mini")) != "mini"


def state_outside(parameters: Mapping[str, Any]) -> str:
    """Hash what a run finds outside the repository, as far as chapters depend on it.

    Parameters
    ----------
    parameters : mapping of str to Any
        As `absolute_paths` returns them.

    Returns
    -------
    str
        SHA-256 of the profile's text, and of the names, sizes and times of the photographs and, where the profile has
        the paper's networks, of the downloaded weights.
    """
    profile = str(parameters.get("profile", "mini"))
    digest, file = hashlib.sha256(), profile_files().get(profile, Path(profile))
    digest.update(file.read_bytes() if file.is_file() else b"")
    folders = [parameters.get("root") or _settings(profile).get("root")]
    if has_large_networks(profile):
        torch_home = os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
        folders += [weights_folder(), Path(torch_home) / "hub" / "checkpoints"]
    for folder in filter(None, folders):
        for line in _listing(Path(folder).expanduser()):
            digest.update(line.encode())
    return digest.hexdigest()


def _settings(profile: str) -> dict[str, Any]:
    file = profile_files().get(profile, Path(profile))
    try:
        values = yaml.safe_load(file.read_text(encoding="utf8")) if file.is_file() else {}
    except yaml.YAMLError:  # the first chapter says what is wrong with it
        values = {}
    return values if isinstance(values, dict) else {}


def _listing(folder: Path) -> Iterator[str]:
    for place, below, names in os.walk(folder, followlinks=True):
        below.sort()
        for name in sorted(names):
            if not name.startswith(".") and not name.endswith(_PASSING):
                found = os.stat(os.path.join(place, name))
                yield f"{os.path.relpath(place, folder)}/{name} {found.st_size} {found.st_mtime_ns}\n"
