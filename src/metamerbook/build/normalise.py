"""Take out of an executed notebook what differs between two runs that computed the same."""

from __future__ import annotations

import re

from nbformat import NotebookNode

from metamerbook.build.kernel import LOG_MARK

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_TERMINAL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")  # colours, and the moves of the cursor between nested bars
_PROGRESS = re.compile(rf"\d+%\|.*\||\d+it \[|\[\d+:\d+<|^{LOG_MARK}")


def normalised(notebook: NotebookNode) -> NotebookNode:
    """Return an executed chapter as it goes into the book.

    Dropped are the records of papermill and jupytext, times, progress bars, logging, and the addresses in the
    default representations of objects; cells are numbered; the cell of injected parameters is not shown.
    A second run that computed the same then gives the same bytes. Other output to the error stream stays:
    see `complaints`.

    Parameters
    ----------
    notebook : NotebookNode
        An executed notebook, format 4. It is changed in place.

    Returns
    -------
    NotebookNode
        The same notebook.
    """
    specification = notebook.metadata.get("kernelspec", {})
    notebook.metadata = NotebookNode(
        kernelspec=NotebookNode(
            display_name="Python 3",
            language=specification.get("language", "python"),
            name="python3",
        ),
        language_info=NotebookNode(name="python"),
    )
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{number}"
        tags = cell.metadata.get("tags", [])
        cell.metadata = NotebookNode({k: v for k, v in cell.metadata.items() if k in ("tags", "mystnb")})
        if "injected-parameters" in tags and "remove-cell" not in tags:
            cell.metadata.tags = [*tags, "remove-cell"]
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(_normalised_output, cell.outputs) if output]
    return notebook


def complaints(notebook: NotebookNode) -> str:
    """Collect what a normalised chapter wrote to the error stream: warnings, above all.

    Parameters
    ----------
    notebook : NotebookNode
        What `normalised` returned.

    Returns
    -------
    str
        The lines; empty for a chapter that readers can be shown.
    """
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stderr")


def _normalised_output(output: NotebookNode) -> NotebookNode | None:
    """Return an output without what varies, or None where nothing is left."""
    data = output.get("data", {})
    if data.get("text/plain") == "<IPython.core.display.Markdown object>" and not data.get("text/markdown"):
        return None  # a sentence that has nothing to say in this run
    if output.output_type == "stream":
        if output.name == "stderr":
            lines = re.split(r"[\r\n]+", _TERMINAL.sub("", output.text))
            kept = [line for line in lines if line.strip() and not _PROGRESS.search(line)]
            output.text = "\n".join(kept)
        output.text = _ADDRESS.sub("", output.text)
        return output if output.text else None
    for kind in output.get("data", {}):
        # a glued value carries its kind behind a prefix
        if kind.endswith("text/plain"):
            output.data[kind] = _ADDRESS.sub("", output.data[kind])
    return output
