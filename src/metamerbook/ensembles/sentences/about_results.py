"""What came out, in sentences that follow from tables."""

import pandas as pd

from metamerbook.ensembles.introduction import Overview
from metamerbook.ensembles.patience import LongerSearch
from metamerbook.ensembles.sentences.wording import (
    difference,
    enumerated,
    network_label,
    order,
    stage_in_words,
    stage_name,
)
from metamerbook.study.published import statement
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

_CRITERIA = {"label": "the category of the reference", "generator": "the class that the generating networks give it"}


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


def matching(residuals: pd.DataFrame, below: float = 0.1) -> str:
    """Say how well metamers match.

    Parameters
    ----------
    residuals
        As `Study.residuals` returns it.
    below
        The residual that counts as a good match.

    Returns
    -------
    str
        How many networks of sets are matched so well at each stage, and the best and the worst match.
    """
    parts = []
    for stage, group in residuals.groupby("stage", sort=False):
        good = int((group["residual_mean"] < below).sum())
        parts.append(f"{good} of {len(group)} at {stage_in_words(stage)}")
    extremes = (residuals.loc[residuals["residual_mean"].agg(which)] for which in ("idxmin", "idxmax"))
    best, worst = (
        f"{row['residual_mean']:.3f} ({network_label(row['model'])} in *{row['model_set']}*, {place})"
        for row, place in ((row, stage_name(row["stage"])) for row in extremes)
    )
    if len(residuals) == 1:
        return f"Averaged over images, the residual ends at {best}."
    return (
        f"Averaged over images, the residual ends below {below:g} for {enumerated(parts)} of the networks that took "
        f"part. The best match is {best}, the worst {worst}."
    )


def patience(longer: LongerSearch | None, below: float = 0.1) -> str:
    """Say whether the worst match of the first stage is one because the search was short.

    Parameters
    ----------
    longer
        As `metamerbook.ensembles.patience.longer_search` returns it.
    below
        The residual that counts as a good match.

    Returns
    -------
    str
        A Markdown paragraph; empty where no search was repeated.
    """
    if longer is None:
        return ""
    left = longer.longer_residual / longer.residual
    if longer.longer_residual < below:
        verdict = "So what is left is a matter of the budget"
    elif left < 0.8:
        verdict = f"So it is at least in part a matter of the budget, though still not below {below:g}"
    else:
        verdict = "So it is not for want of updates"
    return (
        f"At {stage_in_words(longer.stage)}, where a picture is easiest to match, *{longer.model_set}* matches worst. "
        f"Is that the network or the length of the search? The same search on {longer.n} of the pictures ends at "
        f"{longer.residual:.3f} after {longer.updates} updates with each network, and at {longer.longer_residual:.3f} "
        f"after {longer.longer_updates}. {verdict}."
    )


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


def beside_published(overall: pd.DataFrame) -> str:
    """Compare our means over all sets with the three that section 4.5 prints.

    Parameters
    ----------
    overall
        As `overall_recognizability` returns it.

    Returns
    -------
    str
        Where ours are higher and lower, and whether the stages come in the paper's order.
    """
    ours = overall[overall["evaluators"] == "all"].dropna(subset="mean").set_index("stage")["mean"]
    theirs = {stage: statement(f"recognizability-{stage}")["value"] for stage in STAGES}
    shared = [stage for stage in theirs if stage in ours.index]
    if not shared:
        return "None of the stages that the paper reports was run."
    parts = [
        f"{difference(ours[stage] - theirs[stage], 'above', 'below')} it at {stage_in_words(stage)}" for stage in shared
    ]
    text = f"Held against the paper's mean, ours is {enumerated(parts)}."
    if len(shared) == len(theirs):
        orders = [order({stage: values[stage] for stage in shared}) for values in (theirs, ours)]
        same = "; so it is here" if orders[0] == orders[1] else f"; here it is {orders[1]}"
        text += f" In the paper the order is {orders[0]}{same}."
    return text


def untrained(overall: pd.DataFrame) -> str:
    """Say what leaving out untrained evaluators changes.

    Parameters
    ----------
    overall
        As `overall_recognizability` returns it.

    Returns
    -------
    str
        The largest change of a stage's mean.
    """
    table = overall.pivot(index="stage", columns="evaluators", values="mean")
    change = (table["trained"] - table["all"]).dropna() if "trained" in table else pd.Series(dtype=float)
    if change.empty or (change == 0).all():
        return "No evaluator of this run is untrained, so both averages are the same."
    stage = change.abs().idxmax()
    moved = f"{change[stage]:+.3f}".replace("-", "−")
    return (
        f"Leaving out the evaluators that were never trained moves the means by at most {moved} ({stage_name(stage)})."
    )


def criteria(table: pd.DataFrame) -> str:
    """Say how much it matters what counts as recognized (reading 10).

    Parameters
    ----------
    table
        As `criteria_table` returns it.

    Returns
    -------
    str
        The mean and the largest change against the evaluator's own class of the reference.
    """
    moved = (table[["label", "generator"]].sub(table["reference"], axis=0)).abs()
    if moved.isna().all(axis=None):
        return "There is nothing to compare: no evaluator was left that had no part in the generation."
    if moved.max(axis=None) < 0.005:
        return "In this run all three give the same means."
    row, criterion = moved.stack().idxmax()
    cell = table.loc[row]
    place = f"*{cell['model_set']}* at {stage_in_words(cell['stage'])}"
    largest = (
        f"{moved.max(axis=None):.2f} ({place}: {cell['reference']:.2f} by the evaluator's own class of the reference, "
        f"{cell[criterion]:.2f} by {_CRITERIA[criterion]})"
    )
    average = moved.mean(axis=None)
    return (
        f"Either of the other two moves the mean of a set and stage by {average:.2f} on average, by at most {largest}."
    )
