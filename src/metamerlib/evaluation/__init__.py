"""How recognizable, how natural and how metameric an image is: the measures of the paper's section 4."""

from metamerlib.evaluation.distance_correlation import distance_correlation
from metamerlib.evaluation.image_metrics import METRICS, Backbone, ImageMetric, ImageTextModel, image_metrics
from metamerlib.evaluation.null import metamer_success
from metamerlib.evaluation.recognizability import predict_categories, recognizability
from metamerlib.evaluation.representation import (
    KINDS,
    PairDistances,
    jensen_shannon,
    pair_distances,
    representational_divergence,
)

__all__ = [
    "KINDS",
    "METRICS",
    "Backbone",
    "ImageMetric",
    "ImageTextModel",
    "PairDistances",
    "distance_correlation",
    "image_metrics",
    "jensen_shannon",
    "metamer_success",
    "pair_distances",
    "predict_categories",
    "recognizability",
    "representational_divergence",
]
