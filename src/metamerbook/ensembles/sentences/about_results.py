"""What came out, in sentences that follow from tables."""

import pandas as pd

from metamerbook.ensembles.introduction import Overview
from metamerbook.ensembles.sentences.wording import (
    difference,
    enumerated,
    network_label,
    stage_in_words,
)
from metamerlib.models import STAGES, Stage

COMPARISONS = (
    ("CNN", "Single CNN"),
    ("Robust CNNs", "CNN"),
    ("Transformers", "Single Transformer"),
    ("Robust Transformers", "Transformers"),
    ("CNN", "Transformers"),
    ("Robust CNNs", "Robust Transformers"),
)
"""Pairs of the paper's sets that section 4.5 compares."""


def evaluate(overview: Overview) -> str:
    """Say what becomes of the picture that an overview follows.

    Parameters
    ----------
    overview
        As `metamerbook.ensembles.introduction.overview` returns it.

    Returns
    -------
    str
        How many evaluators give the metamer the class that they give its reference.
    """
    verdicts = overview.verdicts
    if verdicts.empty:
        return "In this run no trained network is left to judge."
    same = int((verdicts["reference_class"] == verdicts["metamer_class"]).sum())
    return (
        f"For the {overview.category} of the figure, {same} of {len(verdicts)} trained networks give both "
        "pictures the same class."
    )


def descent(history: pd.DataFrame) -> str:
    """Say how far the residuals of an ensemble's networks fell, and how even they are.

    Parameters
    ----------
    history
        `Metamers.history`: update, model, residual.

    Returns
    -------
    str
        First and last residuals, and how much of the way was covered in the first tenth of the updates.
    """
    first = history[history["update"] == 0].set_index("model")["residual"]
    last = history[history["update"] > 0].groupby("model", sort=False)["residual"].last()
    early = history[history["update"] <= history["update"].max() / 10].groupby("model", sort=False)["residual"].last()
    share = ((first - early) / (first - last)).mean()
    if len(last) == 1:
        name, end = network_label(last.index[0]), f"{last.iloc[0]:.3f}"
        fell = f"The residual of {name} falls from {first.iloc[0]:.2f} to {end}."
    else:
        low, high = last.idxmin(), last.idxmax()
        fell = (
            f"The residuals start between {first.min():.2f} and {first.max():.2f}, and end between {last[low]:.3f} "
            f"({network_label(low)}) and {last[high]:.3f} ({network_label(high)})."
        )
    return f"{fell} The first tenth of the updates covers {share:.0%} of the way." if share == share else fell


def comparisons(means: pd.DataFrame, stage: Stage) -> str:
    """Compare the sets that the paper compares, at one stage.

    Parameters
    ----------
    means
        As `mean_recognizability` returns it; the averages over all evaluators are used.
    stage
        At which stage.

    Returns
    -------
    str
        Markdown: a list of the comparisons whose two sets were run; else a list of the sets.
    """
    of_stage = means[(means["evaluators"] == "all") & (means["stage"] == stage)]
    values = of_stage.dropna(subset="mean").set_index("model_set")["mean"]
    pairs = [pair for pair in COMPARISONS if set(pair) <= set(values.index)]
    if not pairs:
        lines = [f"- *{name}*: {value:.2f}" for name, value in values.items()]
        return "\n".join(lines) or "No evaluator was left that had no part in the generation."
    return "\n".join(
        f"- *{one}* {values[one]:.2f}, *{other}* {values[other]:.2f}: {difference(values[one] - values[other])}"
        for one, other in pairs
    )


def trend(means: pd.DataFrame) -> str:
    """Say which sets lose recognizability towards deeper stages.

    Parameters
    ----------
    means
        As `mean_recognizability` returns it; the averages over all evaluators are used.

    Returns
    -------
    str
        A sentence or two; with stages of one depth only, that there is nothing to compare.
    """
    all_judges = means[means["evaluators"] == "all"].dropna(subset="mean")
    stages = sorted(
        {stage for stage in all_judges["stage"] if stage in STAGES or not isinstance(stage, str)},
        key=lambda stage: STAGES.get(stage, stage),
    )
    if len(stages) < 2:
        return "Only one depth was run, so there is no trend over depth to look at."
    first, last = stages[0], stages[-1]
    table = all_judges.pivot(index="model_set", columns="stage", values="mean").loc[all_judges["model_set"].unique()]
    table = table.dropna(subset=[first, last])
    falls = (table[last] - table[first]).round(9) <= -0.1
    changes = {name: f"*{name}* ({row[first]:.2f} → {row[last]:.2f})" for name, row in table.iterrows()}
    lost, kept = ([changes[name] for name in table.index[chosen]] for chosen in (falls, ~falls))
    way = f"From {stage_in_words(first)} to {stage_in_words(last)}"
    sentences = []
    if lost:
        sentences.append(f"{way}, recognizability falls for {enumerated(lost)}.")
    if kept:
        elsewhere = "It does not fall by a tenth or more for"
        nowhere = f"{way}, recognizability does not fall by a tenth or more for any set:"
        sentences.append(f"{elsewhere if lost else nowhere} {enumerated(kept)}.")
    return " ".join(sentences)
