"""Keep every chapter's `.ipynb` equal to its `.py`, which is the one that is written by hand.

`python -m metamerbook.build.pairing --check` names the pairs that differ and ends with 1 if there are any;
`--write` makes the `.ipynb` files anew. Neither looks at modification times, which a checkout sets at will.
"""

import argparse
import json
import sys
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from metamerbook.build.requests import book_root, declared_parameters


def paired_notebook(source: Path) -> str:
    """Make the `.ipynb` text of a chapter: the same cells, numbered, without outputs; it depends on nothing else."""
    notebook = jupytext.read(source)
    declared_parameters(notebook, source.name)
    notebook.metadata = NotebookNode(
        jupytext=NotebookNode(formats="ipynb,py:percent"),
        kernelspec=NotebookNode(display_name="Python 3", language="python", name="python3"),
        language_info=NotebookNode(name="python"),
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{number}"
        cell.metadata.pop("lines_to_next_cell", None)
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def unpaired(folder: Path) -> list[str]:
    """Say of every pair of a folder what is wrong with it."""
    problems = []
    for stem in sorted({path.stem for path in folder.glob("[0-9][0-9]_*.*")}):
        source, notebook = folder / f"{stem}.py", folder / f"{stem}.ipynb"
        if not source.exists():
            problems.append(f"{notebook.name} has no {source.name} beside it.")
        elif not notebook.exists():
            problems.append(f"{source.name} has no {notebook.name} beside it.")
        elif json.loads(notebook.read_text(encoding="utf8")) != json.loads(paired_notebook(source)):
            problems.append(f"{notebook.name} is not what {source.name} says.")
    return problems


def main(arguments: list[str] | None = None) -> int:
    """Check or write the pairs of the repository's chapters; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m metamerbook.build.pairing", description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true", help="name the pairs that differ")
    action.add_argument("--write", action="store_true", help="make every .ipynb from its .py")
    parser.add_argument("--folder", type=Path, help="folder of the chapters (the repository's notebooks/)")
    options = parser.parse_args(arguments)
    folder = options.folder or book_root() / "notebooks"
    if options.write:
        for source in sorted(folder.glob("[0-9][0-9]_*.py")):
            source.with_suffix(".ipynb").write_text(paired_notebook(source), encoding="utf8")
    problems = unpaired(folder)
    if problems:
        advice = "The .py is the one that counts. Where the .ipynb is newer: jupytext --to py:percent NOTEBOOK; then "
        print(*problems, advice + "python -m metamerbook.build.pairing --write", sep="\n", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
