"""What restricted searches and adversarial examples say, in sentences."""

import math

import pandas as pd

from metamerbook.ensembles.sentences.wording import enumerated

UNRESTRICTED = 1.0
"""An ℓ∞ ball of this radius holds every image."""


def radius_in_words(epsilon: float) -> str:
    """Write the radius of an ℓ∞ ball as the literature does.

    Parameters
    ----------
    epsilon
        In pixel values.

    Returns
    -------
    str
        In 255ths below 0.1, where it is a whole number of them, such as "8/255"; "10 000" for 10000.
    """
    steps = epsilon * 255
    if epsilon < 0.1 and math.isclose(steps, round(steps), abs_tol=1e-6):
        return f"{round(steps)}/255"
    return f"{epsilon:,.6g}".replace(",", "\u2009")


def small_balls(means: pd.DataFrame) -> str:
    """Say what a small ball around the initial stimulus costs.

    Parameters
    ----------
    means
        As `metamerbook.ensembles.summaries.restricted_means` returns it.

    Returns
    -------
    str
        Residual and recognizability by radius.
    """
    rows = means[means["condition"] == "initial"]
    parts = enumerated(f"{row.mean:.2f} at ε = {radius_in_words(row.epsilon)}" for row in rows.itertuples())
    left = enumerated(f"{row.residual:.2f}" for row in rows.itertuples())
    text = f"Around the initial stimulus, mean recognizability is {parts}. What is left of the distance is {left}"
    return f"{text}, in the same order." if len(rows) > 1 else f"{text}."


def centres(means: pd.DataFrame) -> str:
    """Compare the two centres of the ball.

    Parameters
    ----------
    means
        As `metamerbook.ensembles.summaries.restricted_means` returns it.

    Returns
    -------
    str
        Both values for each radius that restricts anything.
    """
    small = means[means["epsilon"] < UNRESTRICTED]
    wide = small.pivot(index="epsilon", columns="condition", values="mean")
    if wide.empty:
        return "No radius of this run restricts anything, so the two centres come to the same."
    parts = enumerated(
        f"{row['initial']:.2f} and {row['reference']:.2f} at ε = {radius_in_words(epsilon)}"
        for epsilon, row in wide.iterrows()
    )
    return f"Around the initial stimulus and around the reference, mean recognizability is {parts}."


def attacks(means: pd.DataFrame) -> str:
    """Say what adversarial examples achieve in the same balls.

    Parameters
    ----------
    means
        As `metamerbook.ensembles.summaries.restricted_means` returns it.

    Returns
    -------
    str
        For each radius, how many keep their class, and how many are taken for the target.
    """
    rows = means[means["condition"] == "attack"]
    parts = []
    for row in rows.itertuples():
        part = f"{row.mean:.2f} of the pictures keep their class and {row.fooled:.2f} are taken for the target"
        if row.fooled_held_out == row.fooled_held_out:
            part += f" ({row.fooled_held_out:.2f} by networks that were not attacked)"
        parts.append(f"at ε = {radius_in_words(row.epsilon)}, {part}")
    return f"Averaged over evaluators, {'; '.join(parts)}."
