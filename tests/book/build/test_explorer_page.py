"""The explorer in a browser: what is shown follows every control, by mouse and by keyboard, and it is the right thing.

Most of it is tested on pictures of one colour each, which tell where they come from.
"""

import copy
from types import SimpleNamespace

import pytest
import torch

import metamerlib
from browser import served
from metamerbook.build.requests import package_digest
from metamerbook.ensembles.figures.explorer import explorer_html
from metamerbook.ensembles.methodology import Trajectory
from metamerbook.plots.mosaic import SheetsTooLargeError, encode_sheets

CATEGORIES = ("bear", "cat", "dog")
SETS, STAGES = ("One", "Two <b>"), ("early", 0.35)
REPETITIONS = (0, 1, 10, 1000)
PAGE = "notebooks/90_explorer.html"


def plain(*colour):
    return torch.tensor(colour, dtype=torch.float32).view(3, 1, 1).expand(3, 16, 16)


def reference_colour(category):
    return (1.0, category / 2, 0.0)


def metamer_colour(run, step, category):
    return (0.0, 0.0, 0.5) if step == 0 else (run / 4, step / 3, category / 2)


def explored(number, model_set, stage):
    grid = [[plain(*metamer_colour(number, step, one)) for one in range(3)] for step in range(4)]
    residuals = torch.tensor([1.0, 0.5, 0.25, 0.012]).view(4, 1, 1).expand(4, 3, 2).clone()
    residuals[1, 2, 1] = torch.nan
    return SimpleNamespace(
        model_set=model_set,
        stage=stage,
        trajectory=Trajectory(
            images=torch.stack([torch.stack(row) for row in grid]),
            residuals=residuals,
            repetitions=REPETITIONS,
            updates=tuple(4 * repetition for repetition in REPETITIONS),
            models=("resnet18", "mine & yours"),
        ),
        evaluators=tuple("abcde"),
        recognized=torch.arange(4)[:, None] + torch.tensor([0, 1, 0]),
    )


def changed(one, **values):
    other = copy.copy(one)
    for name, value in values.items():
        object.__setattr__(other, name, value)
    return other


EXPLORATION = SimpleNamespace(
    categories=CATEGORIES,
    references=torch.stack([plain(*reference_colour(category)) for category in range(3)]),
    runs=tuple(
        explored(2 * row + column, name, stage) for row, name in enumerate(SETS) for column, stage in enumerate(STAGES)
    ),
    featured=("One", 0.35),
)


class Driver:
    """A page with an explorer, and what is to be seen on it."""

    def __init__(self, page):
        self.page = page
        self.steps = page.get_by_role("slider", name="Along the optimisation")
        self.wipe = page.get_by_role("slider", name="Wipe between reference and metamer")

    def show(self, exploration=EXPLORATION):
        self.page.set_content(f'<!doctype html><html lang="en"><body>{explorer_html(exploration)}</body></html>')
        self.page.wait_for_selector(".metamer-explorer[data-ready]")
        return self

    def sees(self, run, step, category):
        """Wait until the pictures are the wanted ones; a timeout is the failure."""
        self.page.wait_for_function(
            """([reference, metamer]) => {
              const middle = canvas => {
                if (canvas.width < 16) return [];
                return [...canvas.getContext("2d").getImageData(8, 8, 1, 1).data].slice(0, 3);
              };
              const near = (canvas, colour) =>
                colour.every((value, channel) => Math.abs(255 * value - middle(canvas)[channel]) < 12);
              const find = selector => document.querySelector(selector);
              return near(find(".explorer-reference"), reference) && near(find(".explorer-metamer"), metamer)
                && near(find(".explorer-wipe canvas"), metamer)
                && near(find(".explorer-wipe canvas + canvas"), reference)
                && near(find(".explorer-frame.chosen canvas"), metamer);
            }""",
            arg=[reference_colour(category), metamer_colour(run, step, category)],
            timeout=5000,
        )

    @property
    def said(self):
        return self.page.get_by_role("status").last.text_content()

    @property
    def bars(self):
        rows = self.page.locator(".explorer-bars li").all()
        return [tuple(row.locator("> span").nth(part).text_content() for part in (0, 2)) for row in rows]


@pytest.fixture
def page(browser):
    opened = browser.new_page(viewport={"width": 800, "height": 1000})
    complaints = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    opened.on("request", lambda request: request.url.startswith("data:") or complaints.append(request.url))
    yield opened
    opened.close()
    assert complaints == []


@pytest.fixture
def driver(page):
    return Driver(page).show()


def test_it_begins_with_the_featured_metamers_finished(driver):
    driver.sees(run=1, step=3, category=0)
    assert driver.page.get_by_role("radio", name="35 %").is_checked()
    assert driver.said == (
        "After 4\u2009000 updates of 4\u2009000: residual 0.012, the mean over 2 networks; "
        "recognized by 3 of 5 networks that had no part in it."
    )
    assert driver.bars == [("ResNet-18", "0.012"), ("mine & yours", "0.012"), ("recognized by", "3 / 5")]


def test_every_choice_changes_the_pictures(driver):
    driver.page.get_by_role("radio", name="cat").check()
    driver.sees(run=1, step=3, category=1)
    assert "recognized by 4 of 5" in driver.said
    driver.page.get_by_role("radio", name="Two <b>").check()
    driver.sees(run=3, step=3, category=1)
    driver.page.get_by_role("radio", name="early").check()
    driver.sees(run=2, step=3, category=1)
    name = "Metamer of the cat for Two <b>, early, after 4\u2009000 updates"
    assert driver.page.get_by_role("img", name=name).is_visible()
    assert driver.page.get_by_role("img", name="Reference: cat").is_visible()


def test_the_keyboard_reaches_and_moves_everything(driver):
    keyboard, visited = driver.page.keyboard, []
    for _ in range(6):
        keyboard.press("Tab")
        visited.append(
            driver.page.evaluate(
                """() => {
                  const at = document.activeElement;
                  const name = at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent;
                  return name.trim().split("\\n")[0];
                }"""
            )
        )
        keyboard.press("ArrowLeft" if visited[-1] in ("35 %", "Along the optimisation") else "ArrowRight")
    wipe = "Wipe between reference and metamer"
    assert visited == ["One", "35 %", "bear", wipe, "Play", "Along the optimisation"]
    driver.sees(run=2, step=2, category=1)
    assert driver.wipe.input_value() == "51"


def test_the_steps_slide_from_the_initial_stimulus_to_the_metamer(driver):
    driver.steps.focus()
    for key, step in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("End", 3), ("ArrowLeft", 2)):
        driver.page.keyboard.press(key)
        driver.sees(run=1, step=step, category=0)
    assert driver.steps.get_attribute("aria-valuetext") == "after 40 updates, residual 0.25"
    driver.page.keyboard.press("Home")
    driver.sees(run=1, step=0, category=0)
    assert driver.said.startswith("Before the first update of 4\u2009000: residual 1.00")


def test_a_click_on_a_picture_of_the_strip_goes_there(driver):
    driver.page.locator(".explorer-frame").nth(1).click()
    driver.sees(run=1, step=1, category=0)
    assert driver.steps.input_value() == "1"
    assert driver.page.locator(".explorer-frame span").all_text_contents() == [
        "0", "0/5", "4", "1/5", "40", "2/5", "4\u2009000", "3/5",
    ]  # fmt: skip


def test_a_step_stays_when_the_picture_changes(driver):
    driver.page.locator(".explorer-frame").nth(1).click()
    driver.page.get_by_role("radio", name="dog").check()
    driver.sees(run=1, step=1, category=2)


def test_what_is_not_a_number_is_a_dash(driver):
    driver.page.locator(".explorer-frame").nth(1).click()
    driver.page.get_by_role("radio", name="dog").check()
    driver.sees(run=1, step=1, category=2)
    assert driver.bars[:2] == [("ResNet-18", "0.50"), ("mine & yours", "–")]


def visible_share(driver):
    """Return the share of the upper picture, the reference, that is not cut off."""
    return driver.page.locator(".explorer-wipe").evaluate(
        """wipe => {
          const [, cut] = /([\\d.]+)%/.exec(getComputedStyle(wipe.children[1]).clipPath);
          return 1 - Number(cut) / 100;
        }"""
    )


def test_the_line_between_the_two_pictures_follows_keys_and_pointer(driver):
    assert visible_share(driver) == pytest.approx(0.5)
    driver.wipe.focus()
    driver.page.keyboard.press("Home")
    assert visible_share(driver) == pytest.approx(0)
    driver.page.keyboard.press("ArrowRight")
    assert visible_share(driver) == pytest.approx(0.01)
    box = driver.wipe.bounding_box()
    driver.page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 20)
    assert visible_share(driver) == pytest.approx(0.75, abs=0.02)
    assert driver.wipe.get_attribute("aria-valuetext") == "reference on the left 75 %"


def test_it_plays_from_the_beginning_to_the_end_and_stops(page):
    page.clock.install()
    driver = Driver(page).show()
    page.get_by_role("button", name="Play").click()
    for step in range(4):
        driver.sees(run=1, step=step, category=0)
        page.clock.run_for(700)
    assert page.get_by_role("button", name="Play").is_visible()
    page.clock.run_for(2000)
    assert driver.steps.input_value() == "3"


def test_playing_pauses_on_demand(page):
    page.clock.install()
    driver = Driver(page).show()
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(700)
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(5000)
    driver.sees(run=1, step=1, category=0)


def test_nobody_is_counted_where_there_are_no_evaluators(page):
    runs = tuple(
        changed(run, evaluators=(), recognized=torch.zeros(4, 3, dtype=torch.int64)) for run in EXPLORATION.runs
    )
    driver = Driver(page).show(changed(EXPLORATION, runs=runs))
    assert "recognized" not in driver.said
    assert [name for name, _ in driver.bars] == ["ResNet-18", "mine & yours"]


def test_names_are_text_and_not_html(driver):
    assert driver.page.locator(".explorer-chip b").count() == 0
    assert driver.page.get_by_text("Two <b>").is_visible()
    assert "</script><script>" not in explorer_html(
        changed(EXPLORATION, categories=("</script><script>alert(1)", "cat", "dog"))
    )


def noisy(side, rows=6, columns=6):
    return torch.rand(rows, columns, 3, side, side, generator=torch.Generator().manual_seed(0))


def test_sheets_keep_their_room_and_lose_quality_first():
    sheet = noisy(64)
    sizes = {}
    for room in (300_000, 200_000, 110_000):
        files, size = encode_sheets([sheet, sheet], room)
        sizes[room] = sum(map(len, files))
        assert sizes[room] <= room
        assert size == (64, 64)
    assert sizes[300_000] > sizes[200_000] > sizes[110_000] > 100_000


def test_sheets_shrink_when_quality_is_not_enough_and_say_when_nothing_is():
    sheet = noisy(64)
    _, size = encode_sheets([sheet], 10_000)
    assert size == (32, 32)
    with pytest.raises(SheetsTooLargeError, match="36 pictures do not fit into 100 bytes"):
        encode_sheets([sheet], 100)


def test_the_whole_explorer_keeps_its_limit():
    runs = tuple(changed(run, trajectory=changed(run.trajectory, images=noisy(64, 4, 3))) for run in EXPLORATION.runs)
    exploration = changed(EXPLORATION, references=noisy(64, 1, 3)[0], runs=runs)
    for limit in (80_000, 120_000):
        assert limit / 2 < len(explorer_html(exploration, limit=limit).encode()) <= limit


@pytest.mark.parametrize("name", ["explorer.js", "explorer.css", "explorer.html"])
def test_a_chapter_is_executed_again_when_a_program_that_it_carries_changes(name, tmp_path, monkeypatch):
    package = tmp_path / "src" / "metamerlib"
    package.mkdir(parents=True)
    monkeypatch.setattr(metamerlib, "__file__", str(package / "__init__.py"))
    keys = []
    for text in ("old", "old", "new"):
        (package / name).write_text(text)
        keys.append(package_digest(tmp_path))
    assert keys[0] == keys[1] != keys[2]


# --- in the book


@pytest.fixture(params=[("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)], ids=lambda p: f"{p[0]}-{p[1]}")
def book_page(request, built_book, browser):
    theme, width = request.param
    requests = []
    with served(built_book) as address:
        opened = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
        opened.on("request", lambda sent: requests.append(sent.url))
        opened.goto(f"{address}/{PAGE}")
        opened.wait_for_selector(".metamer-explorer[data-ready]")
        yield opened
        opened.close()
        assert [url for url in requests if not url.startswith((address, "data:"))] == []


CONTRASTS = """() => {
  const context = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d");
  const paint = colours => {
    colours.forEach(colour => { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); });
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map(value => value / 255)
      .map(value => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  };
  const luminance = colours => {
    const [red, green, blue] = paint(colours);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  return [...document.querySelectorAll(
    ".metamer-explorer :is(legend, output, label, .explorer-chip, p, p b, .explorer-frame span, button, li span)"
  )].filter(element => element.textContent.trim()).map(element => {
    const grounds = [];
    for (let at = element; at; at = at.parentElement) grounds.unshift(getComputedStyle(at).backgroundColor);
    const [text, ground] = [luminance([...grounds, getComputedStyle(element).color]), luminance(grounds)];
    const ratio = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
    return [element.className || element.tagName, element.textContent, ratio];
  });
}"""


def test_in_the_book_every_word_stands_out_and_nothing_sticks_out(book_page):
    words = book_page.evaluate(CONTRASTS)
    assert len(words) > 20
    assert [word for word in words if word[2] < 4.5] == []
    assert book_page.evaluate("() => document.documentElement.scrollWidth") <= book_page.viewport_size["width"]
    cut = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.className)"
    assert book_page.locator(".metamer-explorer *").evaluate_all(cut) == []


def test_in_the_book_it_moves(book_page):
    metamer = book_page.locator(".explorer-metamer")
    finished = metamer.evaluate("canvas => canvas.toDataURL()")
    book_page.get_by_role("slider", name="Along the optimisation").focus()
    book_page.keyboard.press("Home")
    book_page.wait_for_function(
        "old => document.querySelector('.explorer-metamer').toDataURL() !== old", arg=finished, timeout=5000
    )
    assert "Before the first update" in book_page.get_by_role("status").last.text_content()


def test_in_the_book_the_page_is_small(built_book):
    assert (built_book / PAGE).stat().st_size < 2_000_000
