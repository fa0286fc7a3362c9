"""Build the book: execute its chapters, make the pages, and see that they need nothing from elsewhere."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup

from metamerbook.build.chapters import execute_chapters
from metamerbook.build.requests import book_root, executed_folder

# element -> attributes by which a browser loads something without being asked to
LOADING = {
    "audio": ("src",), "embed": ("src",), "iframe": ("src",), "img": ("src", "srcset"), "input": ("src",),
    "link": ("href",), "object": ("data",), "script": ("src",), "source": ("src", "srcset"),
    "track": ("src",), "video": ("src", "poster"), "image": ("href", "xlink:href"), "use": ("href", "xlink:href"),
}  # fmt: skip
# relations of <link> that tell, and do not load
_TELLING = {"canonical", "alternate", "author", "license", "next", "prev", "search", "index", "top"}
_REMOTE = re.compile(r"^(?:https?:)?//")
_CSS_REMOTE = re.compile(r"(?:@import\s+|url\(\s*)[\"']?((?:https?:)?//[^\"')\s]+)")


class BookError(RuntimeError):
    """The pages could not be made, or would not work offline."""


def build_book(
    profile: str = "mini",
    chapters: Sequence[str] | None = None,
    *,
    html: bool = True,
    root: Path | None = None,
    output: Path | None = None,
    **options: Any,
) -> Path:
    """Execute the chapters that have changed and build the pages of the whole book.

    Pages of chapters that were not asked for show what was executed last; where that is nothing, the build says so.
    `options` are those of `execute_chapters`. Returns the first page, or, without pages (`html`), the folder of the
    executed chapters. Raises a BookError if Jupyter Book fails or warns, or a page needs something from elsewhere.
    """
    root = root or book_root()
    execute_chapters(profile, chapters, root=root, output=output, **options)
    if not html:
        return executed_folder(root, output)
    first = build_pages(root, output, complete=chapters is None) / "index.html"
    print(f"The book: {first.as_uri()}")
    return first


def build_pages(root: Path, output: Path | None = None, builder: str = "html", complete: bool = True) -> Path:
    """Have Jupyter Book make the pages from what was executed last; warnings are errors in a complete book."""
    print(f"pages ({builder}) ", end="", flush=True)
    started = time.perf_counter()
    folder = (output or root) / "_build" / builder
    # Every page anew: one that is kept keeps the numbers glued into it and its earlier warnings; and what is in the
    # folder from before would stay there, such as a chapter that is no more, or a listing that lacks a new anchor.
    shutil.rmtree(folder, ignore_errors=True)
    options = ["--all", "-n", "--keep-going", "-q", "--builder", builder, *(["-W"] if complete else [])]
    if output:
        options += ["--path-output", str(output)]
    finished = subprocess.run(
        [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(root), *options],
        env=os.environ | {"METAMERLIB_EXECUTED": str(executed_folder(root, output))},
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"{time.perf_counter() - started:.1f} s", flush=True)
    if finished.returncode:
        raise BookError(f"Jupyter Book did not build the pages:\n{finished.stderr}\n{finished.stdout}")
    if finished.stderr.strip():
        print(finished.stderr.strip(), file=sys.stderr)
    if remote := remote_assets(folder):
        listed = "\n".join(remote[:20])
        raise BookError(f"These pages would load something from another machine:\n{listed}")
    return folder


def remote_assets(folder: Path) -> list[str]:
    """Find everything that the pages and style sheets of a folder would load from another machine."""
    found = []
    for path in sorted(folder.rglob("*.html")):
        if "_static" in path.relative_to(folder).parts:
            continue  # fragments that the theme's build tools left there
        page = BeautifulSoup(path.read_text(encoding="utf8"), "html.parser")
        found += [f"{path.relative_to(folder)}: {address}" for address in _loaded(page) if _REMOTE.match(address)]
    for style in sorted(folder.rglob("*.css")):
        addresses = _CSS_REMOTE.findall(style.read_text(encoding="utf8", errors="replace"))
        found += [f"{style.relative_to(folder)}: {address}" for address in addresses]
    return found


def _loaded(page: BeautifulSoup) -> Iterator[str]:
    """List the addresses that a browser loads with a page."""
    for tag in page.find_all(True):
        yield from _CSS_REMOTE.findall(tag.get_text() if tag.name == "style" else tag.get("style", ""))
        if tag.name != "link" or not set(tag.get("rel", [])) <= _TELLING:
            for name in LOADING.get(tag.name, ()):
                values = tag.get(name, "").split(",") if name == "srcset" else [tag.get(name, "")]
                yield from (value.split()[0] for value in values if value.strip())
