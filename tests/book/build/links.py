"""Links of built pages that lead nowhere."""

from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from metamerbook.build.pages import LOADING


class Page(HTMLParser):
    """Collects a page's ids and local addresses."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.addresses = set(), []
        self.feed(path.read_text(encoding="utf8"))

    def handle_starttag(self, tag, attrs):
        values = {name: value or "" for name, value in attrs}
        self.ids.update(values[name] for name in ("id", "name") if values.get(name))
        for name in ("href",) if tag == "a" else LOADING.get(tag, ()):
            if values.get(name) and name != "srcset":
                self.addresses.append(values[name])


def dead_links(folder):
    """Find the links and loads that lead to no file, or to no place inside one."""
    folder = folder.resolve()
    paths = [path for path in sorted(folder.rglob("*.html")) if "_static" not in path.relative_to(folder).parts]
    pages = {path: Page(path) for path in paths}
    found = []
    for path, page in pages.items():
        for address in page.addresses:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchor = unquote(parts.fragment)
            if not target.exists() or (anchor and target in pages and anchor not in pages[target].ids):
                found.append(f"{path.relative_to(folder)}: {address}")
    return found
