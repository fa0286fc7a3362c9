"""Write out the API page of a room: everything that it exports, documented where it is defined.

```{room} metamerlib.stimuli
```
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

_FENCE = re.compile(r"^```\{room\} (\S+)\n```$", re.MULTILINE)


def room_pages(app: Sphinx, docname: str, content: list[str]) -> None:
    """Replace the directive by autosummary and autodoc ones."""
    content[0] = _FENCE.sub(lambda match: _room(match[1]), content[0])


def _room(name: str) -> str:
    """List and document what a room's `__all__` names."""
    room = importlib.import_module(name)
    exported = sorted(getattr(room, "__all__", ()), key=lambda item: (_kind(getattr(room, item)), item.lower()))
    paths = {item: _path(room, item) for item in exported}
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


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", room_pages)
    app.connect("missing-reference", show_unexported)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
