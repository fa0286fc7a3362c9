"""The pages of a small book: numbers, tables, downloads, formulas; what must stop a build does."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from small_books import REPOSITORY, write_chapter

from browser import open_page, served
from metamerbook.build import BookError, build_book
from metamerbook.build.pages import build_pages


@pytest.fixture(scope="module")
def html(tiny_book):
    """Build the small book and give the folder of its pages."""
    return build_book("smoke", root=tiny_book).parent


def page_text(html, name):
    return (html / name).read_text(encoding="utf8")


def test_paper_ids_give_the_papers_numbers_and_the_rest_is_counted(html):
    chapter = page_text(html, "notebooks/01_tiny.html")
    assert re.findall(r'caption-number">([^<]+?) ?<', chapter) == ["Figure 3", "Figure S1", "Table B2"]
    start = re.sub(r"<[^>]+>", "", page_text(html, "book/intro.html"))
    assert "Figure 3, Table B2, Figure S1; 0.42." in start


def test_glued_table_has_id_caption_and_a_place_to_scroll(html):
    chapter = page_text(html, "notebooks/01_tiny.html")
    table = chapter[chapter.index('id="tab-b2"') :]
    assert "The mean is" in table
    assert '<div class="table-scroll"' in table
    assert '<table id="T_tab-b2">' in table


def test_download_offers_the_executed_notebook(html, tiny_book):
    offered = html / "_sources" / "notebooks" / "01_tiny.ipynb"
    executed = tiny_book / "build" / "executed" / "notebooks" / "01_tiny.ipynb"
    assert offered.read_bytes() == executed.read_bytes()
    assert json.loads(offered.read_text(encoding="utf8"))["cells"]


def test_a_browser_shows_formulas_and_figures(html, browser):
    page = browser.new_page()
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    with served(html) as address:
        open_page(page, f"{address}/notebooks/01_tiny.html")
        assert page.locator("mjx-container").count() == 1
        figure = page.locator("#fig-3 img")
        sizes = figure.evaluate("image => [image.naturalWidth, image.clientWidth]")
    page.close()
    assert sizes[0] >= 1.9 * sizes[1] > 0
    assert [url for url in requests if not url.startswith((address, "data:"))] == []


@pytest.fixture
def spoiled_book(tiny_book, html, tmp_path):
    """Copy the built book, to be spoiled."""
    return shutil.copytree(tiny_book, tmp_path / "book", ignore=shutil.ignore_patterns("_build"))


def test_a_second_build_drops_pages_that_are_no_more_and_knows_the_repository(html, tiny_book, monkeypatch):
    old = html / "notebooks" / "00_old.html"
    old.write_text("gone")
    assert "mybinder" not in page_text(html, "notebooks/01_tiny.html")
    monkeypatch.setenv("METAMERLIB_REPOSITORY", "https://github.com/someone/fork.git")
    build_pages(tiny_book)
    assert not old.exists()
    chapter = page_text(html, "notebooks/01_tiny.html")
    for address in (
        "mybinder.org/v2/gh/someone/fork/main?urlpath=lab/tree/notebooks/01_tiny.ipynb",
        "colab.research.google.com/github/someone/fork/blob/main/notebooks/01_tiny.ipynb",
    ):
        assert f'href="https://{address}"' in chapter


def test_chapter_that_was_never_executed_stops_the_build(spoiled_book):
    shutil.rmtree(spoiled_book / "build")
    with pytest.raises(BookError, match="notebooks/01_tiny has not been executed; run `metamerlib book`"):
        build_pages(spoiled_book)


REMOTE_SCRIPT = """
# %% tags=["remove-input"]
from IPython.display import HTML
HTML('<script src="https://cdn.example/x.js"></script>')
"""


def test_what_would_be_loaded_from_elsewhere_stops_the_build(spoiled_book):
    chapter = (spoiled_book / "notebooks" / "01_tiny.py").read_text(encoding="utf8")
    write_chapter(spoiled_book, head=chapter, body=REMOTE_SCRIPT)
    with pytest.raises(BookError, match=r"notebooks/01_tiny\.html: https://cdn\.example/x\.js"):
        build_book("smoke", root=spoiled_book)


def test_the_book_prints_into_one_pdf(html, tiny_book, browser, tmp_path):
    path = tmp_path / "book.pdf"
    # a process of its own, since playwright allows no second driver beside the one of the fixture
    program = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[3]); from print_book import print_book; "
        "print_book(Path(sys.argv[1]), root=Path(sys.argv[2]))"
    )
    subprocess.run([sys.executable, "-c", program, path, tiny_book, REPOSITORY / "tests"], check=True)
    assert browser.is_connected()
    assert path.read_bytes().startswith(b"%PDF-")
    assert path.stat().st_size > 20_000
