"""Times, and ratios of times with an interval."""

import time
from collections.abc import Sequence

import numpy as np
import torch
from scipy.stats import binom


def now(device: str) -> float:
    """Read the clock, when the device has done all that it was given.

    Parameters
    ----------
    device
        A torch device.

    Returns
    -------
    float
        Seconds.
    """
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def compared(ours: Sequence[float], other: Sequence[float]) -> dict[str, float]:
    """Compare two series that were measured in turn.

    Each value is divided by its neighbour's in time, so that what slows the machine down for a while slows both.

    Parameters
    ----------
    ours, other
        One value per round.

    Returns
    -------
    dict
        Columns of a table: the medians "ours" and "other", the median "ratio" of ours to the other, and "low" and
        "high", order statistics that hold the true median with a probability of 95 % (the lowest and the highest
        value where there are fewer than six rounds).
    """
    ratios = np.sort(np.asarray(ours) / np.asarray(other))
    rank = max(int(binom.ppf(0.025, len(ratios), 0.5)), 1)
    return {
        "ours": float(np.median(ours)),
        "other": float(np.median(other)),
        "ratio": float(np.median(ratios)),
        "low": float(ratios[rank - 1]),
        "high": float(ratios[-rank]),
    }
