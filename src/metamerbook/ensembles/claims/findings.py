"""From measured quantities to a verdict: the rules, apart from what is measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

HOLDS = "holds"
DOES_NOT_HOLD = "does not hold"
UNDECIDED = "undecided"
UNTESTABLE = "cannot be tested"
VERDICTS = (HOLDS, DOES_NOT_HOLD, UNDECIDED, UNTESTABLE)
"""What can become of a claim."""

ABOVE_ZERO = (0.0, math.inf)
BELOW_ZERO = (-math.inf, 0.0)
MOST = (0.5, math.inf)
"""More than half: what "recognizable" is taken to mean where the paper gives no number."""
FEW = (-math.inf, 0.5)
"""Fewer than half: "unrecognizable"."""


class MissingEvidenceError(LookupError):
    """A claim cannot be tested on the tables that are there; the message says what is missing."""


@dataclass(frozen=True)
class Finding:
    """A measured quantity beside what is claimed of it.

    Attributes
    ----------
    what
        The quantity, in words.
    value
        Its estimate.
    low, high
        Its bootstrap interval.
    claimed
        The open interval that it lies in if the claim is true.
    over
        What the bootstrap drew from, in words.
    """

    what: str
    value: float
    low: float
    high: float
    claimed: tuple[float, float]
    over: str

    @property
    def verdict(self) -> str:
        """Whether the whole interval lies inside what is claimed, outside it, or on both sides."""
        lower, upper = self.claimed
        if lower < self.low and self.high < upper:
            return HOLDS
        if self.high <= lower or upper <= self.low:
            return DOES_NOT_HOLD
        return UNDECIDED

    @property
    def margin(self) -> float:
        """How far the estimate is inside what is claimed; negative outside."""
        lower, upper = self.claimed
        return min(self.value - lower, upper - self.value)

    def __str__(self) -> str:
        lower, upper = self.claimed
        if math.isinf(upper):
            claimed = f"above {lower:.3g}"
        elif math.isinf(lower):
            claimed = f"below {upper:.3g}"
        else:
            claimed = f"between {lower:.3f} and {upper:.3f}"
        return f"{self.what}: {self.value:.3f} [{self.low:.3f}, {self.high:.3f}] over {self.over}, claimed {claimed}"


@dataclass(frozen=True)
class Outcome:
    """What became of a claim.

    Attributes
    ----------
    verdict
        One of `VERDICTS`.
    reason
        Why, in words: all findings, or what is missing.
    measured
        The quantity that decided, in words; empty if none was measured.
    value, low, high
        That quantity and its interval; NaN if none was measured.
    """

    verdict: str
    reason: str
    measured: str = ""
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan


def conclude(findings: Sequence[Finding], notes: Sequence[str] = ()) -> Outcome:
    """Judge a claim by all that it says.

    Parameters
    ----------
    findings
        One for each thing that the claim says.
    notes
        What else a reader should know.

    Returns
    -------
    Outcome
        The claim does not hold if one finding contradicts it, holds if all agree with it, and is undecided otherwise.
        The quantity that is reported is the one that decided: the least favourable.

    Raises
    ------
    ValueError
        If there is no finding.
    """
    if not findings:
        raise ValueError("findings is empty: a verdict needs at least one.")
    severity = (DOES_NOT_HOLD, UNDECIDED, HOLDS)
    decisive = min(findings, key=lambda finding: (severity.index(finding.verdict), finding.margin))
    if decisive.verdict == UNDECIDED:
        notes = (f"{decisive.what} may lie on either side", *notes)
    reason = "; ".join([*map(str, findings), *notes])
    return Outcome(
        decisive.verdict, f"{reason}.", decisive.what, float(decisive.value), float(decisive.low), float(decisive.high)
    )
