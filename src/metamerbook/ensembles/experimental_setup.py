"""Chapters 04 and 10: model sets, settings and networks of a study beside the paper's (Tables 2, 3 and A1)."""

from typing import Any

import pandas as pd

from metamerbook.study.published import published, statement
from metamerbook.study.study import Study


def model_sets_table(study: Study) -> pd.DataFrame:
    """Put the model sets of a study beside those of the paper.

    One row per set of the study: model_set, paper (list of the models' names as printed in Table 2; empty for sets that
    are not the paper's), members and missing (lists of keys), runs (whether enough are there).
    """
    theirs = published("table_2").groupby("model_set", sort=False)["model"].agg(list).to_dict()
    rows = [
        (name, theirs.get(name, []), list(one.members), list(one.missing), one.runs)
        for name, one in study.model_sets.items()
    ]
    return pd.DataFrame(rows, columns=["model_set", "paper", "members", "missing", "runs"])


def settings_table(study: Study) -> pd.DataFrame:
    """Put the settings of a study beside those of the paper: Table 3, then what section 4 says beside it.

    One row per part of a setting: setting and part (in words), paper and here (as text), field (of `GenerationConfig`
    or `StudySettings`; empty where there is none), where (in the paper).
    """
    config, images = study.settings.config, statement("sufficient-images")
    epsilon, side = (f"{statement(name)['value']:g}" for name in ("epsilon", "image-size"))
    enough, count = f"not said; {images['relation']} {images['value']:g} suffice", len(study.references)
    further = [
        ("Optimizer", "kind", "SGD", config.optimizer, "optimizer", "Experimental Setup"),
        ("Optimizer", "gradient", "not said", config.gradient, "gradient", "–"),
        ("Projection", "norm", "ℓ∞", config.projection, "projection", "General Overview"),
        ("Projection", "ε", epsilon, config.epsilon, "epsilon", "Experimental Setup"),
        ("Stimuli", "side in pixels", side, study.references.size[0], "size", "Model Sets"),
        ("Stimuli", "images", enough, count, "n_per_class", images["where"]),
    ]
    names = {"hyperparameter": "setting", "value": "paper"}
    table = published("table_3").rename(columns=names)[["setting", "part", "paper", "field", "where"]]
    here = [getattr(config, field) if field else config.updates_per_model for field in table["field"]]
    table.insert(3, "here", here)
    # Reading 5: 4000 × 10 are the updates with each model.
    table.loc[:1, "part"] = [f"{table['part'][0]}, per model", "in a row, per model"]
    table = pd.concat([table, pd.DataFrame(further, columns=table.columns)], ignore_index=True)
    return table.assign(here=table["here"].map(_words))


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
