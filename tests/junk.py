"""Values that nobody meant to give, and what is asked of whoever is given one."""

import math
from pathlib import Path

import torch
from hypothesis import HealthCheck
from hypothesis import strategies as st
from torch import nn

from metamerlib.checks import shown

FIXED = {
    "derandomize": True,
    "deadline": None,
    "database": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}

NASTY = [
    *(None, True, False, 0, -1, 3, 10**30, 10**400, -2.5, 0.5, math.nan, math.inf, -math.inf, 1j),
    *("", " ", "x", "nan", "1e5", "späß ☃", "\0", "a" * 300, "~nobody1", "[", "{a: 1", "[[1]]", "late", "cat", "../.."),
    *(b"x", [], [[]], [None], ["x", ["y"]], [math.nan, math.nan], [10**400], (1, "a"), {1, 2}, {}, {"a": None}, {1: 2}),
    *({"x": ["y", [3]]}, object(), len, Path("nowhere"), torch.zeros(2), torch.zeros(()), nn.Identity()),
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=5)
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
JUNK = st.sampled_from(NASTY) | NESTED
WORDS = st.sampled_from([value for value in NASTY if isinstance(value, str) and "\0" not in value]) | st.text(
    st.characters(exclude_categories=["Cs", "Cc"]), max_size=12
)


def parts(value):
    """List a value and all that is in it."""
    yield value
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from (*parts(key), *parts(entry))
    elif isinstance(value, list | tuple | set) or getattr(value, "ndim", 0):
        for entry in value:
            yield from parts(entry)


def refused_clearly(call, value, *names, also=()):
    """Call with a value; if it is refused, see that the message names the argument and shows the value."""
    try:
        call(value)
    except also:
        return
    except (ValueError, TypeError) as error:
        message = str(error)
        assert any(name in message for name in names), f"{names} not in {message!r}"
        # What is long is shown shortened, and perhaps within a list.
        seen = [text for part in parts(value) for text in (shown(part), shown(part)[:40], str(part))]
        seen += [repr(tuple(getattr(value, "shape", value)))] if isinstance(value, list | torch.Tensor) else []
        assert any(text in message for text in seen), f"{value!r}: {message!r}"
