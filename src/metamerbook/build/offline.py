"""Find what a built page would fetch from elsewhere, or link to in vain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# element -> attributes by which a browser loads something without being asked to
_LOADING = {
    "audio": ("src",), "embed": ("src",), "iframe": ("src",), "img": ("src", "srcset"), "input": ("src",),
    "link": ("href",), "object": ("data",), "script": ("src",), "source": ("src", "srcset"),
    "track": ("src",), "video": ("src", "poster"), "image": ("href", "xlink:href"), "use": ("href", "xlink:href"),
}  # fmt: skip
# relations of <link> that tell, and do not load
_TELLING = {"canonical", "alternate", "author", "license", "next", "prev", "search", "index", "top"}
_REMOTE = re.compile(r"^(?:https?:)?//")
_CSS_REMOTE = re.compile(r"(?:@import\s+|url\(\s*)[\"']?((?:https?:)?//[^\"')\s]+)")


class _Page(HTMLParser):
    """Collects a page's ids, links and loads."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        self.ids.update(values[name] for name in ("id", "name") if values.get(name))
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if tag == "link" and set(values.get("rel", "").split()) <= _TELLING:
            return
        for name in _LOADING.get(tag, ()):
            parts = values.get(name, "").split(",") if name == "srcset" else [values.get(name, "")]
            self.loads.extend(part.split()[0] for part in parts if part.strip())
        self.loads.extend(_CSS_REMOTE.findall(values.get("style", "")))

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.loads.extend(_CSS_REMOTE.findall(data))

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False


def remote_assets(folder: Path) -> list[str]:
    """Find everything that the pages of a folder would load from another machine.

    Links that a reader may follow are not loads. What a script would fetch only when it runs can't be seen
    here: a test in a browser watches for that.

    Parameters
    ----------
    folder : Path
        A built book.

    Returns
    -------
    list of str
        One `file: address` per find; empty for a book that works offline.
    """
    found = [
        f"{path.relative_to(folder)}: {address}"
        for path, page in _pages(folder)
        for address in page.loads
        if _REMOTE.match(address)
    ]
    for style in sorted(folder.rglob("*.css")):
        addresses = _CSS_REMOTE.findall(style.read_text(encoding="utf8", errors="replace"))
        found.extend(f"{style.relative_to(folder)}: {address}" for address in addresses)
    return found


def dead_links(folder: Path) -> list[str]:
    """Find the links and loads that lead to no file, or to no place inside one.

    Parameters
    ----------
    folder : Path
        A built book.

    Returns
    -------
    list of str
        One `file: address` per find.
    """
    pages = dict(_pages(folder))
    found = []
    for path, page in pages.items():
        for address in page.links + page.loads:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            anchor = unquote(parts.fragment)
            missing = not target.exists()
            lost = anchor and target in pages and anchor not in pages[target].ids
            if missing or lost:
                found.append(f"{path.relative_to(folder)}: {address}")
    return found


def _pages(folder: Path) -> Iterator[tuple[Path, _Page]]:
    """Parse every page of a built book."""
    for path in sorted(folder.resolve().rglob("*.html")):
        if "_static" in path.relative_to(folder.resolve()).parts:
            continue  # fragments that the theme's build tools left there
        page = _Page()
        page.feed(path.read_text(encoding="utf8"))
        yield path, page
