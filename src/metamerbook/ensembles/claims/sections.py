"""Claims by the part of the paper that makes them first, and a sentence about all of them."""

import re

import pandas as pd

from metamerbook.ensembles.claims.findings import DOES_NOT_HOLD, HOLDS, UNDECIDED, UNTESTABLE, VERDICTS

SECTIONS = (
    "Abstract and introduction",
    "Section 4, set-up",
    "Section 4.5, results",
    "Section 4.6, restricted search",
    "Section 5, discussion",
    "Appendix B",
)
"""Parts of the paper, in its order."""


def section_of(where: str) -> str:
    """Name the part of the paper that makes a claim first.

    Parameters
    ----------
    where
        The claim's places, as ``published("claims")`` gives them.

    Returns
    -------
    str
        One of `SECTIONS`. The caption of Figure 2 belongs to the results.

    Raises
    ------
    ValueError
        If the place is none of these.
    """
    if where.startswith(("abstract", "introduction")):
        return SECTIONS[0]
    if where.startswith("appendix B"):
        return SECTIONS[5]
    if where.startswith("Figure 2"):
        return SECTIONS[2]
    found = re.match(r"sections? (\d)(?:\.(\d))?", where)
    if found and found[1] == "4":
        return {"5": SECTIONS[2], "6": SECTIONS[3]}.get(found[2], SECTIONS[1])
    if found and found[1] == "5":
        return SECTIONS[4]
    raise ValueError(f"where is {where!r}, which begins with no part of the paper that makes claims: {SECTIONS}.")


def claims_by_section(claims: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Sort claims by the part of the paper that makes them first.

    Parameters
    ----------
    claims
        As `claims_table` returns it.

    Returns
    -------
    dict of str to DataFrame
        Every one of `SECTIONS`, in the paper's order, to its rows, which may be none.
    """
    parts = claims["where"].map(section_of)
    return {section: claims[parts == section].reset_index(drop=True) for section in SECTIONS}


def claims_in_short(claims: pd.DataFrame) -> str:
    """Say in a sentence what became of the claims.

    Parameters
    ----------
    claims
        As `claims_table` returns it.

    Returns
    -------
    str
        How many there are, and how many came to each verdict.
    """
    counts = {verdict: int((claims["verdict"] == verdict).sum()) for verdict in VERDICTS}
    words = {HOLDS: ("holds", "hold"), DOES_NOT_HOLD: ("does not hold", "do not hold")}
    words |= {UNDECIDED: ("is undecided", "are undecided"), UNTESTABLE: ("cannot be tested", "cannot be tested")}
    parts = [f"{count or 'none'} {words[verdict][count > 1]}" for verdict, count in counts.items()]
    return f"Of the paper's {len(claims)} claims {', '.join(parts[:-1])} and {parts[-1]} here."
