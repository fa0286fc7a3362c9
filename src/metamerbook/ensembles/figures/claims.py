"""The claims: what was published, what was measured, and the verdict."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from metamerbook.plots.style import canvas, text_on
from metamerbook.plots.tables import book_table
from metamerbook.study.claims import VERDICTS, claims_by_part

VERDICT_LOOKS: dict[str, tuple[str, str, str]] = {
    "holds": ("#1d7a4c", "✔", ""),
    "does not hold": ("#a8321d", "✘", "///"),
    "undecided": ("#e0a92e", "?", "..."),
    "cannot be tested": ("#8b979c", "–", "xx"),
}
"""Verdict to colour, sign and hatching: no verdict is told by its colour alone."""


def figure_verdicts(claims: pd.DataFrame) -> Figure:
    """Draw how many claims of each part of the paper came to which verdict."""
    parts = claims_by_part(claims)
    with canvas(height=0.26 * len(parts) + 0.36, layout="constrained") as figure:
        axes = figure.subplots()
        left = np.zeros(len(parts))
        for verdict in VERDICTS:
            colour, sign, hatch = VERDICT_LOOKS[verdict]
            counts = np.array([(rows["verdict"] == verdict).sum() for rows in parts.values()])
            looks = {"color": colour, "hatch": hatch, "edgecolor": "white", "label": f"{sign} {verdict}"}
            bars = axes.barh(list(parts), counts, left=left, height=0.74, linewidth=0.8, **looks)
            ground = {"boxstyle": "round,pad=0.15", "facecolor": colour, "edgecolor": "none"}
            words = [f"{sign} {count}" if count else "" for count in counts]
            axes.bar_label(bars, words, label_type="center", fontsize=7.5, color=text_on(colour), bbox=ground)
            left += counts
        axes.set(xlim=(0, left.max()), xticks=[], ylim=(len(parts) - 0.5, -0.5))
        axes.tick_params(axis="y", length=0)
        axes.spines[:].set_visible(False)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(VERDICTS), borderaxespad=0)
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
    shown = summary.assign(verdict=summary["verdict"].map(_signed), which=summary["ids"].replace("", None))
    return _styled(shown[["verdict", "claims", "which"]], "tab-verdicts", ["which"], summary["verdict"])


def _claimed(claims: pd.DataFrame) -> pd.DataFrame:
    here = [_measured(*row) for row in claims[["value", "low", "high"]].to_numpy(dtype=float)]
    return pd.DataFrame({"claim": claims["claim"], "here": here, "verdict": claims["verdict"].map(_signed)})


def _styled(shown: pd.DataFrame, identifier: str, wrap: list[str], verdicts: pd.Series) -> Styler:
    looks = [
        f"background-color: {VERDICT_LOOKS[name][0]}; color: {text_on(VERDICT_LOOKS[name][0])}; font-weight: 650"
        for name in verdicts
    ]
    return book_table(shown, identifier, wrap=wrap).apply(lambda _: looks, subset=["verdict"])


def _measured(value: float, low: float, high: float) -> str | None:
    return None if np.isnan(value) else f"{value:.3f} [{low:.3f}, {high:.3f}]".replace("-", "−")


def _signed(verdict: str) -> str:
    return f"{VERDICT_LOOKS[verdict][1]}\u00a0{verdict}"
