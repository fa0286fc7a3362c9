"""Claims that compare model sets: by contrasts of recognizability, and by the image metrics of Table 1.

A contrast's mean is over the evaluators that had no part in any of its sets. How natural one set looks beside another
is the share of metrics that prefer it, each by its direction of better. Images are resampled, for all metrics at once;
a metric that has one value for a whole set does not vary.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from metamerbook.study.claims import (
    ABOVE_ZERO,
    BELOW_ZERO,
    FEW,
    FEWEST,
    MOST,
    Cell,
    ClaimTest,
    Evidence,
    Finding,
    Interval,
    MissingEvidenceError,
)
from metamerbook.study.published import published, statement
from metamerlib.models import MODEL_SETS

SINGLE_MODELS = ("Single CNN", "Single Transformer")
CNN_ENSEMBLES = ("CNN", "Robust CNNs")
RECOGNIZABLE = ("CNN", "Robust CNNs", "Robust Transformers")
NOT_RETAINED = ("Single CNN", "Single Transformer", "Transformers")
Contrast = tuple[str, Mapping[Cell, float], Interval]
"""A name, the weights of sets and stages in a sum of recognizabilities, and what is claimed of its mean."""

FEWEST_METRICS = 0.5
"""Share of the metrics asked for that must have values."""


def contrasts(*parts: Contrast, table: str = "recognizability") -> ClaimTest:
    """Test the means of some contrasts over evaluators."""
    return lambda evidence: [
        evidence.mean(evidence.judged(list(weights), table), weights, what, claimed) for what, weights, claimed in parts
    ]


def level(name: str, claimed: Interval, stage: str = "late") -> Contrast:
    return f"{name}, {stage}", {(name, stage): 1}, claimed


def less(one: str, other: str, claimed: Interval, prefix: str = "") -> Contrast:
    """Weigh one set less another at the late stage."""
    return f"{prefix}{one} − {other}, late", {(one, "late"): 1, (other, "late"): -1}, claimed


def change(name: str, stage: str) -> Contrast:
    return f"{name}, {stage} − early", {(name, stage): 1, (name, "early"): -1}, BELOW_ZERO


def retention(name: str) -> Contrast:
    """Weigh what a set keeps from the early to the late stage, less what others keep on average."""
    share = 1 / len(NOT_RETAINED)
    weights = {(name, "late"): 1.0, (name, "early"): -1.0}
    for other in NOT_RETAINED:
        weights |= {(other, "late"): -share, (other, "early"): share}
    return f"late − early, {name} − mean of {', '.join(NOT_RETAINED)}", weights, ABOVE_ZERO


CONTRASTS: dict[str, ClaimTest] = {
    "ensembles-transfer": contrasts(
        less("CNN", "Single CNN", ABOVE_ZERO), less("Transformers", "Single Transformer", ABOVE_ZERO)
    ),
    "shared-subspaces": contrasts(
        less("CNN", "Single CNN", BELOW_ZERO, "divergence, "),
        less("Transformers", "Single Transformer", BELOW_ZERO, "divergence, "),
        table="divergence",
    ),
    "cnns-transfer-best": contrasts(
        less("CNN", "Transformers", ABOVE_ZERO), less("Robust CNNs", "Robust Transformers", ABOVE_ZERO)
    ),
    "single-late-unrecognizable": contrasts(*(level(name, FEW) for name in SINGLE_MODELS)),
    "cnn-ensembles-recognizable": contrasts(*(level(name, MOST) for name in CNN_ENSEMBLES)),
    "robust-transformers-not-recognized": contrasts(
        *(less("Robust Transformers", other, BELOW_ZERO) for other in CNN_ENSEMBLES)
    ),
    "transformers-unrecognizable": contrasts(level("Transformers", FEW)),
    "early-recognizable": contrasts(*(level(name, MOST, "early") for name in MODEL_SETS)),
    "only-cnns-and-robust": contrasts(*(level(name, MOST if name in RECOGNIZABLE else FEW) for name in MODEL_SETS)),
    "single-models-drop": contrasts(*(change(name, stage) for name in SINGLE_MODELS for stage in ("middle", "late"))),
    "transformers-gain-less": contrasts(
        (
            "gain by the ensemble, CNN − Transformers, late",
            {
                ("CNN", "late"): 1,
                ("Single CNN", "late"): -1,
                ("Transformers", "late"): -1,
                ("Single Transformer", "late"): 1,
            },
            ABOVE_ZERO,
        )
    ),
    "cnn-ensembles-keep": contrasts(*map(retention, CNN_ENSEMBLES)),
    "late-before": contrasts(
        *(level(name, (-math.inf, statement("recognizability-late-before")["value"])) for name in SINGLE_MODELS)
    ),
    "cnn-set-best": contrasts(*(less("CNN", other, ABOVE_ZERO) for other in MODEL_SETS if other != "CNN")),
}


def preferences(*pairs: tuple[str, str], claimed: Interval = MOST, compares: str | None = None) -> ClaimTest:
    """Test which share of the metrics prefers the late metamers of one set to those of another, for some pairs."""
    return lambda evidence: [
        _preference(evidence, one, other, claimed, _metrics(compares=compares)) for one, other in pairs
    ]


def agreement(name: str, *, learned: bool | None = None) -> ClaimTest:
    """Test whether metrics rank the sets of a stage as recognizability does."""
    return lambda evidence: [_agreement(evidence, _metrics(learned=learned), name)]


def robust_cnns_less_noisy(evidence: Evidence) -> list[Finding]:
    others = [name for name in MODEL_SETS if "Robust" not in name]
    cells = [(name, "late") for name in ("Robust CNNs", *others)]
    _, of_images = _oriented(evidence, cells, ["tv"])
    _images(of_images)
    noise = -of_images["tv"]  # oriented values are better when higher
    values = noise[0] - noise[1:].mean(axis=0)
    what = "total variation, Robust CNNs − mean of the sets that are not robust, late"
    return [evidence.resampled(values, _mean, what, BELOW_ZERO, "images")]


METRIC_TESTS: dict[str, ClaimTest] = {
    "cnn-ensembles-natural": preferences(("CNN", "Single CNN"), ("Robust CNNs", "Single CNN")),
    "robust-transformers-natural": preferences(("Robust Transformers", "Transformers")),
    "transformers-unnatural": preferences(
        ("Transformers", "CNN"), ("Transformers", "Robust Transformers"), claimed=FEW
    ),
    "transformers-realistic": preferences(("Transformers", "CNN"), ("Robust Transformers", "CNN")),
    "cnns-more-natural": preferences(("CNN", "Transformers"), ("Robust CNNs", "Robust Transformers")),
    "better-quality": preferences(("CNN", "Single CNN"), ("Transformers", "Single Transformer")),
    "robust-reconstructions": preferences(
        ("Robust CNNs", "CNN"), ("Robust Transformers", "Transformers"), compares="pairs"
    ),
    "robust-cnns-less-noise": robust_cnns_less_noisy,
    "metrics-without-learning": agreement("unlearned metrics", learned=False),
    "natural-transfers": agreement("all metrics"),
}


def _metrics(*, learned: bool | None = None, compares: str | None = None) -> list[str]:
    table = published("table_1")
    if learned is not None:
        table = table[table["learned"] == learned]
    if compares is not None:
        table = table[table["compares"] == compares]
    return table["key"].tolist()


def _oriented(
    evidence: Evidence, cells: Sequence[tuple[str, str]], metrics: Sequence[str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Values of some metrics in some cells, turned so that higher is better.

    Of the whole set, metric to (cells,); of each image, metric to (cells, images), NaN for an image that lacks a value
    in one of the cells. A metric that has fewer than three values in a cell, or none of the set, is left out.
    """
    table = evidence.table("image_metrics")
    table = table[table["metric"].isin(list(metrics)) & table["model_set"].isin([name for name, _ in cells])]
    positions = pd.Series(range(len(cells)), index=pd.MultiIndex.from_tuples(cells))
    table = table.assign(cell=positions.reindex(pd.MultiIndex.from_frame(table[["model_set", "stage"]])).to_numpy())
    absent = [f"{s} at the {t} stage" for position, (s, t) in enumerate(cells) if not (table["cell"] == position).any()]
    if absent:
        raise MissingEvidenceError(f"the table 'image_metrics' does not have {', '.join(absent)}")
    table["value"] *= table["direction"].map({"higher": 1.0, "lower": -1.0})
    table = table[np.isfinite(table["value"].astype(float)) & table["cell"].notna()]
    of_sets, of_images = {}, {}
    for key, rows in table.groupby("metric", sort=False):
        whole = rows[rows["image"].isna()]
        wide = rows[rows["image"].notna()].pivot(index="image", columns="cell", values="value").dropna()
        if wide.shape[1] == len(cells) and len(wide) >= FEWEST:
            of_images[key] = wide.sort_index(axis=1)
        elif len(whole) == len(cells):
            of_sets[key] = whole.sort_values("cell")["value"].to_numpy(dtype=float)
    # Metrics are resampled together, so that their columns have to be of the same images.
    images = sorted(set().union(*(wide.index for wide in of_images.values())))
    return of_sets, {key: wide.reindex(images).to_numpy(dtype=float).T for key, wide in of_images.items()}


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is there; 0, which prefers nothing, where nothing is."""
    present = ~np.isnan(values)
    return np.where(present, values, 0).sum(axis=-1) / np.maximum(present.sum(axis=-1), 1)


def _enough(present: int, wanted: int) -> None:
    if present < FEWEST_METRICS * wanted:
        raise MissingEvidenceError(f"only {present} of {wanted} image metrics have values")


def _images(of_images: dict[str, np.ndarray]) -> int:
    count = min((values.shape[1] for values in of_images.values()), default=0)
    if count < FEWEST:
        raise MissingEvidenceError(f"image metrics have values for {count} images, and an interval needs {FEWEST}")
    return count


def _preference(evidence: Evidence, one: str, other: str, claimed: Interval, metrics: Sequence[str]) -> Finding:
    """Share of metrics by which the late metamers of one set are better than those of another."""
    of_sets, of_images = _oriented(evidence, [(one, "late"), (other, "late")], metrics)
    _enough(len(of_sets) + len(of_images), len(metrics))
    _images(of_images)
    fixed = [(1 + np.sign(first - second)) / 2 for first, second in of_sets.values()]
    differences = np.stack([values[0] - values[1] for values in of_images.values()])

    def share(draw: np.ndarray) -> np.ndarray:
        preferred = (1 + np.sign(_mean(draw))) / 2
        return (preferred.sum(axis=0) + sum(fixed)) / (len(differences) + len(fixed))

    what = f"share of {len(differences) + len(fixed)} metrics preferring {one} to {other}, late"
    return evidence.resampled(differences, share, what, claimed, "images")


def _agreement(evidence: Evidence, metrics: Sequence[str], name: str) -> Finding:
    """Mean rank correlation of metrics with recognizability over the sets of each stage.

    Within a stage: across stages both fall with depth, which would be agreement of no interest.
    """
    table, recognized = evidence.table("image_metrics"), evidence.table("recognizability")
    fixed, resampled, counts = [], [], []
    for stage in dict.fromkeys(recognized["stage"]):
        held_out = recognized[(recognized["stage"] == stage) & recognized["held_out"]]
        means = held_out.groupby("model_set")["recognizability"].mean()
        measured = set(table.loc[table["stage"] == stage, "model_set"]) & set(means.index)
        sets = [one for one in MODEL_SETS if one in measured]
        if len(sets) < FEWEST:
            continue
        of_sets, of_images = _oriented(evidence, [(one, stage) for one in sets], metrics)
        _enough(len(of_sets) + len(of_images), len(metrics))
        fixed += [_spearman(values[None], means[sets].to_numpy()).item() for values in of_sets.values()]
        counts.append(_images(of_images))
        resampled.append((list(of_images.values()), means[sets].to_numpy()))
    if not counts:
        raise MissingEvidenceError(f"no stage has both image metrics and recognizability of {FEWEST} sets")

    def mean_correlation(*drawn: np.ndarray) -> np.ndarray:
        correlations = [
            _spearman(_mean(values[:, positions]).T, means)
            for positions, (metrics, means) in zip(drawn, resampled, strict=True)
            for values in metrics
        ]
        return (sum(correlations) + sum(fixed)) / (len(correlations) + len(fixed))

    what = f"rank correlation of {name} with recognizability within stages"
    return evidence.bootstrap(mean_correlation, counts, what, ABOVE_ZERO, f"{min(counts)} images")


def _spearman(samples: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Rank correlation of each row of (rows, n) with (n,); 0 where there is nothing to rank."""
    first = rankdata(samples, axis=1)
    second = rankdata(other)
    first, second = first - first.mean(axis=1, keepdims=True), second - second.mean()
    scale = np.sqrt((first**2).sum(axis=1) * (second**2).sum())
    return np.divide(first @ second, scale, out=np.zeros(len(first)), where=scale > 0)
