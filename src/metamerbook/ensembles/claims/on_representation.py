"""Tests of claims about what metamers share inside networks (paper: abstract, section 4.5 and Figure 5)."""

import math

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from metamerbook.ensembles.claims.evidence import Evidence, at_least
from metamerbook.ensembles.claims.findings import BELOW_ZERO, Finding

STRONG = (-math.inf, -0.5)
"""What a large negative correlation is, by Cohen's rule of thumb."""


def ensembles_share_subspaces(evidence: Evidence) -> list[Finding]:
    """Late stage: divergence of each standard ensemble minus that of the single model of its family, below 0."""
    findings = []
    for ensemble, single in (("CNN", "Single CNN"), ("Transformers", "Single Transformer")):
        weights = {(ensemble, "late"): 1, (single, "late"): -1}
        sample = evidence.judged(list(weights), "divergence")
        findings.append(evidence.mean(sample, weights, f"divergence, {ensemble} − {single}, late", BELOW_ZERO))
    return findings


def activations_tell_the_class(evidence: Evidence) -> list[Finding]:
    """Spearman correlation of divergence and recognizability over sets and stages, mean over evaluators, below −0.5."""
    recognized, divergence = evidence.table("recognizability"), evidence.table("divergence")
    cell = ["model_set", "stage", "evaluator"]
    both = recognized[recognized["held_out"]].merge(divergence[~divergence["took_part"]], on=cell)
    correlations = {}
    for evaluator, rows in both.groupby("evaluator"):
        # An evaluator that recognizes everything, or nothing, ranks nothing.
        if len(rows) > 3 and rows["recognizability"].nunique() > 1 and rows["divergence"].nunique() > 1:
            ranks = [rankdata(rows[column]) for column in ("recognizability", "divergence")]
            correlations[evaluator] = np.corrcoef(*ranks)[0, 1]
    sample = at_least(pd.DataFrame({"correlation": correlations}), "evaluators with both tables and varying values")
    what = "rank correlation of divergence and recognizability"
    return [evidence.mean(sample, {"correlation": 1}, what, STRONG)]
