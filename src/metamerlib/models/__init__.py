"""Networks: the wrapper that every other room talks to, the zoo, and its training."""

from metamerlib.models.classifier import Classifier
from metamerlib.models.registry import EXTRA_INSTANCES, MODEL_SETS, ZOO, ZooEntry
from metamerlib.models.stages import STAGES, Stage
from metamerlib.models.weights import CorruptWeightsError, MissingWeightsError
from metamerlib.models.zoo import ModelZoo

__all__ = [
    "EXTRA_INSTANCES",
    "MODEL_SETS",
    "STAGES",
    "ZOO",
    "Classifier",
    "CorruptWeightsError",
    "MissingWeightsError",
    "ModelZoo",
    "Stage",
    "ZooEntry",
]
