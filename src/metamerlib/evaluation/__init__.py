"""How recognizable, how natural and how metameric an image is: the measures of the paper's section 4."""

from metamerlib.evaluation.adversarial import AdversarialExamples, adversarial_examples
from metamerlib.evaluation.densities import jensen_shannon
from metamerlib.evaluation.image_metrics import METRICS, Backbone, ImageMetric, ImageTextModel, measure_images
from metamerlib.evaluation.mantel import distance_correlation
from metamerlib.evaluation.mixed_sets import difference_in_means, draw_model_sets, set_means
from metamerlib.evaluation.recognition import (
    CRITERIA,
    predict_categories,
    recognizability,
    tabulate_recognizability,
)
from metamerlib.evaluation.representation import KINDS, PairDistances, pair_distances, representational_divergence
from metamerlib.evaluation.success import metamer_success

__all__ = [
    "CRITERIA",
    "KINDS",
    "METRICS",
    "AdversarialExamples",
    "Backbone",
    "ImageMetric",
    "ImageTextModel",
    "PairDistances",
    "adversarial_examples",
    "difference_in_means",
    "distance_correlation",
    "draw_model_sets",
    "jensen_shannon",
    "measure_images",
    "metamer_success",
    "pair_distances",
    "predict_categories",
    "recognizability",
    "representational_divergence",
    "set_means",
    "tabulate_recognizability",
]
