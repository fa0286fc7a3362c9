"""What tables of representations say, in sentences."""

import math

import pandas as pd

from metamerbook.ensembles.sentences.wording import enumerated, stage_in_words
from metamerbook.ensembles.summaries import LEVEL
from metamerbook.study.words import signed
from metamerlib.models import Stage


def divergences(means: pd.DataFrame, stage: Stage) -> str:
    """Put the model sets in the order of their divergence at one stage.

    Parameters
    ----------
    means
        As `metamerbook.ensembles.summaries.mean_representation` returns it.
    stage
        At which stage.

    Returns
    -------
    str
        A sentence with the mean of every set.
    """
    values = means[means["stage"] == stage].dropna(subset="divergence").set_index("model_set")["divergence"]
    if values.empty:
        return f"At {stage_in_words(stage)} no evaluator is left that had no part in a set."
    ranked = [f"*{name}* ({value:.2f})" for name, value in values.sort_values().items()]
    if len(ranked) == 1:
        return f"At {stage_in_words(stage)}, the mean divergence of {ranked[0].replace(' (', ' is ').rstrip(')')} bit."
    return f"At {stage_in_words(stage)}, from the lowest mean divergence to the highest: {enumerated(ranked)} bit."


def collapse(means: pd.DataFrame) -> str:
    """Say how often metamers are among themselves unlike references, though reference-metamer pairs look alike.

    Parameters
    ----------
    means
        As `metamerbook.ensembles.summaries.mean_representation` returns it.

    Returns
    -------
    str
        Over how many pairs of a set and a stage the divergence of metamer-metamer pairs is the larger one, and where
        the difference is largest.
    """
    known = means.dropna(subset=["divergence", "metamer_metamer"])
    if known.empty:
        return "No evaluator is left that had no part in the generation."
    gap = known["metamer_metamer"] - known["divergence"]
    text = (
        f"Averaged over evaluators, distances among metamers differ from those among references more than distances "
        f"between the two do in {int((gap > 0).sum())} of {len(known)} pairs of a set and a stage"
    )
    if gap.max() <= 0:
        return f"{text}."
    row = known.loc[gap.idxmax()]
    return (
        f"{text}, the most for *{row['model_set']}* at {stage_in_words(row['stage'])}: {row['metamer_metamer']:.2f} "
        f"against {row['divergence']:.2f} bit."
    )


def correlations(means: pd.DataFrame) -> str:
    """Say how well distances among metamers follow those among their references.

    Parameters
    ----------
    means
        As `metamerbook.ensembles.summaries.mean_representation` returns it.

    Returns
    -------
    str
        The highest and the lowest mean correlation, and how many are more than chance.
    """
    known = means.dropna(subset="pearson")
    if known.empty:
        return "No correlation is defined: no evaluator is left, or all its representations are equally far apart."
    best, worst = (known.loc[known["pearson"].agg(which)] for which in ("idxmax", "idxmin"))
    ends = [
        f"{signed(row['pearson'])} (*{row['model_set']}*, {stage_in_words(row['stage'])})"
        for row in ([best, worst] if len(known) > 1 else [best])
    ]
    return (
        f"The mean Pearson correlation {'goes from ' if len(ends) > 1 else 'is '}{' down to '.join(ends)}. In "
        f"{known['significant'].sum()} of {known['tested'].sum()} combinations of set, stage and evaluator it is "
        f"more than chance by permutation (p < {LEVEL:.2f})."
    )


def agreement(correlation: float, cells: int) -> str:
    """Say whether divergence and recognizability go together.

    Parameters
    ----------
    correlation
        Rank correlation over cells, as `metamerbook.ensembles.summaries.divergence_agreement` returns it.
    cells
        Their number.

    Returns
    -------
    str
        A sentence or two.
    """
    if math.isnan(correlation):
        return f"With {cells} cells to compare, or all alike, nothing can be said about how the two go together."
    if correlation <= -0.3:
        meaning = "where metamers lie further from where references lie, they are recognized less"
    elif correlation >= 0.3:
        meaning = "where metamers lie further from where references lie, they are recognized *more*"
    else:
        meaning = "the two have little to do with each other"
    return f"Over all {cells} such cells, the rank correlation of the two is {signed(correlation)}: {meaning}."
