"""What of the machine this process may use."""

import os

CORES = "METAMERLIB_CORES"
"""Environment variable that leaves a process fewer cores than the machine has."""


def cores() -> int:
    """Count the cores that this process may use.

    Returns
    -------
    int
        ``$METAMERLIB_CORES``, if that is set; else those that the system allows it.

    Raises
    ------
    ValueError
        If the variable is not a number of cores.
    """
    if asked := os.environ.get(CORES, "").strip():
        if not asked.isdecimal() or int(asked) < 1:
            raise ValueError(f"{CORES} is {asked!r}: give a number of cores, or leave it unset to use all.")
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
