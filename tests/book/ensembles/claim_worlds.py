"""Tables of a made-up world in which every claim of the paper that tables can test is true, and how to bend it."""

import numpy as np
import pandas as pd

from metamerbook.study.published import published
from metamerlib.models import MODEL_SETS, STAGES, ZOO

# Recognizability by model set: early, middle, late. Chosen so that the paper's sentences are all true.
LEVELS = {
    "Single CNN": (0.58, 0.42, 0.08),
    "Single Transformer": (0.59, 0.43, 0.12),
    "CNN": (0.62, 0.90, 0.80),
    "Robust CNNs": (0.61, 0.88, 0.74),
    "Transformers": (0.60, 0.55, 0.24),
    "Robust Transformers": (0.59, 0.75, 0.58),
}
# How good a set looks; higher is better for every metric.
BEAUTY = {
    "Single CNN": 0.0,
    "Single Transformer": 0.5,
    "CNN": 3.0,
    "Robust CNNs": 6.0,
    "Transformers": 1.0,
    "Robust Transformers": 4.0,
}
MEMBERS = {name: set(keys) for name, keys in MODEL_SETS.items()}


def world(images=24):
    """Make all tables."""
    noise = np.random.default_rng(0)
    lenience = {key: noise.normal(0, 0.02) + (0.02 if entry.family == "cnn" else -0.02) for key, entry in ZOO.items()}

    def judged(level, key):
        return float(np.clip(level + lenience[key] + noise.normal(0, 0.01), 0, 1))

    def traits(key):
        entry = ZOO[key]
        return {"evaluator": key, "family": entry.family, "robust": entry.robust, "random": entry.random}

    recognizability = pd.DataFrame(
        {"model_set": name, "stage": stage, **traits(key), "held_out": key not in MEMBERS[name]}
        | {"recognizability": judged(level, key), "n_members": len(MEMBERS[name]), "n_wanted": len(MEMBERS[name])}
        for name, levels in LEVELS.items()
        for stage, level in zip(STAGES, levels, strict=True)
        for key in ZOO
    )
    divergence = recognizability.assign(
        divergence=1 - recognizability["recognizability"], took_part=~recognizability["held_out"]
    )[["model_set", "stage", "evaluator", "divergence", "took_part"]]
    metrics = []
    for name, levels in LEVELS.items():
        for stage, level in zip(STAGES, levels, strict=True):
            for _, metric in published("table_1").iterrows():
                sign = 1 if metric["better"] == "higher" else -1
                count = 1 if metric["compares"] == "sets" else images
                values = sign * (BEAUTY[name] * 0.1 + level + noise.normal(0, 0.02, count))
                for image, value in enumerate(values):
                    metrics.append(
                        {"model_set": name, "stage": stage, "metric": metric["key"], "value": value}
                        | {"image": None if count == 1 else image, "direction": metric["better"]}
                    )
    at_radius = {8 / 255: 0.2, 0.3: 0.6, 10000.0: 0.8}
    restricted = pd.DataFrame(
        {"epsilon": epsilon, "center": center, "evaluator": key, "held_out": key not in MEMBERS["CNN"]}
        | {"recognizability": judged(level if center == "initial" else 0.9, key)}
        for epsilon, level in at_radius.items()
        for center in ("initial", "reference")
        for key in ZOO
    )
    adversarial = pd.DataFrame(
        {"epsilon": epsilon, "evaluator": key, "held_out": key not in MEMBERS["CNN"]}
        | {"recognizability": judged(0.4 if key not in MEMBERS["CNN"] else 0.05, key)}
        for epsilon in (8 / 255, 0.3)
        for key in ZOO
    )
    mixed_sets = pd.DataFrame(
        {"model_set": f"mixed {i}", "evaluator": key, "held_out": (i + j) % 5 > 0, "recognizability": judged(0.75, key)}
        for i in range(40)
        for j, key in enumerate(ZOO)
    )
    effects = {"robust": 0.05, "transformer": -0.05}
    mixed_effects = pd.DataFrame(
        {"model": key, "difference": effects.get("robust" if entry.robust else entry.family, 0) + noise.normal(0, 0.01)}
        for key, entry in ZOO.items()
    )
    optimizers = pd.DataFrame(
        {"optimizer": name, "initializer": initializer, "evaluator": key, "held_out": key not in MEMBERS["CNN"]}
        | {"recognizability": judged(level, key)}
        for name, level in {"SGD": 0.8, "SGD, momentum": 0.78, "Adam": 0.79}.items()
        for initializer in ("l1_ball", "mix")
        for key in ZOO
    )
    order = [*MODEL_SETS["CNN"], "vgg19"]
    ensemble_sizes = pd.DataFrame(
        {"size": size, "model_set": f"first {size}", "evaluator": key, "held_out": key not in order[:size]}
        | {"recognizability": judged(0.3 + 0.1 * size, key)}
        for size in range(1, 6)
        for key in ZOO
    )
    return {
        "recognizability": recognizability,
        "image_metrics": pd.DataFrame(metrics).astype({"image": "Int64"}),
        "divergence": divergence,
        "restricted_search": restricted,
        "adversarial": adversarial,
        "mixed_sets": mixed_sets,
        "mixed_effects": mixed_effects,
        "optimizers": optimizers,
        "ensemble_sizes": ensemble_sizes,
    }


def bent(tables, name, change, column=None, **where):
    """Give the tables with one column of some rows of one table changed by a function."""
    table = tables[name].copy()
    rows = np.ones(len(table), dtype=bool)
    for key, value in where.items():
        rows &= table[key].isin(value if isinstance(value, tuple | list | set) else [value])
    assert rows.any()
    column = column or "recognizability"
    table.loc[rows, column] = change(table.loc[rows, column])
    return {**tables, name: table}
