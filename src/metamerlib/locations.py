"""Where the library's own files are: the repository, the default store, the profiles."""

import os
from importlib import resources
from pathlib import Path


def repository_root() -> Path | None:
    """Find the repository that the package runs from.

    Returns
    -------
    Path or None
        The folder that holds pyproject.toml and ``src/metamerlib``; None where the package is installed elsewhere.
    """
    root = Path(__file__).resolve().parents[2]
    is_repository = (root / "pyproject.toml").is_file() and (root / "src" / "metamerlib").is_dir()
    return root if is_repository else None


def default_store_root() -> Path:
    """Choose the folder of results that is used where none is named.

    Returns
    -------
    Path
        ``$METAMERLIB_STORE``; else ``build/store`` of the repository where the package runs from one; else
        ``~/.cache/metamerlib/store``.
    """
    if named := os.environ.get("METAMERLIB_STORE"):
        return Path(named)
    if repository := repository_root():
        return repository / "build" / "store"
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "metamerlib" / "store"


def weights_folder() -> Path:
    """Find the folder that published weights are kept in.

    Returns
    -------
    Path
        ``$METAMERLIB_WEIGHTS``, else ``~/.cache/metamerlib/weights``.
    """
    chosen = os.environ.get("METAMERLIB_WEIGHTS")
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "metamerlib" / "weights"


def batch_sizes_file() -> Path:
    """Name the file that notes how many images at once fit into the memory of this machine's devices.

    Returns
    -------
    Path
        ``~/.cache/metamerlib/batch-sizes.json``, whether or not it exists.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "metamerlib" / "batch-sizes.json"


def profile_files() -> dict[str, Path]:
    """List the profiles that come with the library.

    Returns
    -------
    dict
        Name to YAML file, from the repository's ``notebooks/profiles`` or, in an installed package, its own copy.
    """
    if repository := repository_root():
        folder = repository / "notebooks" / "profiles"
    else:
        folder = Path(str(resources.files("metamerlib") / "_bundled" / "profiles"))
    return {path.stem: path for path in sorted(folder.glob("*.yml"))}
