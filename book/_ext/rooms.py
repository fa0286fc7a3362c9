"""Write out the API page of a room: everything that it exports, documented where it is defined.

```{room} metamerlib.stimuli
```

A room too large for one page is divided by the modules that things are defined in: one page names modules in the
option `only`, the other names the same ones in `except`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from types import ModuleType
from typing import Any

from docutils.nodes import Element
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.typing import stringify_annotation

_FENCE = re.compile(r"^```\{room\} (\S+)\n(?::(only|except): ([\w ]+)\n)?```$", re.MULTILINE)
_SHARED_FIELD = re.compile(r"^:ivar (\w+(?:, \w+)+): (.*(?:\n[ \t]+.*)*)", re.MULTILINE)


def room_pages(app: Sphinx, docname: str, content: list[str]) -> None:
    """Replace the directive by autosummary and autodoc ones."""
    content[0] = _FENCE.sub(lambda match: _room(*match.groups()), content[0])


def _room(name: str, option: str | None, modules: str | None) -> str:
    """List and document what a room's `__all__` names."""
    room = importlib.import_module(name)
    exported = sorted(getattr(room, "__all__", ()), key=lambda item: (_kind(getattr(room, item)), item.lower()))
    paths = {item: _path(room, item) for item in exported}
    if option:
        named = {f"{name}.{module}" for module in modules.split()}
        if unknown := named - {path.rpartition(".")[0] for path in paths.values()}:
            raise ExtensionError(f"room {name}: nothing is exported from {', '.join(sorted(unknown))}.")
        paths = {item: path for item, path in paths.items() if (path.rpartition(".")[0] in named) == (option == "only")}
    lines = [
        "```{eval-rst}",
        ".. autosummary::",
        "   :nosignatures:",
        "",
    ]
    lines += [f"   ~{path}" for path in paths.values()]
    for item, path in paths.items():
        kind = _kind(getattr(room, item))
        lines += ["", f".. auto{kind}:: {path}"]
        if kind in ("class", "exception"):
            lines += ["   :members:", "   :show-inheritance:" if kind == "exception" else "   :member-order: bysource"]
        if kind == "data":
            lines += ["   :no-value:"]
    return "\n".join([*lines, "```"])


def _kind(value: object) -> str:
    """Name the autodoc directive, less its "auto", that documents a value."""
    if inspect.isclass(value):
        return "exception" if issubclass(value, BaseException) else "class"
    return "function" if callable(value) else "data"


def _path(room: ModuleType, item: str) -> str:
    """Give the dotted name of an exported value where it is defined."""
    value = getattr(room, item)
    if inspect.isclass(value) or inspect.isfunction(value):
        return f"{value.__module__}.{item}"
    # a constant doesn't know its module: look for the assignment
    assignment = re.compile(rf"^{item}\b[^=\n]*=", re.MULTILINE)
    for name, module in sorted(sys.modules.items()):
        if name.startswith(f"{room.__name__}.") and assignment.search(inspect.getsource(module)):
            return f"{name}.{item}"
    return f"{room.__name__}.{item}"


def show_unexported(app: Sphinx, env: BuildEnvironment, node: Element, text: Element) -> Element | None:
    """Leave the name of something of ours that exists and is not exported without a link; others stay errors."""
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not target.startswith("metamerlib."):
        return None
    try:
        pkgutil.resolve_name(target)
    except (ImportError, AttributeError, ValueError):
        return None
    return text


def divide_fields(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Give each of several attributes that are described together a field of its own, as parameters get.

    Of a field with two names Sphinx takes the first for a type.
    """
    annotations = getattr(obj, "__annotations__", {})

    def fields(match: re.Match) -> str:
        names, words = match[1].split(", "), match[2]
        described = [f":ivar {name}: {words}" for name in names]
        kinds = {name: stringify_annotation(annotations[name], "smart") for name in names if name in annotations}
        return "\n".join([*described, *(f":vartype {name}: {kind}" for name, kind in kinds.items())])

    lines[:] = _SHARED_FIELD.sub(fields, "\n".join(lines)).split("\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", room_pages)
    app.connect("missing-reference", show_unexported)
    app.connect("autodoc-process-docstring", divide_fields, priority=600)  # after napoleon, which writes the fields
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
