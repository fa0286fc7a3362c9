"""What became of the claims of the paper's discussion, in sentences that follow from the verdicts."""

import re

import pandas as pd

from metamerbook.ensembles.claims import VERDICTS
from metamerbook.ensembles.sentences.wording import counted, enumerated
from metamerbook.study.words import interval

_PHRASES = {
    "holds": ("holds", "hold"),
    "does not hold": ("does not hold", "do not hold"),
    "undecided": ("is undecided", "are undecided"),
    "cannot be tested": ("cannot be tested", "cannot be tested"),
}


def claims_made_in(claims: pd.DataFrame, *sections: str) -> pd.DataFrame:
    """Choose the claims that a section of the paper makes, or repeats.

    Parameters
    ----------
    claims
        As `metamerbook.ensembles.claims.claims_table` returns it.
    sections
        Numbers of sections, such as "5.1" or "6"; a number without a point stands for itself only.

    Returns
    -------
    DataFrame
        Their rows, in the order of the claims.
    """
    places = claims["where"].map(lambda where: re.sub(r"(?:Figure|Table)s? \w+", "", where))
    named = places.map(lambda where: not set(sections).isdisjoint(re.findall(r"\d+(?:\.\d+)?", where)))
    return claims[named.astype(bool)].reset_index(drop=True)


def tally(claims: pd.DataFrame) -> str:
    """Count the verdicts.

    Parameters
    ----------
    claims
        As `metamerbook.ensembles.claims.claims_table` returns it, or some of its rows.

    Returns
    -------
    str
        Such as "Of 12 claims, 5 hold, 3 do not hold and 4 cannot be tested here."
    """
    counts = {verdict: int((claims["verdict"] == verdict).sum()) for verdict in VERDICTS}
    parts = [f"{count} {_PHRASES[verdict][count > 1]}" for verdict, count in counts.items() if count]
    return f"Of {counted(len(claims), 'claim')}, {enumerated(parts)} here." if parts else "No claim was looked at."


def claims_in_words(claims: pd.DataFrame) -> str:
    """List claims, each with its verdict and the quantity that decided.

    Parameters
    ----------
    claims
        As `metamerbook.ensembles.claims.claims_table` returns it, or some of its rows.

    Returns
    -------
    str
        Markdown: a list.
    """
    lines = []
    for row in claims.itertuples():
        measured = f"{row.measured}, {row.value:.2f} {interval(row.low, row.high)}".strip()
        lines.append(f"- {row.claim}: **{row.verdict}**. {_sentence(measured if row.measured else row.reason)}")
    return "\n".join(lines)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}." if text else ""
