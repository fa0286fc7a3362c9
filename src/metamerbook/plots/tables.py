"""The looks of tables and numbers; a table's colours and widths are those of the book's style sheet."""

import math
from collections.abc import Iterable

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from pandas.io.formats.style import Styler


def book_table(frame: pd.DataFrame, identifier: str, *, wrap: Iterable[str] = ()) -> Styler:
    """Style a table as the book prints it: no index, numbers to the right, a fixed identifier."""
    frame = frame.reset_index(drop=True)
    styler = frame.style.set_uuid(identifier).hide(axis="index").format(_plain, na_rep="–", escape="html")
    numbers = [name for name in frame if is_numeric_dtype(frame[name]) and not is_bool_dtype(frame[name])]
    to_the_right = [{"selector": "", "props": "text-align: right"}]  # of heads and cells
    styler = styler.set_table_styles(dict.fromkeys(numbers, to_the_right), overwrite=False)
    running = pd.DataFrame("", index=frame.index, columns=frame.columns)
    running.loc[:, list(wrap)] = "wrap"
    return styler.set_td_classes(running)


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
