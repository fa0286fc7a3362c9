"""What bfloat16 changes in metamers: residuals and held-out recognizability beside float32's.

A generation in float32 from other noise stands beside them, for a sense of how much a difference that means nothing
is. All differences are between metamers of the same images, so that their intervals are those of paired differences.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from metamerlib import GenerationConfig, ModelZoo, load_stimuli
from metamerlib.evaluation import predict_categories
from metamerlib.generation import generate_metamers

NAME = "precision"

_RESAMPLES = 2000
_WAYS = {
    "float32": {"precision": "float32", "seed": 0},
    "bfloat16": {"precision": "bfloat16", "seed": 0},
    "float32, other noise": {"precision": "float32", "seed": 1},
}


def run(output: Path, quick: bool = False, device: str = "cpu") -> pd.DataFrame:
    """Make metamers of miniatures in both precisions, and let the networks outside the ensemble judge them.

    Parameters
    ----------
    output
        Folder for pictures, of which there are none.
    quick
        Whether to make few, with few updates: the numbers then mean nothing.
    device
        Where.

    Returns
    -------
    DataFrame
        One row per model set, stage and way: model_set, stage, way, n (images), seconds (of the generation), residual
        (mean over images and networks, in float32) with residual_low and residual_high, recognizability (mean over
        images and held-out trained networks) with recognizability_low and recognizability_high, and the differences
        from float32, residual_change and recognizability_change, with their _low and _high (NaN for float32 itself).
        Intervals are 95 % bootstrap intervals over images.
    """
    references = load_stimuli("objects16", n_per_class=1 if quick else 3, seed=0)
    config = GenerationConfig(repetitions=3 if quick else 150, steps_per_model=1)
    zoo = ModelZoo("mini", device=device)
    untrained = [key for key in zoo if key.endswith("_random")]
    rows = []
    for name in ["CNN"] if quick else ["CNN", "Transformers"]:
        members = zoo.model_set(name)
        judges = zoo.evaluators(exclude=[*members, *untrained])
        for stage in ["late"] if quick else ["early", "late"]:
            found = {}
            for way, arguments in _WAYS.items():
                models = [zoo[key] for key in members]
                began = time.perf_counter()
                metamers = generate_metamers(
                    references.images, models, stage=stage, config=config, device=device, progress=False, **arguments
                )
                seconds = time.perf_counter() - began
                known, seen = (predict_categories(x, judges) for x in (references.images, metamers.images))
                answers = torch.stack([known[key] == seen[key] for key in known]).double().mean(dim=0)
                found[way] = {"residual": metamers.residuals.double().mean(dim=1), "recognizability": answers}
                rows.append({"model_set": name, "stage": stage, "way": way, "n": len(references), "seconds": seconds})
                for measure, values in found[way].items():
                    rows[-1] |= _mean(measure, values)
                for measure, values in found[way].items():
                    change = values - found["float32"][measure]
                    rows[-1] |= _mean(f"{measure}_change", torch.nan * change if way == "float32" else change)
    return pd.DataFrame(rows)


def _mean(name: str, values: torch.Tensor) -> dict[str, float]:
    """Give the mean over images and its interval, as columns of a table."""
    numbers, draw = values.numpy(), np.random.default_rng(0)
    means = numbers[draw.integers(len(numbers), size=(_RESAMPLES, len(numbers)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return {name: float(numbers.mean()), f"{name}_low": float(low), f"{name}_high": float(high)}
