"""A headless chromium over a local server, to print pages and to look at them."""

from __future__ import annotations

import contextlib
import functools
import shutil
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# a machine without a display or a network, possibly inside a container
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class BrowserMissingError(RuntimeError):
    """There is no chromium, or no playwright to drive it."""


def find_chromium() -> str:
    """Find the browser.

    Returns
    -------
    str
        Path of a chromium or chrome on the PATH.

    Raises
    ------
    BrowserMissingError
        If there is none.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise BrowserMissingError("No chromium on the PATH. On Debian: apt-get install chromium")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start a headless chromium.

    Yields
    ------
    playwright.sync_api.Browser
        The browser; it is closed at the end.

    Raises
    ------
    BrowserMissingError
        If chromium or playwright is not installed.
    """
    executable = find_chromium()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise BrowserMissingError("Driving chromium needs playwright: pip install playwright") from error
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, headless=True, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class _QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line of log for each."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of this machine.

    Parameters
    ----------
    folder : Path
        What to serve.

    Yields
    ------
    str
        The address, without a slash at its end.
    """
    handler = functools.partial(_QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def open_page(page: Page, address: str) -> None:
    """Open an address and wait until everything on it is loaded and its formulas are set.

    Parameters
    ----------
    page : playwright.sync_api.Page
        A page of the browser.
    address : str
        What to open in it.
    """
    page.goto(address, wait_until="load", timeout=120_000)
    page.wait_for_function("() => !window.MathJax || window.MathJax.startup?.promise", timeout=60_000)
    page.evaluate("() => window.MathJax?.startup.promise")


def content_pages(folder: Path) -> list[str]:
    """List the pages of a built book that were written for it.

    Parameters
    ----------
    folder : Path
        The built HTML book.

    Returns
    -------
    list of str
        Addresses relative to the folder, without index, search and source listings.
    """
    every = (
        path.relative_to(folder).as_posix()
        for part in ("book", "notebooks")
        for path in (folder / part).rglob("*.html")
    )
    return sorted(every)
