"""What is asked of the book, checked before anything is executed: chapters, their parameters, what they depend on."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from papermill.translators import PythonTranslator

import metamerlib
from metamerbook.study.profiles import profile_files
from metamerlib.checks import names, near, shown
from metamerlib.system import repository_root

_BUNDLED = ("smoke", "mini")  # profiles that need nothing from outside the repository


class ChapterError(RuntimeError):
    """A chapter could not be executed, or was asked for something that it does not have."""


class ChapterRequestError(ChapterError, ValueError):
    """A chapter or a parameter was asked for that the book does not have."""


def book_root() -> Path:
    """Return the repository that holds the book's sources, and that the package runs from."""
    root = repository_root()
    if root is None:
        raise FileNotFoundError(
            "The book is built from a clone of the repository, and metamerlib is installed without one. "
            "Install it from the clone (`pip install -e '.[book]'`), or pass root=."
        )
    return root


def executed_folder(root: Path, output: Path | None = None) -> Path:
    """Return the folder of the executed chapters; below it the paths are those of the sources."""
    return (output or root / "build") / "executed"


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
    parameters = json.dumps(dict(values), sort_keys=True)
    return hashlib.sha256(f"{package} {parameters} {source.name} ".encode() + source.read_bytes()).hexdigest()


def package_digest(root: Path) -> str:
    packages = Path(metamerlib.__file__).parents[1]
    files = [root / "constraints.txt", *(root / "notebooks" / "profiles").glob("*.yml"), *(root / "data").rglob("*")]
    for name in ("metamerlib", "metamerbook"):
        files += [path for path in (packages / name).rglob("*") if path.suffix != ".pyc"]
    digest = hashlib.sha256()
    for file in sorted(filter(Path.is_file, files)):
        digest.update(f"{file.name} ".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def chosen_chapters(root: Path, chapters: Sequence[str] | None) -> list[Path]:
    """Return the sources of the chapters that were named, in the book's order."""
    every = sorted((root / "notebooks").glob("[0-9][0-9]_*.py"))
    if not every:
        raise ChapterRequestError(f"No chapter in {root / 'notebooks'}: expected files such as 01_introduction.py.")
    if chapters is None:
        return every
    wanted = set()
    for name in names([chapters] if isinstance(chapters, str) else chapters, "chapters"):
        asked = name.removesuffix(".py").removesuffix(".ipynb")
        found = [source for source in every if asked.zfill(2) in (source.stem, source.stem[:2])]
        if not found:
            raise ChapterRequestError(f"No chapter {shown(name)}.{_choices(asked, [one.stem for one in every])}")
        wanted.update(found)
    return [source for source in every if source in wanted]


def plain_parameters(profile: Mapping[str, Any], parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return parameters as text, numbers, truth values, None, lists and mappings, which a source can hold.

    Paths are made absolute: chapters run in another folder than whoever names a profile's file or photographs.
    """
    if not isinstance(parameters, Mapping | None):
        raise TypeError(f"parameters is {shown(parameters)}: give a mapping of names to values.")
    try:
        plain = json.loads(json.dumps({**profile, **(parameters or {})}))
    except (TypeError, ValueError) as error:
        raise TypeError(f"parameters is {shown(parameters)}: give names and values of plain JSON ({error}).") from error
    for name in ("profile", "root"):
        value = plain.get(name)
        if isinstance(value, str) and value not in profile_files() and Path(value).expanduser().exists():
            plain[name] = str(Path(value).expanduser().absolute())
    return plain


def refuse_unknown(given: Mapping[str, Any], declared: Mapping[Path, Iterable[str]]) -> None:
    """Raise where a parameter would reach no chapter; papermill itself would only warn."""
    known = sorted({name for names in declared.values() for name in names})
    for name in given:
        if name not in known:
            where = ", ".join(source.stem for source in declared)
            raise ChapterRequestError(f"Unknown parameter {shown(name)} of {where}.{_choices(name, known)}")


def _choices(asked: str, known: Sequence[str]) -> str:
    return f"{near(asked, known)} There are: {', '.join(known) or 'none'}."
