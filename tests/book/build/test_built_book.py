"""The book as a reader gets it: everything is there, nothing comes from elsewhere, both themes, wide and narrow.

The book is built in the smoke profile (see conftest.py); $METAMERLIB_BOOK names the pages of another one.
"""

import importlib
import re
from html.parser import HTMLParser

import pytest
from links import dead_links
from small_books import REPOSITORY

from browser import content_pages, open_page, served
from metamerbook.build.pages import remote_assets

# The paper's numbered figures, tables and algorithms.
NUMBERED = {f"fig-{n}": f"Figure {n.upper()}" for n in ("1", "2", "3", "4", "5", "6", "b1")}
NUMBERED |= {f"tab-{n}": f"Table {n.upper()}" for n in ("1", "2", "3", "a1", "b2")}
NUMBERED |= {"alg-1": "Algorithm 1"}
WIDTHS = (390, 1280)
SOURCES = REPOSITORY / "notebooks"


class Pictures(HTMLParser):
    """Collects the images of a page's article."""

    def __init__(self):
        super().__init__()
        self.images = []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.images.append(dict(attrs))


def chapters(built_book):
    return [name for name in content_pages(built_book) if name.startswith("notebooks/")]


def text_of(built_book, name):
    return (built_book / name).read_text(encoding="utf8")


@pytest.mark.parametrize("identifier", NUMBERED)
def test_every_numbered_item_of_the_paper_is_there_under_its_number(built_book, identifier):
    texts = [text_of(built_book, name) for name in chapters(built_book)]
    (text,) = [text for text in texts if f'id="{identifier}"' in text]
    caption = re.search(r'class="caption-number">([^<]+)<', text[text.index(f'id="{identifier}"') :])
    assert caption.group(1).strip() == NUMBERED[identifier]


def test_no_chapter_shows_an_error_or_an_unfilled_place(built_book):
    marks = re.compile(r'class="[^"]*(?:traceback|stderr)[^"]*"|>[^<]*(?:Traceback \(most|has not been executed)')
    found = {name: marks.findall(text_of(built_book, name)) for name in chapters(built_book)}
    assert {name: marks for name, marks in found.items() if marks} == {}


def test_chapters_show_outputs(built_book):
    assert len(chapters(built_book)) == len(list(SOURCES.glob("*.py")))
    output = re.compile(r"cell_output|<figure|table-figure")
    silent = [name for name in chapters(built_book) if not output.search(text_of(built_book, name))]
    assert silent == []


def test_every_chapter_says_what_it_ran(built_book):
    silent = [
        name for name in chapters(built_book) if not re.search(r"Profile (<[^>]+>)?\w+", text_of(built_book, name))
    ]
    assert silent == []


@pytest.mark.parametrize("part", ["stimuli", "models", "generation", "evaluation"])
def test_functions_and_classes_for_users_are_documented_once(built_book, part):
    package = importlib.import_module(f"metamerlib.{part}")
    page = text_of(built_book, f"book/api/{part}.html")
    exported = [name for name in package.__all__ if callable(getattr(package, name)) and getattr(package, name).__doc__]
    places = {name: page.count(f' id="metamerlib.{part}.{name}">') for name in exported}
    assert {name: found for name, found in places.items() if found != 1} == {}


def test_attributes_that_share_their_words_are_listed_one_by_one(built_book):
    page = re.sub(r"<[^>]+>", "", text_of(built_book, "book/api/generation.html"))
    for name in ("initializer_radius", "initializer_constant"):
        assert f"{name} (float) – r and c above" in page


def test_links_and_anchors_lead_somewhere(built_book):
    assert dead_links(built_book) == []


def test_nothing_is_loaded_from_elsewhere(built_book):
    assert remote_assets(built_book) == []


def test_every_picture_is_described(built_book):
    undescribed = []
    for name in content_pages(built_book):
        parser = Pictures()
        parser.feed(text_of(built_book, name).partition("<article")[2].partition("</article>")[0])
        # Sphinx takes the file's name where no description is given
        bad = [i["src"] for i in parser.images if len(i.get("alt") or "") < 15 or i["alt"].endswith((".png", ".svg"))]
        undescribed.extend(f"{name}: {source}" for source in bad)
    assert undescribed == []


@pytest.fixture(scope="module")
def seen(built_book, browser):
    """Open every page in both themes and widths, and note what is wrong with it, by kind."""
    problems = {kind: [] for kind in ("external", "console", "formula", "picture", "overflow", "filter", "theme")}
    with served(built_book) as address:
        for theme in ("light", "dark"):
            context = browser.new_context(color_scheme=theme, viewport={"width": WIDTHS[0], "height": 900})
            page = context.new_page()
            where = ""

            def note(kind, what):
                problems[kind].append(f"{where} ({theme}): {what}")  # noqa: B023 - read at the time of the event

            def watch(request):
                if not request.url.startswith((address, "data:", "blob:")):
                    note("external", request.url)

            page.on("request", watch)
            page.on("console", lambda message: message.type == "error" and note("console", message.text))
            page.on("pageerror", lambda error: note("console", str(error)))
            for where in content_pages(built_book):
                open_page(page, f"{address}/{where}")
                facts = page.evaluate(FACTS)
                for kind in ("formula", "picture", "filter"):
                    for what in facts[kind]:
                        note(kind, what)
                if facts["theme"] != theme:
                    note("theme", facts["theme"])
                for width in WIDTHS:
                    page.set_viewport_size({"width": width, "height": 900})
                    wide = page.evaluate("() => document.documentElement.scrollWidth")
                    if wide > width:
                        note("overflow", f"{wide} px at {width} px")
            context.close()
    return problems


FACTS = """async () => {
  const images = [...document.querySelectorAll("article img")];
  images.forEach(image => { image.loading = "eager"; });
  const decoded = await Promise.allSettled(images.map(image => image.decode()));
  return {
    theme: document.documentElement.dataset.theme,
    formula: [...document.querySelectorAll("mjx-merror")].map(e => e.textContent)
      .concat([...document.querySelectorAll("article .math")].filter(e => !e.querySelector("mjx-container"))
        .map(e => "not set: " + e.textContent)),
    picture: images.filter((image, i) => decoded[i].status === "rejected" || !image.naturalWidth).map(i => i.src),
    filter: images.filter(image => getComputedStyle(image).filter !== "none").map(image => image.src),
  };
}"""


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        ("external", "requests to other machines"),
        ("console", "errors in the console"),
        ("formula", "formulas that MathJax could not set"),
        ("picture", "images that do not decode"),
        ("filter", "pictures that the theme alters"),
        ("overflow", "pages wider than the window"),
        ("theme", "pages in another theme than the reader's"),
    ],
)
def test_in_a_browser_there_are_no(seen, kind, meaning):
    assert seen[kind] == [], meaning
