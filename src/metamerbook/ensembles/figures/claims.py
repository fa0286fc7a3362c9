"""The claims: what was published, what was measured, and the verdict."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from metamerbook.ensembles.claims import VERDICTS, claims_by_section
from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.style import DPI, WIDTH, canvas, text_on
from metamerbook.plots.tables import book_table

VERDICT_LOOKS: dict[str, tuple[str, str, str]] = {
    "holds": ("#1d7a4c", "✔", ""),
    "does not hold": ("#a8321d", "✘", "///"),
    "undecided": ("#e0a92e", "?", "..."),
    "cannot be tested": ("#8b979c", "–", "xx"),
}
"""Verdict to colour, sign and hatching: no verdict is told by its colour alone."""

_NAMES, _LINE, _HEAD = 190, 26, 24


def figure_verdicts(claims: pd.DataFrame) -> Figure:
    """Draw how many claims of each part of the paper came to which verdict.

    Parameters
    ----------
    claims
        As `metamerbook.ensembles.claims.claims_table` returns it.

    Returns
    -------
    Figure
        One bar per part of the paper, divided by verdict, each piece with its sign and number.
    """
    parts = {name: rows for name, rows in claims_by_section(claims).items() if len(rows)}
    high = _LINE * len(parts)
    with canvas(height=(_HEAD + high + 4) / DPI) as figure:
        axes = place_axes(figure, _NAMES, _HEAD, WIDTH * DPI - _NAMES, high)
        for place, (section, rows) in enumerate(parts.items()):
            left = 0
            for verdict in VERDICTS:
                count = int((rows["verdict"] == verdict).sum())
                colour, sign, hatch = VERDICT_LOOKS[verdict]
                if count:
                    looks = {"color": colour, "hatch": hatch, "edgecolor": "white", "linewidth": 0.8}
                    axes.barh(place, count, left=left, height=0.74, **looks)
                    ground = {"boxstyle": "round,pad=0.15", "facecolor": colour, "edgecolor": "none"}
                    words = f"{sign} {count}"
                    options = {"ha": "center", "va": "center", "fontsize": 7.5, "color": text_on(colour)}
                    axes.text(left + count / 2, place, words, bbox=ground, **options)
                left += count
            where = _HEAD + (place + 0.5) * _LINE
            place_text(figure, section, _NAMES - 10, where, ha="right", va="center", fontsize=7.5)
        axes.set(xlim=(0, max(map(len, parts.values()))), ylim=(len(parts) - 0.5, -0.5))
        axes.set_axis_off()
        _key(figure)
    return figure


def table_claims(claims: pd.DataFrame, identifier: str) -> Styler:
    """Tabulate claims with what became of them.

    Parameters
    ----------
    claims
        As `metamerbook.ensembles.claims.claims_table` returns it, or some of its rows.
    identifier
        Of the table.

    Returns
    -------
    Styler
        The claim, the paper's number, our decisive quantity with its interval, the verdict in words, with sign and
        colour, why, and where the paper makes the claim.
    """
    shown = pd.DataFrame(
        {
            "claim": claims["claim"],
            "paper": claims["published"].replace("", None),
            "here": [_measured(row) for row in claims.to_dict("records")],
            "verdict": [f"{VERDICT_LOOKS[verdict][1]}\u00a0{verdict}" for verdict in claims["verdict"]],
            "why": claims["reason"],
            "where in the paper": claims["where"],
        }
    )
    styler = book_table(shown, identifier, wrap=["claim", "why", "where in the paper"])
    styler = styler.set_properties(subset=["why"], **{"min-width": "17rem"})
    looks = claims["verdict"].map(_cell).reset_index(drop=True)
    return styler.apply(lambda _: looks, subset=["verdict"])


def table_claims_summary(summary: pd.DataFrame) -> Styler:
    """Tabulate how many claims came to which verdict.

    Parameters
    ----------
    summary
        As `metamerbook.ensembles.claims.claims_summary` returns it.

    Returns
    -------
    Styler
        Verdict, number, and the claims' ids.
    """
    shown = pd.DataFrame(
        {
            "verdict": [f"{VERDICT_LOOKS[verdict][1]}\u00a0{verdict}" for verdict in summary["verdict"]],
            "claims": summary["claims"],
            "which": summary["ids"].replace("", None),
        }
    )
    styler = book_table(shown, "tab-verdicts", wrap=["which"])
    return styler.apply(lambda _: summary["verdict"].map(_cell).reset_index(drop=True), subset=["verdict"])


def _key(figure: Figure) -> None:
    axes = place_axes(figure, _NAMES, 0, WIDTH * DPI - _NAMES, 16)
    axes.set(xlim=(0, WIDTH * DPI - _NAMES), ylim=(0, 1))
    axes.set_axis_off()
    for number, verdict in enumerate(VERDICTS):
        colour, sign, hatch = VERDICT_LOOKS[verdict]
        axes.barh(0.5, 18, left=125 * number, height=0.8, color=colour, hatch=hatch, edgecolor="white", linewidth=0.5)
        axes.text(125 * number + 24, 0.45, f"{sign} {verdict}", va="center", fontsize=7.5)


def _measured(row: dict) -> str | None:
    if np.isnan(row["value"]):
        return None
    return f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]".replace("-", "−")


def _cell(verdict: str) -> str:
    colour = VERDICT_LOOKS[verdict][0]
    return f"background-color: {colour}; color: {text_on(colour)}; font-weight: 650"
