"""What tables say, in sentences: text of the chapters that must follow from whatever was run."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from metamerlib.experiments.process import Overview
from metamerlib.experiments.published import statement
from metamerlib.models import STAGES, ZOO, Stage

if TYPE_CHECKING:
    from metamerlib.experiments.study import Study

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


def provenance(study: "Study") -> str:
    """Say in a line what a figure was made of, for its caption.

    Parameters
    ----------
    study
        What was run.

    Returns
    -------
    str
        Markdown: profile, images, budget, number of evaluators.
    """
    settings, count = study.settings, len(study.references)
    kind = "drawing" if settings.stimuli == "objects16" else "photograph"
    kind = "image" if study.given_references else kind
    updates, judges = settings.config.updates_per_model, len(study.evaluators)
    return (
        f"Profile {settings.profile}: {_count(count, kind)} at {study.references.size[0]} px, "
        f"{_count(updates, 'update')} per model, {_count(judges, 'evaluator')}."
    )


def network_label(key: str) -> str:
    """Name a network as the paper's Table A1 does.

    Parameters
    ----------
    key
        Its key in the zoo, or the name of a network of one's own.

    Returns
    -------
    str
        The paper's name, or the key where the paper has none.
    """
    return ZOO[key].table_name if key in ZOO else key


def members(study: "Study", name: str) -> str:
    """Name the networks of a set in words.

    Parameters
    ----------
    study
        Whose set.
    name
        Which one.

    Returns
    -------
    str
        Such as "ResNet-18 and AlexNet"; with what is missing of it, if anything is.
    """
    chosen = study.model_sets[name]
    missing = f" (without {_enumerated(map(network_label, chosen.missing))})" if chosen.missing else ""
    return _enumerated(map(network_label, chosen.members)) + missing


def left_out(study: "Study") -> str:
    """Say which sets a figure lacks, and which are incomplete.

    Parameters
    ----------
    study
        Whose sets.

    Returns
    -------
    str
        A sentence, or nothing if all sets are whole.
    """
    shortfalls = [model_set.shortfall for model_set in study.model_sets.values() if model_set.missing]
    return f"Not as it should be: {'; '.join(shortfalls)}." if shortfalls else ""


def stimuli(study: "Study") -> str:
    """Say what pictures a study takes.

    Parameters
    ----------
    study
        Whose references.

    Returns
    -------
    str
        A paragraph that fits drawings, photographs, or pictures that were handed over.
    """
    height, width = study.references.size
    here = f"{_count(len(study.references), 'picture')} of {height} × {width} pixels"
    if study.given_references:
        return f"In this run, {here} were handed over by whoever ran it."
    if study.settings.stimuli == "imagenet16":
        return (
            f"In this run, {here} were drawn by lot out of the validation images of ILSVRC 2012, as many of each of the "
            "sixteen categories over all its classes, cut to their shorter side and resized."
        )
    if study.settings.stimuli == "folder":
        return (
            f"In this run, {here} were read from a folder, cut to their shorter side and resized. Networks that have "
            "only seen drawings recognize little in photographs, which bounds what can be recognized in metamers."
            if study.settings.zoo == "mini"
            else f"In this run, {here} were read from a folder, cut to their shorter side and resized."
        )
    return (
        f"In this run, {here} were drawn by a program, in the same sixteen categories: several kinds of object for "
        "each, with pose, size, proportions, colours, texture and light at random, before a background with the "
        "spectrum of natural pictures. Colour says nothing about the category; shape does. Any number of new ones can "
        "be drawn, which is what the miniatures were trained on."
    )


def stage_in_words(stage: Stage) -> str:
    """Name a stage within a sentence.

    Parameters
    ----------
    stage
        A stage.

    Returns
    -------
    str
        Such as "the late stage" or "35% of the depth".
    """
    return _at(stage)


def judge(overview: Overview) -> str:
    """Say what becomes of the picture that an overview follows.

    Parameters
    ----------
    overview
        As `metamerlib.experiments.overview` returns it.

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
        parts.append(f"{good} of {len(group)} at {_at(stage)}")
    best, worst = (residuals.loc[residuals["residual_mean"].agg(which)] for which in ("idxmin", "idxmax"))
    ends = " and the worst ".join(
        f"{row['residual_mean']:.3f} ({network_label(row['model'])} in *{row['model_set']}*, {_name(row['stage'])})"
        for row in (best, worst)
    )
    return (
        f"Averaged over images, the residual ends below {below:g} for {_enumerated(parts)} of the networks that took "
        f"part. The best match is {ends}."
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
        f"- *{one}* {values[one]:.2f}, *{other}* {values[other]:.2f}: {_difference(values[one] - values[other])}"
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
    change = (table[last] - table[first]).dropna()
    lost, kept = change[change <= -0.1], change[change > -0.1]
    sentences = []
    if len(lost):
        falls = _enumerated(f"*{name}* by {-value:.2f}" for name, value in lost.items())
        sentences.append(f"From {_at(first)} to {_at(last)}, recognizability falls for {falls}.")
    if len(kept):
        holds = _enumerated(f"*{name}* ({value:+.2f})".replace("-", "−") for name, value in kept.items())
        sentences.append(f"It does not fall by more than a tenth for {holds}.")
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
        f"{_difference(ours[stage] - theirs[stage], 'above', 'below')} the paper at {_at(stage)}" for stage in shared
    ]
    text = f"Our mean is {_enumerated(parts)}."
    if len(shared) == len(theirs):
        orders = [" > ".join(sorted(shared, key=lambda s: -values[s])) for values in (theirs, ours)]
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
    return f"Leaving out the evaluators that were never trained moves the means by at most {moved} ({_name(stage)})."


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
    row, criterion = moved.stack().idxmax()
    cell = table.loc[row]
    largest = (
        f"{moved.max(axis=None):.2f} (*{cell['model_set']}* at {_at(cell['stage'])}: {cell['reference']:.2f} by the "
        f"evaluator's own class of the reference, {cell[criterion]:.2f} by {_CRITERIA[criterion]})"
    )
    average = moved.mean(axis=None)
    return (
        f"Either of the other two moves the mean of a set and stage by {average:.2f} on average, by at most {largest}."
    )


def _difference(value: float, more: str = "higher by", less: str = "lower by") -> str:
    """Put a signed difference of shares into words."""
    if abs(value) < 0.005:
        return "level with" if more == "above" else "no difference"
    words = more if value > 0 else less
    return f"{abs(value):.2f} {words}" if more == "above" else f"{words} {abs(value):.2f}"


def _at(stage: Stage) -> str:
    if isinstance(stage, str):
        return f"the {stage} stage" if stage in STAGES else f"`{stage}`"
    return f"{stage:.0%} of the depth"


def _name(stage: Stage) -> str:
    return stage if isinstance(stage, str) else f"{stage:.0%}"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _enumerated(parts: Iterable[str]) -> str:
    parts = list(parts)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
