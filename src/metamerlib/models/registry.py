"""The paper's model zoo and model sets as tables (Tables A1 and 2), and where each network comes from."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from metamerlib.models.weights import zoo_folder


@dataclass(frozen=True)
class ZooEntry:
    """One of the paper's networks.

    Parameters
    ----------
    key
        Its name in this library.
    table_name
        Its name in the paper's Table A1 (or B2).
    family
        "cnn", "transformer" or "mlp".
    robust
        Whether it was trained for robustness.
    architecture
        Its architecture, which several networks may share.
    parameters
        Parameters of the paper's network.
    multiply_adds
        Multiplications and additions of its forward pass at 224 px, as torch's FlopCounterMode counts them, halved.
    source
        Where the paper's network comes from.
    entry
        Its name there.
    trained_on
        The paper network's training data.
    weights
        Where its weights are: a publisher and the name there; empty if it is only initialised.
    normalisation
        What it wants of images: "imagenet" (its mean and standard deviation), "half" (.5 and .5) or "none".
    accuracy
        Share of ILSVRC 2012's validation images that it assigns to the right one of 1000 classes, as published.
    """

    key: str
    table_name: str
    family: str
    robust: bool
    architecture: str
    parameters: int
    multiply_adds: int
    source: str
    entry: str
    trained_on: str
    weights: str
    normalisation: str
    accuracy: float | None

    @property
    def random(self) -> bool:
        """Whether the network is only initialised."""
        return self.trained_on == "none"


def _read(name: str) -> dict[str, dict[str, Any]]:
    table = pd.read_csv(zoo_folder() / name, keep_default_na=False, true_values=["yes"], false_values=["no"])
    return {row[table.columns[0]]: row for row in table.to_dict("records")}


ZOO: dict[str, ZooEntry] = {
    key: ZooEntry(**row | {"accuracy": float(row["accuracy"]) if row["accuracy"] else None})
    for key, row in _read("zoo.csv").items()
}
"""The 31 networks of Tables A1 and B2, by key."""

ARCHITECTURES = _read("architectures.csv")
"""By name: who constructs an architecture, and patterns of its sequential blocks' names (see `find_modules`)."""

EXTRA_INSTANCES = ("resnet18_seed1", "resnet18_seed2")
"""Further trainings of ResNet-18, for the transfer between instances; not among the paper's evaluators."""

MODEL_SETS: dict[str, tuple[str, ...]] = {
    "Single CNN": ("vgg19",),
    "Single Transformer": ("vit_base",),
    "CNN": ("convnext_base", "alexnet", "resnet50", "resnet18"),
    "Robust CNNs": ("convnext_base_robust", "alexnet_robust", "resnet18_robust"),
    "Transformers": ("deit_small", "vit_base", "swin_base", "xcit_small"),
    "Robust Transformers": ("deit_small_robust", "vit_base_robust", "swin_base_robust", "xcit_small_robust"),
}
"""The paper's model sets (Table 2), by the paper's names."""
