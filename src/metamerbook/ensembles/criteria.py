"""What counts as recognized, and how much the choice matters (paper, section 4.5; reading 10)."""

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd

from metamerbook.ensembles.recognizability import mean_recognizability
from metamerlib.evaluation.recognition import CRITERIA

if TYPE_CHECKING:
    from metamerbook.study.study import Study


def criteria_table(study: "Study") -> pd.DataFrame:
    """Average recognizability by each criterion.

    Parameters
    ----------
    study
        Which sets, stages and evaluators; its own criterion does not matter.

    Returns
    -------
    DataFrame
        One row per model set and stage: model_set, stage, and the mean over the evaluators that had no part in the
        generation by each criterion: reference (the evaluator's own class of the reference), label (the reference's
        category), generator (the generating networks' class of the reference).
    """
    tables = []
    same = {"models": study.networks.own.values(), "references": study.references, "zoo": study.zoo}
    for criterion in CRITERIA:
        settings = dataclasses.replace(study.settings, criterion=criterion)
        means = mean_recognizability(type(study)(settings, store=study.store, **same).recognizability())
        means = means[means["evaluators"] == "all"].set_index(["model_set", "stage"])["mean"]
        tables.append(means.rename(criterion))
    return pd.concat(tables, axis=1).reset_index()
