"""Chapter 13: how many networks an ensemble needs, recognizability by their number (paper, section 4.3)."""

import dataclasses

import pandas as pd

from metamerbook.engine.task import Task
from metamerbook.ensembles.optimisers import Labelled, ablation_study
from metamerbook.study.judging import Predictions, evaluate, featured_set, featured_stage
from metamerbook.study.settings import Section
from metamerbook.study.study import Study
from metamerbook.study.values import Count


class EnsembleSize(Section):
    """Ensembles of one up to so many networks are compared."""

    largest_ensemble: Count = 5


def ensemble_pool(study: Study) -> tuple[str, ...]:
    """Choose the networks that ensembles of different sizes are made of, at most `largest_ensemble`.

    They are the members of the `featured_set`, then trained evaluators of the same family that are robust like the
    first member or not, in the order of the zoo.
    """
    members = study.model_sets[featured_set(study)].members
    traits = study.networks.traits([*members, *study.evaluators]).drop_duplicates("evaluator")
    kind = traits.iloc[0]
    alike = traits[(traits["family"] == kind["family"]) & (traits["robust"] == kind["robust"]) & ~traits["random"]]
    further = [key for key in alike["evaluator"] if key not in members]
    return (*members, *further)[: study.settings.of(EnsembleSize).largest_ensemble]


def ensemble_size_runs(study: Study) -> Labelled:
    """Describe the generation of metamers of ensembles of one network up to the whole pool, named by their networks.

    Every size below the whole has one ensemble per network of the pool: that network and those behind it, in a circle.
    So each network is in as many ensembles of a size as any other, and sizes differ in nothing but the number.
    """
    small, pool, stage = ablation_study(study), ensemble_pool(study), featured_stage(study)
    runs = []
    for size in range(1, len(pool) + 1):
        for start in range(len(pool) if size < len(pool) else 1):
            keys = [pool[(start + step) % len(pool)] for step in range(size)]
            run = dataclasses.replace(small.run(keys, stage), name=" + ".join(keys))
            runs.append(({"size": size, "model_set": run.name}, run))
    return runs


def tasks(study: Study) -> list[Task]:
    """List what the chapter computes."""
    return [Predictions.of(ablation_study(study), run) for _, run in ensemble_size_runs(study)]


def ensemble_sizes(study: Study) -> pd.DataFrame:
    """Tabulate recognizability by the number of networks that metamers were made with.

    One row per ensemble and evaluator: size, model_set (the ensemble's networks), outside (whether the evaluator is
    none of the pool, so that it counts for every size alike), and what `evaluate` returns.
    """
    table = evaluate(ablation_study(study), ensemble_size_runs(study), title="ensemble sizes")
    return table.assign(outside=~table["evaluator"].isin(ensemble_pool(study)))
