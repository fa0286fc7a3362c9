"""Networks: the wrapper that every other room talks to, the zoo, and its training."""

from metamerlib.models.classifier import Classifier
from metamerlib.models.stages import STAGES, Stage

__all__ = ["STAGES", "Classifier", "Stage"]
