"""What tables of image metrics say, in sentences."""

import pandas as pd

from metamerbook.ensembles.sentences.wording import counted, enumerated, stage_in_words
from metamerbook.study.words import signed
from metamerlib.models import STAGES, Stage


def best_sets(means: pd.DataFrame, stage: Stage) -> str:
    """Say which model set is best by which metric, at one stage.

    Parameters
    ----------
    means
        As `metamerbook.ensembles.image_metrics.mean_image_metrics` returns it.
    stage
        At which stage.

    Returns
    -------
    str
        Markdown: a list, the set that is best by most metrics first; with one set only, that there is no comparison.
    """
    known = means[(means["stage"] == stage)].dropna(subset="mean")
    if known["model_set"].nunique() < 2:
        return "Only one set was run, so there is nothing to compare it with."
    best: dict[str, list[str]] = {}
    for _, group in known.groupby("metric", sort=False):
        which = "idxmax" if group["direction"].iloc[0] == "higher" else "idxmin"
        winner = group.loc[getattr(group["mean"], which)()]
        best.setdefault(winner["model_set"], []).append(winner["label"].partition(" · ")[0])
    lines = sorted(best.items(), key=lambda item: -len(item[1]))
    return "\n".join(f"- *{name}* by {enumerated(metrics)}" for name, metrics in lines)


def metric_trend(means: pd.DataFrame) -> str:
    """Say how many metrics get worse towards deeper stages.

    Parameters
    ----------
    means
        As `metamerbook.ensembles.image_metrics.mean_image_metrics` returns it.

    Returns
    -------
    str
        A sentence or two on the first and the last stage; with one depth only, that there is nothing to compare.
    """
    depths = {stage: STAGES.get(stage, stage) for stage in means["stage"].unique()}
    stages = sorted((s for s, depth in depths.items() if not isinstance(depth, str)), key=lambda s: depths[s])
    if len(stages) < 2:
        return "Only one depth was run, so there is no trend over depth to look at."
    wide = means.pivot(index=["metric", "model_set"], columns="stage", values="mean")
    higher = means.groupby("metric")["direction"].first().eq("higher")
    change = (wide[stages[-1]] - wide[stages[0]]).dropna()
    change *= [1 if higher[metric] else -1 for metric, _ in change.index]
    worse = int((change < 0).sum())
    by_metric = (change < 0).groupby(level="metric", sort=False).agg(["sum", "size"])
    labels = means.drop_duplicates("metric").set_index("metric")["label"].str.partition(" · ")[0]
    against = [labels[metric] for metric, row in by_metric.iterrows() if 2 * row["sum"] < row["size"]]
    text = (
        f"From {stage_in_words(stages[0])} to {stage_in_words(stages[-1])}, {worse} of the {len(change)} pairs of a "
        "metric and a set get worse."
    )
    return f"{text} Most sets get *better* by {enumerated(against)}." if against else text


def absent_metrics(means: pd.DataFrame) -> str:
    """Say which metrics were not measured, and why.

    Parameters
    ----------
    means
        As `metamerbook.ensembles.image_metrics.mean_image_metrics` returns it.

    Returns
    -------
    str
        A sentence for each reason; nothing if all were.
    """
    missing = means.groupby("metric", sort=False).filter(lambda group: group["mean"].isna().all())
    rows = missing.drop_duplicates("metric")
    reasons = rows["reason"].str.removesuffix(".").replace("", "no finite value here")
    sentences = []
    for reason, group in rows.groupby(reasons, sort=False):
        verb = "is" if len(group) == 1 else "are"
        sentences.append(f"{enumerated(group['label'])} {verb} absent ({reason}).")
    return " ".join(sentences)


def numbers_of_images(means: pd.DataFrame, enough: int = 2048) -> str:
    """Say on how many images the distances between sets stand.

    Parameters
    ----------
    means
        As `metamerbook.ensembles.image_metrics.mean_image_metrics` returns it.
    enough
        Images from which FID's bias is commonly neglected.

    Returns
    -------
    str
        A sentence or two.
    """
    of_sets = means[means["metric"].isin(["fid", "kid"])].dropna(subset="mean")
    if of_sets.empty:
        return "Neither FID nor KID was measured, which compare all metamers of a set with all references at once."
    count = int(of_sets["n"].min())
    here = f"FID and KID compare {counted(count, 'metamer')} with as many references here."
    if count >= enough:
        return here
    return (
        f"{here} That is far below the two thousand from which FID's bias can be neglected: its values can be compared "
        "with each other, since all sets have as many images, and with nothing else. KID has no such bias, but it "
        "varies the more."
    )


def metric_agreement(agreement: pd.DataFrame) -> str:
    """Say whether metrics find the metamers that networks recognize.

    Parameters
    ----------
    agreement
        As `metamerbook.ensembles.summaries.metric_agreement` returns it.

    Returns
    -------
    str
        The metrics that agree most and least, and how those compare that ask a network with those that do not.
    """
    known = agreement.dropna(subset="rank_correlation")
    if known.empty:
        return "There are too few pairs of a set and a stage to compare rankings."
    best, worst = (known.loc[known["rank_correlation"].agg(which)] for which in ("idxmax", "idxmin"))
    text = (
        f"Over {counted(int(known['cells'].max()), 'pair')} of a set and a stage, {best['label']} ranks metamers most "
        f"like recognizability does (rank correlation {signed(best['rank_correlation'])})"
    )
    if len(known) > 1:
        text += f", {worst['label']} least ({signed(worst['rank_correlation'])})"
    groups = known.groupby("learned")["rank_correlation"].mean()
    if set(groups.index) == {True, False}:
        text += (
            f". On average it is {signed(groups[True])} for metrics that ask a network, {signed(groups[False])} for "
        )
        text += "those that do not"
    return f"{text}."
