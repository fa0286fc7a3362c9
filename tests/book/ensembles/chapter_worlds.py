"""Small tables of the chapters on metrics, representations, balls and variations, with known content."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch

from figure_worlds import STAGES, pictures, recognizability_table
from metamerlib.evaluation import METRICS
from metamerlib.models import ZOO

SETS = {"CNN": ("alexnet", "resnet18"), "Single CNN": ("vgg19",)}
EVALUATORS = ("alexnet", "vgg19", "resnet18", "deit_small", "alexnet_random")
LOOKING = (
    *("alexnet", "vgg19", "resnet18", "densenet121"),
    *("squeezenet", "vit_base", "mlp_mixer", "resnet18_robust"),
)
EPSILONS = (8 / 255, 0.3, 10_000.0)


def metric_means(sets=tuple(SETS), stages=STAGES, absent=("clip_iqa",)):
    """One row per set, stage and metric; the first set's values are higher by 1, and each stage's by 0.1."""
    rows = []
    for number, name in enumerate(sets):
        for place, stage in enumerate(stages):
            for key, metric in METRICS.items():
                missing = key in absent
                rows.append(
                    {"model_set": name, "stage": stage, "metric": key, "label": metric.label}
                    | {"direction": metric.direction, "mean": np.nan if missing else 2.0 - number + 0.1 * place}
                    | {"sd": 0.5, "reference_mean": 0.25, "n": 0 if missing else 16, "n_left_out": 0}
                    | {"reason": "nobody was there" if missing else "", "n_members": 1, "n_wanted": 1}
                )
    return pd.DataFrame(rows)


def divergences(sets=SETS, stages=STAGES):
    """Every evaluator has its own level; the matching pairs differ by twice as much."""
    table = recognizability_table(sets, stages, EVALUATORS).rename(columns={"recognizability": "divergence"})
    table = table.assign(took_part=~table["held_out"], layer="4").drop(columns="held_out")
    return table.assign(metamer_metamer=table["divergence"] + 0.1, cross_metamer=0.5, matching=table["divergence"] / 2)


def densities(sets=tuple(SETS)):
    """A triangle for each kind of pair, further right for each."""
    grid = np.linspace(-1, 9, 51)
    tables = []
    for name in sets:
        for place, kind in enumerate(("reference-reference", "metamer-metamer", "reference-metamer", "matching")):
            curve = np.clip(1 - np.abs(grid - 2 - place), 0, None)
            tables.append(pd.DataFrame({"model_set": name, "kind": kind, "distance": grid, "density": curve, "n": 6}))
    return pd.concat(tables, ignore_index=True)


def success(sets=SETS, stages=STAGES):
    """Of 10 images 8, 6, 4 pass in a set, one more in each of its networks."""
    rows = []
    for name, members in sets.items():
        for place, stage in enumerate(stages):
            for model in ("all", *(members if len(members) > 1 else ())):
                count = 8 - 2 * place + (model != "all")
                rows.append(
                    {"model_set": name, "stage": stage, "model": model, "n": 10, "beyond_null": count}
                    | {"same_class": 9, "metamer": count, "share": count / 10, "low": count / 10 - 0.2}
                    | {"high": min(1, count / 10 + 0.2), "n_members": len(members), "n_wanted": len(members)}
                )
    return pd.DataFrame(rows)


def restricted(epsilons=EPSILONS):
    """Metamers of the CNN set: around the initial stimulus the more the larger the ball, around the reference all."""
    rows = []
    for center in ("initial", "reference"):
        for place, epsilon in enumerate(epsilons):
            for number, key in enumerate(EVALUATORS):
                share = 0.2 * place + 0.05 * number if center == "initial" else 1 - 0.05 * number
                rows.append(
                    {"epsilon": epsilon, "center": center, "model_set": "CNN", "stage": "late", "evaluator": key}
                    | {"family": "cnn", "robust": False, "random": key.endswith("random"), "n": 16}
                    | {"held_out": key not in SETS["CNN"], "recognizability": share, "residual": 0.9 - 0.3 * place}
                )
    return pd.DataFrame(rows)


def attacked(epsilons=EPSILONS):
    """Attacks keep less of the class, and hit the target more, the larger the ball."""
    table = restricted(epsilons)
    table = table[table["center"] == "initial"].drop(columns=["center", "residual"]).reset_index(drop=True)
    return table.assign(recognizability=0.9 - table["recognizability"], fooled=table["recognizability"] / 2)


def example(epsilons=EPSILONS):
    images = iter(pictures(3 * len(epsilons) + 1))
    return SimpleNamespace(
        category="cat",
        reference=next(images),
        metamers={(epsilon, center): next(images) for epsilon in epsilons for center in ("initial", "reference")},
        attacks={epsilon: next(images) for epsilon in epsilons},
        targets=dict.fromkeys(epsilons, "dog"),
    )


def shown(figure):
    """Pictures on a figure, as (3, H, W) in [0, 1]."""
    arrays = [image.get_array() for axes in figure.axes for image in axes.images]
    return [torch.as_tensor(np.asarray(array)).permute(2, 0, 1) for array in arrays if np.ndim(array) == 3]


def traits(key):
    """What kind of network a key stands for."""
    entry = ZOO.get("resnet18" if "_seed" in key else key)
    return {"evaluator": key, "family": entry.family, "robust": entry.robust, "random": entry.random}


def ablation(column, values, evaluators=LOOKING, starts=("l1_ball",)):
    """Each value of a column adds a tenth to what each evaluator recognizes; AlexNet took part."""
    rows = []
    for start in starts:
        for number, value in enumerate(values):
            for place, key in enumerate(evaluators):
                share = min(1.0, 0.2 + place / 50 + number / 10)
                rows.append(
                    {column: value, "initializer": start, "model_set": f"set {value}", "residual": 0.5 - number / 10}
                    | traits(key)
                    | {"held_out": key != "alexnet", "outside": key != "alexnet", "recognizability": share}
                )
    return pd.DataFrame(rows)


def history(column, values, starts=("l1_ball",), rounds=8):
    """Residuals of two networks that fall faster with every value of a column."""
    return pd.DataFrame(
        {column: value, "initializer": start, "repetition": repetition, "model": model}
        | {"residual": offset / (1 + repetition * (1 + number))}
        for start in starts
        for number, value in enumerate(values)
        for repetition in range(rounds + 1)
        for model, offset in (("alexnet", 1.0), ("resnet18", 1.5))
    )


def transfer(generators=("resnet18", "resnet18_seed1", "vit_base"), evaluators=(*LOOKING, "resnet18_seed1")):
    """Networks recognize all of their own metamers, half of another training's, and a quarter of others'."""

    def relation(one, two):
        if one == two:
            return "itself"
        return "other training" if "resnet18" in one and "resnet18" in two else "other architecture"

    shares = {"itself": 1.0, "other training": 0.5, "other architecture": 0.25}
    rows = []
    for one in generators:
        kind = traits(one)
        for two in evaluators:
            row = {"generator": one, "generator_family": kind["family"], "generator_robust": kind["robust"]}
            row |= traits(two) | {"held_out": one != two, "relation": relation(one, two)}
            rows.append(row | {"recognizability": shares[relation(one, two)]})
    return pd.DataFrame(rows)


def drawn(axes):
    return [np.asarray(line.get_ydata(), dtype=float) for line in axes.lines if len(line.get_ydata()) > 1]


def holds(curves, values):
    return any(len(curve) == len(values) and np.allclose(curve, values) for curve in curves)


def rows(styler):
    """Read a table as people do: rows of text, the head first."""
    html = styler.to_html()
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL) for row in html.split("<tr>")[1:]]
