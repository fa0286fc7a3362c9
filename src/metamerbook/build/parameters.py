"""Read which parameters a chapter declares."""

from __future__ import annotations

import ast
from typing import Any

from nbformat import NotebookNode


def parameters_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """List the code cells tagged `parameters`.

    Parameters
    ----------
    notebook : NotebookNode
        A notebook, format 4.

    Returns
    -------
    list of NotebookNode
        The tagged cells, in order.
    """
    return [
        cell for cell in notebook.cells if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", [])
    ]


def declared_parameters(notebook: NotebookNode, name: str) -> dict[str, Any]:
    """Read the parameters of a chapter and their defaults, without running it.

    Parameters
    ----------
    notebook : NotebookNode
        The chapter.
    name : str
        What to call the chapter in errors.

    Returns
    -------
    dict of str to Any
        The variables that the `parameters` cell assigns, with the literals assigned to them.

    Raises
    ------
    ValueError
        If there is not exactly one `parameters` cell, or it holds anything but assignments of literals:
        a value that is computed there could not be replaced from outside.
    """
    cells = parameters_cells(notebook)
    if len(cells) != 1:
        raise ValueError(f"{name} has {len(cells)} cells tagged `parameters`; a chapter has exactly one.")
    defaults = {}
    for statement in ast.parse(cells[0].source).body:
        if isinstance(statement, ast.Assign):
            target, value = statement.targets[0], statement.value
        elif isinstance(statement, ast.AnnAssign):
            target, value = statement.target, statement.value
        else:
            target = value = None
        try:
            defaults[target.id] = ast.literal_eval(value)
        except (AttributeError, TypeError, ValueError):
            raise ValueError(
                f"{name}: the `parameters` cell may only assign literals to names, not `{ast.unparse(statement)}`."
            ) from None
    return defaults
