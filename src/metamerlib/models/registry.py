"""The paper's model zoo and model sets as tables (Tables A1 and 2), and where each network comes from."""

import csv
from dataclasses import dataclass, fields

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


def _read() -> dict[str, ZooEntry]:
    typed = {
        bool: lambda text: text == "yes",
        int: int,
        str: str,
        float | None: lambda text: float(text) if text else None,
    }
    with (zoo_folder() / "zoo.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    entries = [ZooEntry(*(typed[field.type](row[field.name]) for field in fields(ZooEntry))) for row in rows]
    return {entry.key: entry for entry in entries}


ZOO: dict[str, ZooEntry] = _read()
"""The 31 networks of Tables A1 and B2, by key."""

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
