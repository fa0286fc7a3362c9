"""The paper's claims, one by one: what was published, what was measured here, and the verdict that follows."""

import inspect
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from metamerbook.ensembles.claims import on_appearance, on_recognizability, on_representation, on_variations
from metamerbook.ensembles.claims.evidence import Evidence
from metamerbook.ensembles.claims.findings import (
    UNTESTABLE,
    VERDICTS,
    Finding,
    MissingEvidenceError,
    Outcome,
    conclude,
)
from metamerbook.ensembles.claims.tables import check_tables
from metamerbook.study.published import published
from metamerlib.checks import check_choice, check_fraction

ClaimTest = Callable[[Evidence], list[Finding]]

CLAIM_TESTS: dict[str, ClaimTest] = {
    name: function
    for module in (on_recognizability, on_appearance, on_representation, on_variations)
    for name, function in vars(module).items()
    if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
}
"""Every test by its name, as data/published/claims.csv names it."""

EVALUATORS = ("all", "trained")
COLUMNS = (
    "id",
    "where",
    "claim",
    "kind",
    "test",
    "published",
    "measured",
    "value",
    "low",
    "high",
    "verdict",
    "reason",
)


def claims_table(
    tables: Mapping[str, pd.DataFrame],
    *,
    ids: Sequence[str] | None = None,
    evaluators: str = "all",
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Hold every claim of the paper against measured tables.

    Parameters
    ----------
    tables
        By name, any of `TABLES`, whose entries describe the columns. A claim that needs a table, model set, stage or
        metric that is not there cannot be tested, and says what is missing.
    ids
        The claims to test, as ``published("claims")`` names them; None tests all.
    evaluators
        "all" judge, as in the paper, or only "trained" ones: a network with random weights may give every image one
        class, and then recognizes everything.
    resamples
        Bootstrap resamples behind each interval: of evaluators, images, model sets or models, as the reason says.
    confidence
        Coverage of the intervals.
    seed
        Of the resampling. A claim's interval depends on the seed and on the tables that it is tested on, not on
        the other claims.

    Returns
    -------
    DataFrame
        One row per claim, in the order of ``published("claims")``: id, where (all places of the paper), claim (in our
        words), kind ("comparison", "level", "number", "association" or "statement"), test (what is looked at, and what
        has to come out), published (the number, if the paper gives one), measured (the quantity that decided) with
        value, low and high, verdict (one of `VERDICTS`) and reason.

    Raises
    ------
    ValueError
        If a table would be misread, or an option is out of range.

    Notes
    -----
    A claim often says several things; it holds if each holds with its whole interval, and does not hold if the whole
    interval of one is on the other side. In between it is undecided: more evaluators or images are needed. Intervals
    over evaluators do not cover the choice of images, nor the other way round, and nothing is corrected for the number
    of claims. Where a paper's sentence gives no number, "recognizable" is read as: by more than half.
    """
    check_tables(tables)
    claims = published("claims")
    for identifier in ids or ():
        check_choice(identifier, claims["id"].tolist(), "ids")
    if ids is not None:
        claims = claims[claims["id"].isin(list(ids))]
    check_choice(evaluators, EVALUATORS, "evaluators")
    check_fraction(confidence, "confidence")
    if resamples < 100:
        raise ValueError(f"resamples is {resamples}: give at least 100, or the ends of intervals mean nothing.")
    rows = []
    for claim in claims.to_dict("records"):
        # The name as a part of the seed: adding a claim changes no other claim's interval.
        generator = np.random.default_rng([seed, *claim["id"].encode()])
        evidence = Evidence(tables, evaluators == "trained", resamples, confidence, generator)
        outcome = _judge(claim, evidence)
        rows.append(
            {name: claim[name] for name in ("id", "where", "claim", "kind")}
            | {"test": _in_words(claim["test"]), "published": published_number(claim["statement"])}
            | {name: getattr(outcome, name) for name in ("measured", "value", "low", "high", "verdict", "reason")}
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def claims_summary(claims: pd.DataFrame) -> pd.DataFrame:
    """Count the verdicts.

    Parameters
    ----------
    claims
        As `claims_table` returns it.

    Returns
    -------
    DataFrame
        One row per verdict, in the order of `VERDICTS`: verdict, claims (how many), ids (joined by commas).
    """
    rows = []
    for verdict in VERDICTS:
        ids = claims.loc[claims["verdict"] == verdict, "id"]
        rows.append({"verdict": verdict, "claims": len(ids), "ids": ", ".join(ids)})
    return pd.DataFrame(rows)


def published_number(identifier: str) -> str:
    """Write a published number as it is printed.

    Parameters
    ----------
    identifier
        Its id in ``published("statements")``, or nothing.

    Returns
    -------
    str
        Such as "0.419 ± 0.237" or "< 0.2"; empty for no id.
    """
    if not identifier:
        return ""
    rows = published("statements").set_index("id")
    row = rows.loc[identifier]
    relation = "" if row["relation"] == "=" else f"{row['relation']} "
    spread = "" if np.isnan(row["spread"]) else f" ± {row['spread']:.3f}"
    return f"{relation}{row['value']:.3f}{spread}" if spread else f"{relation}{row['value']:g}"


def _judge(claim: Mapping[str, str], evidence: Evidence) -> Outcome:
    if not claim["test"]:
        return Outcome(UNTESTABLE, claim["untestable"])
    try:
        findings = CLAIM_TESTS[claim["test"]](evidence)
    except MissingEvidenceError as missing:
        reason = str(missing)
        return Outcome(UNTESTABLE, f"{reason[0].upper()}{reason[1:]}.")
    return conclude(findings, evidence.notes)


def _in_words(test: str) -> str:
    return inspect.getdoc(CLAIM_TESTS[test]).replace("\n\n", " ").replace("\n", " ") if test else ""
