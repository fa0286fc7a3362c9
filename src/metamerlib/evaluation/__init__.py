"""How recognizable, how natural and how metameric an image is: the measures of the paper's section 4."""

from metamerlib.evaluation.recognizability import predict_categories, recognizability

__all__ = ["predict_categories", "recognizability"]
