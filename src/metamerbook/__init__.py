"""The reproduction: studies, their tables and figures, and the book that shows them."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metamerbook.study.study import Study

__all__ = ["Study"]


def __getattr__(name: str) -> object:
    if name != "Study":
        raise AttributeError(f"module 'metamerbook' has no attribute {name!r}")
    return import_module("metamerbook.study.study").Study
