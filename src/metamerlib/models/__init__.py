"""Networks: the wrapper that every other room talks to, the zoo, and its training."""

from metamerlib.models.cache import WeightFile
from metamerlib.models.classifier import Classifier
from metamerlib.models.download import DownloadError
from metamerlib.models.fetch import fetch
from metamerlib.models.registry import EXTRA_INSTANCES, MODEL_SETS, ZOO, ZooEntry
from metamerlib.models.stages import STAGES, Stage
from metamerlib.models.weights import CorruptWeightsError, MissingWeightsError
from metamerlib.models.zoo import ModelZoo
from metamerlib.system import weights_folder

__all__ = [
    "EXTRA_INSTANCES",
    "MODEL_SETS",
    "STAGES",
    "ZOO",
    "Classifier",
    "CorruptWeightsError",
    "DownloadError",
    "MissingWeightsError",
    "ModelZoo",
    "Stage",
    "WeightFile",
    "ZooEntry",
    "fetch",
    "weights_folder",
]
