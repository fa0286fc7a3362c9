"""Words for stages, networks, counts and differences."""

import itertools
from collections.abc import Iterable, Mapping

from metamerlib.models import STAGES, ZOO, Stage


def network_label(key: str) -> str:
    """Name a network as the paper's Table A1 does.

    Parameters
    ----------
    key
        Its key in the zoo, or the name of a network of one's own.

    Returns
    -------
    str
        The paper's name, or the key where the paper has none.
    """
    return ZOO[key].table_name if key in ZOO else key


def stage_in_words(stage: Stage) -> str:
    """Name a stage within a sentence.

    Parameters
    ----------
    stage
        A stage.

    Returns
    -------
    str
        Such as "the late stage" or "35% of the depth".
    """
    if isinstance(stage, str):
        return f"the {stage} stage" if stage in STAGES else f"`{stage}`"
    return f"{stage:.0%} of the depth"


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


def counted(count: int, noun: str) -> str:
    """Put a number before a noun.

    Parameters
    ----------
    count
        How many.
    noun
        Of what; its plural ends in s.

    Returns
    -------
    str
        Such as "1 evaluator" or "2 evaluators".
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"


def enumerated(parts: Iterable[str]) -> str:
    """Join words as a sentence does.

    Parameters
    ----------
    parts
        The words.

    Returns
    -------
    str
        Such as "a, b and c"; empty if there are none.
    """
    *first, last = list(parts) or [""]
    return f"{', '.join(first)} and {last}" if first else last


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
