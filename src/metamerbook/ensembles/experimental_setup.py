"""Chapters 04 and 10: model sets, settings and networks of a study beside the paper's (Tables 2, 3 and A1)."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from metamerbook.engine.task import Task
from metamerbook.study.published import published, statement

if TYPE_CHECKING:
    from metamerbook.study.study import Study


def tasks(study: "Study") -> list[Task]:
    """List what the chapter computes: nothing, it only describes."""
    return []


def model_sets_table(study: "Study") -> pd.DataFrame:
    """Put the model sets of a study beside those of the paper.

    Returns
    -------
    DataFrame
        One row per set of the study: model_set, paper (list of the models' names as printed in Table 2; empty for
        sets that are not the paper's), members and missing (lists of keys), runs (whether enough are there).
    """
    theirs = published("table_2").groupby("model_set", sort=False)["model"].agg(list).to_dict()
    rows = [
        {
            "model_set": name,
            "paper": theirs.get(name, []),
            "members": list(model_set.members),
            "missing": list(model_set.missing),
            "runs": model_set.runs,
        }
        for name, model_set in study.model_sets.items()
    ]
    return pd.DataFrame(rows, columns=["model_set", "paper", "members", "missing", "runs"])


def settings_table(study: "Study") -> pd.DataFrame:
    """Put the settings of a study beside those of the paper: Table 3, then what section 4 says beside it.

    Returns
    -------
    DataFrame
        One row per part of a setting: setting and part (in words), paper and here (as text), field (of
        `GenerationConfig` or `StudySettings`; empty where there is none), where (in the paper).
    """
    config, height = study.settings.config, study.references.size[0]
    rows = [
        {
            "setting": row.hyperparameter,
            "part": row.part,
            "paper": row.value,
            "here": _words(getattr(config, row.field) if row.field else config.updates_per_model),
            "field": row.field,
            "where": row.where,
        }
        for row in published("table_3").itertuples()
    ]
    # Reading 5: 4000 × 10 are the updates with each model.
    rows[0]["part"] = f"{rows[0]['part']}, per model"
    rows[1]["part"] = "in a row, per model"
    images = statement("sufficient-images")
    further = [
        ("Optimizer", "kind", "SGD", config.optimizer, "optimizer", "Experimental Setup"),
        ("Optimizer", "gradient", "not said", config.gradient, "gradient", "–"),
        ("Projection", "norm", "ℓ∞", config.projection, "projection", "General Overview"),
        ("Projection", "ε", f"{statement('epsilon')['value']:g}", config.epsilon, "epsilon", "Experimental Setup"),
        ("Stimuli", "side in pixels", f"{statement('image-size')['value']:g}", height, "size", "Model Sets"),
        (
            "Stimuli",
            "images",
            f"not said; {images['relation']} {images['value']:g} suffice",
            len(study.references),
            "n_per_class",
            images["where"],
        ),
    ]
    names = ("setting", "part", "paper", "here", "field", "where")
    rows += [dict(zip(names, [*row[:3], _words(row[3]), *row[4:]], strict=True)) for row in further]
    return pd.DataFrame(rows)


def _words(value: object) -> str:
    """Write a setting as the paper's table does, so that equal ones look equal."""
    if isinstance(value, float):
        return f"{value:.1f}" if value.is_integer() and value < 1000 else f"{value:g}"
    spelled = {"l1_ball": "uniform ℓ₁ ball", "round_robin": "round robin", "inversion": "inversion loss", "linf": "ℓ∞"}
    return spelled.get(str(value), str(value))


def zoo_facts(zoo: pd.DataFrame) -> dict[str, Any]:
    """Return the numbers of the prose on the networks, from `ModelZoo.table`, by the names under which they are glued.

    Accuracies are those of trained networks, `share` is the median of the parameters per those of the paper's network.
    """
    there = zoo[zoo["available"]]
    known = there[~there["random"]].dropna(subset="accuracy")
    attacked = known.groupby("robust")["robust_accuracy"].mean()
    worst, best = ({} if known.empty else known.loc[known["accuracy"].agg(end)] for end in ("idxmin", "idxmax"))
    return {
        "wanted": len(zoo),
        "available": len(there),
        "parameters-fewest": f"{there['parameters'].min():,}",
        "parameters-most": f"{there['parameters'].max():,}",
        "share": f"{(there['parameters'] / there['paper_parameters']).median():.2g}",
        "accuracy-lowest": _percent(worst.get("accuracy")),
        "accuracy-highest": _percent(best.get("accuracy")),
        "lowest-network": worst.get("table_name", "–"),
        "highest-network": best.get("table_name", "–"),
        "robust-attacked": _percent(attacked.get(True)),
        "standard-attacked": _percent(attacked.get(False)),
    }


def _percent(value: float | None) -> str:
    return "–" if value is None or pd.isna(value) else f"{value:.1%}"
