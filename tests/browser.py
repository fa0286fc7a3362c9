"""A headless chromium over a local server, to print pages and to look at them."""

import contextlib
import functools
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

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


def find_chromium():
    """Find the browser."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise BrowserMissingError("No chromium on the PATH. On Debian: apt-get install chromium")


@contextlib.contextmanager
def chromium():
    """Start a headless chromium."""
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

    def log_message(self, format, *args):
        pass


@contextlib.contextmanager
def served(folder):
    """Serve a folder on a free port of this machine."""
    handler = functools.partial(_QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def open_page(page, address):
    """Open an address and wait until everything on it is loaded and its formulas are set."""
    page.goto(address, wait_until="load", timeout=120_000)
    page.wait_for_function("() => !window.MathJax || window.MathJax.startup?.promise", timeout=60_000)
    page.evaluate("() => window.MathJax?.startup.promise")


def content_pages(folder):
    """List the pages of a built book that were written for it."""
    every = (
        path.relative_to(folder).as_posix()
        for part in ("book", "notebooks")
        for path in (folder / part).rglob("*.html")
    )
    return sorted(every)
