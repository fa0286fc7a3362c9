"""What the tables of the thesis part say, in sentences that follow from whatever was run."""

from collections.abc import Sequence

import pandas as pd

from metamerbook.ensembles.sentences.wording import counted, enumerated, network_label
from metamerbook.study.words import interval, signed
from metamerlib.models import EXTRA_INSTANCES

STARTS = {
    "l1_ball": "from grey",
    "uniform_offset": "from uniform noise around grey",
    "normal": "from normal noise",
    "uniform": "from uniform noise",
    "reference": "from the reference",
    "mix": "from half the reference",
}
"""Initialisers in words."""

OPTIMISERS = {"SGD": "plain gradient descent", "SGD, momentum": "momentum", "Adam": "Adam"}
"""Optimisers in words."""

TURNS = {"round_robin": "taking turns", "joint": "all at once"}
"""Modes in words."""


def condition_label(values: Sequence[object]) -> str:
    """Name a condition of an ablation in words.

    Parameters
    ----------
    values
        Optimiser, initialiser, mode, or number of networks: what tells the condition from others.

    Returns
    -------
    str
        Such as "momentum, from grey" or "3 networks".
    """
    words = STARTS | OPTIMISERS | TURNS
    return ", ".join(
        words.get(value, value) if isinstance(value, str) else counted(int(value), "network") for value in values
    )


def instance_label(key: str) -> str:
    """Name a network, further trainings of ResNet-18 included.

    Parameters
    ----------
    key
        Its key.

    Returns
    -------
    str
        As `network_label`, or such as "ResNet-18, training 2".
    """
    if key in EXTRA_INSTANCES:
        return f"{network_label('resnet18')}, training {EXTRA_INSTANCES.index(key) + 2}"
    return network_label(key)


def compared(frame: pd.DataFrame, by: Sequence[str]) -> str:
    """List what conditions change against the one that they are compared with.

    Parameters
    ----------
    frame
        As `contrasts` returns it.
    by
        The columns that tell one condition from another.

    Returns
    -------
    str
        Markdown: a list of the conditions, then a sentence with how many differ beyond chance.
    """
    if not frame["n_evaluators"].max():
        return "No evaluator was left that had no part in any of the conditions, so nothing can be compared."
    first = frame[frame["baseline"]].iloc[0]
    name = condition_label([first[column] for column in by])
    lines = [f"- {name}: {first['mean']:.2f}"]
    others = frame[~frame["baseline"]]
    for row in others.to_dict("records"):
        words = condition_label([row[column] for column in by])
        span = interval(row["low"], row["high"])
        lines.append(f"- {words}: {row['mean']:.2f}, a difference of {signed(row['difference'])}{span and ' ' + span}")
    return "\n".join([*lines, "", _verdict(others, name, int(first["n_evaluators"]))])


def convergence(history: pd.DataFrame, by: Sequence[str]) -> str:
    """Say where the residuals of several ways to optimise end, and which gets there first.

    Parameters
    ----------
    history
        As `metamerbook.ensembles.optimisers.convergence` returns it.
    by
        The columns that tell one way from another.

    Returns
    -------
    str
        The residuals at the end, averaged over networks, from the lowest; and how many rounds the others take to where
        the first of the ways ends.
    """
    curves = {way: rows.groupby("repetition")["residual"].mean() for way, rows in history.groupby(list(by), sort=False)}
    last = {way: float(curve.iloc[-1]) for way, curve in curves.items()}
    ends = [f"{last[way]:.3f} with {condition_label(way)}" for way in sorted(last, key=last.get)]
    text = f"Averaged over networks and images, the residual ends at {'; '.join(ends)}."
    base, rounds = next(iter(curves)), int(history["repetition"].max())
    sooner = []
    for way, curve in curves.items():
        below = curve[curve <= last[base]]
        if way != base and curve.iloc[0] > last[base] and len(below) and below.index[0] < rounds:
            sooner.append(f"{condition_label(way)} at round {int(below.index[0])}")
    reached = f"The level at which {condition_label(base)} ends after {counted(rounds, 'round')}"
    if sooner:
        return f"{text} {reached} is reached by {enumerated(sooner)}."
    return f"{text} {reached} is reached by no other way sooner, unless it began below."


def more_networks(frame: pd.DataFrame) -> str:
    """Say whether recognizability grows with every network that an ensemble gets.

    Parameters
    ----------
    frame
        As `contrasts` returns it, by size.

    Returns
    -------
    str
        Where it grows, and the size with the highest mean.
    """
    means = frame.dropna(subset="mean").set_index("size")["mean"].sort_index()
    if len(means) < 2:
        return "Only one size could be judged, so there is nothing to compare."
    if means.nunique() == 1:
        return f"With every number of networks the mean is the same, {means.iloc[0]:.2f}."
    steps = means.diff().dropna()
    growing = int((steps > 0).sum())
    best = means.idxmax()
    return (
        f"Of {counted(len(steps), 'step')} from one size to the next, {growing or 'none'} "
        f"raise{'' if growing > 1 else 's'} the mean, which is highest with {counted(int(best), 'network')} "
        f"({means[best]:.2f})."
    )


def transferred(table: pd.DataFrame) -> str:
    """Say whose metamers others recognize, and within which families.

    Parameters
    ----------
    table
        As `metamerbook.ensembles.transfer.transfer` returns it.

    Returns
    -------
    str
        Means of the generator's own view and of other networks', the best and the worst generator, and transfer within
        and across families.
    """
    trained = table[~table["random"]]
    own = trained.loc[trained["relation"] == "itself", "recognizability"]
    away = trained[trained["relation"] == "other architecture"]
    if away.empty:
        return "No other network was there to look at the metamers."
    means = away.groupby("generator", sort=False)["recognizability"].mean()
    sentences = []
    if len(own):
        sentences.append(
            f"The networks recognize {own.mean():.0%} of their own metamers; other architectures recognize "
            f"{away['recognizability'].mean():.0%}."
        )
    if len(means) > 1 and means.nunique() > 1:
        best, worst = means.idxmax(), means.idxmin()
        sentences.append(
            f"Best recognized by others are those of {instance_label(best)} ({means[best]:.0%}), least those of "
            f"{instance_label(worst)} ({means[worst]:.0%})."
        )
    within = away["family"] == away["generator_family"]
    if within.any() and (~within).any():
        sentences.append(
            f"Within a family the mean is {away.loc[within, 'recognizability'].mean():.0%}, across families "
            f"{away.loc[~within, 'recognizability'].mean():.0%}."
        )
    return " ".join(sentences)


def instances(table: pd.DataFrame, missing: Sequence[str] = ()) -> str:
    """Say whether metamers of a network are metamers for another training of it.

    Parameters
    ----------
    table
        As `metamerbook.ensembles.transfer.transfer` returns it.
    missing
        Keys of networks that were wanted and are not there.

    Returns
    -------
    str
        Means by relation, over those generators of which there is another training; or that there is none.
    """
    related = set(table.loc[table["relation"] == "other training", "generator"])
    if not related:
        lack = f" (missing: {enumerated(map(instance_label, missing))})" if missing else ""
        return f"No second training of any architecture took part in this run{lack}, so this stays open here."
    rows = table[table["generator"].isin(related) & ~table["random"]]
    means = rows.groupby("relation", sort=False)["recognizability"].mean()
    other, foreign = means.get("other training"), means.get("other architecture")
    text = (
        f"Of the metamers of {counted(len(related), 'network')} that share an architecture with another, the network "
        f"itself recognizes {means['itself']:.0%}, another training of the architecture {other:.0%}"
    )
    if foreign is None:
        return f"{text}."
    nearer = "as little as" if abs(other - foreign) < 0.05 and other < 0.5 else "about as much as"
    if abs(other - foreign) >= 0.05:
        nearer = "more than" if other > foreign else "less than"
    return f"{text}; that is {nearer} other architectures, which recognize {foreign:.0%}."


def _verdict(others: pd.DataFrame, name: str, judges: int) -> str:
    known = others.dropna(subset=["low", "high"])
    if known.empty:
        return f"With {counted(judges, 'evaluator')} outside all conditions there are too few for intervals."
    better, worse = int((known["low"] > 0).sum()), int((known["high"] < 0).sum())
    return (
        f"Over {counted(judges, 'evaluator')} that had no part in any condition, {_of(better, len(known))} clearly "
        f"better than {name}, {_of(worse, len(known))} clearly worse; brackets are 95 % intervals of the difference."
    )


def _of(count: int, total: int) -> str:
    return f"{count if count else 'none'} of {total} is" if count <= 1 else f"{count} of {total} are"
