"""Whether metamers are metamers: Feather et al.'s criterion for every image, and how many pass (paper, section 2)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from scipy.stats import binomtest

from metamerbook.engine.context import Context
from metamerbook.engine.task import Task
from metamerbook.ensembles.representational_similarity import RepresentationalSimilarity
from metamerbook.study.model_sets import set_sizes
from metamerbook.study.tasks import MetamerRun
from metamerlib.evaluation import metamer_success as measure

if TYPE_CHECKING:
    from metamerbook.study.study import Study


@dataclass(frozen=True)
class Success(Task):
    """Hold the metamers of a run against pairs of unrelated references, in the networks that made them.

    Attributes
    ----------
    run
        The metamers.
    null_quantile
        Quantile of the unrelated pairs that must be exceeded.
    """

    run: MetamerRun
    null_quantile: float

    def compute(self, context: Context) -> pd.DataFrame:
        models = [context.models[model.key] for model in self.run.models]
        metamers = context.metamers(self.run).images
        table = measure(metamers, context.references, models, stage=self.run.stage, null_quantile=self.null_quantile)
        return table.drop(columns="stage")

    def about(self) -> dict[str, Any]:
        """Return what the run notes.

        Returns
        -------
        dict
            Name of the set, number and size of the images, and the settings that they came from.
        """
        return self.run.about()

    @property
    def label(self) -> str:
        """Name of the run."""
        return f"{self.run.label}, held against chance"

    @property
    def cost(self) -> float:
        """In updates of an image: forward passes, and correlations of ranks."""
        return 3.0 * self.run.stimuli.count * len(self.run.models)


def metamer_success(study: "Study") -> pd.DataFrame:
    """Judge every metamer by Feather et al.'s criterion, in the networks that it was made with.

    Parameters
    ----------
    study
        Which sets and stages. The null distribution is that of all ordered pairs of two different references; the
        setting ``null_quantile`` says how much of it a metamer must exceed.

    Returns
    -------
    DataFrame
        One row per model set, stage, generating model and image: model_set, stage, model (key), layer, image (position
        in the references), category (of the reference), spearman and pearson (of the activations, in [-1, 1]), snr_db
        (10 log10 of the ratio of squared norms), spearman_percentile, pearson_percentile and snr_db_percentile (share
        of the unrelated pairs below, 0 to 100), null_pairs (their number), beyond_null (all three measures exceed the
        quantile), same_class (the model gives metamer and reference one class), metamer (the verdict: both), n_members
        and n_wanted.
    """
    study.execute(study.runs)
    tasks = success_runs(study)
    study.execute(tasks, title="metamers against chance")
    names, tables = study.references.category_names, []
    for task in tasks:
        table = study.result(task)
        table.insert(0, "model_set", task.run.name)
        table.insert(1, "stage", task.run.stage)
        table.insert(table.columns.get_loc("image") + 1, "category", [names[image] for image in table["image"]])
        tables.append(table.assign(**set_sizes(study.model_sets, task.run)))
    return pd.concat(tables, ignore_index=True)


def success_runs(study: "Study") -> list[Success]:
    """Describe the judging of the metamers of every set and stage.

    Parameters
    ----------
    study
        As for `metamer_success`.

    Returns
    -------
    list of Success
        In the order of the study's runs.
    """
    return [Success(run, study.settings.of(RepresentationalSimilarity).null_quantile) for run in study.runs]


def success_counts(table: pd.DataFrame, *, confidence: float = 0.95) -> pd.DataFrame:
    """Count the metamers that pass.

    Parameters
    ----------
    table
        As `metamer_success` returns it.
    confidence
        Coverage of the Wilson interval of the share.

    Returns
    -------
    DataFrame
        For every model set and stage one row for "all" its models together (an image passes if it passes in each of
        them) and, in sets of several, one for each: model_set, stage, model ("all" or a key), n (images), beyond_null,
        same_class and metamer (how many images), share (of images that are metamers), low and high (its interval over
        images), n_members, n_wanted.
    """
    verdicts = ["beyond_null", "same_class", "metamer"]
    rows = []
    for cell, group in table.groupby(["model_set", "stage"], sort=False):
        parts = {"all": group.groupby("image")[verdicts].all()}
        if group["model"].nunique() > 1:
            parts |= {key: part[verdicts] for key, part in group.groupby("model", sort=False)}
        for model, part in parts.items():
            counts, n = part.sum().astype(int).to_dict(), len(part)
            interval = binomtest(counts["metamer"], n).proportion_ci(confidence, method="wilson")
            rows.append(
                dict(zip(("model_set", "stage"), cell, strict=True))
                | {"model": model, "n": n}
                | counts
                | {"share": counts["metamer"] / n, "low": float(interval.low), "high": float(interval.high)}
                | {name: group[name].iloc[0] for name in ("n_members", "n_wanted")}
            )
    return pd.DataFrame(rows)
