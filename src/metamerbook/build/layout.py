"""Where the parts of the book stand inside the repository."""

import os
from dataclasses import dataclass
from pathlib import Path

from metamerlib.system import repository_root

EXECUTED_VARIABLE = "METAMERLIB_EXECUTED"
"""Environment variable by which a build tells the Sphinx extension where the executed chapters are."""


@dataclass(frozen=True)
class BookLayout:
    """The folders of one book build.

    Without `output` the executed chapters are in ``<root>/build/executed`` and the pages in ``<root>/_build``, where a
    bare `jupyter-book build .` looks for and leaves them.
    """

    root: Path
    output: Path | None = None

    @property
    def notebooks(self) -> Path:
        """Folder of the chapters' sources."""
        return self.root / "notebooks"

    @property
    def executed(self) -> Path:
        """Folder of the executed chapters; below it the paths are those of the sources."""
        return (self.output or self.root / "build") / "executed"

    @property
    def pages(self) -> Path:
        """Folder that Jupyter Book fills."""
        return (self.output or self.root) / "_build"

    @property
    def html(self) -> Path:
        """Folder of the finished HTML pages."""
        return self.pages / "html"

    @property
    def environment(self) -> dict[str, str]:
        """Environment of a Jupyter Book process that shows this layout's executed chapters."""
        return {**os.environ, EXECUTED_VARIABLE: str(self.executed)}


def book_root() -> Path:
    """Return the repository that holds the book's sources, and that the package runs from."""
    root = repository_root()
    if root is None:
        raise FileNotFoundError(
            "The book is built from a clone of the repository, and metamerlib is installed without one. "
            "Install it from the clone (`pip install -e '.[book]'`), or pass root=."
        )
    return root
