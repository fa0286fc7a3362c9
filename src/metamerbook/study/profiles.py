"""Profiles and settings as text: YAML whose plain values are read as its version 1.2 says."""

import re
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from metamerlib.checks import file_path, near, shown
from metamerlib.system import repository_root

_PLAIN = {
    "bool": "true|True|TRUE|false|False|FALSE",
    "null": "~|null|Null|NULL|",
    "int": "[-+]?[0-9]+",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
}


class _Loader(yaml.SafeLoader):
    """Reads `1e-2` as a number and `yes` as text, which YAML 1.1 does the other way round; refuses repeated keys."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - a name that yaml prescribes

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [repr(self.construct_object(key, deep=True)) for key, _ in node.value]
        for position, key in enumerate(keys):
            if key in keys[:position]:
                raise yaml.MarkedYAMLError(problem=f"the key {key} is there twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)


for _kind, _pattern in _PLAIN.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(f"^(?:{_pattern})$"), None)
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node)))


def read_yaml(text: str, what: str) -> Any:
    """Read YAML; `what` names it in the error."""
    try:
        return yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValueError(f"{what} is not valid YAML: {' '.join(str(error).split())}") from error


def data_folder(path: str) -> Path:
    """Find a folder of files that come with the package: the repository's, or an installed package's own copy."""
    if repository := repository_root():
        return repository / path
    return Path(str(resources.files("metamerlib"))) / "_bundled" / Path(path).name


def profile_files() -> dict[str, Path]:
    """List the profiles that come with the package, by name."""
    return {path.stem: path for path in sorted(data_folder("notebooks/profiles").glob("*.yml"))}


def read_profile(profile: str | Path) -> dict[str, Any]:
    """Read the keys and values of a profile: a name, or a YAML file."""
    named = profile_files()
    path = named.get(str(profile)) or file_path(profile, "profile")
    if not path.is_file() or path.suffix.lower() not in (".yml", ".yaml"):
        raise ValueError(
            f"profile {shown(str(profile))} does not exist.{near(profile, named)} Give one of {', '.join(named)}, or "
            "the path of a .yml file with the same keys."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"profile {path} is not UTF-8 (byte {error.start}): save it as UTF-8.") from None
    values = read_yaml(text, f"profile {path}")
    if values is not None and not isinstance(values, dict):
        raise ValueError(f"profile {path} holds a {type(values).__name__}: give lines of `key: value`.")
    return values or {}
