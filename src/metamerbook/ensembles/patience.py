"""Whether a search that ended far from its reference needed more updates, or has come as close as it can."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from metamerbook.study.smaller import subset_study
from metamerlib.models import Stage

if TYPE_CHECKING:
    from metamerbook.study.study import Study

_SHORT = 1000  # updates per network: who runs more of them need not be told, and would wait for days


@dataclass(frozen=True)
class LongerSearch:
    """One search, as long as all others and longer.

    Attributes
    ----------
    model_set, stage
        Whose metamers.
    n
        Images.
    updates, longer_updates
        Updates with each network.
    residual, longer_residual
        Mean over images and networks of ‖a' − a‖ / ‖a‖ at the end.
    """

    model_set: str
    stage: Stage
    n: int
    updates: int
    longer_updates: int
    residual: float
    longer_residual: float


def longer_search(
    study: "Study", residuals: pd.DataFrame, *, below: float = 0.1, factor: int = 8, n_per_class: int = 1
) -> LongerSearch | None:
    """Search longer where the match at the first stage is worst.

    Parameters
    ----------
    study
        Whose sets, networks and images.
    residuals
        As `Study.residuals` returns it.
    below
        The mean residual that counts as a good match.
    factor
        How many times as many repetitions.
    n_per_class
        Images per category, the first ones.

    Returns
    -------
    LongerSearch or None
        None where every set matches well at the first stage, or the study's budget is not a short one.
    """
    first = residuals[residuals["stage"] == residuals["stage"].iloc[0]]
    means = first.groupby("model_set")["residual_mean"].mean()
    if means.max() < below or study.settings.config.updates_per_model > _SHORT:
        return None
    stage, repetitions = first["stage"].iloc[0], study.settings.repetitions
    small = subset_study(study, n_per_class=n_per_class)
    runs = [small.run(means.idxmax(), stage, repetitions=times * repetitions) for times in (1, factor)]
    small.execute(runs, title="a longer search")
    short, long = (small.result(run) for run in runs)
    return LongerSearch(
        model_set=means.idxmax(),
        stage=stage,
        n=len(small.references),
        updates=short.updates_per_model,
        longer_updates=long.updates_per_model,
        residual=short.residuals.nanmean().item(),
        longer_residual=long.residuals.nanmean().item(),
    )
