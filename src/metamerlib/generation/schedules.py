"""Learning rates over the repetitions, each a closed formula: a resumed run needs no scheduler's state."""

import math
from collections.abc import Callable


def exponential(repetition: int, repetitions: int, start: float, end: float) -> float:
    """Decay by a constant factor per repetition, from `start` in the first to `end` in the last (Table 3).

    Parameters
    ----------
    repetition
        Which repetition, counted from 0.
    repetitions
        How many there are.
    start, end
        Learning rates of the first and the last repetition.

    Returns
    -------
    float
        start · γ^repetition with γ = (end / start)^(1 / (repetitions − 1)); `start` if there is one repetition.
    """
    return start * (end / start) ** (repetition / max(repetitions - 1, 1))


def constant(repetition: int, repetitions: int, start: float, end: float) -> float:
    """Keep the learning rate.

    Parameters
    ----------
    repetition, repetitions, end
        Not used.
    start
        The learning rate.

    Returns
    -------
    float
        `start`.
    """
    return start


def halving(repetition: int, repetitions: int, start: float, end: float) -> float:
    """Halve the learning rate at equal intervals, as often as it stays at or above `end`.

    From 1 to 0.005 these are seven halvings, eight stretches of equal length: the schedule of Feather et al. (2023),
    who halve every 3000 of 24 000 updates.

    Parameters
    ----------
    repetition
        Which repetition, counted from 0.
    repetitions
        How many there are.
    start
        Learning rate of the first repetition.
    end
        Lower bound, at most `start`.

    Returns
    -------
    float
        start / 2^k in stretch k.
    """
    # The tolerance keeps an exact power of two, such as 1 to 0.25, from losing its last halving to rounding.
    halvings = math.floor(math.log2(start / end) + 1e-9)
    return start * 0.5 ** (repetition * (halvings + 1) // repetitions)


def one_cycle(repetition: int, repetitions: int, start: float, end: float) -> float:
    """Rise along a cosine from a 25th of `start` to it, over the first 30 %, then fall along a cosine to `end`.

    The schedule of Smith and Topin (2018), as PyTorch's `OneCycleLR` has it.

    Parameters
    ----------
    repetition
        Which repetition, counted from 0.
    repetitions
        How many there are; with fewer than four there is no rise.
    start
        The highest learning rate.
    end
        Learning rate of the last repetition.

    Returns
    -------
    float
        The learning rate; `start` if there is one repetition.
    """
    peak, last = max(0.3 * repetitions - 1, 0.0), repetitions - 1
    if repetition <= peak:
        share = repetition / peak if peak else 1.0
        low = start / 25
    else:
        share, low = 1 - (repetition - peak) / (last - peak), end
    return low + (start - low) * (1 - math.cos(math.pi * share)) / 2


SCHEDULES: dict[str, Callable[[int, int, float, float], float]] = {
    "exponential": exponential,
    "constant": constant,
    "halving": halving,
    "one_cycle": one_cycle,
}
"""The schedules by the name that `GenerationConfig.schedule` gives them."""
