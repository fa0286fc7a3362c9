"""Claims held against measured tables: quantities with intervals, and the verdicts that follow by rule."""

import math
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import bootstrap

from metamerbook.study.published import published, statement

HOLDS, DOES_NOT_HOLD, UNDECIDED, UNTESTABLE = "holds", "does not hold", "undecided", "cannot be tested"
VERDICTS = (HOLDS, DOES_NOT_HOLD, UNDECIDED, UNTESTABLE)

Interval = tuple[float, float]
Cell = tuple[str, str]
"""A model set and a stage."""

ABOVE_ZERO: Interval = (0.0, math.inf)
BELOW_ZERO: Interval = (-math.inf, 0.0)
MOST: Interval = (0.5, math.inf)
"""More than half: what "recognizable" is taken to mean where a paper gives no number."""
FEW: Interval = (-math.inf, 0.5)

FEWEST = 3
"""Units (evaluators, images, model sets, models) below which an interval would mean nothing."""


class MissingEvidenceError(LookupError):
    """A claim cannot be tested on the tables that are there; the message says what is missing."""


@dataclass(frozen=True)
class Finding:
    """A quantity with its bootstrap interval, beside the open interval that it lies in if the claim is true."""

    what: str
    value: float
    low: float
    high: float
    claimed: Interval
    over: str
    """What the bootstrap drew from, in words."""

    @property
    def verdict(self) -> str:
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


@dataclass
class Evidence:
    """Tables as claims look at them: evaluators that compare like with like, and intervals by resampling."""

    tables: Mapping[str, pd.DataFrame]
    generator: np.random.Generator
    resamples: int = 2000
    notes: list[str] = field(default_factory=list)
    """What a reader should know about what was looked at; grows with use."""

    def table(self, name: str) -> pd.DataFrame:
        table = self.tables.get(name)
        if table is None or not len(table):
            raise MissingEvidenceError(f"the table {name!r} was not measured")
        return table

    def rows(self, name: str, cells: Collection[Cell]) -> pd.DataFrame:
        """Look up the rows of a table in some cells, of which none may be without."""
        table = self.table(name)
        places = pd.MultiIndex.from_frame(table[["model_set", "stage"]])
        absent = [f"{model_set} at the {stage} stage" for model_set, stage in cells if (model_set, stage) not in places]
        if absent:
            raise MissingEvidenceError(f"the table {name!r} does not have {', '.join(absent)}")
        return table[places.isin(list(cells))]

    def judged(self, cells: Collection[Cell], name: str = "recognizability") -> pd.DataFrame:
        """Look up what the evaluators that had no part in any of some cells say: rows evaluators, columns cells."""
        table = self.rows(name, cells)
        if {"n_members", "n_wanted"} <= set(table.columns):
            short = table[table["n_members"] < table["n_wanted"]].drop_duplicates("model_set")
            notes = [
                f"{one.model_set} ran with {one.n_members} of its {one.n_wanted} networks" for one in short.itertuples()
            ]
            self.notes.extend(note for note in notes if note not in self.notes)
        held_out = table["held_out"] if "held_out" in table else ~table["took_part"]
        wide = table[held_out].pivot(index="evaluator", columns=["model_set", "stage"], values=name)
        wide = wide.reindex(columns=pd.MultiIndex.from_tuples(cells)).dropna()
        return at_least(wide, "evaluators outside all of the sets compared")

    def conditions(self, name: str, column: str, *, held_out_only: bool, **fixed: Hashable) -> pd.DataFrame:
        """Look up recognizability under several conditions: rows evaluators, columns conditions, values means."""
        table = self.table(name)
        for other, value in fixed.items():
            table = table[table[other] == value]
        if held_out_only:
            took_part = set(table.loc[~table["held_out"], "evaluator"])
            table = table[~table["evaluator"].isin(took_part)]
        if not len(table):
            raise MissingEvidenceError(f"the table {name!r} has no rows for this comparison")
        return table.pivot_table(index="evaluator", columns=column, values="recognizability", aggfunc="mean")

    def mean(
        self,
        sample: pd.DataFrame,
        weights: Mapping[Hashable, float],
        what: str,
        claimed: Interval,
        units: str = "evaluators",
    ) -> Finding:
        """Average a weighted sum of columns over the rows, which are resampled."""
        values = sum(weight * sample[column] for column, weight in weights.items())
        return self.resampled(values.to_numpy(), lambda draw: draw.mean(axis=-1), what, claimed, units)

    def resampled(
        self,
        values: np.ndarray,
        statistic: Callable[[np.ndarray], np.ndarray],
        what: str,
        claimed: Interval,
        units: str,
    ) -> Finding:
        """Estimate a statistic of (n,) numbers, or of (columns, n) whose n units are resampled together."""
        count = values.shape[-1]
        return self.bootstrap(lambda drawn: statistic(values[..., drawn]), [count], what, claimed, f"{count} {units}")

    def bootstrap(
        self, statistic: Callable[..., np.ndarray], counts: Sequence[int], what: str, claimed: Interval, over: str
    ) -> Finding:
        """Estimate a statistic that takes (draws, n) positions for each of some independent samples of n units."""
        found = bootstrap(
            [np.arange(count) for count in counts],
            lambda *drawn, axis: statistic(*drawn),
            n_resamples=self.resamples,
            method="percentile",
            vectorized=True,
            rng=self.generator,
        )
        value = statistic(*(np.arange(count)[None] for count in counts))[0]
        return Finding(what, float(value), *map(float, found.confidence_interval), claimed, over)


ClaimTest = Callable[[Evidence], list[Finding]]


def at_least(sample: pd.DataFrame, units: str) -> pd.DataFrame:
    """Return the sample, one row per unit, or raise where it is too small for an interval."""
    if len(sample) < FEWEST:
        raise MissingEvidenceError(f"there are {len(sample)} {units}, and an interval needs {FEWEST}")
    return sample


def spread_around(identifier: str) -> Interval:
    """Return the interval of a published mean ± its spread."""
    printed = statement(identifier)
    return printed["value"] - printed["spread"], printed["value"] + printed["spread"]


def conclude(findings: Sequence[Finding], notes: Sequence[str] = ()) -> dict[str, Any]:
    """Judge a claim by all that it says: it holds if all findings agree, and fails if one contradicts.

    Returned are the verdict, its reason, and the quantity that decided, which is the least favourable.
    """
    severity = (DOES_NOT_HOLD, UNDECIDED, HOLDS)
    decisive = min(findings, key=lambda finding: (severity.index(finding.verdict), finding.margin))
    if decisive.verdict == UNDECIDED:
        notes = (f"{decisive.what} may lie on either side", *notes)
    measured = {"measured": decisive.what, "value": decisive.value, "low": decisive.low, "high": decisive.high}
    return measured | {"verdict": decisive.verdict, "reason": f"{'; '.join([*map(str, findings), *notes])}."}


def claims_table(
    tables: Mapping[str, pd.DataFrame], tests: Mapping[str, ClaimTest], *, resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Hold every published claim against measured tables.

    A claim that needs a table, model set, stage or metric that is not there cannot be tested, and says what is
    missing. Intervals have a coverage of 95 %; those over evaluators do not cover the choice of images, nor the other
    way round, and nothing is corrected for the number of claims.

    One row per claim of ``published("claims")``: id, part (of the paper), where (all places), claim (in our words),
    kind, test (what is looked at, and what has to come out), published (the number, if there is one), measured (the
    quantity that decided) with value, low and high, verdict (one of `VERDICTS`) and reason.
    """
    rows = []
    for claim in published("claims").to_dict("records"):
        # The name as a part of the seed: adding a claim changes no other claim's interval.
        generator = np.random.default_rng([seed, *claim["id"].encode()])
        rows.append(
            {name: claim[name] for name in ("id", "part", "where", "claim", "kind", "test")}
            | {"published": published_number(claim["statement"])}
            | _outcome(claim, tests.get(claim["id"]), Evidence(tables, generator, resamples))
        )
    return pd.DataFrame(rows)


def _outcome(claim: Mapping[str, str], test: ClaimTest | None, evidence: Evidence) -> dict[str, Any]:
    reason = claim["untestable"]
    if test is not None:
        try:
            return conclude(test(evidence), evidence.notes)
        except MissingEvidenceError as missing:
            reason = f"{str(missing)[0].upper()}{str(missing)[1:]}."
    nothing = {"measured": "", "value": math.nan, "low": math.nan, "high": math.nan}
    return nothing | {"verdict": UNTESTABLE, "reason": reason}


def claims_summary(claims: pd.DataFrame) -> pd.DataFrame:
    """Count the verdicts: one row per verdict, with verdict, claims (how many) and ids (joined by commas)."""
    ids = claims.groupby("verdict")["id"].agg(claims="size", ids=", ".join).reindex(VERDICTS)
    return ids.fillna({"claims": 0, "ids": ""}).astype({"claims": int}).rename_axis("verdict").reset_index()


def claims_by_part(claims: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Sort claims by the part of the paper that makes them first, in the paper's order."""
    return {part: rows.reset_index(drop=True) for part, rows in claims.groupby("part", sort=False)}


def published_number(identifier: str) -> str:
    """Write a published number as it is printed, such as "0.419 ± 0.237" or "< 0.2"; nothing for no id."""
    if not identifier:
        return ""
    row = statement(identifier)
    relation = "" if row["relation"] == "=" else f"{row['relation']} "
    spread = "" if np.isnan(row["spread"]) else f" ± {row['spread']:.3f}"
    return f"{relation}{row['value']:.3f}{spread}" if spread else f"{relation}{row['value']:g}"
