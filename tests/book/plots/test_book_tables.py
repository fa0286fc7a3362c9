"""Tables say what frames hold, and are the same text whenever they are made."""

import re

import numpy as np
import pandas as pd
import pytest

from figure_worlds import cells
from metamerbook.plots.tables import book_table, short_number


def test_a_table_is_the_same_text_each_time_and_escapes_what_is_no_markup():
    frame = pd.DataFrame({"a": ["<b>", "x"], "n": [0.123456, np.nan], "yes": [True, False]})
    first, second = (book_table(frame, "tab-x", wrap=["a"]).to_html() for _ in range(2))
    assert first == second
    assert 'id="T_tab-x"' in first
    assert cells(book_table(frame, "tab-x")) == [["a", "n", "yes"], ["&lt;b&gt;", "0.123", "yes"], ["x", "–", "no"]]
    assert len(re.findall(r'class="data row\d col0 wrap"', first)) == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        (-0.00886, "−0.00886"),
        (2070.4, "2\u2009070"),
        (np.inf, "∞"),
        (-np.inf, "−∞"),
        (np.nan, "–"),
        (999.9, "1\u2009000"),
    ],
)
def test_numbers_are_short(value, text):
    assert short_number(value) == text
