"""What a generation preset makes of a profile, whose budgets are counted in updates of Table 3's rule."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from metamerbook.study.parsing import CHECKS
from metamerbook.study.table_settings import TableSettings
from metamerlib.generation import GenerationConfig
from metamerlib.generation.config import PRESETS

LEAST_UPDATES = 30
"""Updates per model that the fast preset keeps, where there were as many: a tenth of few is too few for any rule."""

_BUDGETS = ("", "restricted_", "mixed_", "ablation_")


def under_preset(preset: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings in which a preset departs from a profile.

    Parameters
    ----------
    preset
        "paper", which departs in nothing, or "fast".
    values
        The profile's keys and values.

    Returns
    -------
    dict
        Setting to value. With "fast" the rule of `GenerationConfig.fast`, and for the main grid and each table that has
        a budget of its own, a tenth of its updates, but at least `LEAST_UPDATES`, at the preset's learning rates.

    Raises
    ------
    ValueError
        If the profile itself sets part of the rule, or one of its values is refused.
    """
    if preset == "paper":
        return {}
    rule = PRESETS[preset]
    changed = {name: value for name, value in rule.items() if name not in ("repetitions", "steps_per_model")}
    if stated := [name for name in changed if name in values]:
        raise ValueError(
            f"preset {preset!r} has a {stated[0]} of its own, but so has the profile: leave it out there, and give it "
            "beside the preset if it is to differ."
        )
    fields = [one.name for one in dataclasses.fields(GenerationConfig)]
    config = GenerationConfig.from_dict({key: value for key, value in values.items() if key in fields})
    fields = [one.name for one in dataclasses.fields(TableSettings)]
    tables = TableSettings(**{key: CHECKS[key](key, values[key]) for key in fields if key in values})
    budgets = {**config.to_dict(), **dataclasses.asdict(tables)}
    for budget in _BUDGETS:
        updates = budgets[f"{budget}repetitions"] * budgets[f"{budget}steps_per_model"]
        changed[f"{budget}repetitions"] = min(updates, max(-(-updates // 10), LEAST_UPDATES))
        changed[f"{budget}steps_per_model"] = 1
        for rate in ("learning_rate", "final_learning_rate"):
            changed[f"{budget}{rate}"] = rule[rate]
    return changed
