"""The looks of all figures: widths, colours, order and names of sets, stages and networks.

Figures are drawn for white paper. In the book's dark theme they stand on a white card, so that the stimuli in them
are seen as they are. Sets of one family share a hue and differ in lightness, marker and line, which colour-blind
readers and grey prints keep apart.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.typing import ColorType
from seaborn.utils import relative_luminance

from metamerlib.models import STAGES, Stage

WIDTH = 7.0  # inches of every figure; with the margin that notebooks put around it, the book's text column
DPI = 100  # pixels per inch on a page; the book stores figures at twice this resolution
INK, MUTED, RULE, PAPER = "#1c2326", "#5f6b70", "#c9d1d4", "#ffffff"  # text, what is secondary, lines, background
ACCENT = "#b4472b"  # what the eye shall find first, such as the published value
BETTER = "#2c7a3f"  # the direction in which a metric is better


@dataclass(frozen=True)
class LineStyle:
    """How a model set is drawn wherever it occurs."""

    colour: str
    marker: str
    dash: str | tuple[int, tuple[float, ...]] = "-"
    words: str = ""

    @property
    def text(self) -> str:
        """The colour, darkened as far as words on white paper need it (contrast 4.5 : 1, as WCAG 2.2 asks)."""
        colour = to_rgb(self.colour)
        while _contrast(colour, PAPER) < 4.5:
            colour = tuple(0.97 * channel for channel in colour)
        return to_hex(colour)


def _looks(kind: str) -> dict[str, LineStyle]:
    table = pd.read_csv(str(_FOLDER / "looks.csv"), dtype=str, keep_default_na=False)
    rows = table[table["kind"] == kind].itertuples()
    dashes = {"": "-", "long": (0, (5, 1.5)), "middle": (0, (4, 1.5)), "short": (0, (1.5, 1.2))}
    return {row.key: LineStyle(row.colour, row.marker, dashes[row.dash], row.words) for row in rows}


_FOLDER = resources.files("metamerbook.plots")

SET_STYLES = _looks("set")  # of the paper's Table 2, in its order; their words are the headings in Fig. 3
FURTHER_STYLES = tuple(_looks("further").values())  # of other sets, in the order in which they come
FAMILIES = _looks("family")  # of single networks, in the order of rows
MEMBER_COLOURS = tuple(look.colour for look in _looks("member").values())  # networks of one ensemble
WAYS, STARTS = _looks("way"), _looks("start")  # optimisers and modes; initialisers, which have words only

# For heat maps: from none to all, and from equal to apart. Both darken steadily, whoever looks.
SHARES = LinearSegmentedColormap.from_list("shares", ["#f4f7f9", "#b5d0e6", "#4d8cc4", "#12294f"])
DIVERGENCES = LinearSegmentedColormap.from_list("divergences", ["#f8f6fa", "#d3c6e4", "#8e70b8", "#2e1a52"])


@contextmanager
def canvas(height: float, width: float = WIDTH, layout: str | None = None) -> Iterator[Figure]:
    """Open an empty figure in the book's style, sized in inches; it is shown only by who returns it."""
    with plt.style.context(_FOLDER / "book.mplstyle"):
        figure = plt.figure(figsize=(width, height), dpi=DPI, layout=layout)
        # Notebooks crop figures to what is drawn. An invisible frame keeps the size, and pixels where they were put.
        figure.add_artist(Rectangle((0, 0), 1, 1, transform=figure.transFigure, fill=False, linewidth=0))
        try:
            yield figure
        finally:
            plt.close(figure)


def set_styles(names: Iterable[str]) -> dict[str, LineStyle]:
    """Choose the style of each model set: the paper's have their own, others take further ones in turn."""
    names = list(dict.fromkeys(names))
    others = [name for name in names if name not in SET_STYLES]
    further = {name: FURTHER_STYLES[position % len(FURTHER_STYLES)] for position, name in enumerate(others)}
    return {name: SET_STYLES.get(name) or further[name] for name in names}


def set_groups(names: Iterable[str]) -> dict[str, list[str]]:
    """Sort model sets into those that are compared with each other."""
    names = list(dict.fromkeys(names))
    headings = {name: look.words for name, look in SET_STYLES.items() if name in names}
    groups = {heading: [name for name in headings if headings[name] == heading] for heading in headings.values()}
    groups["Other sets"] = [name for name in names if name not in SET_STYLES]
    return {heading: members for heading, members in groups.items() if members}


def set_order(names: Iterable[str]) -> list[str]:
    """Put model sets in the order of rows and columns: by family."""
    return [name for members in set_groups(names).values() for name in members]


def cells(table: pd.DataFrame) -> list[tuple[str, Stage]]:
    """List a table's sets with each of its stages, in the order of rows."""
    return [(name, stage) for name in set_order(table["model_set"]) for stage in stage_positions(table["stage"])]


def grouped(number: float) -> str:
    """Write a number with thin spaces between thousands."""
    return f"{number:,.10g}".replace(",", "\u2009")


def stage_label(stage: Stage) -> str:
    """Name a stage: as the paper does, or as a share of the depth."""
    return stage if isinstance(stage, str) else f"{100 * stage:.3g} %"


def stage_positions(stages: Iterable[Stage]) -> dict[Stage, float]:
    """Place stages along an axis, in rising order: at their share of the depth where all have one, else in a row."""
    stages = list(dict.fromkeys(stages))
    if all(stage in STAGES or not isinstance(stage, str) for stage in stages):
        depths = {stage: STAGES[stage] if isinstance(stage, str) else float(stage) for stage in stages}
        return dict(sorted(depths.items(), key=lambda item: item[1]))
    return {stage: float(place) for place, stage in enumerate(stages)}


def evaluator_order(table: pd.DataFrame) -> list[str]:
    """Put evaluators in the order of rows: by family, standard before robust before untrained ones."""
    traits = table.drop_duplicates("evaluator")
    traits = traits.assign(family=pd.Categorical(traits["family"], list(FAMILIES)))
    return traits.sort_values(["family", "random", "robust"], kind="stable")["evaluator"].tolist()


def text_on(colour: ColorType) -> str:
    """Choose dark or white letters, whichever are easier to read on a colour."""
    return max(INK, PAPER, key=lambda letters: _contrast(colour, letters))


def _contrast(first: ColorType, second: ColorType) -> float:
    """Contrast ratio of two colours, from 1 to 21."""
    darker, lighter = sorted(map(relative_luminance, (first, second)))
    return (lighter + 0.05) / (darker + 0.05)
