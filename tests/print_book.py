"""Print the whole book into one PDF.

`python tests/print_book.py [FILE]`
"""

import argparse
import re
import sys
from pathlib import Path

from browser import chromium, open_page, served
from metamerbook.build.pages import build_pages
from metamerbook.build.requests import book_root

_MARGIN = {"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"}
_FOOTER = (
    '<div style="font: 8px sans-serif; width: 100%; text-align: center; color: #666">'
    '<span class="pageNumber"></span> / <span class="totalPages"></span></div>'
)


def print_book(path: Path | None = None, *, root: Path | None = None, output: Path | None = None) -> Path:
    """Make one page of the whole book, from the chapters that were executed last, and print it."""
    folder = build_pages(root or book_root(), output, builder="singlehtml")
    path = path or folder.parent / "metamerlib.pdf"
    path.parent.mkdir(parents=True, exist_ok=True)
    name = _copied_to_root(folder)
    with served(folder) as address, chromium() as browser:
        page = browser.new_page(color_scheme="light")
        open_page(page, f"{address}/{name}")
        page.pdf(
            path=path,
            format="A4",
            margin=_MARGIN,
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=_FOOTER,
            outline=True,
            tagged=True,
        )
    return path


def _copied_to_root(folder: Path) -> str:
    """Put the one page where its addresses are right, as Sphinx writes them as seen from the folder's root."""
    first = re.search(r"url=([^\"]+)", (folder / "index.html").read_text(encoding="utf8")).group(1)
    text = (folder / first).read_text(encoding="utf8")
    (folder / "print.html").write_text(text.replace(f'href="{first}#', 'href="#'), encoding="utf8")
    return "print.html"


def main(arguments: list[str] | None = None) -> int:
    """Print the repository's book."""
    parser = argparse.ArgumentParser(prog="python tests/print_book.py", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="the PDF (_build/metamerlib.pdf)")
    print(print_book(parser.parse_args(arguments).file))
    return 0


if __name__ == "__main__":
    sys.exit(main())
