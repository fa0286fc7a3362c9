"""Tests of claims about recognizability (paper: introduction, sections 4.5, 4.6 and 5).

Unless a docstring says otherwise a mean is taken over the evaluators that had no part in any of the sets compared.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from metamerbook.ensembles.claims.evidence import Cell, Evidence, at_least
from metamerbook.ensembles.claims.findings import (
    ABOVE_ZERO,
    BELOW_ZERO,
    FEW,
    MOST,
    Finding,
    MissingEvidenceError,
)
from metamerbook.study.published import statement
from metamerlib.models import MODEL_SETS, STAGES

SINGLE_MODEL_OF = {"CNN": "Single CNN", "Transformers": "Single Transformer"}
"""Ensemble to the single model of its family."""
CNN_ENSEMBLES = ("CNN", "Robust CNNs")
ROBUST_ENSEMBLES = ("Robust CNNs", "Robust Transformers")
SINGLE_MODELS = tuple(SINGLE_MODEL_OF.values())


def ensembles_over_single_models(evidence: Evidence) -> list[Finding]:
    """Late stage: recognizability of each standard ensemble minus that of the single model of its family, above 0."""
    return [_difference(evidence, one, other, ABOVE_ZERO) for one, other in SINGLE_MODEL_OF.items()]


def cnns_over_transformers(evidence: Evidence) -> list[Finding]:
    """Late stage: recognizability of CNN ensembles minus transformer ensembles, standard and robust, above 0."""
    pairs = (("CNN", "Transformers"), ("Robust CNNs", "Robust Transformers"))
    return [_difference(evidence, one, other, ABOVE_ZERO) for one, other in pairs]


def single_models_unrecognizable(evidence: Evidence) -> list[Finding]:
    """Late stage: recognizability of single models' metamers, below one half."""
    return [_level(evidence, name, "late", FEW) for name in SINGLE_MODELS]


def single_models_below_earlier_level(evidence: Evidence) -> list[Finding]:
    """Late stage: recognizability of single models' metamers, below the published level of earlier experiments."""
    claimed = (-np.inf, statement("recognizability-late-before")["value"])
    return [_level(evidence, name, "late", claimed) for name in SINGLE_MODELS]


def cnn_ensembles_recognizable(evidence: Evidence) -> list[Finding]:
    """Late stage: recognizability of the CNN and the robust CNN ensemble, above one half."""
    return [_level(evidence, name, "late", MOST) for name in CNN_ENSEMBLES]


def robust_transformers_below_cnns(evidence: Evidence) -> list[Finding]:
    """Late stage: recognizability of robust transformers minus that of each CNN ensemble, below 0."""
    return [_difference(evidence, "Robust Transformers", other, BELOW_ZERO) for other in CNN_ENSEMBLES]


def transformers_unrecognizable(evidence: Evidence) -> list[Finding]:
    """Late stage: recognizability of the transformer ensemble, below one half."""
    return [_level(evidence, "Transformers", "late", FEW)]


def early_metamers_recognizable(evidence: Evidence) -> list[Finding]:
    """Early stage: recognizability of every model set, above one half."""
    return [_level(evidence, name, "early", MOST) for name in MODEL_SETS]


def sets_diverge_late(evidence: Evidence) -> list[Finding]:
    """Late minus early stage: standard deviation of the model sets' mean recognizabilities, above 0."""
    cells = [(name, stage) for stage in ("early", "late") for name in MODEL_SETS]
    values = evidence.judged(cells)[cells].to_numpy().T

    def widening(draw: np.ndarray) -> np.ndarray:
        means = draw.mean(axis=-1)
        return means[len(MODEL_SETS) :].std(axis=0, ddof=1) - means[: len(MODEL_SETS)].std(axis=0, ddof=1)

    what = "spread of the sets, late − early"
    return [evidence.resampled(values, widening, what, ABOVE_ZERO, "evaluators")]


def only_cnn_and_robust_ensembles(evidence: Evidence) -> list[Finding]:
    """Late stage: recognizability of the CNN and the robust ensembles above one half, of the other sets below it."""
    recognizable = ("CNN", *ROBUST_ENSEMBLES)
    return [_level(evidence, name, "late", MOST if name in recognizable else FEW) for name in MODEL_SETS]


def cnn_ensembles_keep_recognizability(evidence: Evidence) -> list[Finding]:
    """Late minus early recognizability of each CNN ensemble, less that of single models and transformers, above 0."""
    others = (*SINGLE_MODELS, "Transformers")
    findings = []
    for name in CNN_ENSEMBLES:
        weights = {(name, "late"): 1.0, (name, "early"): -1.0}
        for other in others:
            weights |= {(other, "late"): -1 / len(others), (other, "early"): 1 / len(others)}
        what = f"late − early, {name} − mean of {', '.join(others)}"
        findings.append(_contrast(evidence, weights, what, ABOVE_ZERO))
    return findings


def single_models_drop(evidence: Evidence) -> list[Finding]:
    """Single models: recognizability at the middle and at the late stage minus that at the early stage, below 0."""
    return [
        _contrast(evidence, {(name, stage): 1, (name, "early"): -1}, f"{name}, {stage} − early", BELOW_ZERO)
        for name in SINGLE_MODELS
        for stage in ("middle", "late")
    ]


def early_stage_pays(evidence: Evidence) -> list[Finding]:
    """Mean recognizability over all sets and evaluators, early minus middle stage, below 0."""
    both = pd.concat([_pairs(evidence, stage) for stage in ("early", "middle")], axis=1, join="inner")
    sums = at_least(both, "evaluators").to_numpy().T

    def difference(draw: np.ndarray) -> np.ndarray:
        total = draw.sum(axis=-1)
        return total[0] / total[1] - total[2] / total[3]

    what = "mean over sets and evaluators, early − middle"
    return [evidence.resampled(sums, difference, what, BELOW_ZERO, "evaluators")]


def mean_near_published_early(evidence: Evidence) -> list[Finding]:
    """Early stage: mean over all sets and evaluators, within the published mean ± its spread."""
    return [_overall_mean(evidence, "early")]


def mean_near_published_middle(evidence: Evidence) -> list[Finding]:
    """Middle stage: mean over all sets and evaluators, within the published mean ± its spread."""
    return [_overall_mean(evidence, "middle")]


def mean_near_published_late(evidence: Evidence) -> list[Finding]:
    """Late stage: mean over all sets and evaluators, within the published mean ± its spread."""
    return [_overall_mean(evidence, "late")]


def transformers_gain_less(evidence: Evidence) -> list[Finding]:
    """Late stage: what the CNN ensemble gains over the single CNN, minus the transformers' gain, above 0."""
    weights = {("CNN", "late"): 1, ("Single CNN", "late"): -1, ("Transformers", "late"): -1}
    weights |= {("Single Transformer", "late"): 1}
    return [_contrast(evidence, weights, "gain by the ensemble, CNN − Transformers, late", ABOVE_ZERO)]


def cnn_set_performs_best(evidence: Evidence) -> list[Finding]:
    """Late stage: recognizability of the CNN set minus that of each other set, above 0."""
    return [_difference(evidence, "CNN", other, ABOVE_ZERO) for other in MODEL_SETS if other != "CNN"]


def cnns_judge_more_robustly(evidence: Evidence) -> list[Finding]:
    """Recognizability by standard CNNs minus that by standard transformers, relative to each cell's mean, above 0."""
    table = evidence.table("recognizability")
    standard = table["held_out"] & ~table["random"] & ~table["robust"] & table["family"].isin(["cnn", "transformer"])
    table = table[standard & table["stage"].isin(list(STAGES))]
    relative = table["recognizability"] - table.groupby(["model_set", "stage"])["recognizability"].transform("mean")
    by_evaluator = relative.groupby([table["family"], table["evaluator"]]).mean()
    families = [by_evaluator[by_evaluator.index.get_level_values(0) == family] for family in ("cnn", "transformer")]
    cnns, transformers = (
        at_least(values.to_frame(), f"standard {family}")[values.name].to_numpy()
        for family, values in zip(("CNNs that judge", "transformers that judge"), families, strict=True)
    )
    draws = [sample[evidence.draw(len(sample))].mean(axis=1) for sample in (cnns, transformers)]
    over = f"{len(cnns)} CNNs and {len(transformers)} transformers"
    value = cnns.mean() - transformers.mean()
    return [evidence.finding("CNN − transformer evaluators", value, draws[0] - draws[1], ABOVE_ZERO, over)]


def _contrast(evidence: Evidence, weights: Mapping[Cell, float], what: str, claimed: tuple[float, float]) -> Finding:
    return evidence.mean(evidence.judged(list(weights)), weights, what, claimed)


def _difference(evidence: Evidence, one: str, other: str, claimed: tuple[float, float]) -> Finding:
    return _contrast(evidence, {(one, "late"): 1, (other, "late"): -1}, f"{one} − {other}, late", claimed)


def _level(evidence: Evidence, model_set: str, stage: str, claimed: tuple[float, float]) -> Finding:
    return _contrast(evidence, {(model_set, stage): 1}, f"{model_set}, {stage}", claimed)


def _pairs(evidence: Evidence, stage: str) -> pd.DataFrame:
    """For each evaluator the sum and number of its recognizabilities over the paper's sets it had no part in."""
    table = evidence.table("recognizability")
    table = table[(table["stage"] == stage) & table["model_set"].isin(list(MODEL_SETS))]
    absent = [name for name in MODEL_SETS if name not in set(table["model_set"])]
    if absent:
        raise MissingEvidenceError(
            f"the table 'recognizability' does not have {', '.join(absent)} at the {stage} stage"
        )
    return table[table["held_out"]].groupby("evaluator")["recognizability"].agg(["sum", "count"])


def _overall_mean(evidence: Evidence, stage: str) -> Finding:
    # Evaluators are resampled with all their sets: an evaluator's recognizabilities are not independent.
    sums = at_least(_pairs(evidence, stage), "evaluators").to_numpy().T
    printed = statement(f"recognizability-{stage}")
    claimed = (printed["value"] - printed["spread"], printed["value"] + printed["spread"])

    def ratio(draw: np.ndarray) -> np.ndarray:
        total = draw.sum(axis=-1)
        return total[0] / total[1]

    return evidence.resampled(sums, ratio, f"mean over sets and evaluators, {stage}", claimed, "evaluators")
