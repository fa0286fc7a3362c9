"""What the tables of the appendices say, in sentences that follow from whatever was run."""

import pandas as pd
from scipy.stats import spearmanr

from metamerbook.ensembles.sentences.wording import counted, enumerated, network_label
from metamerbook.study.published import statement
from metamerbook.study.words import interval, signed
from metamerlib.models import ZOO
from metamerlib.stimuli import CATEGORIES

WAYS = {
    "difference": "the signed difference",
    "absolute difference": "the difference without its sign",
    "adjusted": "the difference at equal size",
    "levelled": "the difference at equal size and with equal judges",
}
"""The ways to read Table B2, as `mixed_agreement` names them, in words."""

_MOST_NAMED, _FEWEST_RANKED = 6, 5


def networks_there(zoo: pd.DataFrame) -> str:
    """Say how large the networks of a zoo are beside the paper's.

    Parameters
    ----------
    zoo
        As `ModelZoo.table` returns it.

    Returns
    -------
    str
        How many are there, and how many parameters they have.
    """
    there = zoo[zoo["available"]]
    if there.empty:
        return "None of the networks is there."
    few, many = there["parameters"].min(), there["parameters"].max()
    smaller = (there["paper_parameters"] / there["parameters"]).median()
    share = f"All {len(zoo)} of the paper's" if len(there) == len(zoo) else f"{len(there)} of the paper's {len(zoo)}"
    text = f"{share} networks are there, with {_large(few)} to {_large(many)} parameters"
    if there["random"].all():
        text += " and random weights"
    return f"{text}: in the median 1/{smaller:.0f} of the paper's." if smaller >= 2 else f"{text}."


def accuracies_meant(zoo: pd.DataFrame) -> str:
    """Say what the accuracies in a table of networks are.

    Parameters
    ----------
    zoo
        As `ModelZoo.table` returns it.

    Returns
    -------
    str
        Among how many classes, and whether they were measured here or published.
    """
    if zoo["accuracy"].isna().all():
        return "No accuracy is known of these networks."
    if (zoo["classes"] == len(CATEGORIES)).all():
        return "Accuracies are among the sixteen categories, measured when the networks were trained."
    return (
        "Accuracies are those published with the weights, among ImageNet's 1000 classes; none is published under this "
        "attack. `metamerlib zoo verify` measures them, and accuracy among the sixteen categories, on photographs."
    )


def accuracies(zoo: pd.DataFrame) -> str:
    """Say how well the networks of a zoo classify, and what an adversary makes of it.

    Parameters
    ----------
    zoo
        As `ModelZoo.table` returns it.

    Returns
    -------
    str
        The range of accuracy over trained networks; robust ones against the others under attack.
    """
    trained = zoo[zoo["available"] & ~zoo["random"]]
    known = trained.dropna(subset="accuracy")
    if known.empty:
        return "How well they classify is not known here."
    low, high = (known.loc[known["accuracy"].agg(which)] for which in ("idxmin", "idxmax"))
    sentences = [
        f"The trained ones classify between {low['accuracy']:.1%} ({low['table_name']}) and {high['accuracy']:.1%} "
        f"({high['table_name']}) of new pictures correctly."
    ]
    attacked = known.dropna(subset="robust_accuracy").groupby("robust")["robust_accuracy"].mean()
    if {True, False} <= set(attacked.index):
        sentences.append(
            f"Under attack, robust networks still classify {attacked[True]:.0%} on average, the others "
            f"{attacked[False]:.0%}."
        )
    return " ".join(sentences)


def spread(means: pd.DataFrame) -> str:
    """Say how well the metamers of random sets are recognized, beside the paper's mean.

    Parameters
    ----------
    means
        As `mixed_means` returns it.

    Returns
    -------
    str
        Mean and spread over sets, best and worst set, and where that is in the paper's spread.
    """
    theirs, ours = statement("mixed-recognizability"), means["mean"]
    low, high = (means.loc[ours.agg(which)] for which in ("idxmin", "idxmax"))
    away = ours.mean() - theirs["value"]
    where = "inside" if abs(away) <= theirs["spread"] else "outside"
    return (
        f"Over {counted(len(means), 'set')} the mean recognizability is {ours.mean():.3f} ± {ours.std(ddof=1):.3f}, "
        f"from {low['mean']:.2f} (a set of {low['size']:.0f}) to {high['mean']:.2f} (a set of {high['size']:.0f}). The "
        f"paper has {theirs['value']:.3f} ± {theirs['spread']:.3f}: ours is {signed(away)} away, {where} its spread."
    )


def size_matters(means: pd.DataFrame) -> str:
    """Say whether larger random sets do better.

    Parameters
    ----------
    means
        As `mixed_means` returns it.

    Returns
    -------
    str
        The rank correlation of size and mean, and the means of the smallest and largest sets.
    """
    sizes = means["size"]
    if sizes.nunique() < 2 or means["mean"].nunique() < 2:
        return "Whether larger sets do better cannot be seen: sizes or results are all the same."
    found = spearmanr(sizes, means["mean"])
    small, large = (means.loc[sizes == end, "mean"].mean() for end in (sizes.min(), sizes.max()))
    direction = "better" if found.statistic > 0 else "worse"
    weight = f"larger sets do {direction}" if found.pvalue < 0.05 else "no trend that chance could not make"
    return (
        f"Sets of {sizes.min()} come to {small:.2f} on average, sets of {sizes.max()} to {large:.2f}; over all sizes "
        f"the rank correlation of size and recognizability is {signed(found.statistic)} (p {_chance(found.pvalue)}): "
        f"{weight}."
    )


def clear_effects(effects: pd.DataFrame) -> str:
    """Name the networks that improve or worsen sets beyond chance.

    Parameters
    ----------
    effects
        As `mixed_effects` returns it.

    Returns
    -------
    str
        Those whose interval at equal size is all on one side of zero, and how many to expect by chance.
    """
    known = effects.dropna(subset=["adjusted", "adjusted_low", "adjusted_high"])
    if known.empty:
        return "No network was present in some sets and absent from others of the same size."
    up = known[known["adjusted_low"] > 0].sort_values("adjusted", ascending=False)
    down = known[known["adjusted_high"] < 0].sort_values("adjusted")
    parts = [
        f"{verb} sets beyond chance: {_named(rows)}" if len(rows) else f"{verb} sets beyond chance: none"
        for verb, rows in (("improve", up), ("worsen", down))
    ]
    return (
        f"At equal size, of {counted(len(known), 'network')} these {'; these '.join(parts)}. With {len(known)} "
        f"intervals of 95 %, about {0.05 * len(known):.2g} would miss zero by chance alone."
    )


def effects_by_kind(effects: pd.DataFrame) -> str:
    """Compare robust networks, transformers and others by what they add to sets.

    Parameters
    ----------
    effects
        As `mixed_effects` returns it.

    Returns
    -------
    str
        The mean difference at equal size of each kind that is there.
    """
    known = effects.dropna(subset="adjusted")
    known = known[known["model"].isin(list(ZOO))]
    kinds = known["model"].map(_kind)
    means = known.groupby(kinds, sort=False)["adjusted"].agg(["mean", "count"])
    order = [kind for kind in _KINDS if kind in means.index]
    parts = [f"{signed(means.loc[kind, 'mean'], 3)} for {kind} ({means.loc[kind, 'count']:.0f})" for kind in order]
    return f"By kind, the mean difference at equal size is {enumerated(parts)}." if parts else ""


def within_chance(effects: pd.DataFrame) -> str:
    """Say how many of the paper's differences are smaller than chance makes them.

    Parameters
    ----------
    effects
        As `mixed_effects` returns it.

    Returns
    -------
    str
        The median half width of our intervals, and how many published differences are smaller.
    """
    known = effects.dropna(subset=["low", "high"])
    theirs = effects["published_difference"].dropna()
    if known.empty or theirs.empty:
        return "How large such differences are by chance alone cannot be told from this run."
    half = float((known["high"] - known["low"]).median() / 2)
    return (
        f"With {counted(int(known['sets'].iloc[0]), 'set')}, chance alone moves a plain difference by about "
        f"±{half:.3f} (half the width of a 95 % interval, in the median); {int((theirs < half).sum())} of the paper's "
        f"{len(theirs)} differences are smaller than that."
    )


def agreement(correlations: pd.DataFrame) -> str:
    """Say how well our order of networks agrees with the paper's Table B2.

    Parameters
    ----------
    correlations
        As `mixed_agreement` returns it.

    Returns
    -------
    str
        Each rank correlation, and whether any is beyond chance.
    """
    known = correlations.dropna(subset="spearman")
    known = known[known["n"] >= _FEWEST_RANKED]
    if known.empty:
        return "Too few networks differ in what they add to compare their order with the paper's."
    parts = [f"{signed(row.spearman)} for {WAYS[row.ours]} (p {_chance(row.p)})" for row in known.itertuples()]
    clear = int((known["p"] < 0.05).sum())
    verdict = "None of these is beyond chance" if not clear else f"{clear} of these {len(known)} have p below 0.05"
    networks = counted(int(known["n"].iloc[0]), "network")
    return f"Over {networks} the rank correlation with the paper's column is {enumerated(parts)}. {verdict}."


_KINDS = ("robust networks", "standard transformers", "other trained networks", "untrained networks")


def _kind(key: str) -> str:
    entry = ZOO[key]
    if entry.robust:
        return _KINDS[0]
    if entry.random:
        return _KINDS[3]
    return _KINDS[1] if entry.family == "transformer" else _KINDS[2]


def _named(rows: pd.DataFrame) -> str:
    shown = [
        f"{network_label(row.model)} ({signed(row.adjusted, 3)} {interval(row.adjusted_low, row.adjusted_high, 3)})"
        for row in rows.head(_MOST_NAMED).itertuples()
    ]
    more = len(rows) - len(shown)
    return enumerated([*shown, f"{more} more"] if more else shown)


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _large(count: int) -> str:
    return f"{count / 1e6:.3g} million" if count >= 1e6 else f"{count / 1e3:.3g} thousand"
