"""The set-up of a study beside the paper's: model sets and settings (paper, section 4, Tables 2 and 3)."""

from typing import TYPE_CHECKING

import pandas as pd

from metamerbook.study.published import published, statement

if TYPE_CHECKING:
    from metamerbook.study.study import Study


def model_sets_table(study: "Study") -> pd.DataFrame:
    """Put the model sets of a study beside those of the paper.

    Parameters
    ----------
    study
        Whose sets.

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
    """Put the settings of a study beside those of the paper.

    Parameters
    ----------
    study
        Whose settings.

    Returns
    -------
    DataFrame
        One row per part of a setting: setting and part (in words), paper and here (as text), field (of
        `GenerationConfig` or `StudySettings`; empty where there is none), where (in the paper). First the rows of
        Table 3, then what section 4 says beside it.
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
