"""Presets: residual and recognizability by updates and by seconds, and what the images look like.

Learning rates depend on the number of updates, so every point is a run of its own, from its first update to its last.
Recognizability is over the trained networks of the miniature zoo that had no part in the metamers. The three rules are
shown beside each other to choose between them; results of different ones do not belong into one comparison of networks.

What the paper's rule reaches is held against the fast one's runs: the shortest of them that leaves no higher residual
and is recognized no less.
"""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from torch import Tensor
from tqdm import tqdm

from benchmarks.pictures import draw_curves, draw_images
from metamerlib import GenerationConfig, Metamers, ModelZoo, StimulusSet, generate_metamers, load_stimuli
from metamerlib.evaluation import measure_images, recognizability

NAME = "presets"
CELLS = (
    ("CNN", "late"),
    ("Robust CNNs", "late"),
    ("Transformers", "late"),
    ("Robust Transformers", "late"),
    ("CNN", "early"),
)
BACKBONE = "resnet18_robust"

_METRICS = ("tv", "ssim", "psnr", "vif", "lpips", "scc")
_SHOWN = 8  # images of each row of the picture


def _paper(updates: int) -> GenerationConfig:
    return GenerationConfig(repetitions=updates, steps_per_model=1)


def _pixel_adam(updates: int) -> GenerationConfig:
    return GenerationConfig.fast(
        repetitions=updates, parametrization="pixels", learning_rate=0.02, final_learning_rate=0.0001
    )


def _fast(updates: int) -> GenerationConfig:
    return GenerationConfig.fast(repetitions=updates)


RULES: dict[str, tuple[Callable[[int], GenerationConfig], tuple[int, ...]]] = {
    "paper": (_paper, (100, 300, 1000, 3000)),
    "Adam on pixels": (_pixel_adam, (30, 100, 300)),
    "fast": (_fast, (10, 30, 60, 100, 150, 300)),
}
"""Name to the configuration of so many updates per model, and the numbers of updates to try."""


def run(
    output: Path,
    quick: bool = False,
    device: str = "cpu",
    cells: tuple[tuple[str, str], ...] = CELLS,
    n_per_class: int = 1,
) -> pd.DataFrame:
    """Make metamers by every rule with every number of updates.

    Parameters
    ----------
    output
        Folder for the pictures.
    quick
        One set and stage, four images and a tenth of the updates.
    device
        A torch device.
    cells
        Model sets of the miniature zoo, each with a stage.
    n_per_class
        Images per category.

    Returns
    -------
    pd.DataFrame
        One row per set, stage, rule and number of updates per model: set, stage, rule, updates, seconds (with the
        networks' first passes), residual (mean over images and models), recognizability (of networks held out), the
        mean image metrics, and in the paper's rows matched_by: how many updates the fast rule takes to leave no higher
        residual and to be recognized no less, if any of its runs does. The rows without a rule are the references' own
        metrics.
    """
    zoo, references = ModelZoo("mini"), load_stimuli("objects16", n_per_class=n_per_class, seed=0)
    if quick:
        cells, references = cells[:1], references[::4]
    fewer = 10 if quick else 1
    runs = [
        (cell, rule, make(max(updates // fewer, 1)))
        for cell in cells
        for rule, (make, budgets) in RULES.items()
        for updates in budgets
    ]
    rows, pictures = [], {cell: {"reference": references.images} for cell in cells}
    for cell, rule, config in tqdm(runs, desc=f"{NAME} ({device})"):
        name, stage = cell
        found = generate_metamers(
            references.images, [zoo[key] for key in zoo.model_set(name)], stage=stage, config=config, device=device,
            progress=False,
        )  # fmt: skip
        rows.append({"set": name, "stage": stage, "rule": rule, **_measured(found, references, zoo)})
        pictures[cell][f"{rule}, {config.updates_per_model}"] = found.images
    table = _with_matches(pd.DataFrame(rows))
    for cell in cells:
        name, stage = cell
        stem = f"{NAME}-{name.lower().replace(' ', '-')}-{stage}-{device}"
        points = table[(table["set"] == name) & (table["stage"] == stage)]
        draw_curves(points, f"{name}, {stage}: each point is a run", output / f"{stem}.png")
        draw_images({row: images[:_SHOWN] for row, images in pictures[cell].items()}, output / f"{stem}-images.png")
    own = _metrics(references.images, references, zoo)
    last = pd.DataFrame([{"set": "references", "stage": "", "rule": "", "updates": 0, "matched_by": "", **own}])
    return pd.concat([table, last], ignore_index=True)


def _with_matches(table: pd.DataFrame) -> pd.DataFrame:
    """Note beside each run by the paper's rule the shortest by the fast one that is as good."""
    fast = table[table["rule"] == "fast"]
    matches = []
    for row in table.itertuples():
        as_good = fast[
            (fast["set"] == row.set)
            & (fast["stage"] == row.stage)
            & (fast["residual"] <= row.residual)
            & (fast["recognizability"] >= row.recognizability)
        ]
        matches.append(as_good["updates"].min() if row.rule == "paper" and len(as_good) else "")
    return table.assign(matched_by=matches)


def _measured(found: Metamers, references: StimulusSet, zoo: ModelZoo) -> dict[str, float]:
    untrained = zoo.table().query("random")["key"]
    judges = zoo.evaluators(exclude=[*found.models, *untrained])
    return {
        "updates": found.updates_per_model,
        "seconds": found.seconds,
        "residual": found.residuals.mean().item(),
        "recognizability": recognizability(found.images, references, judges)["recognizability"].mean(),
        **_metrics(found.images, references, zoo),
    }


def _metrics(images: Tensor, references: StimulusSet, zoo: ModelZoo) -> dict[str, float]:
    table = measure_images(images, references, metrics=_METRICS, backbone=zoo[BACKBONE])
    return table.groupby("metric", sort=False)["value"].mean().to_dict()
