"""Claims that compare model sets: by contrasts of recognizability, and by the image metrics of Table 1.

A contrast's mean is over the evaluators that had no part in any of its sets. How natural one set looks beside another
is the share of metrics that prefer it, each by its direction of better. Images are resampled, for all metrics at once;
a metric that has one value for a whole set does not vary.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from metamerbook.study import claims as rules
from metamerbook.study.claims import ABOVE_ZERO, BELOW_ZERO, Cell, ClaimTest, Evidence, Finding, Interval
from metamerbook.study.published import published
from metamerlib.models import MODEL_SETS

NOT_RETAINED = ("Single CNN", "Single Transformer", "Transformers")
DROP = {"late": 1, "early": -1}
FEWEST_METRICS = 0.5
"""Share of the metrics asked for that must have values."""


def stated(quantities: str) -> ClaimTest:
    """Test what a claim says of some quantities, as the column of that name in `claims.csv` writes them.

    "CNN − Single CNN, late > 0" is on recognizability, "divergence, …" on that table, and "CNN over Single CNN > 0.5"
    on the share of metrics that prefer one set's late metamers; "pairs: …" asks those that compare pairs of images.
    """
    return lambda evidence: [_finding(evidence, *text.rsplit(" ", 2)) for text in quantities.split("; ")]


def _finding(evidence: Evidence, what: str, relation: str, bound: str) -> Finding:
    claimed = (float(bound), math.inf) if relation == ">" else (-math.inf, float(bound))
    if " over " in what:
        *compares, sets = what.split(": ")
        return _preference(evidence, *sets.split(" over "), claimed, _metrics(compares=compares))
    *table, sets, stages = what.split(", ")
    weights = {
        (name, stage): (1 - 2 * behind) * (1 - 2 * before)
        for behind, name in enumerate(sets.split(" − "))
        for before, stage in enumerate(stages.split(" − "))
    }
    return evidence.mean(evidence.judged(list(weights), *table), weights, what, claimed)


def cnn_ensembles_keep(evidence: Evidence) -> list[Finding]:
    """Test what a set keeps from the early to the late stage, less what others keep on average."""
    findings = []
    for name in ("CNN", "Robust CNNs"):
        shares = {name: 1.0} | dict.fromkeys(NOT_RETAINED, -1 / len(NOT_RETAINED))
        weights = {(one, stage): share * sign for one, share in shares.items() for stage, sign in DROP.items()}
        what = f"late − early, {name} − mean of {', '.join(NOT_RETAINED)}"
        findings.append(evidence.mean(evidence.judged(list(weights)), weights, what, ABOVE_ZERO))
    return findings


def transformers_gain_less(evidence: Evidence) -> list[Finding]:
    signs = {"CNN": 1, "Single CNN": -1, "Transformers": -1, "Single Transformer": 1}
    weights = {(name, "late"): sign for name, sign in signs.items()}
    what = "gain by the ensemble, CNN − Transformers, late"
    return [evidence.mean(evidence.judged(list(weights)), weights, what, ABOVE_ZERO)]


def robust_cnns_less_noisy(evidence: Evidence) -> list[Finding]:
    others = [name for name in MODEL_SETS if "Robust" not in name]
    _, (oriented,) = _oriented(evidence, [(name, "late") for name in ("Robust CNNs", *others)], ["tv"])
    noise = -oriented  # oriented values are better when higher
    what = "total variation, Robust CNNs − mean of the sets that are not robust, late"
    return [evidence.resampled(noise[0] - noise[1:].mean(axis=0), _mean, what, BELOW_ZERO, "images")]


ON_SETS: dict[str, ClaimTest] = {
    **{row.id: stated(row.quantities) for row in published("claims").itertuples() if row.quantities},
    "cnn-ensembles-keep": cnn_ensembles_keep,
    "transformers-gain-less": transformers_gain_less,
    "robust-cnns-less-noise": robust_cnns_less_noisy,
    "metrics-without-learning": lambda evidence: [_agreement(evidence, "unlearned metrics", learned=[False])],
    "natural-transfers": lambda evidence: [_agreement(evidence, "all metrics")],
}
"""Tests by the id of their claim."""


def _metrics(**traits: Sequence[object]) -> list[str]:
    """Choose metrics by the values of some columns of Table 1; no values choose all."""
    table = published("table_1")
    for column, values in traits.items():
        table = table[table[column].isin(values or table[column])]
    return table["key"].tolist()


def _oriented(evidence: Evidence, cells: Sequence[Cell], metrics: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Look up the values of some metrics in some cells, turned so that higher is better.

    Of whole sets, (metrics, cells), and of images, (other metrics, cells, images), NaN for an image that lacks a value
    in one of the cells. A metric that has fewer than three values in a cell, or none of the set, is left out.
    """
    table = evidence.rows("image_metrics", cells)
    value = table["value"].astype(float) * table["direction"].map({"higher": 1.0, "lower": -1.0})
    table = table.assign(value=value)[table["metric"].isin(list(metrics)) & np.isfinite(value)]
    of_sets, of_images = [], []
    for _, rows in table.groupby("metric", sort=False):
        wide = rows.assign(image=rows["image"].fillna(-1))
        wide = wide.pivot(index="image", columns=["model_set", "stage"], values="value")
        wide = wide.reindex(columns=pd.MultiIndex.from_tuples(cells)).dropna()
        if rows["image"].isna().all():
            of_sets += [row for row in wide.to_numpy()]
        elif len(wide) >= rules.FEWEST:
            of_images.append(wide)
    present = len(of_sets) + len(of_images)
    if not of_images or present < FEWEST_METRICS * len(metrics):
        raise rules.MissingEvidenceError(f"only {present} of {len(metrics)} image metrics have values")
    # Metrics are resampled together, so that their columns have to be of the same images.
    values = pd.concat(of_images, axis=1).sort_index().to_numpy().T
    return np.reshape(of_sets, (-1, len(cells))), values.reshape(len(of_images), len(cells), -1)


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is there; 0, which prefers nothing, where nothing is."""
    present = ~np.isnan(values)
    return np.where(present, values, 0).sum(axis=-1) / np.maximum(present.sum(axis=-1), 1)


def _preference(evidence: Evidence, one: str, other: str, claimed: Interval, metrics: Sequence[str]) -> Finding:
    """Share of metrics by which the late metamers of one set are better than those of another."""
    of_sets, of_images = _oriented(evidence, [(one, "late"), (other, "late")], metrics)
    fixed = (1 + np.sign(of_sets[:, 0] - of_sets[:, 1])) / 2
    count = len(fixed) + len(of_images)

    def share(draw: np.ndarray) -> np.ndarray:
        preferred = (1 + np.sign(_mean(draw))) / 2
        return (preferred.sum(axis=0) + sum(fixed)) / count

    what = f"share of {count} metrics preferring {one} to {other}, late"
    return evidence.resampled(of_images[:, 0] - of_images[:, 1], share, what, claimed, "images")


def _agreement(evidence: Evidence, name: str, **traits: Sequence[object]) -> Finding:
    """Mean rank correlation of metrics with recognizability over the sets of each stage.

    Within a stage: across stages both fall with depth, which would be agreement of no interest.
    """
    table, recognized = evidence.table("image_metrics"), evidence.table("recognizability")
    fixed, resampled = [], []
    for stage, judged in recognized[recognized["held_out"]].groupby("stage", sort=False):
        means = judged.groupby("model_set")["recognizability"].mean()
        measured = set(table.loc[table["stage"] == stage, "model_set"]) & set(means.index)
        sets = [one for one in MODEL_SETS if one in measured]
        if len(sets) >= rules.FEWEST:
            of_sets, of_images = _oriented(evidence, [(one, stage) for one in sets], _metrics(**traits))
            fixed += list(_spearman(of_sets, means[sets].to_numpy()))
            resampled.append((of_images, means[sets].to_numpy()))
    if not resampled:
        raise rules.MissingEvidenceError(f"no stage has both image metrics and recognizability of {rules.FEWEST} sets")

    def mean_correlation(*drawn: np.ndarray) -> np.ndarray:
        correlations = [
            _spearman(_mean(values[:, positions]).T, means)
            for positions, (metrics, means) in zip(drawn, resampled, strict=True)
            for values in metrics
        ]
        return (sum(correlations) + sum(fixed)) / (len(correlations) + len(fixed))

    counts = [of_images.shape[-1] for of_images, _ in resampled]
    what = f"rank correlation of {name} with recognizability within stages"
    return evidence.bootstrap(mean_correlation, counts, what, ABOVE_ZERO, f"{min(counts)} images")


def _spearman(samples: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Rank correlation of each row of (rows, n) with (n,); 0 where there is nothing to rank."""
    first, second = rankdata(samples, axis=1), rankdata(other)
    first, second = first - first.mean(axis=1, keepdims=True), second - second.mean()
    scale = np.sqrt((first**2).sum(axis=1) * (second**2).sum())
    return np.divide(first @ second, scale, out=np.zeros(len(first)), where=scale > 0)
