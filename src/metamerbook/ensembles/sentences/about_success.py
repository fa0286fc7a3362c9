"""What the count of metamers that pass says, in sentences."""

import pandas as pd

from metamerbook.ensembles.sentences.wording import enumerated, stage_in_words
from metamerlib.models import Stage


def successes(counts: pd.DataFrame, stage: Stage) -> str:
    """Say how many metamers pass, in all and at one stage.

    Parameters
    ----------
    counts
        As `metamerbook.ensembles.success.success_counts` returns it.
    stage
        At which stage.

    Returns
    -------
    str
        The sum over sets and stages, then the count of each set at the stage.
    """
    of_sets = counts[counts["model"] == "all"]
    at_stage = of_sets[of_sets["stage"] == stage].sort_values("share", ascending=False, kind="stable")
    each = enumerated(f"{row.metamer} of {row.n} for *{row.model_set}*" for row in at_stage.itertuples())
    total = f"{of_sets['metamer'].sum()} of {of_sets['n'].sum()}"
    return f"Of all pictures, sets and stages taken together, {total} pass. At {stage_in_words(stage)}, it is {each}."


def obstacles(counts: pd.DataFrame) -> str:
    """Say which half of the criterion is the harder one.

    Parameters
    ----------
    counts
        As `metamerbook.ensembles.success.success_counts` returns it.

    Returns
    -------
    str
        How many fail for want of closeness, and how many for want of the class.
    """
    of_sets = counts[counts["model"] == "all"]
    total, close, same = (int(of_sets[name].sum()) for name in ("n", "beyond_null", "same_class"))
    if close == same:
        comparison = f"Both halves are passed by as many, {close} of {total}"
    else:
        easier, harder = ("the class", "closeness") if same > close else ("closeness", "the class")
        more, fewer = max(close, same), min(close, same)
        comparison = f"Of the two halves, {harder} is the harder: {fewer} of {total} pass it, {more} pass {easier}"
    singles = counts[counts["model"] != "all"]
    if singles.empty:
        return f"{comparison}."
    ensembles = of_sets[of_sets["model_set"].isin(singles["model_set"])]
    alone = singles["metamer"].sum() / singles["n"].sum()
    together = ensembles["metamer"].sum() / ensembles["n"].sum()
    return (
        f"{comparison}. In the ensembles, a picture is a metamer for any one of the networks in {alone:.0%} of "
        f"the cases, for all of them in {together:.0%}."
    )
