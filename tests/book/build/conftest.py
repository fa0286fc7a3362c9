"""Small books in temporary folders, and the real one in its smallest profile."""

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock
from small_books import REPOSITORY, TINY_BODY, write_chapter

from browser import BrowserMissingError, chromium
from metamerbook.build import build_book


@pytest.fixture(scope="session")
def built_book():
    """Folder of the pages of the repository's book: the one in $METAMERLIB_BOOK, or one built in the smoke profile.

    It is built in build/smoke with a store of its own, once for all of pytest's processes; what is up to date from an
    earlier session is kept.
    """
    if given := os.environ.get("METAMERLIB_BOOK"):
        return Path(given)
    output = REPOSITORY / "build" / "smoke"
    output.mkdir(parents=True, exist_ok=True)
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    marker = output / "built-by"
    with FileLock(output / "lock"), pytest.MonkeyPatch.context() as patch:
        if not marker.exists() or marker.read_text() != session:
            marker.unlink(missing_ok=True)
            patch.setenv("METAMERLIB_STORE", str(output / "store"))
            build_book("smoke", root=REPOSITORY, output=output)
            marker.write_text(session)
    return output / "_build" / "html"


@pytest.fixture(scope="session")
def browser():
    """Give a headless chromium; skip where there is none."""
    try:
        with chromium() as opened:
            yield opened
    except BrowserMissingError as error:
        pytest.skip(f"pages can't be looked at: {error}")


@pytest.fixture(scope="session")
def tiny_book(tmp_path_factory):
    """Give a book of one page and one chapter with the repository's settings, extensions and looks; not yet built."""
    root = tmp_path_factory.mktemp("tiny")
    shutil.copy(REPOSITORY / "_config.yml", root)
    for name in ("_ext", "_static", "references.bib"):
        source = REPOSITORY / "book" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, _made(root / "book") / name)
    (root / "_toc.yml").write_text(
        "format: jb-book\nroot: book/intro\nchapters:\n  - file: notebooks/01_tiny\n", encoding="utf8"
    )
    (root / "book" / "intro.md").write_text(
        "# Start\n\n{numref}`fig-3`, {numref}`tab-b2`, {numref}`fig-other`; "
        "{glue:text}`../notebooks/01_tiny.ipynb::mean:.2f`.\n",
        encoding="utf8",
    )
    write_chapter(root, body=TINY_BODY)
    (root / "notebooks" / "01_tiny.ipynb").write_text(
        '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    )
    return root


def _made(folder):
    folder.mkdir(exist_ok=True)
    return folder
