"""How recognizable, how natural and how metameric an image is: the measures of the paper's section 4."""

from metamerlib.evaluation.image_metrics import METRICS, Backbone, ImageMetric, ImageTextModel, image_metrics
from metamerlib.evaluation.recognizability import predict_categories, recognizability

__all__ = [
    "METRICS",
    "Backbone",
    "ImageMetric",
    "ImageTextModel",
    "image_metrics",
    "predict_categories",
    "recognizability",
]
