"""Words for stages, networks, counts and differences."""

import itertools
from collections.abc import Mapping

from metamerbook.study.words import counted, enumerated, network_label, stage_in_words  # noqa: F401
from metamerlib.models import Stage


def stage_name(stage: Stage) -> str:
    """Name a stage in brackets or a list.

    Parameters
    ----------
    stage
        A stage.

    Returns
    -------
    str
        Such as "late" or "35%".
    """
    return stage if isinstance(stage, str) else f"{stage:.0%}"


def difference(value: float, more: str = "higher by", less: str = "lower by") -> str:
    """Put a signed difference of shares into words.

    Parameters
    ----------
    value
        The difference.
    more, less
        "higher by" and "lower by" stand before the amount; "above" and "below" behind it.

    Returns
    -------
    str
        Such as "higher by 0.12" or "0.12 above"; below 0.005, "no difference" or "level with".
    """
    behind = more == "above"
    if abs(value) < 0.005:
        return "level with" if behind else "no difference"
    words, amount = more if value > 0 else less, f"{abs(value):.2f}"
    return f"{amount} {words}" if behind else f"{words} {amount}"


def order(values: Mapping[str, float]) -> str:
    """Write names from the highest value to the lowest.

    Parameters
    ----------
    values
        By name; at least one.

    Returns
    -------
    str
        Such as "middle > early = late"; "=" stands between values that differ by less than 0.005.
    """
    names = sorted(values, key=lambda name: -values[name])
    text = names[0]
    for above, name in itertools.pairwise(names):
        text += f" {'=' if values[above] - values[name] < 0.005 else '>'} {name}"
    return text
