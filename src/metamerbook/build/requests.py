"""What is asked of the book, checked before anything is executed: chapters, their parameters, what they depend on."""

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from papermill.translators import PythonTranslator

import metamerlib
from metamerbook.build.layout import BookLayout
from metamerbook.study.profiles import profile_files
from metamerlib.checks import entries_of, shown

_SOURCES = (".py", ".css", ".html", ".js")  # programs and styles that chapters carry with them are part of the package
_BUNDLED = ("smoke", "mini")  # profiles that need nothing from outside the repository


class ChapterError(RuntimeError):
    """A chapter could not be executed, or was asked for something that it does not have."""


class ChapterRequestError(ChapterError, ValueError):
    """A chapter or a parameter was asked for that the book does not have."""


def has_parameters(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", [])


def declared_parameters(notebook: NotebookNode, name: str) -> list[str]:
    """List the variables that the notebook's one `parameters` cell assigns, as papermill finds them."""
    cells = [cell for cell in notebook.cells if has_parameters(cell)]
    if len(cells) != 1:
        raise ValueError(f"{name} has {len(cells)} cells tagged `parameters`; a chapter has exactly one.")
    return [parameter.name for parameter in PythonTranslator.inspect(cells[0])]


def chapter_key(package: str, source: Path, values: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a chapter's result depends on; empty where it depends on what is outside."""
    if values.get("profile") not in _BUNDLED or values.get("root"):
        return ""
    parameters = json.dumps(dict(values), sort_keys=True, default=repr)
    return hashlib.sha256(f"{package} {parameters} {source.name} ".encode() + source.read_bytes()).hexdigest()


def package_digest(layout: BookLayout) -> str:
    packages = Path(metamerlib.__file__).parents[1]
    files = [
        layout.root / "constraints.txt",
        *(layout.notebooks / "profiles").glob("*.yml"),
        *(layout.root / "data").rglob("*"),
        *(path for name in ("metamerlib", "metamerbook") for path in (packages / name).rglob("*")),
    ]
    digest = hashlib.sha256()
    for file in sorted(files):
        if file.is_file() and (file.suffix in _SOURCES or not file.is_relative_to(packages)):
            digest.update(f"{file.name} ".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def absolute_paths(parameters: dict[str, Any]) -> dict[str, Any]:
    """Make paths absolute: chapters run in another folder than whoever names a profile's file or photographs."""
    for name in ("profile", "root"):
        value = parameters.get(name)
        if isinstance(value, str) and not (name == "profile" and value in profile_files()):
            path = Path(value).expanduser()
            parameters[name] = str(path.absolute() if path.exists() else value)
    return parameters


def chosen_chapters(layout: BookLayout, names: Sequence[str] | None) -> list[Path]:
    """Return the sources of the chapters that were named, in the book's order."""
    every = sorted(layout.notebooks.glob("[0-9][0-9]_*.py"))
    if not every:
        raise ChapterRequestError(f"No chapter in {layout.notebooks}: expected files such as 01_introduction.py.")
    if names is None:
        return every
    wanted = set()
    names = entries_of([names] if isinstance(names, str) else names, "chapters", "names or numbers")
    if not names:
        raise ChapterRequestError("chapters is [], which is empty: give names or numbers, or None for all.")
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"chapters is {shown(names)}: give names or numbers as text, such as '05'.")
        asked = name.removesuffix(".py").removesuffix(".ipynb")
        found = [source for source in every if asked in (source.stem, source.stem[:2])]
        if not found:
            raise ChapterRequestError(f"No chapter {shown(name)}. {_choices(asked, [one.stem for one in every])}")
        wanted.update(found)
    return [source for source in every if source in wanted]


def plain_parameters(parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """Refuse parameters that a notebook's source cannot hold; papermill would hand their representation on as text."""
    if parameters is not None and not isinstance(parameters, Mapping):
        raise TypeError(f"parameters is {shown(parameters)}: give a mapping of names to values.")
    for name, value in (parameters or {}).items():
        if not isinstance(name, str):
            raise TypeError(f"parameters is {shown(parameters)}: give names as text, not {shown(name)}.")
        if not _is_literal(value):
            raise TypeError(
                f"parameters has {name}={shown(value)}: give text, numbers, truth values, None, or lists and mappings "
                "of these."
            )
    return dict(parameters or {})


def _is_literal(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_literal, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_literal(entry) for key, entry in value.items())
    return value is None or isinstance(value, bool | int | float | str)


def refuse_unknown(given: Mapping[str, Any], declared: Mapping[Path, Iterable[str]]) -> None:
    """Raise where a parameter would reach no chapter; papermill itself would only warn."""
    known = sorted({name for names in declared.values() for name in names})
    for name in given:
        if name not in known:
            where = ", ".join(source.stem for source in declared)
            raise ChapterRequestError(f"Unknown parameter {shown(name)} of {where}. {_choices(name, known)}")


def _choices(asked: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(asked, known, n=1, cutoff=0.5)
    guess = f"Did you mean {close[0]!r}? " if close else ""
    return f"{guess}There are: {', '.join(known) or 'none'}."
