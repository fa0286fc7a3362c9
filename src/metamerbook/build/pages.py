"""Build the book: execute its chapters, make the pages, and see that they need nothing from elsewhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from metamerbook.build.chapters import execute_chapters
from metamerbook.build.layout import BookLayout, book_root
from metamerbook.build.offline import remote_assets


class BookError(RuntimeError):
    """The pages could not be made, or would not work offline."""


def build_book(
    profile: str = "mini",
    chapters: Sequence[str] | None = None,
    force: bool = False,
    html: bool = True,
    parameters: Mapping[str, Any] | None = None,
    *,
    root: Path | None = None,
    output: Path | None = None,
    jobs: int | None = None,
) -> Path:
    """Execute the chapters that have changed and build the pages of the whole book.

    Parameters
    ----------
    profile : str
        `"smoke"`, `"mini"` or `"paper"`: the budget of the computation.
    chapters : sequence of str or None
        Names or numbers of the chapters to bring up to date. None takes all. Chapters that were never
        executed then stand in the book without outputs, and what the pages say of it is not an error.
    force : bool
        Execute also what is up to date.
    html : bool
        Make the pages; False only executes.
    parameters : mapping of str to Any or None
        Values for the variables of the chapters' `parameters` cells.
    root : Path or None
        The repository. None takes the one that the package runs from.
    output : Path or None
        Folder for everything that is built. None builds into the repository: `build/executed`, `_build`.
    jobs : int or None
        Chapters executed at a time after the first; None decides, as `execute_chapters` says.

    Returns
    -------
    Path
        The book's first page; without `html`, the folder of the executed chapters.

    Raises
    ------
    BookError
        If a page draws a warning, or would load something from another machine.
    """
    layout = BookLayout(root or book_root(), output)
    execute_chapters(profile, chapters, force, parameters, root=layout.root, output=output, jobs=jobs)
    if not html:
        return layout.executed
    build_pages(layout, complete=chapters is None)
    print(f"The book: {(layout.html / 'index.html').as_uri()}")
    return layout.html / "index.html"


def build_pages(layout: BookLayout, builder: str = "html", complete: bool = True) -> Path:
    """Have Jupyter Book make the pages from what was executed last.

    Parameters
    ----------
    layout : BookLayout
        The book.
    builder : str
        `"html"`, or `"singlehtml"` for one page that holds all.
    complete : bool
        Every chapter has been executed, so any warning is an error.

    Returns
    -------
    Path
        Folder of the pages.

    Raises
    ------
    BookError
        If a page draws a warning, or would load something from another machine.
    """
    print(f"pages ({builder}) ", end="", flush=True)
    started = time.perf_counter()
    program = "from jupyter_book.cli.main import main; main()"
    folder = layout.pages / builder
    # Every page anew: one that is kept keeps the numbers glued into it and its earlier warnings; and what is in the
    # folder from before would stay there, such as a chapter that is no more, or a listing that lacks a new anchor.
    shutil.rmtree(folder, ignore_errors=True)
    options = ["--all", "-n", "--keep-going", "-q", "--builder", builder, *(["-W"] if complete else [])]
    if layout.output:
        options += ["--path-output", str(layout.output)]
    finished = subprocess.run(
        [sys.executable, "-c", program, "build", str(layout.root), *options],
        env=layout.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"{time.perf_counter() - started:.1f} s", flush=True)
    if finished.returncode:
        raise BookError(f"Jupyter Book did not build the pages:\n{finished.stderr}\n{finished.stdout}")
    if finished.stderr.strip():
        print(finished.stderr.strip(), file=sys.stderr)
    remote = remote_assets(folder)
    if remote:
        listed = "\n".join(remote[:20])
        raise BookError(f"These pages would load something from another machine:\n{listed}")
    return folder
