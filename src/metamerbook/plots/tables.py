"""The looks of tables and numbers; a table's colours and widths are those of the book's style sheet."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from pandas.io.formats.style import Styler

from metamerbook.study.words import interval, signed


def book_table(
    frame: pd.DataFrame,
    identifier: str,
    *,
    wrap: Iterable[str] = (),
    right: Iterable[str] = (),
    formats: Mapping[str, str | Callable] | None = None,
    bold: Mapping[str, Sequence[bool]] | None = None,
) -> Styler:
    """Style a table as the book prints it: no index, a fixed identifier, unknown values as dashes.

    Numbers stand to the right, and so do columns in `right`; running text in `wrap`. Cells where `bold` is true stand
    out.
    """
    frame = frame.reset_index(drop=True)
    formats, bold = formats or {}, bold or {}
    styler = frame.style.set_uuid(identifier).hide(axis="index").format(_plain, na_rep="–", escape="html")
    if formats:
        styler = styler.format(dict(formats), subset=list(formats), na_rep="–")
    numbers = [name for name in frame if is_numeric_dtype(frame[name]) and not is_bool_dtype(frame[name])]
    to_the_right = [{"selector": "", "props": "text-align: right"}]  # of heads and cells
    styler = styler.set_table_styles(dict.fromkeys([*numbers, *right], to_the_right), overwrite=False)
    for name, cells in bold.items():
        weights = ["font-weight: 650" if cell else "" for cell in cells]
        styler = styler.apply(lambda _, weights=weights: weights, subset=[name])
    running = pd.DataFrame("", index=frame.index, columns=frame.columns)
    running.loc[:, list(wrap)] = "wrap"
    return styler.set_td_classes(running)


def estimate(value: float, low: float, high: float) -> str:
    """Write a difference with its interval, such as "+0.021 [−0.02, +0.06]"."""
    return f"{signed(value, 3)} {interval(low, high)}".strip()


def short_number(value: float) -> str:
    """Write a number in few signs."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"
    return text.replace("-", "−").replace(",", "\u2009")


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
