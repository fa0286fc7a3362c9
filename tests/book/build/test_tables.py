"""Tables in a browser: sorted by their heads, scrolled sideways where they are wide."""

import pytest
from small_books import REPOSITORY

STATIC = REPOSITORY / "book" / "_static"


@pytest.fixture
def page(browser):
    opened = browser.new_page(viewport={"width": 390, "height": 700})
    yield opened
    opened.close()


def show(page, rows, heads=("network", "value"), caption=""):
    """Show a table as the book's pages do."""
    head = "".join(f"<th>{text}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{text}</td>" for text in row) + "</tr>" for row in rows)
    page.set_content(
        f'<!doctype html><html lang="en"><body><div class="table-figure">{caption}<div class="table-scroll" '
        f'tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></div></body></html>'
    )
    for name in ("book.css", "tables.css"):
        page.add_style_tag(path=STATIC / name)
    page.add_script_tag(path=STATIC / "tables.js")


def column(page, number=1):
    return page.locator(f"tbody td:nth-child({number})").all_text_contents()


def directions(page):
    return [head.get_attribute("aria-sort") for head in page.locator("thead th").all()]


def test_a_head_sorts_up_then_down_then_back(page):
    show(page, [("b", "2"), ("c", "10"), ("a", "9")])
    head = page.get_by_role("button", name="value")
    for order, direction in (("bac", "ascending"), ("cab", "descending"), ("bca", "none")):
        head.click()
        assert "".join(column(page)) == order
        assert directions(page) == ["none", direction]


def test_the_keyboard_sorts_too_and_one_column_at_a_time(page):
    show(page, [("b", "2"), ("c", "10"), ("a", "9")])
    page.get_by_role("button", name="value").focus()
    page.keyboard.press("Enter")
    assert column(page) == ["b", "a", "c"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    assert column(page) == ["a", "b", "c"]
    assert directions(page) == ["ascending", "none"]


@pytest.mark.parametrize(
    "rising",
    [
        ["9", "10", "1\u2009234", "12\u202f345"],
        ["\u22120.5", "0.02 [0.01, 0.03]", "0.3 ± 0.1", "∞"],
        ["340 k", "2.5 M", "12.3 M", "1.1 G"],
        ["8/255", "0.3", "10000"],
        ["4 of 10", "10 of 10", "96 %"],
        ["2e-05", "1.5e-3", "0.1"],
        ["AlexNet", "ResNet-18", "ResNet-50", "ViT-Base"],
    ],
    ids=lambda values: values[-1],
)
def test_values_sort_as_a_reader_ranks_them_and_missing_ones_come_last(page, rising):
    shuffled = [rising[-1], "–", *rising[:-1]]
    show(page, [(str(number), value) for number, value in enumerate(shuffled)])
    head = page.get_by_role("button", name="value")
    head.click()
    assert column(page, 2) == [*rising, "–"]
    head.click()
    assert column(page, 2) == [*rising[::-1], "–"]


@pytest.mark.parametrize(
    "rows",
    [
        [("a", "1"), ("b", "2")],
        [("Steps", "1"), ("", "2"), ("Optimizer", "3")],
        [("<b>a</b>", "1"), ("b", "2</td><td>3"), ("c", "3")],
    ],
    ids=["two rows", "a blank means as above", "ragged"],
)
def test_a_table_whose_rows_cannot_change_places_has_no_buttons(page, rows):
    show(page, rows)
    assert page.get_by_role("button").count() == 0
    assert directions(page) == [None, None]


def test_buttons_make_no_table_wider(page):
    rows = [(f"network {number}", str(number)) for number in range(3)]
    show(page, rows, heads=("a network's long name", "value"))
    wide = page.locator("table").bounding_box()["width"]
    page.locator(".table-sort").evaluate_all("all => all.forEach(one => one.replaceWith(...one.childNodes))")
    assert page.locator("table").bounding_box()["width"] == pytest.approx(wide, abs=0.5)


def test_a_wide_table_scrolls_with_the_arrow_keys_and_says_its_number(page):
    heads = [f"column {number}" for number in range(12)]
    caption = '<p><span class="caption-number">Table 2 </span>Wide.</p>'
    show(page, [heads] * 4, heads=heads, caption=caption)
    frame = page.get_by_role("region", name="Table 2, scrolls sideways")
    frame.wait_for()
    frame.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.table-scroll').scrollLeft > 0")
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390
