"""Tests of claims about what metamers look like, by the image metrics of Table 1 (paper, sections 4 and 5).

How natural one set looks beside another is the share of metrics that prefer it, each by its direction of better.
Images are resampled, for all metrics at once; a metric that has one value for a whole set does not vary.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from metamerbook.ensembles.claims.evidence import FEWEST, Evidence
from metamerbook.ensembles.claims.findings import ABOVE_ZERO, BELOW_ZERO, FEW, MOST, Finding, MissingEvidenceError
from metamerbook.study.published import published
from metamerlib.models import MODEL_SETS

FEWEST_METRICS = 0.5
"""Share of the metrics asked for that must have values."""


def cnn_ensembles_look_natural(evidence: Evidence) -> list[Finding]:
    """Late stage: share of the metrics that prefer each CNN ensemble to the single CNN, above one half."""
    return [_preference(evidence, name, "Single CNN", MOST) for name in ("CNN", "Robust CNNs")]


def robust_transformers_look_natural(evidence: Evidence) -> list[Finding]:
    """Late stage: share of the metrics that prefer robust transformers to standard ones, above one half."""
    return [_preference(evidence, "Robust Transformers", "Transformers", MOST)]


def transformers_look_unnatural(evidence: Evidence) -> list[Finding]:
    """Late stage: share of the metrics that prefer transformers to CNNs, and to robust transformers, below one half."""
    return [_preference(evidence, "Transformers", other, FEW) for other in ("CNN", "Robust Transformers")]


def transformers_look_realistic(evidence: Evidence) -> list[Finding]:
    """Late stage: share of the metrics that prefer standard, and robust, transformers to CNNs, above one half."""
    return [_preference(evidence, name, "CNN", MOST) for name in ("Transformers", "Robust Transformers")]


def cnns_look_more_natural(evidence: Evidence) -> list[Finding]:
    """Late stage: share of the metrics that prefer CNNs to transformers, standard and robust, above one half."""
    pairs = (("CNN", "Transformers"), ("Robust CNNs", "Robust Transformers"))
    return [_preference(evidence, one, other, MOST) for one, other in pairs]


def ensembles_look_better_than_single_models(evidence: Evidence) -> list[Finding]:
    """Late stage: share of the metrics that prefer standard ensembles to their family's single model, above half."""
    pairs = (("CNN", "Single CNN"), ("Transformers", "Single Transformer"))
    return [_preference(evidence, one, other, MOST) for one, other in pairs]


def robust_ensembles_resemble_references(evidence: Evidence) -> list[Finding]:
    """Late stage: share of the metrics comparing with the reference that prefer robust to standard ones, above half."""
    resemblance = _metrics(compares="pairs")
    pairs = (("Robust CNNs", "CNN"), ("Robust Transformers", "Transformers"))
    return [_preference(evidence, one, other, MOST, resemblance) for one, other in pairs]


def robust_cnns_are_less_noisy(evidence: Evidence) -> list[Finding]:
    """Late stage: total variation of robust CNNs' metamers minus the mean of the sets that are not robust, below 0."""
    others = [name for name in MODEL_SETS if "Robust" not in name]
    cells = [(name, "late") for name in ("Robust CNNs", *others)]
    _, of_images = _oriented(evidence, cells, ["tv"])
    _images(of_images)
    noise = -of_images["tv"]  # oriented values are better when higher
    values = noise[0] - noise[1:].mean(axis=0)
    what = "total variation, Robust CNNs − mean of the sets that are not robust, late"
    return [evidence.resampled(values, _mean, what, BELOW_ZERO, "images")]


def unlearned_metrics_find_the_most_recognizable(evidence: Evidence) -> list[Finding]:
    """Rank correlation of unlearned metrics with recognizability over the sets of a stage, on average above 0."""
    return [_agreement(evidence, _metrics(learned=False), "unlearned metrics")]


def natural_metamers_transfer(evidence: Evidence) -> list[Finding]:
    """Rank correlation of all metrics with recognizability over the sets of a stage, on average above 0."""
    return [_agreement(evidence, _metrics(), "all metrics")]


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

    Returns
    -------
    tuple of dict and dict
        Of the sets and of the images, as above.

    Raises
    ------
    MissingEvidenceError
        If the table lacks one of the cells.
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


def _preference(
    evidence: Evidence, one: str, other: str, claimed: tuple[float, float], metrics: Sequence[str] | None = None
) -> Finding:
    """Share of metrics by which the late metamers of one set are better than those of another."""
    metrics = _metrics() if metrics is None else metrics
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

    Returns
    -------
    Finding
        The mean correlation and its interval.

    Raises
    ------
    MissingEvidenceError
        If no stage has sets enough.
    """
    table = evidence.table("image_metrics")
    recognized = evidence.table("recognizability")
    total, resampled, counts = [], [], []
    for stage in dict.fromkeys(recognized["stage"]):
        sets = [s for s in MODEL_SETS if ((table["model_set"] == s) & (table["stage"] == stage)).any()]
        held_out = recognized[(recognized["stage"] == stage) & recognized["held_out"]]
        means = held_out.groupby("model_set")["recognizability"].mean()
        sets = [s for s in sets if s in means]
        if len(sets) < FEWEST:
            continue
        of_sets, of_images = _oriented(evidence, [(s, stage) for s in sets], metrics)
        _enough(len(of_sets) + len(of_images), len(metrics))
        for values in of_sets.values():
            total.append(_spearman(values[None], means[sets].to_numpy()).item())
            resampled.append(np.full(evidence.resamples, total[-1]))
        counts.append(_images(of_images))
        draw = evidence.draw(counts[-1])
        for values in of_images.values():
            total.append(_spearman(_mean(values)[None], means[sets].to_numpy()).item())
            resampled.append(_spearman(_mean(values[:, draw]).T, means[sets].to_numpy()))
    if not total:
        raise MissingEvidenceError(f"no stage has both image metrics and recognizability of {FEWEST} sets")
    what = f"rank correlation of {name} with recognizability within stages"
    return evidence.finding(what, np.mean(total), np.mean(resampled, axis=0), ABOVE_ZERO, f"{min(counts)} images")


def _spearman(samples: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Rank correlation of each row of (rows, n) with (n,); 0 where there is nothing to rank."""
    first = rankdata(samples, axis=1)
    second = rankdata(other)
    first, second = first - first.mean(axis=1, keepdims=True), second - second.mean()
    scale = np.sqrt((first**2).sum(axis=1) * (second**2).sum())
    return np.divide(first @ second, scale, out=np.zeros(len(first)), where=scale > 0)
