"""Give each of several attributes that are described together a field of its own, as parameters get.

Of a field with two names Sphinx takes the first for a type.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.typing import stringify_annotation

_SHARED_FIELD = re.compile(r"^:ivar (\w+(?:, \w+)+): (.*(?:\n[ \t]+.*)*)", re.MULTILINE)


def divide_fields(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Divide the fields of a docstring, with their types."""
    annotations = getattr(obj, "__annotations__", {})

    def fields(match: re.Match) -> str:
        names, words = match[1].split(", "), match[2]
        described = [f":ivar {name}: {words}" for name in names]
        kinds = {name: stringify_annotation(annotations[name], "smart") for name in names if name in annotations}
        return "\n".join([*described, *(f":vartype {name}: {kind}" for name, kind in kinds.items())])

    lines[:] = _SHARED_FIELD.sub(fields, "\n".join(lines)).split("\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("autodoc-process-docstring", divide_fields, priority=600)  # after napoleon, which writes the fields
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
