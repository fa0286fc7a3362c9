"""The claims: what was published, what was measured, and the verdict."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.style import DPI, WIDTH, canvas, text_on
from metamerbook.plots.tables import book_table
from metamerbook.study.claims import VERDICTS, claims_by_part

VERDICT_LOOKS: dict[str, tuple[str, str, str]] = {
    "holds": ("#1d7a4c", "✔", ""),
    "does not hold": ("#a8321d", "✘", "///"),
    "undecided": ("#e0a92e", "?", "..."),
    "cannot be tested": ("#8b979c", "–", "xx"),
}
"""Verdict to colour, sign and hatching: no verdict is told by its colour alone."""

_NAMES, _LINE, _HEAD = 190, 26, 24


def figure_verdicts(claims: pd.DataFrame) -> Figure:
    """Draw how many claims of each part of the paper came to which verdict."""
    parts = claims_by_part(claims)
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
    """Tabulate claims with what became of them."""
    shown = _claimed(claims)
    shown.insert(1, "paper", claims["published"].replace("", None))
    shown["why"], shown["where in the paper"] = claims["reason"], claims["where"]
    styler = _styled(shown, identifier, ["claim", "why", "where in the paper"], claims["verdict"])
    return styler.set_properties(subset=["why"], **{"min-width": "17rem"})


def table_discussed(claims: pd.DataFrame, identifier: str) -> Styler:
    """Tabulate claims with the quantity that decided, or what is missing."""
    shown = _claimed(claims)
    shown["measured"] = claims["measured"].where(claims["measured"] != "", claims["reason"])
    return _styled(shown, identifier, ["claim", "measured"], claims["verdict"])


def table_claims_summary(summary: pd.DataFrame) -> Styler:
    """Tabulate how many claims came to which verdict."""
    shown = pd.DataFrame(
        {
            "verdict": summary["verdict"].map(_signed),
            "claims": summary["claims"],
            "which": summary["ids"].replace("", None),
        }
    )
    return _styled(shown, "tab-verdicts", ["which"], summary["verdict"])


def _key(figure: Figure) -> None:
    axes = place_axes(figure, _NAMES, 0, WIDTH * DPI - _NAMES, 16)
    axes.set(xlim=(0, WIDTH * DPI - _NAMES), ylim=(0, 1))
    axes.set_axis_off()
    for number, verdict in enumerate(VERDICTS):
        colour, sign, hatch = VERDICT_LOOKS[verdict]
        axes.barh(0.5, 18, left=125 * number, height=0.8, color=colour, hatch=hatch, edgecolor="white", linewidth=0.5)
        axes.text(125 * number + 24, 0.45, f"{sign} {verdict}", va="center", fontsize=7.5)


def _claimed(claims: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "claim": claims["claim"],
            "here": [_measured(row) for row in claims.to_dict("records")],
            "verdict": claims["verdict"].map(_signed),
        }
    )


def _styled(shown: pd.DataFrame, identifier: str, wrap: list[str], verdicts: pd.Series) -> Styler:
    looks = [
        f"background-color: {VERDICT_LOOKS[name][0]}; color: {text_on(VERDICT_LOOKS[name][0])}; font-weight: 650"
        for name in verdicts
    ]
    return book_table(shown, identifier, wrap=wrap).apply(lambda _: looks, subset=["verdict"])


def _measured(row: dict) -> str | None:
    if np.isnan(row["value"]):
        return None
    return f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]".replace("-", "−")


def _signed(verdict: str) -> str:
    return f"{VERDICT_LOOKS[verdict][1]}\u00a0{verdict}"
