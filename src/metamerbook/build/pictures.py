"""Take a picture of every page of the built book, in both themes and two widths, to be looked at.

`python -m metamerbook.build.pictures OUTDIR`
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from metamerbook.build.browser import chromium, content_pages, open_page, served
from metamerbook.build.layout import BookLayout, book_root

WIDTHS = {"wide": 1280, "phone": 390}
"""Name and width in CSS pixels of the windows that pictures are taken in."""


def take_pictures(html: Path, folder: Path, match: str = "") -> list[Path]:
    """Picture the pages of a built book from top to bottom.

    Parameters
    ----------
    html : Path
        The built HTML book.
    folder : Path
        Where the pictures go, as `<page>.<theme>.<width>.png`.
    match : str
        Only pages whose address contains this.

    Returns
    -------
    list of Path
        The pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = []
    with served(html) as address, chromium() as browser:
        for theme in ("light", "dark"):
            for width_name, width in WIDTHS.items():
                page = browser.new_page(
                    viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
                )
                for name in content_pages(html):
                    if match not in name:
                        continue
                    open_page(page, f"{address}/{name}")
                    path = folder / f"{name.removesuffix('.html').replace('/', '-')}.{theme}.{width_name}.png"
                    page.screenshot(path=path, full_page=True, animations="disabled")
                    pictures.append(path)
                page.close()
    return pictures


def main(arguments: list[str] | None = None) -> int:
    """Take the pictures of the repository's built book.

    Parameters
    ----------
    arguments : list of str or None
        Command line without the program's name. None takes the process's.

    Returns
    -------
    int
        Exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m metamerbook.build.pictures", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--html", type=Path, help="the built pages (the repository's _build/html)")
    parser.add_argument("--match", default="", help="only pages whose address contains this")
    options = parser.parse_args(arguments)
    html = options.html or BookLayout(book_root()).html
    pictures = take_pictures(html, options.folder, options.match)
    print(f"{len(pictures)} pictures in {options.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
