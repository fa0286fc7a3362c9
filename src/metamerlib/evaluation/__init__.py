"""How recognizable, how natural and how metameric an image is: the measures of the paper's section 4."""

from metamerlib import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "adversarial": ("AdversarialExamples", "adversarial_examples"),
        "densities": ("jensen_shannon",),
        "image_metrics": ("METRICS", "Backbone", "ImageMetric", "ImageTextModel", "measure_images"),
        "mantel": ("distance_correlation",),
        "mixed_sets": ("difference_in_means", "draw_model_sets", "set_means"),
        "recognition": ("CRITERIA", "predict_categories", "recognizability", "tabulate_recognizability"),
        "representation": ("KINDS", "PairDistances", "pair_distances", "representational_divergence"),
        "success": ("metamer_success",),
    },
)
