"""Ensemble metamers (Boehm et al., 2025, and the thesis behind it): one module per chapter."""

CHAPTERS = (
    "introduction",
    "related_work",
    "methodology",
    "experimental_setup",
    "recognizability",
    "image_metrics",
    "representational_similarity",
    "adversarial_examples",
    "mixed_models",
    "optimisers",
    "ensemble_size",
    "transfer",
    "explorer",
)
"""The modules that declare settings or list tasks, in the book's order."""
